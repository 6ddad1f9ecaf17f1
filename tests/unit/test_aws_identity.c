/* aws_identity_locate: what environment and profile say about region, endpoints, trust and retries. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/call.h"
#include "base/fs.h"
#include "tests/unit/fake_http.h"

static const char config[] = "[profile dev]\n"
			     "region = eu-central-1\n"
			     "ca_bundle = ~/ca.pem\n"
			     "max_attempts = 7\n"
			     "retry_mode = adaptive\n"
			     "use_dualstack_endpoint = true\n"
			     "[profile fips]\n"
			     "region = us-gov-west-1\n"
			     "use_fips_endpoint = true\n"
			     "[profile own]\n"
			     "region = eu-west-1\n"
			     "endpoint_url = https://all.example\n"
			     "services = own\n"
			     "[services own]\n"
			     "cloudwatch_logs =\n"
			     "  endpoint_url = https://logs.example\n"
			     "[profile odd]\n"
			     "region = eu-west-1\n"
			     "use_fips_endpoint = yes\n";

static char *config_path;
static const char *const *variables; /* name, value, …, NULL */

static const char *fake_env(const char *name)
{
	for (const char *const *v = variables; v && *v; v += 2)
		if (!strcmp(*v, name))
			return v[1];
	if (!strcmp(name, "AWS_CONFIG_FILE"))
		return config_path;
	return !strcmp(name, "HOME") ? "/home/x" : NULL;
}

static int write_config(void **state)
{
	auto_err err = { 0 };
	auto_free char *folder = fs_temp_dir("identity", &err);

	config_path = fs_join(folder, "config");
	*state = take(folder);
	return fs_write_atomic(config_path, config, strlen(config), 0600, &err);
}

static int remove_config(void **state)
{
	auto_err err = { 0 };
	int result = fs_remove_tree(*state, &err);

	free(*state);
	free(config_path);
	return result;
}

static void keep_text(void *ctx, const struct report_event *event)
{
	str_addf(ctx, "%s\n", event->text);
}

#define LOCATE(region, profile, ...)                                                                                   \
	(variables = (const char *const[]){ __VA_ARGS__, NULL, NULL },                                                 \
	 aws_identity_locate(&id, region, profile, fake_env, &err))

#define PREPARE                                                                                                        \
	auto_str words = { 0 };                                                                                        \
	const struct report report = { keep_text, &words };                                                            \
	auto_aws_identity id = { .sys = &fake_sys, .report = &report };                                                \
	auto_err err = { 0 };                                                                                          \
	(void)state

static void test_region(void **state)
{
	PREPARE;
	assert_int_equal(LOCATE(NULL, NULL, NULL), -1);
	assert_string_equal(err.msg, "no region is given");
	assert_int_equal(LOCATE(NULL, NULL, "AWS_DEFAULT_REGION", "us-west-2"), 0);
	assert_string_equal(id.region, "us-west-2");
	assert_int_equal(LOCATE(NULL, "dev", "AWS_REGION", "cn-north-1"), 0);
	assert_string_equal(id.region, "cn-north-1");
	assert_string_equal(id.partition->id, "aws-cn");
	assert_int_equal(LOCATE(NULL, NULL, "AWS_PROFILE", "dev"), 0);
	assert_string_equal(id.region, "eu-central-1");
	assert_int_equal(LOCATE("sa-east-1", "dev", "AWS_REGION", "cn-north-1"), 0);
	assert_string_equal(id.region, "sa-east-1");
	str_truncate(&words, 0);
	assert_int_equal(LOCATE(NULL, NULL, "AWS_REGION", "eu-west-1", "AWS_DEFAULT_REGION", "eu-west-2"), 0);
	assert_string_equal(id.region, "eu-west-1");
	assert_string_equal(str_text(&words),
			    "AWS_REGION is 'eu-west-1', AWS_DEFAULT_REGION 'eu-west-2': the first counts\n");
	assert_int_equal(LOCATE(NULL, NULL, "AWS_REGION", "evil.example/"), -1);
	assert_int_equal(err.code, ERR_CONFIG);
}

static void test_endpoints(void **state)
{
	PREPARE;
	assert_int_equal(LOCATE(NULL, "fips", NULL), 0);
	assert_string_equal(id.endpoints[AWS_SAGEMAKER].url, "https://api-fips.sagemaker.us-gov-west-1.amazonaws.com");
	assert_string_equal(id.endpoints[AWS_STS].url, "https://sts.us-gov-west-1.amazonaws.com");
	assert_int_equal(LOCATE(NULL, "dev", NULL), 0);
	assert_string_equal(id.endpoints[AWS_ECR].url, "https://ecr.eu-central-1.api.aws");
	assert_int_equal(LOCATE(NULL, "dev", "AWS_USE_DUALSTACK_ENDPOINT", "false"), 0);
	assert_string_equal(id.endpoints[AWS_ECR].url, "https://api.ecr.eu-central-1.amazonaws.com");
	assert_int_equal(LOCATE(NULL, "own", NULL), 0);
	assert_string_equal(id.endpoints[AWS_S3].url, "https://all.example");
	assert_string_equal(id.endpoints[AWS_LOGS].url, "https://logs.example");
	assert_true(id.endpoints[AWS_LOGS].is_override);
	assert_int_equal(LOCATE(NULL, "own", "AWS_ENDPOINT_URL", "http://localhost:1"), 0);
	assert_string_equal(id.endpoints[AWS_LOGS].url, "http://localhost:1");
	assert_int_equal(LOCATE(NULL, "own", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), 0);
	assert_false(id.endpoints[AWS_LOGS].is_override);
	assert_int_equal(LOCATE(NULL, "own", "AWS_USE_FIPS_ENDPOINT", "true"), -1);
	assert_string_equal(err.msg,
			    "endpoint_url of profile 'own' is 'https://all.example', but AWS_USE_FIPS_ENDPOINT or "
			    "use_fips_endpoint is set: FIPS and custom endpoint are not supported together");
}

static void test_odd_switch(void **state)
{
	PREPARE;
	assert_int_equal(LOCATE(NULL, "odd", NULL), 0);
	assert_string_equal(str_text(&words),
			    "AWS_USE_FIPS_ENDPOINT or use_fips_endpoint is 'yes': only 'true' turns it on\n");
}

static void test_retries_and_trust(void **state)
{
	PREPARE;
	assert_int_equal(LOCATE("eu-west-1", NULL, NULL), 0);
	assert_int_equal(id.retry.max_attempts, 3);
	assert_int_equal(retry_quota_left(id.retry.quota), 500);
	assert_null(id.ca_file);
	assert_string_equal(str_text(&words), "");
	assert_int_equal(LOCATE("eu-west-1", "dev", NULL), 0);
	assert_int_equal(id.retry.max_attempts, 7);
	assert_string_equal(id.ca_file, "/home/x/ca.pem");
	assert_string_equal(str_text(&words), "retry mode 'adaptive' is taken as 'standard'\n");
	assert_int_equal(LOCATE("eu-west-1", "dev", "AWS_MAX_ATTEMPTS", " 1 ", "AWS_RETRY_MODE", "standard",
				"AWS_CA_BUNDLE", "/ca.pem"),
			 0);
	assert_int_equal(id.retry.max_attempts, 1);
	assert_string_equal(id.ca_file, "/ca.pem");
	assert_int_equal(LOCATE("eu-west-1", NULL, "AWS_MAX_ATTEMPTS", "0"), -1);
	assert_string_equal(err.msg, "AWS_MAX_ATTEMPTS or max_attempts is '0': 1 to 1000 are allowed");
	assert_int_equal(LOCATE("eu-west-1", NULL, "AWS_RETRY_MODE", "forever"), -1);
	assert_int_equal(err.code, ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_region),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_odd_switch),
		cmocka_unit_test(test_retries_and_trust),
	};

	return cmocka_run_group_tests_name("aws/identity", tests, write_config, remove_config);
}
