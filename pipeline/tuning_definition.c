#include "pipeline/tuning_definition.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/image_uri.h"
#include "pipeline/lint.h"
#include "pipeline/members.h"
#include "pipeline/tuning_ranges.h"

#define auto_definition __attribute__((cleanup(definition_release))) struct definition

/* One definition on its way from the file to the request. */
struct definition {
	struct config c; /* the configuration as this definition has it */
	struct training_job_facts facts;
	char *image;
	struct channel *channels; /* when it has a choice of its own */
	struct plan_channel *plan_channels;
};

static void definition_release(struct definition *d)
{
	config_close_definition(&d->c);
	free(d->image);
	free(d->channels);
	free(d->plan_channels);
}

static const struct plan_channel *find_channel(const struct training_job_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->n_channels; i++) {
		if (str_eq(facts->channels[i].channel->name, name))
			return &facts->channels[i];
	}
	return NULL;
}

/* `channels: {container channel: key of inputs}` */
static int choose_channels(struct definition *d, const json_t *chosen, struct err *err)
{
	size_t n = json_object_size(chosen), i = 0;
	const char *name;
	json_t *input;

	d->channels = xcalloc(n, sizeof(*d->channels));
	d->plan_channels = xcalloc(n, sizeof(*d->plan_channels));
	json_object_foreach((json_t *)chosen, name, input) {
		const struct plan_channel *pc = find_channel(&d->facts, json_string_value(input));
		auto_free char *path = xasprintf("inputs.%s", name);

		if (!pc)
			return config_error(&d->c, err, path, "'inputs' has no '%s'", json_string_value(input));
		d->channels[i] = *pc->channel;
		d->channels[i].name = name;
		d->plan_channels[i] = *pc;
		d->plan_channels[i].channel = &d->channels[i];
		i++;
	}
	d->facts.channels = d->plan_channels;
	d->facts.n_channels = n;
	return 0;
}

static int choose_image(struct definition *d, const json_t *own, struct err *err)
{
	if (!own)
		return 0;
	if (!json_object_size(own))
		return config_error(&d->c, err, "image.uri", "'image' needs a 'uri' or an 'algorithm_name'");
	if (json_object_get(own, "uri") && image_uri_pinned(&d->c, &d->image, err) < 0)
		return -1;
	d->facts.image = d->image;
	return 0;
}

/* name NULL: the file has no definitions. */
static int definition_open(const struct config *c, const char *name, const struct training_job_facts *facts,
			   struct definition *ret, struct err *err)
{
	const json_t *own = name ? json_at(config_value(c, "tuner"), "definitions", name, NULL) : NULL;
	const json_t *channels = json_object_get(own, "channels");
	auto_free char *tags = xasprintf("tuner.definitions.%s.estimator.tags", name ? name : "");

	ret->facts = *facts;
	config_open_definition(c, name, &ret->c);
	if (own && config_value(c, tags))
		return config_error(c, err, tags,
				    "tags are those of the whole tuning job: they stand in estimator.tags");
	if (own && !json_object_get(own, "objective_metric_name")) {
		auto_free char *path = xasprintf("tuner.definitions.%s", name);

		return config_error(c, err, path, "definition '%s' needs an 'objective_metric_name'", name);
	}
	if (choose_image(ret, json_object_get(own, "image"), err) < 0)
		return -1;
	return channels ? choose_channels(ret, channels, err) : 0;
}

static bool has_member(const char *member)
{
	auto_free char *path = xasprintf("TrainingJobDefinition.%s", member);

	return sagemaker_shape_at(path) != NULL;
}

static void warn_of_loss(const struct definition *d, const json_t *training, const char *member)
{
	auto_free char *key = members_key_of(&d->c, training, member);
	const char *last = strrchr(member, '.');

	strlist_take(d->facts.warnings, config_warning(&d->c, key, "%s: a tuning job has no %s; this is left out", key,
						       last ? last + 1 : member));
}

/* Copy what a definition has too; prefix is "" or "AlgorithmSpecification.". */
static void copy_members(const struct definition *d, const json_t *training, const json_t *from, const char *prefix,
			 json_t *to)
{
	static const char *const others[] = { "TrainingJobName", "Tags", "HyperParameters", "ResourceConfig",
					      "AlgorithmSpecification" };
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)from, name, value) {
		auto_free char *member = xasprintf("%s%s", prefix, name);
		bool is_other = false;

		for (size_t i = 0; i < ARRAY_LEN(others); i++)
			is_other |= str_eq(member, others[i]);
		if (is_other)
			continue;
		if (has_member(member))
			json_object_set(to, name, value);
		else
			warn_of_loss(d, training, member);
	}
}

static json_t *instance_configs(const struct definition *d)
{
	json_t *list =
		members_convert(schema_row("tuner.instance_configs"), config_value(&d->c, "tuner.instance_configs"));
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (!json_object_get(item, "InstanceCount"))
			json_put_int(item, "InstanceCount",
				     config_int(&d->c, "tuner.instance_configs[].instance_count"));
		if (!json_object_get(item, "VolumeSizeInGB"))
			json_put_int(item, "VolumeSizeInGB", config_int(&d->c, "estimator.volume_size"));
	}
	return list;
}

/* Only ResourceConfig has warm pools, groups and reserved capacity; only the other has several types to choose from. */
static void add_resources(const struct definition *d, const json_t *training, json_t *to)
{
	static const char *const full_only[] = { "KeepAlivePeriodInSeconds", "InstanceGroups", "TrainingPlanArn",
						 "InstancePlacementConfig" };
	json_t *resources = json_object_get(training, "ResourceConfig");
	bool has_list = json_array_size(config_value(&d->c, "tuner.instance_configs")) > 0, is_full = false;
	json_t *out = json_object();

	for (size_t i = 0; i < ARRAY_LEN(full_only); i++) {
		auto_free char *member = xasprintf("ResourceConfig.%s", full_only[i]);

		if (!json_object_get(resources, full_only[i]))
			continue;
		is_full = true;
		if (has_list)
			warn_of_loss(d, training, member);
	}
	if (!has_list) {
		json_decref(out);
		json_object_set(to, is_full ? "ResourceConfig" : "HyperParameterTuningResourceConfig", resources);
		return;
	}
	json_object_set_new(out, "InstanceConfigs", instance_configs(d));
	json_put_str(out, "AllocationStrategy", config_str(&d->c, "tuner.allocation_strategy"));
	json_put_str(out, "VolumeKmsKeyId", config_str(&d->c, "estimator.volume_kms_key"));
	json_object_set_new(to, "HyperParameterTuningResourceConfig", out);
}

/* The estimator's metrics are the tuner's: the service asks for them in the definition. */
static int check_metrics(const struct definition *d, struct err *err)
{
	const char *path = "tuner.objective_metric_name", *metric = config_str(&d->c, path);
	auto_free char *key = d->c.definition ? config_definition_path(&d->c, path) : xstrdup(path);

	if (config_str(&d->c, "image.algorithm_name") ||
	    json_array_size(config_value(&d->c, "estimator.metric_definitions")))
		return 0;
	if (!config_str(&d->c, "image.uri")) {
		config_error(&d->c, err, path, "%s: no item of metric_definitions is named '%s'", key, metric);
		return err_hint(err, "add it to estimator.metric_definitions: {name: %s, regex: '…=([-+0-9.eE]+|nan)'}",
				metric);
	}
	strlist_take(d->facts.warnings,
		     config_warning(&d->c, path,
				    "there are no metric_definitions: only an algorithm of AWS brings '%s'", metric));
	return 0;
}

static void warn_of_variables(const struct definition *d, const json_t *ranges)
{
	if (ranges && config_is_true(&d->c, "estimator.sm_env"))
		strlist_take(d->facts.warnings,
			     config_warning(&d->c, "estimator.sm_env",
					    "tuned hyperparameters have no SM_HP_… variable: they are in "
					    "hyperparameters.json"));
}

static json_t *make_definition(const struct definition *d, const json_t *training)
{
	json_t *definition = json_object(), *algorithm = json_object();

	copy_members(d, training, training, "", definition);
	copy_members(d, training, json_object_get(training, "AlgorithmSpecification"), "AlgorithmSpecification.",
		     algorithm);
	json_object_set_new(definition, "AlgorithmSpecification", algorithm);
	if (json_object_get(training, "HyperParameters"))
		json_object_set(definition, "StaticHyperParameters", json_object_get(training, "HyperParameters"));
	add_resources(d, training, definition);
	return definition;
}

/* Objective and ranges stand in a definition that has a name, and else in the configuration of the job. */
static void put_definition(const struct definition *d, json_t *definition, json_t *ranges, json_t *request)
{
	if (!d->c.definition) {
		json_object_set(request, "TrainingJobDefinition", definition);
		if (ranges)
			members_put(request, "HyperParameterTuningJobConfig.ParameterRanges", json_incref(ranges));
		return;
	}
	json_put_str(definition, "DefinitionName", d->c.definition);
	json_object_set_new(definition, "TuningObjective",
			    json_pack("{ssss}", "Type", config_str(&d->c, "tuner.objective_type"), "MetricName",
				      config_str(&d->c, "tuner.objective_metric_name")));
	if (ranges)
		json_object_set(definition, "HyperParameterRanges", ranges);
	json_array_append(json_object_get(request, "TrainingJobDefinitions"), definition);
}

int tuning_definition_add(const struct config *c, const char *name, const struct training_job_facts *facts,
			  json_t *request, struct err *err)
{
	auto_definition d = { 0 };
	auto_json *training = NULL;
	auto_json *ranges = NULL;
	auto_json *definition = NULL;

	if (definition_open(c, name, facts, &d, err) < 0 || lint_secrets(&d.c, &d.facts, err) < 0 ||
	    lint_keys(&d.c, &d.facts, err) < 0 || check_metrics(&d, err) < 0 ||
	    training_job_members(&d.c, &d.facts, &training, err) < 0 ||
	    tuning_ranges_encode(&d.c, &d.facts, &ranges, err) < 0 || lint_metrics(&d.c, &d.facts, err) < 0)
		return -1;
	warn_of_variables(&d, ranges);
	definition = make_definition(&d, training);
	if (!json_object_get(request, "Tags") && json_object_get(training, "Tags"))
		json_object_set(request, "Tags", json_object_get(training, "Tags"));
	put_definition(&d, definition, ranges, request);
	return 0;
}
