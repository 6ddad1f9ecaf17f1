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

int sagemaker_refuse(struct str *ret_path, struct err *err, const char *path, const char *fmt, ...)
{
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	str_add(ret_path, path);
	return err_set(err, ERR_CONFIG, "%s: %s", ret_path->s, words);
}

static bool has(const json_t *object, const char *name)
{
	return json_object_get(object, name) != NULL;
}

static int check_image(const json_t *request, struct str *path, struct err *err)
{
	const json_t *algorithm = json_object_get(request, "AlgorithmSpecification");

	if (has(algorithm, "TrainingImage") == has(algorithm, "AlgorithmName"))
		return sagemaker_refuse(path, err, "AlgorithmSpecification",
					"either 'TrainingImage' or 'AlgorithmName' is needed, not both");
	return 0;
}

static int check_algorithm(const json_t *request, struct str *path, struct err *err)
{
	static const char *const needed[] = { "AlgorithmSpecification", "ResourceConfig", "StoppingCondition" };

	/* Only a serverless job needs none of these. */
	if (has(request, "ServerlessJobConfig"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (!has(request, needed[i]))
			return sagemaker_refuse(path, err, "CreateTrainingJob", "'%s' is missing", needed[i]);
	}
	return check_image(request, path, err);
}

static int check_image_config(const json_t *request, struct str *path, struct err *err)
{
	const json_t *config = json_at(request, "AlgorithmSpecification", "TrainingImageConfig", NULL);
	bool is_vpc = str_eq(json_str(config, "TrainingRepositoryAccessMode"), "Vpc");

	if (is_vpc && !has(request, "VpcConfig")) {
		sagemaker_refuse(path, err, "AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAccessMode",
				 "'Vpc' needs a VpcConfig");
		return err_hint(err, "add VpcConfig.Subnets and VpcConfig.SecurityGroupIds");
	}
	if (has(config, "TrainingRepositoryAuthConfig") && !is_vpc)
		return sagemaker_refuse(path, err,
					"AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAuthConfig",
					"goes with TrainingRepositoryAccessMode 'Vpc' only");
	return 0;
}

static int check_groups(const json_t *resources, struct str *path, struct err *err)
{
	static const char *const instead[] = { "InstanceType", "InstanceCount" };
	json_t *group;
	size_t i;

	for (size_t k = 0; k < ARRAY_LEN(instead); k++) {
		auto_free char *member = xasprintf("ResourceConfig.%s", instead[k]);

		if (has(resources, instead[k]))
			return sagemaker_refuse(path, err, member, "does not go together with InstanceGroups");
	}
	json_array_foreach(json_object_get(resources, "InstanceGroups"), i, group) {
		auto_free char *count = xasprintf("ResourceConfig.InstanceGroups[%zu].InstanceCount", i);

		if (json_integer_value(json_object_get(group, "InstanceCount")) < 1)
			return sagemaker_refuse(path, err, count, "at least 1 is needed");
	}
	if (json_integer_value(json_object_get(resources, "KeepAlivePeriodInSeconds")) > 0)
		return sagemaker_refuse(path, err, "ResourceConfig.KeepAlivePeriodInSeconds",
					"a warm pool is not kept for InstanceGroups");
	return sagemaker_check_distinct(json_object_get(resources, "InstanceGroups"), "ResourceConfig.InstanceGroups",
					"InstanceGroupName", path, err);
}

static int check_resources(const json_t *request, struct str *path, struct err *err)
{
	const json_t *resources = json_object_get(request, "ResourceConfig");
	bool is_spot = json_is_true(json_object_get(request, "EnableManagedSpotTraining"));

	if (!resources)
		return 0;
	if (has(request, "ServerlessJobConfig") && (has(resources, "InstanceType") || has(resources, "InstanceGroups")))
		return sagemaker_refuse(path, err, "ResourceConfig", "a job with ServerlessJobConfig has no instances");
	if (json_integer_value(json_object_get(resources, "KeepAlivePeriodInSeconds")) > 0 && is_spot)
		return sagemaker_refuse(path, err, "ResourceConfig.KeepAlivePeriodInSeconds",
					"a warm pool is not kept with EnableManagedSpotTraining");
	if (json_array_size(json_object_get(resources, "InstanceGroups")) > 0)
		return check_groups(resources, path, err);
	if (has(request, "ServerlessJobConfig"))
		return 0;
	if (!has(resources, "InstanceType")) {
		sagemaker_refuse(path, err, "ResourceConfig", "'InstanceType' is missing");
		return err_hint(err, "name a type (ml.m5.large), or InstanceGroups");
	}
	if (!has(resources, "InstanceCount"))
		return sagemaker_refuse(path, err, "ResourceConfig", "'InstanceCount' is missing");
	if (json_integer_value(json_object_get(resources, "InstanceCount")) < 1)
		return sagemaker_refuse(path, err, "ResourceConfig.InstanceCount", "at least 1 is needed");
	return 0;
}

static int check_stopping(const json_t *request, struct str *path, struct err *err)
{
	const json_t *stopping = json_object_get(request, "StoppingCondition");
	const json_t *run = json_object_get(stopping, "MaxRuntimeInSeconds");
	const json_t *wait = json_object_get(stopping, "MaxWaitTimeInSeconds");
	bool is_spot = json_is_true(json_object_get(request, "EnableManagedSpotTraining"));

	if (is_spot && !wait) {
		sagemaker_refuse(path, err, "EnableManagedSpotTraining",
				 "needs StoppingCondition.MaxWaitTimeInSeconds");
		return err_hint(err, "it covers waiting and training: at least StoppingCondition.MaxRuntimeInSeconds");
	}
	if (!is_spot && wait)
		return sagemaker_refuse(path, err, "StoppingCondition.MaxWaitTimeInSeconds",
					"is only allowed with EnableManagedSpotTraining");
	if (wait && run && json_integer_value(wait) < json_integer_value(run))
		return sagemaker_refuse(path, err, "StoppingCondition.MaxWaitTimeInSeconds",
					"must not be less than MaxRuntimeInSeconds (%" JSON_INTEGER_FORMAT ")",
					json_integer_value(run));
	return 0;
}

/* https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProfilerConfig.html */
static int check_profiler(const json_t *request, struct str *path, struct err *err)
{
	const json_t *interval = json_at(request, "ProfilerConfig", "ProfilingIntervalInMilliseconds", NULL);
	static const int allowed[] = { 100, 200, 500, 1000, 5000, 60000 };

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		if (!interval || json_integer_value(interval) == allowed[i])
			return 0;
	}
	return sagemaker_refuse(path, err, "ProfilerConfig.ProfilingIntervalInMilliseconds",
				"is %" JSON_INTEGER_FORMAT "; it must be one of 100, 200, 500, 1000, 5000, 60000",
				json_integer_value(interval));
}

int sagemaker_check_distinct(const json_t *list, const char *list_path, const char *key, struct str *ret_path,
			     struct err *err)
{
	auto_strlist seen = { 0 };
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		auto_free char *path = xasprintf("%s[%zu].%s", list_path, i, key);
		const char *name = json_str(item, key);

		if (strlist_has(&seen, name))
			return sagemaker_refuse(ret_path, err, path, "'%s' is there twice", name);
		strlist_add(&seen, name);
	}
	return 0;
}

int sagemaker_check_tag_rules(const json_t *request, struct str *path, struct err *err)
{
	const json_t *tags = json_object_get(request, "Tags");
	json_t *tag;
	size_t i;

	json_array_foreach(tags, i, tag) {
		auto_free char *key = xasprintf("Tags[%zu].Key", i);

		if (!strncasecmp(json_str(tag, "Key"), "aws:", 4))
			return sagemaker_refuse(path, err, key, "'aws:' at the beginning is reserved");
	}
	return sagemaker_check_distinct(tags, "Tags", "Key", path, err);
}

typedef int (*rule_fn)(const json_t *request, struct str *ret_path, struct err *err);

static int check_each(const rule_fn *rules, size_t n, const json_t *request, struct str *ret_path, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (rules[i](request, ret_path, err) < 0)
			return -1;
	}
	return 0;
}

int sagemaker_check_rules(const json_t *request, struct str *ret_path, struct err *err)
{
	static const rule_fn rules[] = {
		check_algorithm,
		check_image_config,
		check_resources,
		check_stopping,
		check_profiler,
		sagemaker_check_channel_rules,
		sagemaker_check_tag_rules,
	};

	return check_each(rules, ARRAY_LEN(rules), request, ret_path, err);
}

int sagemaker_check_definition_rules(const json_t *definition, struct str *ret_path, struct err *err)
{
	static const rule_fn rules[] = { check_image, check_resources, check_stopping, sagemaker_check_channel_rules };

	return check_each(rules, ARRAY_LEN(rules), definition, ret_path, err);
}
