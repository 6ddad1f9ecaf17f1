#include "pipeline/tuning_job.h"

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/hyperparameters.h"
#include "pipeline/lint.h"
#include "pipeline/members.h"
#include "pipeline/raw.h"
#include "pipeline/request.h"
#include "pipeline/tuning_definition.h"
#include "pipeline/tuning_ranges.h"

static int add_definitions(const struct config *c, const struct training_job_facts *facts, json_t *request,
			   struct err *err)
{
	const json_t *definitions = config_value(c, "tuner.definitions");
	const char *name;
	json_t *settings;

	if (!definitions)
		return tuning_definition_add(c, NULL, facts, request, err);
	json_object_set_new(request, "TrainingJobDefinitions", json_array());
	json_object_foreach((json_t *)definitions, name, settings) {
		if (tuning_definition_add(c, name, facts, request, err) < 0)
			return -1;
	}
	return 0;
}

static void add_parents(const struct config *c, json_t *request)
{
	auto_strlist names = { 0 };
	json_t *list = json_array();

	config_list(c, "tuner.warm_start_config.parents", &names);
	for (size_t i = 0; i < names.n; i++)
		json_array_append_new(list, json_pack("{ss}", "HyperParameterTuningJobName", names.v[i]));
	if (config_value(c, "tuner.warm_start_config.parents"))
		members_put(request, "WarmStartConfig.ParentHyperParameterTuningJobs", list);
	else
		json_decref(list);
}

/* Definitions share lines of the file, and so what there is to say about them. */
static void add_warnings(const struct strlist *from, struct strlist *to)
{
	for (size_t i = 0; i < from->n; i++) {
		if (!strlist_has(to, from->v[i]))
			strlist_add(to, from->v[i]);
	}
}

static int check_sections(const struct config *c, const struct training_job_facts *facts, struct err *err)
{
	if (!config_value(c, "tuner")) {
		err_set(err, ERR_CONFIG, "%s has no 'tuner'", c->file);
		return err_hint(err, "write tuner: {objective_metric_name: …, hyperparameter_ranges: …}");
	}
	if (lint_keys(c, facts, err) < 0)
		return -1;
	if (!config_value(c, "tuner.definitions") && !config_value(c, "tuner.objective_metric_name"))
		return config_error(c, err, "tuner", "'tuner' needs an 'objective_metric_name'");
	if (config_value(c, "raw"))
		strlist_take(facts->warnings,
			     config_warning(c, "raw",
					    "raw is laid over training jobs only; tuner.raw over tuning jobs"));
	return 0;
}

int tuning_job_request(const struct config *c, const struct training_job_facts *facts, json_t **ret, struct err *err)
{
	auto_json *request = json_object();
	auto_strlist warnings = { 0 };
	struct training_job_facts own = *facts;

	own.warnings = &warnings;
	json_put_str(request, "HyperParameterTuningJobName", facts->job_name);
	members_put_keys(c, "tuner", request);
	add_parents(c, request);
	if (check_sections(c, &own, err) < 0 || add_definitions(c, &own, request, err) < 0 ||
	    raw_merge(c, JOB_TUNING, request, err) < 0 || request_check(c, JOB_TUNING, request, &warnings, err) < 0)
		return -1;
	tuning_ranges_warn(c, json_at(request, "HyperParameterTuningJobConfig", "ParameterRanges", NULL), &warnings);
	add_warnings(&warnings, facts->warnings);
	*ret = take(request);
	return 0;
}

void tuning_job_set_name(json_t *request, const char *job_name)
{
	auto_free char *quoted = hyperparameters_quote(job_name);
	json_t *definition;

	json_put_str(request, "HyperParameterTuningJobName", job_name);
	for (size_t i = 0; (definition = sagemaker_tuning_definition(request, i)); i++) {
		json_t *parameters = json_object_get(definition, "StaticHyperParameters");

		if (json_object_get(parameters, "sagemaker_job_name"))
			json_put_str(parameters, "sagemaker_job_name", quoted);
	}
}

void tuning_job_set_image(json_t *request, const char *old, const char *image)
{
	json_t *definition;

	for (size_t i = 0; old && image && (definition = sagemaker_tuning_definition(request, i)); i++) {
		json_t *algorithm = json_object_get(definition, "AlgorithmSpecification");

		if (str_eq(json_str(algorithm, "TrainingImage"), old))
			json_put_str(algorithm, "TrainingImage", image);
	}
}
