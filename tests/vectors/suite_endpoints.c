/* The official cases of endpoints: rule sets of four services, configured URLs, partitions. */

#include <strings.h>

#include "aws/endpoint.h"
#include "aws/partition.h"
#include "aws/settings.h"
#include "tests/vectors/suite.h"

/* What the environment of the case at hand holds. */
static const json_t *variables;

static const char *case_env(const char *name)
{
	return json_str(variables, name);
}

/* The words of a refusal; ours stand among more, which say where it comes from. */
static const char *refusal(const char *expected, const char *message)
{
	const char *words = expected ? strstr(expected, ": ") : NULL;

	return words && strcasestr(message, words + 2) ? expected : message;
}

static json_t *variables_of(const json_t *params)
{
	return json_pack("{s:s, s:s, s:s}", "AWS_USE_FIPS_ENDPOINT",
			 json_is_true(json_object_get(params, "UseFIPS")) ? "true" : "false",
			 "AWS_USE_DUALSTACK_ENDPOINT",
			 json_is_true(json_object_get(params, "UseDualStack")) ? "true" : "false",
			 "AWS_STS_REGIONAL_ENDPOINTS",
			 json_is_true(json_object_get(params, "UseGlobalEndpoint")) ? "legacy" : "regional");
}

static const char *expected_signing_region(const json_t *endpoint)
{
	const json_t *schemes = json_at(endpoint, "properties", "authSchemes", NULL);

	return json_str(json_array_get(schemes, 0), "signingRegion");
}

static void check_rule(struct suite *s, enum aws_service service, const json_t *test)
{
	const json_t *params = json_object_get(test, "params");
	const json_t *expected = json_at(test, "expect", "endpoint", NULL);
	const char *expected_error = json_str(json_object_get(test, "expect"), "error");
	const char *region = json_str(params, "Region"), *signing_region = expected_signing_region(expected);
	struct aws_settings settings = { .env = case_env, .endpoint_url = json_str(params, "Endpoint") };
	auto_json *env = variables_of(params);
	auto_endpoint e = { 0 };
	auto_err err = { 0 };

	suite_case(s, json_str(test, "documentation"));
	variables = env;
	if (endpoint_resolve(service, region, &settings, &e, &err) < 0) {
		suite_equal(s, "error", expected_error, refusal(expected_error, err.msg));
		return;
	}
	suite_equal(s, "error", expected_error, NULL);
	suite_equal(s, "URL", json_str(expected, "url"), e.url);
	if (signing_region)
		suite_equal(s, "signing region", signing_region, e.signing_region ? e.signing_region : region);
}

static void run_rules(struct suite *s, const char *path)
{
	auto_json *doc = vectors_json(path);
	enum aws_service service = AWS_STS;
	json_t *test;
	size_t i;

	for (int k = 0; k < AWS_SERVICE_COUNT; k++)
		if (strstr(s->name, aws_service_signing_name((enum aws_service)k)))
			service = (enum aws_service)k;
	json_array_foreach(json_object_get(doc, "testCases"), i, test)
		check_rule(s, service, test);
}

/* The shared configuration file that the suite describes as JSON. */
static char *config_text(const json_t *suite)
{
	const char *name, *key, *service;
	json_t *section, *value;
	auto_str b = { 0 };

	json_object_foreach(json_object_get(suite, "profiles"), name, section) {
		str_addf(&b, "[profile %s]\n", name);
		json_object_foreach(section, key, value)
			str_addf(&b, "%s = %s\n", key, json_string_value(value));
	}
	json_object_foreach(json_object_get(suite, "services"), name, section) {
		str_addf(&b, "[services %s]\n", name);
		json_object_foreach(section, service, value)
			str_addf(&b, "%s =\n  endpoint_url = %s\n", service, json_str(value, "endpoint_url"));
	}
	return str_detach(&b);
}

/* Services that smpipe does not call have a configured URL all the same. */
static void check_configured(struct suite *s, const struct aws_settings *settings, const json_t *test)
{
	const char *service = json_str(test, "service");
	const char *expected = json_str(json_object_get(test, "output"), "endpointUrl");
	auto_free char *from = NULL, *url = NULL;
	auto_endpoint e = { 0 };
	auto_err err = { 0 };

	if (strcmp(service, "s3") != 0) {
		url = settings_endpoint_url(settings, service, &from);
		suite_equal(s, "URL", expected, url);
	} else if (endpoint_resolve(AWS_S3, settings_get(settings, NULL, "region"), settings, &e, &err) < 0) {
		suite_fail(s, "URL", expected, err.msg);
	} else {
		suite_equal(s, "URL", expected, e.url);
	}
}

static void run_configured(struct suite *s, const char *path)
{
	auto_json *doc = vectors_json(path);
	const json_t *suite = json_array_get(json_object_get(doc, "testSuites"), 0);
	auto_free char *text = config_text(suite);
	auto_profiles *profiles = NULL;
	auto_err err = { 0 };
	json_t *test;
	size_t i;

	if (profiles_parse(text, "config", NULL, NULL, &profiles, &err) < 0)
		abort();
	json_array_foreach(json_object_get(suite, "endpointUrlTests"), i, test) {
		const json_t *client = json_at(suite, "client_configs", json_str(test, "client_config"), NULL);
		struct aws_settings settings = {
			.env = case_env,
			.profiles = profiles,
			.profile = json_str(test, "profile"),
			.endpoint_url = json_str(client, "endpoint_url"),
			.ignores_configured_urls =
				json_is_true(json_object_get(client, "ignore_configured_endpoint_urls")),
		};

		variables = json_at(suite, "environments", json_str(test, "environment"), NULL);
		suite_case(s, json_str(test, "name"));
		check_configured(s, &settings, test);
	}
}

static void run_partitions(struct suite *s, const char *path)
{
	auto_json *doc = vectors_json(path);
	json_t *partition, *ignored;
	const char *region;
	size_t i;

	json_array_foreach(json_object_get(doc, "partitions"), i, partition) {
		const char *id = json_str(partition, "id");
		const json_t *outputs = json_object_get(partition, "outputs");
		const struct partition *p = partition_by_id(id);

		suite_case(s, id);
		suite_equal(s, "suffix", json_str(outputs, "dnsSuffix"), p ? p->dns_suffix : NULL);
		suite_equal(s, "dual-stack suffix", json_str(outputs, "dualStackDnsSuffix"),
			    p ? p->dualstack_suffix : NULL);
		suite_equal(s, "global region", json_str(outputs, "implicitGlobalRegion"), p ? p->global_region : NULL);
		json_object_foreach(json_object_get(partition, "regions"), region, ignored)
			suite_equal(s, region, id, partition_of_region(region)->id);
	}
}

int main(void)
{
	struct suite suites[] = {
		{ .name = "endpoints, ecr", .path = "endpoints/ecr.json", .n_expected = 26, .run = run_rules },
		{ .name = "endpoints, sagemaker",
		  .path = "endpoints/sagemaker.json",
		  .n_expected = 47,
		  .run = run_rules },
		{ .name = "endpoints, sts", .path = "endpoints/sts.json", .n_expected = 69, .run = run_rules },
		{ .name = "endpoints, logs", .path = "endpoints/logs.json", .n_expected = 49, .run = run_rules },
		{ .name = "endpoints, configured URLs",
		  .path = "endpoints/configured-urls.json",
		  .n_expected = 39,
		  .run = run_configured },
		{ .name = "partitions", .path = "endpoints/partitions.json", .n_expected = 8, .run = run_partitions },
	};

	return suites_main(suites, ARRAY_LEN(suites));
}
