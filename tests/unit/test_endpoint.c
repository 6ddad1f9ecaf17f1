#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/endpoint.h"
#include "aws/partition.h"
#include "aws/settings.h"
#include "base/mem.h"
#include "base/str.h"

static void test_partitions(void **state)
{
	static const char *const cases[][3] = {
		{ "us-east-1", "aws", "amazonaws.com" },
		{ "mars-north-1", "aws", "amazonaws.com" },
		{ "cn-north-1", "aws-cn", "amazonaws.com.cn" },
		{ "us-gov-east-1", "aws-us-gov", "amazonaws.com" },
		{ "eusc-de-east-1", "aws-eusc", "amazonaws.eu" },
		{ "us-iso-west-1", "aws-iso", "c2s.ic.gov" },
		{ "us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov" },
		{ "eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk" },
		{ "us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct partition *p = partition_of_region(cases[i][0]);

		assert_string_equal(p->id, cases[i][1]);
		assert_string_equal(p->dns_suffix, cases[i][2]);
		assert_ptr_equal(p, partition_by_id(p->id));
	}
	assert_null(partition_by_id("aws-mars"));
}

static void test_arns(void **state)
{
	static const char *const wrong[] = { "",  "arn", "arn:aws:s3", "arn:aws:s3:::", "arn::s3:::b", "x:aws:s3:::b",
					     NULL };
	auto_arn role = { 0 }, bucket = { 0 };

	(void)state;
	assert_int_equal(arn_parse("arn:aws-cn:iam::123456789012:role/path/R:x", &role), 0);
	assert_string_equal(role.partition, "aws-cn");
	assert_string_equal(role.service, "iam");
	assert_string_equal(role.region, "");
	assert_string_equal(role.account, "123456789012");
	assert_string_equal(role.resource, "role/path/R:x");
	assert_int_equal(arn_parse("arn:aws:s3:::b/k", &bucket), 0);
	assert_string_equal(bucket.resource, "b/k");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(arn_parse(wrong[i], &role), -1);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(partition_is_region_name("eu-west-1"));
	assert_false(partition_is_region_name("eu-west-1.evil.example"));
	assert_false(partition_is_region_name("eu-west-1/"));
	assert_false(partition_is_region_name(""));
	assert_false(partition_is_region_name(NULL));
	assert_true(partition_is_account("123456789012"));
	assert_false(partition_is_account("12345678901"));
	assert_false(partition_is_account("12345678901x"));
}

static const char *const *variables; /* name, value, …, NULL */

static const char *fake_env(const char *name)
{
	for (const char *const *v = variables; v && *v; v += 2)
		if (!strcmp(*v, name))
			return v[1];
	return NULL;
}

static void test_endpoints(void **state)
{
	static const struct {
		enum aws_service service;
		const char *region;
		const char *env[5]; /* name, value, … */
		const char *url;    /* NULL: refused */
	} cases[] = {
		{ AWS_STS, "eu-west-1", { NULL }, "https://sts.eu-west-1.amazonaws.com" },
		{ AWS_S3, "cn-north-1", { NULL }, "https://s3.cn-north-1.amazonaws.com.cn" },
		{ AWS_ECR, "us-gov-west-1", { NULL }, "https://api.ecr.us-gov-west-1.amazonaws.com" },
		{ AWS_SAGEMAKER, "eusc-de-east-1", { NULL }, "https://api.sagemaker.eusc-de-east-1.amazonaws.eu" },
		{ AWS_LOGS, "us-iso-east-1", { NULL }, "https://logs.us-iso-east-1.c2s.ic.gov" },
		{ AWS_S3, "evil.example/", { NULL }, NULL },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "https://a.example" }, "https://a.example" },
		{ AWS_S3,
		  "eu-west-1",
		  { "AWS_ENDPOINT_URL_S3", "https://b.example/p/", "AWS_ENDPOINT_URL", "https://a.example" },
		  "https://b.example/p" },
		{ AWS_LOGS, "eu-west-1", { "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://[::1]:80" }, "http://[::1]:80" },
		{ AWS_S3,
		  "eu-west-1",
		  { "AWS_ENDPOINT_URL", "https://a.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE" },
		  "https://s3.eu-west-1.amazonaws.com" },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "  " }, "https://s3.eu-west-1.amazonaws.com" },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "http://127.0.0.1:4566" }, "http://127.0.0.1:4566" },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "http://a.example" }, NULL },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "http://localhost@a.example" }, NULL },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "https://a.example/?x" }, NULL },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "https://a.example/\nx" }, NULL },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "ftp://a.example" }, NULL },
		{ AWS_S3,
		  "eu-west-1",
		  { "AWS_ENDPOINT_URL", "https://a.example", "AWS_USE_FIPS_ENDPOINT", "true" },
		  NULL },
		{ AWS_S3,
		  "eu-west-1",
		  { "AWS_ENDPOINT_URL", "https://a.example", "AWS_USE_DUALSTACK_ENDPOINT", "TRUE" },
		  NULL },
		{ AWS_S3, "cn-north-1", { "AWS_USE_FIPS_ENDPOINT", "true" }, NULL },
		{ AWS_S3, "eu-west-1", { "AWS_USE_FIPS_ENDPOINT", "true" }, "https://s3-fips.eu-west-1.amazonaws.com" },
		{ AWS_S3,
		  "us-gov-west-1",
		  { "AWS_USE_FIPS_ENDPOINT", "true", "AWS_USE_DUALSTACK_ENDPOINT", "true" },
		  "https://s3-fips.dualstack.us-gov-west-1.amazonaws.com" },
		{ AWS_S3,
		  "cn-north-1",
		  { "AWS_USE_DUALSTACK_ENDPOINT", "true" },
		  "https://s3.dualstack.cn-north-1.amazonaws.com.cn" },
		{ AWS_SAGEMAKER,
		  "us-east-1",
		  { "AWS_USE_FIPS_ENDPOINT", " True " },
		  "https://api-fips.sagemaker.us-east-1.amazonaws.com" },
		{ AWS_SAGEMAKER,
		  "us-iso-east-1",
		  { "AWS_USE_FIPS_ENDPOINT", "true" },
		  "https://api.sagemaker-fips.us-iso-east-1.c2s.ic.gov" },
		{ AWS_ECR,
		  "eusc-de-east-1",
		  { "AWS_USE_DUALSTACK_ENDPOINT", "true" },
		  "https://ecr.eusc-de-east-1.api.amazonwebservices.eu" },
		{ AWS_LOGS,
		  "us-gov-west-1",
		  { "AWS_USE_FIPS_ENDPOINT", "true" },
		  "https://logs.us-gov-west-1.amazonaws.com" },
		{ AWS_LOGS, "us-east-1", { "AWS_USE_FIPS_ENDPOINT", "1" }, "https://logs.us-east-1.amazonaws.com" },
		{ AWS_STS, "us-west-2", { "AWS_STS_REGIONAL_ENDPOINTS", "legacy" }, "https://sts.amazonaws.com" },
		{ AWS_STS,
		  "eu-south-1",
		  { "AWS_STS_REGIONAL_ENDPOINTS", "legacy" },
		  "https://sts.eu-south-1.amazonaws.com" },
		{ AWS_SSO, "eu-west-1", { NULL }, "https://portal.sso.eu-west-1.amazonaws.com" },
		{ AWS_SSO_OIDC,
		  "us-gov-west-1",
		  { "AWS_USE_FIPS_ENDPOINT", "true" },
		  "https://oidc-fips.us-gov-west-1.amazonaws.com" },
		{ AWS_SSO_OIDC, "x-y-1", { "AWS_ENDPOINT_URL_SSO_OIDC", "https://o.example" }, "https://o.example" },
		{ AWS_IAM, "us-west-2", { NULL }, "https://iam.amazonaws.com" },
		{ AWS_IAM, "eusc-de-east-1", { "AWS_ENDPOINT_URL_IAM", "https://i.example" }, "https://i.example" },
		{ AWS_S3, "eu-west-1", { "AWS_ENDPOINT_URL", "https://u:p@a.example" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct aws_settings settings = { .env = fake_env };
		auto_endpoint e = { 0 };
		auto_err err = { 0 };
		int result;

		variables = cases[i].env;
		result = endpoint_resolve(cases[i].service, cases[i].region, &settings, &e, &err);
		assert_int_equal(result, cases[i].url ? 0 : -1);
		if (cases[i].url)
			assert_string_equal(e.url, cases[i].url);
		else
			assert_int_equal(err.code, ERR_CONFIG);
	}
}

static void test_addressing(void **state)
{
	static const struct {
		const char *config;
		int addressing; /* -1: refused */
	} cases[] = {
		{ "", ENDPOINT_AUTO },
		{ "[default]\ns3 =\n  addressing_style = path\n", ENDPOINT_PATH },
		{ "[default]\ns3 =\n  max_queue_size = 5\n  addressing_style = virtual\n", ENDPOINT_VIRTUAL },
		{ "[default]\ns3 =\n  addressing_style = auto\n", ENDPOINT_AUTO },
		{ "[default]\ns3 =\n  max_queue_size = 5\n", ENDPOINT_AUTO },
		{ "[other]\ns3 =\n  addressing_style = path\n", ENDPOINT_AUTO },
		{ "[default]\naddressing_style = path\n", ENDPOINT_AUTO },
		{ "[default]\ns3 =\n  addressing_style = Path\n", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		static const char *const none[] = { NULL };
		auto_profiles *profiles = NULL;
		struct aws_settings settings = { .env = fake_env, .profile = "default" };
		auto_endpoint e = { 0 };
		auto_err err = { 0 };

		variables = none;
		assert_int_equal(profiles_parse(cases[i].config, "config", NULL, NULL, &profiles, &err), 0);
		settings.profiles = profiles;
		assert_int_equal(endpoint_resolve(AWS_S3, "eu-west-1", &settings, &e, &err),
				 cases[i].addressing < 0 ? -1 : 0);
		if (cases[i].addressing >= 0)
			assert_int_equal(e.addressing, cases[i].addressing);
		else
			assert_int_equal(err.code, ERR_CONFIG);
	}
}

static void test_other_regions(void **state)
{
	static const char *const cases[][4] = {
		/* URL, its region, another, host */
		{ "https://s3.eu-west-1.amazonaws.com", "eu-west-1", "us-east-1", "s3.us-east-1.amazonaws.com" },
		{ "https://s3-fips.dualstack.us-gov-west-1.amazonaws.com", "us-gov-west-1", "us-gov-east-1",
		  "s3-fips.dualstack.us-gov-east-1.amazonaws.com" },
		{ "https://s3.cn-north-1.amazonaws.com.cn", "cn-north-1", "cn-northwest-1",
		  "s3.cn-northwest-1.amazonaws.com.cn" },
		{ "http://[::1]:4566/s3", "eu-west-1", "us-east-1", "[::1]:4566" },
		{ "https://s3.eu-west-1.store.example:80", "eu-west-1", "us-east-1", "s3.eu-west-1.store.example:80" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_endpoint e = { .url = xstrdup(cases[i][0]), .is_override = !strstr(cases[i][0], ".amazonaws") };
		auto_free char *host = endpoint_host_in(&e, cases[i][1], cases[i][2]);

		assert_string_equal(host, cases[i][3]);
	}
}

/* IAM is one service per partition, with a region of its own in signatures. */
static void test_iam(void **state)
{
	static const struct {
		const char *region, *url, *signing_region;
	} cases[] = {
		{ "ap-south-1", "https://iam.amazonaws.com", "us-east-1" },
		{ "cn-northwest-1", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1" },
		{ "us-gov-east-1", "https://iam.us-gov.amazonaws.com", "us-gov-west-1" },
		{ "us-iso-west-1", "https://iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1" },
		{ "us-isob-east-1", "https://iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1" },
		{ "eusc-de-east-1", "https://iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1" },
		{ "eu-isoe-west-1", "https://iam.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1" },
		{ "us-isof-east-1", "https://iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1" },
	};

	(void)state;
	variables = NULL;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct aws_settings settings = { .env = fake_env };
		auto_endpoint e = { 0 };
		auto_err err = { 0 };

		assert_int_equal(endpoint_resolve(AWS_IAM, cases[i].region, &settings, &e, &err), 0);
		assert_true(str_eq(e.url, cases[i].url));
		assert_true(str_eq(e.signing_region, cases[i].signing_region));
	}
}

static void test_unknown_regions(void **state)
{
	static const char *const cases[][2] = {
		{ "eu-mars-9", "aws" },
		{ "cn-mars-9", "aws-cn" },
		{ "us-gov-mars-12", "aws-us-gov" },
		{ "us-isob-mars-9", "aws-iso-b" },
		{ "us-isof-mars-9", "aws-iso-f" },
		{ "eusc-de-mars-9", "aws-eusc" },
		{ "us-iso-mars", "aws" },
		{ "cn-", "aws" },
		{ "cn-north-1x", "aws" },
		{ "aws-cn-global", "aws-cn" },
		{ "aws-iso-e-global", "aws-iso-e" },
		{ "mars-global", "aws" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(partition_of_region(cases[i][0])->id, cases[i][1]);
}

static void test_console(void **state)
{
	auto_free char *aws = endpoint_console_url("eu-west-1", "a-1");
	auto_free char *cn = endpoint_console_url("cn-north-1", "a/b");

	(void)state;
	assert_string_equal(aws, "https://console.aws.amazon.com/sagemaker/home?region=eu-west-1#/jobs/a-1");
	assert_string_equal(cn, "https://console.amazonaws.cn/sagemaker/home?region=cn-north-1#/jobs/a%2Fb");
	assert_null(endpoint_console_url("us-iso-east-1", "a"));
}

static void test_registry_hosts(void **state)
{
	static const struct {
		const char *host, *region;
		bool is_loopback_ecr;
		int result;
	} cases[] = {
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", false, 0 },
		{ "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", false, 0 },
		{ "123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1", false, 0 },
		{ "123456789012.dkr-ecr-fips.eu-west-1.on.aws", "eu-west-1", false, 0 },
		{ "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", false, 0 },
		{ "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1", false, 0 },
		{ "127.0.0.1:5000", "eu-west-1", true, 0 },
		{ "localhost:5000", "eu-west-1", true, 0 },
		{ "[::1]:5000", "eu-west-1", true, 0 },
		{ "127.0.0.1:5000", "eu-west-1", false, -1 },
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example", "eu-west-1", false, -1 },
		{ "evil.example/123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", false, -1 },
		{ "evil-123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", false, -1 },
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443", "eu-west-1", false, -1 },
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com@evil.example", "eu-west-1", false, -1 },
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com.cn", "eu-west-1", false, -1 },
		{ "123456789012.dkr.ecr.cn-north-1.amazonaws.com", "cn-north-1", false, -1 },
		{ "123456789012.dkr.ecr.eu-west-2.amazonaws.com", "eu-west-1", false, -1 },
		{ "210987654321.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", false, -1 },
		{ "localhost.evil.example:5000", "eu-west-1", true, -1 },
		{ "localhost:5000@evil.example", "eu-west-1", true, -1 },
		{ "127.0.0.1.evil.example", "eu-west-1", true, -1 },
		{ "", "eu-west-1", true, -1 },
	};
	auto_free char *host = endpoint_registry_host("123456789012", "cn-north-1");

	(void)state;
	assert_string_equal(host, "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_err err = { 0 };

		if (endpoint_check_registry(cases[i].host, "123456789012", cases[i].region, cases[i].is_loopback_ecr,
					    &err) != cases[i].result)
			fail_msg("'%s' in '%s'", cases[i].host, cases[i].region);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addressing),      cmocka_unit_test(test_other_regions),
		cmocka_unit_test(test_partitions),      cmocka_unit_test(test_arns),
		cmocka_unit_test(test_names),           cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_registry_hosts),  cmocka_unit_test(test_iam),
		cmocka_unit_test(test_unknown_regions), cmocka_unit_test(test_console),
	};

	return cmocka_run_group_tests_name("aws/endpoint", tests, NULL, NULL);
}
