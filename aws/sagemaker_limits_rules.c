#include "aws/sagemaker_limits_rules.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* Valid UTF-8 only: what jansson holds. */
static uint32_t next_code_point(const char **p)
{
	unsigned char first = (unsigned char)*(*p)++;
	uint32_t c = first < 0x80 ? first : first < 0xe0 ? first & 0x1fu : first < 0xf0 ? first & 0x0fu : first & 0x07u;

	while (((unsigned char)**p & 0xc0) == 0x80)
		c = c << 6 | ((unsigned char)*(*p)++ & 0x3fu);
	return c;
}

/*
 * Beyond ASCII the blocks that hold punctuation, symbols, marks or nothing. Letters are everywhere else; a rare sign in
 * a block of letters passes here and is refused by the service.
 */
static bool is_sign(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} signs[] = {
		{ 0x80, 0x9f },     { 0xa1, 0xa9 },     { 0xab, 0xb1 },     { 0xb4, 0xb4 },       { 0xb6, 0xb8 },
		{ 0xbb, 0xbb },     { 0xbf, 0xbf },     { 0xd7, 0xd7 },     { 0xf7, 0xf7 },       { 0x300, 0x36f },
		{ 0x200b, 0x2027 }, { 0x202a, 0x202e }, { 0x2030, 0x205e }, { 0x2060, 0x206f },   { 0x20a0, 0x20ff },
		{ 0x2190, 0x245f }, { 0x2500, 0x2775 }, { 0x2794, 0x2bff }, { 0x3001, 0x3004 },   { 0x3008, 0x3020 },
		{ 0xe000, 0xf8ff }, { 0xfe00, 0xfe6f }, { 0xfff0, 0xffff }, { 0x1f000, 0x1faff },
	};

	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (c >= signs[i].first && c <= signs[i].last)
			return true;
	return c >= 0xe0000;
}

bool sagemaker_is_tag_text(const char *s)
{
	while (*s) {
		uint32_t c = next_code_point(&s);

		if (c < 0x80 ? !isalnum((int)c) && !strchr(" _.:/=+-@", (int)c) : is_sign(c))
			return false;
	}
	return true;
}

static int refuse(struct err *err, const char *path, const char *words)
{
	return err_set(err, ERR_CONFIG, "%s: %s", path, words);
}

static bool has(const json_t *object, const char *name)
{
	return json_object_get(object, name) != NULL;
}

static int check_algorithm(const json_t *request, struct err *err)
{
	const json_t *algorithm = json_object_get(request, "AlgorithmSpecification");

	/* Only a serverless job needs none of these. */
	if (has(request, "ServerlessJobConfig"))
		return 0;
	if (!algorithm)
		return refuse(err, "CreateTrainingJob", "'AlgorithmSpecification' is missing");
	if (!has(request, "ResourceConfig"))
		return refuse(err, "CreateTrainingJob", "'ResourceConfig' is missing");
	if (!has(request, "StoppingCondition"))
		return refuse(err, "CreateTrainingJob", "'StoppingCondition' is missing");
	if (has(algorithm, "TrainingImage") == has(algorithm, "AlgorithmName"))
		return refuse(err, "AlgorithmSpecification",
			      "either 'TrainingImage' or 'AlgorithmName' is needed, not both");
	return 0;
}

static int check_resources(const json_t *request, struct err *err)
{
	const json_t *resources = json_object_get(request, "ResourceConfig");
	bool has_groups = json_array_size(json_object_get(resources, "InstanceGroups")) > 0;
	bool has_type = has(resources, "InstanceType"), has_count = has(resources, "InstanceCount");

	if (!resources)
		return 0;
	if (has_groups && (has_type || has_count))
		return refuse(err, "ResourceConfig",
			      "'InstanceGroups' goes without 'InstanceType' and 'InstanceCount'");
	if (has_groups)
		return 0;
	if (!has_type || !has_count)
		return refuse(err, "ResourceConfig", "'InstanceType' and 'InstanceCount' are needed");
	if (json_integer_value(json_object_get(resources, "InstanceCount")) < 1)
		return refuse(err, "ResourceConfig.InstanceCount", "at least 1 is needed");
	return 0;
}

static int check_stopping(const json_t *request, struct err *err)
{
	const json_t *stopping = json_object_get(request, "StoppingCondition");
	const json_t *run = json_object_get(stopping, "MaxRuntimeInSeconds");
	const json_t *wait = json_object_get(stopping, "MaxWaitTimeInSeconds");
	bool is_spot = json_is_true(json_object_get(request, "EnableManagedSpotTraining"));

	if (is_spot && !wait)
		return refuse(err, "StoppingCondition",
			      "'MaxWaitTimeInSeconds' is needed with EnableManagedSpotTraining");
	if (!is_spot && wait)
		return refuse(err, "StoppingCondition.MaxWaitTimeInSeconds",
			      "is only allowed with EnableManagedSpotTraining");
	if (wait && run && json_integer_value(wait) < json_integer_value(run))
		return refuse(err, "StoppingCondition.MaxWaitTimeInSeconds",
			      "must not be less than MaxRuntimeInSeconds");
	return 0;
}

static bool has_group(const json_t *request, const char *name)
{
	const json_t *groups = json_at(request, "ResourceConfig", "InstanceGroups", NULL);
	json_t *group;
	size_t i;

	json_array_foreach(groups, i, group) {
		if (str_eq(json_str(group, "InstanceGroupName"), name))
			return true;
	}
	return false;
}

static int check_data_source(const json_t *request, const json_t *channel, const char *path, struct err *err)
{
	const json_t *source = json_object_get(channel, "DataSource");
	const json_t *groups = json_at(source, "S3DataSource", "InstanceGroupNames", NULL);
	json_t *group;
	size_t i;

	if (json_object_size(source) != 1)
		return err_set(err, ERR_CONFIG, "%s.DataSource: exactly one source is needed", path);
	if (has(source, "FileSystemDataSource") && !has(request, "VpcConfig"))
		return err_set(err, ERR_CONFIG, "%s.DataSource.FileSystemDataSource: a file system needs a VpcConfig",
			       path);
	json_array_foreach(groups, i, group) {
		if (!has_group(request, json_string_value(group)))
			return err_set(err, ERR_CONFIG,
				       "%s.DataSource.S3DataSource.InstanceGroupNames: there is no group '%s'", path,
				       json_string_value(group));
	}
	return 0;
}

/* Names of a list's objects must differ. */
static int check_distinct(const json_t *list, const char *list_name, const char *key, struct err *err)
{
	auto_strlist seen = { 0 };
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *name = json_str(item, key);

		if (strlist_has(&seen, name))
			return err_set(err, ERR_CONFIG, "%s[%zu].%s: '%s' is there twice", list_name, i, key, name);
		strlist_add(&seen, name);
	}
	return 0;
}

static int check_channels(const json_t *request, struct err *err)
{
	const json_t *channels = json_object_get(request, "InputDataConfig");
	json_t *channel;
	size_t i;

	json_array_foreach(channels, i, channel) {
		auto_free char *path = xasprintf("InputDataConfig[%zu]", i);

		if (check_data_source(request, channel, path, err) < 0)
			return -1;
	}
	return check_distinct(channels, "InputDataConfig", "ChannelName", err);
}

static int check_tags(const json_t *request, struct err *err)
{
	const json_t *tags = json_object_get(request, "Tags");
	json_t *tag;
	size_t i;

	json_array_foreach(tags, i, tag) {
		if (!strncasecmp(json_str(tag, "Key"), "aws:", 4))
			return err_set(err, ERR_CONFIG, "Tags[%zu].Key: 'aws:' at the beginning is reserved", i);
	}
	return check_distinct(tags, "Tags", "Key", err);
}

int sagemaker_check_rules(const json_t *request, struct err *err)
{
	if (check_algorithm(request, err) < 0 || check_resources(request, err) < 0 ||
	    check_stopping(request, err) < 0 || check_channels(request, err) < 0 || check_tags(request, err) < 0)
		return -1;
	return check_distinct(json_at(request, "ResourceConfig", "InstanceGroups", NULL),
			      "ResourceConfig.InstanceGroups", "InstanceGroupName", err);
}
