#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/endpoint.h"
#include "aws/partition.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/vectors.h"

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

static void test_official_partitions(void **state)
{
	auto_free char *path = vectors_path("endpoints/partitions.json");
	auto_json *j = NULL;
	json_t *partition, *ignored;
	const char *region;
	size_t i;

	(void)state;
	if (!path)
		skip();
	j = vectors_json(path);
	json_array_foreach(json_object_get(j, "partitions"), i, partition) {
		const struct partition *p = partition_by_id(json_str(partition, "id"));

		assert_non_null(p);
		assert_string_equal(p->dns_suffix, json_string_value(json_at(partition, "outputs", "dnsSuffix", NULL)));
		assert_string_equal(p->global_region,
				    json_string_value(json_at(partition, "outputs", "implicitGlobalRegion", NULL)));
		json_object_foreach(json_object_get(partition, "regions"), region, ignored)
			assert_ptr_equal(partition_of_region(region), p);
	}
	assert_int_equal(i, 8);
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
		const char *env[5];
		const char *url; /* NULL: refused */
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
		{ AWS_S3, "eu-west-1", { "AWS_USE_FIPS_ENDPOINT", "true" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_endpoint e = { 0 };
		auto_err err = { 0 };
		int result;

		variables = cases[i].env;
		result = endpoint_resolve(cases[i].service, cases[i].region, fake_env, &e, &err);
		assert_int_equal(result, cases[i].url ? 0 : -1);
		if (cases[i].url)
			assert_string_equal(e.url, cases[i].url);
		else
			assert_int_equal(err.code, ERR_CONFIG);
	}
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
		cmocka_unit_test(test_partitions), cmocka_unit_test(test_official_partitions),
		cmocka_unit_test(test_arns),       cmocka_unit_test(test_names),
		cmocka_unit_test(test_endpoints),  cmocka_unit_test(test_registry_hosts),
	};

	return cmocka_run_group_tests_name("aws/endpoint", tests, NULL, NULL);
}
