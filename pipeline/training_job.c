#include "pipeline/training_job.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/hyperparameters.h"
#include "pipeline/lint.h"
#include "pipeline/members.h"
#include "pipeline/raw.h"
#include "pipeline/request.h"
#include "pipeline/sm_env.h"

static json_t *s3_channel(const char *name, const char *uri, const char *type, const char *distribution)
{
	return json_pack("{s:s, s:{s:{s:s, s:s, s:s}}}", "ChannelName", name, "DataSource", "S3DataSource",
			 "S3DataType", type, "S3Uri", uri, "S3DataDistributionType", distribution);
}

/* A key's value, or its default. */
static const char *setting(const json_t *settings, const char *path)
{
	const struct schema_key *row = schema_row(path);
	const char *value = json_str(settings, strrchr(path, '.') + 1);

	return value ? value : row->fallback;
}

static void add_channel(const struct plan_channel *pc, json_t *channels)
{
	const struct channel *c = pc->channel;
	auto_json *settings = json_deep_copy(c->settings);
	auto_json *members = NULL;
	json_t *j;

	json_object_del(settings, "path");
	if (c->kind == CHANNEL_FILE_SYSTEM)
		json_put_str(settings, "file_system_access_mode",
			     setting(settings, "inputs.*.file_system_access_mode"));
	members = members_convert(schema_row("inputs.*"), settings);
	if (c->kind == CHANNEL_LOCAL || c->kind == CHANNEL_S3)
		j = s3_channel(c->name, pc->uri, setting(settings, "inputs.*.s3_data_type"),
			       setting(settings, "inputs.*.distribution"));
	else
		j = json_pack("{ss}", "ChannelName", c->name);
	json_object_update_recursive(j, members);
	json_array_append_new(channels, j);
}

/* As the SDK sends model_uri. */
static void add_model_channel(const struct config *c, json_t *channels)
{
	const char *uri = config_str(c, "estimator.model_uri");
	json_t *j = uri ? s3_channel(config_str(c, "estimator.model_channel_name"), uri, "S3Prefix", "FullyReplicated")
			: NULL;

	if (!j)
		return;
	json_put_str(j, "ContentType", "application/x-sagemaker-model");
	json_put_str(j, "InputMode", "File");
	json_array_append_new(channels, j);
}

static void add_channels(const struct config *c, const struct training_job_facts *facts, json_t *request)
{
	auto_json *channels = json_array();

	for (size_t i = 0; i < facts->n_channels; i++)
		add_channel(&facts->channels[i], channels);
	/* The tarball's own URI, as the SDK sends it under network isolation: the channel holds exactly this file. */
	if (facts->source_uri && str_eq(config_str(c, "source.delivery"), "channel"))
		json_array_append_new(channels, s3_channel("code", facts->source_uri, "S3Prefix", "FullyReplicated"));
	add_model_channel(c, channels);
	if (json_array_size(channels))
		json_object_set(request, "InputDataConfig", channels);
}

static int add_hyperparameters(const struct config *c, const struct training_job_facts *facts, json_t *request,
			       struct err *err)
{
	auto_json *parameters = NULL;

	if (hyperparameters_encode(c, facts, &parameters, err) < 0)
		return -1;
	if (json_object_size(parameters))
		json_object_set(request, "HyperParameters", parameters);
	return 0;
}

static int add_environment(const struct config *c, const struct training_job_facts *facts, json_t *request,
			   struct err *err)
{
	auto_json *environment = NULL;

	if (!config_is_true(c, "estimator.sm_env"))
		return 0;
	environment = json_incref(json_object_get(request, "Environment"));
	if (!environment)
		environment = json_object();
	if (sm_env_add(c, facts, environment, err) < 0)
		return -1;
	json_object_set(request, "Environment", environment);
	return 0;
}

static void add_tags(const struct config *c, json_t *request)
{
	auto_json *tags = json_array();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)config_value(c, "estimator.tags"), key, value)
		json_array_append_new(tags, json_pack("{ssso}", "Key", key, "Value", json_incref(value)));
	if (json_array_size(tags))
		json_object_set(request, "Tags", tags);
}

/* Debugger and profiler write to the output's place when they are given none, as the SDK has it. */
static void add_debug_paths(const struct config *c, const struct training_job_facts *facts, json_t *request)
{
	static const char *const places[][2] = {
		{ "estimator.debugger_hook_config", "DebugHookConfig" },
		{ "estimator.profiler_config", "ProfilerConfig" },
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		auto_free char *member = xasprintf("%s.S3OutputPath", places[i][1]);

		if (config_value(c, places[i][0]) && !json_at(request, places[i][1], "S3OutputPath", NULL))
			members_put(request, member, json_string(facts->output_path));
	}
}

static json_t *start_request(const struct config *c, const struct training_job_facts *facts)
{
	json_t *request = json_object();
	const char *algorithm = config_str(c, "image.algorithm_name");

	json_put_str(request, "TrainingJobName", facts->job_name);
	if (facts->image)
		members_put(request, "AlgorithmSpecification.TrainingImage", json_string(facts->image));
	if (algorithm)
		members_put(request, "AlgorithmSpecification.AlgorithmName", json_string(algorithm));
	json_put_str(request, "RoleArn", facts->role);
	members_put(request, "OutputDataConfig.S3OutputPath", json_string(facts->output_path));
	members_put_keys(c, "estimator", request);
	return request;
}

int training_job_members(const struct config *c, const struct training_job_facts *facts, json_t **ret, struct err *err)
{
	auto_json *request = start_request(c, facts);

	add_channels(c, facts, request);
	add_tags(c, request);
	add_debug_paths(c, facts, request);
	if (add_hyperparameters(c, facts, request, err) < 0 || add_environment(c, facts, request, err) < 0)
		return -1;
	*ret = take(request);
	return 0;
}

int training_job_request(const struct config *c, const struct training_job_facts *facts, json_t **ret, struct err *err)
{
	auto_json *request = NULL;

	if (lint_secrets(c, facts, err) < 0 || lint_keys(c, facts, err) < 0 ||
	    training_job_members(c, facts, &request, err) < 0 || raw_merge(c, JOB_TRAINING, request, err) < 0 ||
	    request_check(c, JOB_TRAINING, request, facts->warnings, err) < 0 || lint_metrics(c, facts, err) < 0)
		return -1;
	*ret = take(request);
	return 0;
}

void training_job_set_name(json_t *request, const char *job_name)
{
	json_t *parameters = json_object_get(request, "HyperParameters");

	json_put_str(request, "TrainingJobName", job_name);
	if (json_object_get(parameters, "sagemaker_job_name")) {
		auto_free char *quoted = hyperparameters_quote(job_name);

		json_put_str(parameters, "sagemaker_job_name", quoted);
	}
}
