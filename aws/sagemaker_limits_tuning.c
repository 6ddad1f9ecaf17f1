/*
 * The rules of CreateHyperParameterTuningJob.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperbandStrategyConfig.html
 */

#include <inttypes.h>
#include <string.h>

#include "aws/sagemaker_limits_ranges.h"
#include "aws/sagemaker_limits_rules.h"
#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"

#define CONFIG "HyperParameterTuningJobConfig"
#define LIMITS CONFIG ".ResourceLimits"

static bool has(const json_t *object, const char *name)
{
	return json_object_get(object, name) != NULL;
}

static const json_t *config_of(const json_t *request)
{
	return json_object_get(request, CONFIG);
}

static bool is_strategy(const json_t *request, const char *name)
{
	return str_eq(json_str(config_of(request), "Strategy"), name);
}

/* One definition or several; objective and ranges stand beside the one, and within the several. */
static int check_form(const json_t *request, struct str *path, struct err *err)
{
	bool is_one = has(request, "TrainingJobDefinition"), are_many = has(request, "TrainingJobDefinitions");
	const json_t *config = config_of(request);

	if (is_one == are_many)
		return sagemaker_refuse(
			path, err, "CreateHyperParameterTuningJob",
			"either 'TrainingJobDefinition' or 'TrainingJobDefinitions' is needed, not both");
	if (are_many && has(config, "HyperParameterTuningJobObjective"))
		return sagemaker_refuse(path, err, CONFIG ".HyperParameterTuningJobObjective",
					"with TrainingJobDefinitions each of them has a TuningObjective instead");
	if (are_many && has(config, "ParameterRanges"))
		return sagemaker_refuse(path, err, CONFIG ".ParameterRanges",
					"with TrainingJobDefinitions each of them has HyperParameterRanges instead");
	if (is_one && !has(config, "HyperParameterTuningJobObjective"))
		return sagemaker_refuse(path, err, CONFIG, "'HyperParameterTuningJobObjective' is missing");
	return 0;
}

static int check_limits(const json_t *request, struct str *path, struct err *err)
{
	const json_t *limits = json_object_get(config_of(request), "ResourceLimits");
	const json_t *all = json_object_get(limits, "MaxNumberOfTrainingJobs");
	const json_t *parallel = json_object_get(limits, "MaxParallelTrainingJobs");

	if (!all && !is_strategy(request, "Grid") && !has(limits, "MaxRuntimeInSeconds") &&
	    !has(config_of(request), "TuningJobCompletionCriteria"))
		return sagemaker_refuse(path, err, LIMITS,
					"nothing ends this job: 'MaxNumberOfTrainingJobs' is missing");
	if (all && json_integer_value(parallel) > json_integer_value(all))
		return sagemaker_refuse(path, err, LIMITS ".MaxParallelTrainingJobs",
					"must not be more than MaxNumberOfTrainingJobs (%" JSON_INTEGER_FORMAT ")",
					json_integer_value(all));
	return 0;
}

static int check_strategy(const json_t *request, struct str *path, struct err *err)
{
	const json_t *config = config_of(request);
	const json_t *hyperband = json_at(config, "StrategyConfig", "HyperbandStrategyConfig", NULL);
	const json_t *min = json_object_get(hyperband, "MinResource"), *max = json_object_get(hyperband, "MaxResource");

	if (hyperband && !is_strategy(request, "Hyperband"))
		return sagemaker_refuse(path, err, CONFIG ".StrategyConfig.HyperbandStrategyConfig",
					"goes with the strategy Hyperband only");
	if (min && max && json_integer_value(min) > json_integer_value(max))
		return sagemaker_refuse(path, err, CONFIG ".StrategyConfig.HyperbandStrategyConfig.MinResource",
					"must not be more than MaxResource (%" JSON_INTEGER_FORMAT ")",
					json_integer_value(max));
	if (is_strategy(request, "Hyperband") && str_eq(json_str(config, "TrainingJobEarlyStoppingType"), "Auto")) {
		sagemaker_refuse(path, err, CONFIG ".TrainingJobEarlyStoppingType",
				 "'Auto' does not go with the strategy Hyperband, which stops jobs itself");
		return err_hint(err, "leave it out, or write Off");
	}
	return 0;
}

static int check_warm_start(const json_t *request, struct str *path, struct err *err)
{
	static const char list[] = "WarmStartConfig.ParentHyperParameterTuningJobs";
	const json_t *parents = json_at(request, "WarmStartConfig", "ParentHyperParameterTuningJobs", NULL);
	const char *own = json_str(request, "HyperParameterTuningJobName");
	json_t *parent;
	size_t i;

	json_array_foreach(parents, i, parent) {
		const char *name = json_str(parent, "HyperParameterTuningJobName");
		auto_free char *item = xasprintf("%s[%zu].HyperParameterTuningJobName", list, i);

		if (!name)
			return sagemaker_refuse(path, err, list, "each parent needs a 'HyperParameterTuningJobName'");
		if (str_eq(name, own))
			return sagemaker_refuse(path, err, item, "'%s' is the job itself", name);
	}
	return sagemaker_check_distinct(parents, list, "HyperParameterTuningJobName", path, err);
}

static int check_resources(const json_t *definition, struct str *path, struct err *err)
{
	static const char *const instead[] = { "InstanceType", "InstanceCount", "VolumeSizeInGB" };
	const json_t *resources = json_object_get(definition, "HyperParameterTuningResourceConfig");
	bool is_list = has(resources, "InstanceConfigs");

	if (!resources == !has(definition, "ResourceConfig"))
		return sagemaker_refuse(path, err, "HyperParameterTuningResourceConfig",
					"either it or 'ResourceConfig' is needed, not both");
	for (size_t i = 0; resources && i < ARRAY_LEN(instead); i++) {
		auto_free char *member = xasprintf("HyperParameterTuningResourceConfig.%s", instead[i]);

		if (is_list && has(resources, instead[i]))
			return sagemaker_refuse(path, err, member, "does not go together with InstanceConfigs");
		if (!is_list && !has(resources, instead[i]))
			return sagemaker_refuse(path, err, "HyperParameterTuningResourceConfig", "'%s' is missing",
						instead[i]);
	}
	if (has(resources, "AllocationStrategy") && !is_list)
		return sagemaker_refuse(path, err, "HyperParameterTuningResourceConfig.AllocationStrategy",
					"goes with InstanceConfigs only");
	return 0;
}

/* An algorithm of AWS brings metrics of its own: only a list that is there can lack the objective's. */
static int check_metric(const json_t *definition, const json_t *objective, const char *objective_path, struct str *path,
			struct err *err)
{
	const json_t *metrics = json_at(definition, "AlgorithmSpecification", "MetricDefinitions", NULL);
	auto_free char *member = xasprintf("%s.MetricName", objective_path);
	const char *wanted = json_str(objective, "MetricName");
	json_t *metric;
	size_t i;

	json_array_foreach(metrics, i, metric) {
		if (str_eq(json_str(metric, "Name"), wanted))
			return 0;
	}
	if (!json_array_size(metrics))
		return 0;
	return sagemaker_refuse(path, err, member, "no item of MetricDefinitions is named '%s'", wanted);
}

/* "If a value for MaxResource is not provided, … attempts to infer MaxResource from" one of these. */
static int check_hyperband(const json_t *request, const json_t *definition, struct str *path, struct err *err)
{
	const json_t *parameters = json_object_get(definition, "StaticHyperParameters");

	if (!is_strategy(request, "Hyperband") ||
	    json_at(config_of(request), "StrategyConfig", "HyperbandStrategyConfig", "MaxResource", NULL))
		return 0;
	for (const char *const *name = sagemaker_resource_names; *name; name++) {
		if (has(parameters, *name))
			return 0;
	}
	str_truncate(path, 0);
	sagemaker_refuse(path, err, CONFIG ".StrategyConfig",
			 "the strategy Hyperband needs HyperbandStrategyConfig.MaxResource");
	return err_hint(err,
			"or a hyperparameter epochs, numepochs, n-epochs, n_epochs or num_epochs that is not tuned");
}

/* *path is the definition's own, with a dot behind it. */
static int check_definition(const json_t *request, const json_t *definition, struct str *path, struct err *err)
{
	bool is_one = has(request, "TrainingJobDefinition");
	const json_t *objective = json_object_get(is_one ? config_of(request) : definition,
						  is_one ? "HyperParameterTuningJobObjective" : "TuningObjective");
	struct range_place place = {
		.ranges = json_object_get(is_one ? config_of(request) : definition,
					  is_one ? "ParameterRanges" : "HyperParameterRanges"),
		.request = request,
		.definition = definition,
		.path = is_one ? CONFIG ".ParameterRanges" : "HyperParameterRanges",
	};
	size_t n = is_one ? 0 : path->len;

	if (check_resources(definition, path, err) < 0 || sagemaker_check_definition_rules(definition, path, err) < 0)
		return -1;
	str_truncate(path, n);
	if (check_metric(definition, objective, is_one ? CONFIG ".HyperParameterTuningJobObjective" : "TuningObjective",
			 path, err) < 0 ||
	    sagemaker_check_ranges(&place, path, err) < 0)
		return -1;
	return check_hyperband(request, definition, path, err);
}

static int check_named_definition(const json_t *definition, struct str *path, struct err *err)
{
	static const char *const needed[] = { "DefinitionName", "TuningObjective" };

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (has(definition, needed[i]))
			continue;
		str_truncate(path, path->len - 1);
		return sagemaker_refuse(path, err, "", "'%s' is missing", needed[i]);
	}
	return 0;
}

static int check_definitions(const json_t *request, struct str *path, struct err *err)
{
	const json_t *definitions = json_object_get(request, "TrainingJobDefinitions");
	const json_t *one = json_object_get(request, "TrainingJobDefinition");
	json_t *definition;
	size_t i;

	if (one) {
		str_add(path, "TrainingJobDefinition.");
		if (check_definition(request, one, path, err) < 0)
			return -1;
		str_truncate(path, 0);
		return 0;
	}
	json_array_foreach(definitions, i, definition) {
		str_addf(path, "TrainingJobDefinitions[%zu].", i);
		if (check_named_definition(definition, path, err) < 0 ||
		    check_definition(request, definition, path, err) < 0)
			return -1;
		str_truncate(path, 0);
	}
	return sagemaker_check_distinct(definitions, "TrainingJobDefinitions", "DefinitionName", path, err);
}

int sagemaker_check_tuning_rules(const json_t *request, struct str *ret_path, struct err *err)
{
	static int (*const rules[])(const json_t *, struct str *, struct err *) = {
		check_form,       check_limits,      check_strategy,
		check_warm_start, check_definitions, sagemaker_check_tag_rules,
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i](request, ret_path, err) < 0)
			return -1;
	}
	return 0;
}
