#include "pipeline/training_job.h"

#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/schema.h"
#include "s3/uri.h"

/* The member at "A.B" of an object, made on the way when it is absent. */
static void put_member(json_t *object, const char *path, json_t *value)
{
	auto_strlist parts = { 0 };

	str_split(&parts, path, '.');
	for (size_t i = 0; i + 1 < parts.n; i++) {
		json_t *child = json_object_get(object, parts.v[i]);

		if (!child) {
			child = json_object();
			json_object_set_new(object, parts.v[i], child);
		}
		object = child;
	}
	json_object_set_new(object, parts.v[parts.n - 1], value);
}

/* Copies of the items with their keys renamed by the rows below the list's. */
static json_t *rename_items(const json_t *list, const char *list_path)
{
	auto_free char *parent = xasprintf("%s[]", list_path);
	json_t *out = json_array();
	size_t i;
	json_t *item, *value;
	const char *key;

	json_array_foreach(list, i, item) {
		json_t *renamed;

		if (!json_is_object(item)) {
			json_array_append(out, item);
			continue;
		}
		renamed = json_object();
		json_object_foreach(item, key, value)
			json_object_set(renamed, schema_find(parent, key)->request, value);
		json_array_append_new(out, renamed);
	}
	return out;
}

static json_t *member_value(const struct config *c, const struct schema_key *row)
{
	const json_t *value = config_value(c, row->path);

	/* An empty list or map says nothing, and the service refuses some of them. */
	if (row->type == SCHEMA_LIST)
		return json_array_size(value) ? rename_items(value, row->path) : NULL;
	if (row->type == SCHEMA_MAP && !json_object_size(value))
		return NULL;
	if (value)
		return json_deep_copy(value);
	if (!row->fallback)
		return NULL;
	return row->type == SCHEMA_STRING ? json_string(row->fallback) : json_integer(config_int(c, row->path));
}

static void add_estimator(const struct config *c, json_t *request)
{
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		json_t *value;

		if (!row->request || !str_starts(row->path, "estimator.") || strpbrk(row->path, "[*"))
			continue;
		value = member_value(c, row);
		if (value)
			put_member(request, row->request, value);
	}
}

static json_t *s3_channel(const char *name, const char *uri, const char *distribution)
{
	return json_pack("{s:s, s:{s:{s:s, s:s, s:s}}}", "ChannelName", name, "DataSource", "S3DataSource", "S3DataType",
			 "S3Prefix", "S3Uri", uri, "S3DataDistributionType", distribution);
}

static void add_channel(const struct config *c, const struct plan_channel *channel, json_t *channels)
{
	const json_t *settings = channel->channel->settings;
	const char *distribution = json_str(settings, "distribution");
	json_t *j = s3_channel(channel->channel->name, channel->uri, distribution ? distribution : "FullyReplicated");

	(void)c;
	json_put_str(j, "ContentType", json_str(settings, "content_type"));
	json_put_str(j, "InputMode", json_str(settings, "input_mode"));
	json_array_append_new(channels, j);
}

static void add_channels(const struct config *c, const struct training_job_facts *facts, json_t *request)
{
	auto_json *channels = json_array();

	for (size_t i = 0; i < facts->n_channels; i++)
		add_channel(c, &facts->channels[i], channels);
	/* The tarball's own URI, as the SDK sends it under network isolation: the channel holds exactly this file. */
	if (facts->source_uri && str_eq(config_str(c, "source.delivery"), "channel"))
		json_array_append_new(channels, s3_channel("code", facts->source_uri, "FullyReplicated"));
	if (json_array_size(channels))
		json_object_set(request, "InputDataConfig", channels);
}

static char *json_quoted(const char *text)
{
	auto_json *j = json_string(text);

	return json_compact(j);
}

static bool encodes_json(const struct config *c, const struct training_job_facts *facts)
{
	const char *encoding = config_str(c, "estimator.hyperparameter_encoding");

	if (encoding)
		return str_eq(encoding, "json");
	return facts->source_uri && str_eq(config_str(c, "source.delivery"), "toolkit");
}

/* The SageMaker training toolkit's own parameters, JSON-encoded as its SDK does. */
static void add_toolkit_parameters(const struct config *c, const struct training_job_facts *facts, json_t *parameters)
{
	bool is_channel = str_eq(config_str(c, "source.delivery"), "channel");
	auto_free char *directory = json_quoted(is_channel ? "/opt/ml/input/data/code/sourcedir.tar.gz" : facts->source_uri);
	auto_free char *program = json_quoted(config_str(c, "source.entry_point"));
	auto_free char *name = json_quoted(facts->job_name);
	auto_free char *region = json_quoted(facts->region);

	json_put_str(parameters, "sagemaker_submit_directory", directory);
	json_put_str(parameters, "sagemaker_program", program);
	json_put_str(parameters, "sagemaker_container_log_level", "20");
	json_put_str(parameters, "sagemaker_job_name", name);
	json_put_str(parameters, "sagemaker_region", region);
}

static void add_hyperparameters(const struct config *c, const struct training_job_facts *facts, json_t *request)
{
	bool as_json = encodes_json(c, facts);
	auto_json *parameters = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)config_value(c, "estimator.hyperparameters"), name, value) {
		const char *literal = json_str(value, "literal");
		auto_free char *quoted = literal || !as_json ? NULL : json_quoted(json_string_value(value));

		json_put_str(parameters, name, literal ? literal : quoted ? quoted : json_string_value(value));
	}
	if (facts->source_uri)
		add_toolkit_parameters(c, facts, parameters);
	if (json_object_size(parameters))
		json_object_set(request, "HyperParameters", parameters);
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

/* The key of smpipe.yaml whose value a complaint about a member of the request is about. */
static char *key_of_member(const char *complaint)
{
	size_t best = 0;
	char *key = NULL;

	if (str_starts(complaint, "HyperParameters."))
		return xasprintf("estimator.hyperparameters.%.*s", (int)strcspn(complaint + 16, ": "), complaint + 16);
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		size_t n = row->request ? strlen(row->request) : 0;

		if (n <= best || strpbrk(row->path, "[*") || !str_starts(complaint, row->request))
			continue;
		best = n;
		free(key);
		key = xasprintf("%s%.*s", row->path, complaint[n] == '[' ? (int)strcspn(complaint + n, ".:") : 0, complaint + n);
	}
	if (key)
		return key;
	return xstrdup(str_starts(complaint, "InputDataConfig") ? "inputs" :
		       str_starts(complaint, "Tags")		? "estimator.tags" :
								  "estimator");
}

static int check(const struct config *c, const json_t *request, struct err *err)
{
	auto_free char *key = NULL;
	auto_free char *words = NULL;

	if (sagemaker_check_training_job(request, err) == 0)
		return 0;
	words = xstrdup(err->msg);
	key = key_of_member(words);
	return config_error(c, err, key, "%s", words);
}

int training_job_request(const struct config *c, const struct training_job_facts *facts, json_t **ret, struct err *err)
{
	auto_json *request = json_object();

	json_put_str(request, "TrainingJobName", facts->job_name);
	put_member(request, "AlgorithmSpecification.TrainingImage", json_string(facts->image));
	json_put_str(request, "RoleArn", facts->role);
	put_member(request, "OutputDataConfig.S3OutputPath", json_string(facts->output_path));
	add_estimator(c, request);
	add_channels(c, facts, request);
	add_hyperparameters(c, facts, request);
	add_tags(c, request);
	if (check(c, request, err) < 0)
		return -1;
	*ret = take(request);
	return 0;
}

void training_job_set_name(json_t *request, const char *job_name)
{
	json_t *parameters = json_object_get(request, "HyperParameters");

	json_put_str(request, "TrainingJobName", job_name);
	if (json_object_get(parameters, "sagemaker_job_name")) {
		auto_free char *quoted = json_quoted(job_name);

		json_put_str(parameters, "sagemaker_job_name", quoted);
	}
}
