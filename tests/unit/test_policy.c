#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/policy.h"

static json_t *policy_of(const char *yaml, const char *region, char **ret_note, struct err *err)
{
	const struct policy_target t = { "123456789012", region, partition_of_region(region) };
	auto_config c = { 0 };
	json_t *policy = NULL;

	assert_int_equal(config_parse(yaml, strlen(yaml), "smpipe.yaml", NULL, &c, err), 0);
	(void)policy_make(&c, &t, &policy, ret_note, err);
	return policy;
}

/* The statement that allows an action, or NULL. */
static const json_t *allowing(const json_t *policy, const char *who, const char *action)
{
	size_t i, k;
	json_t *s, *a;

	json_array_foreach(json_at(policy, who, "Statement", NULL), i, s) {
		json_array_foreach(json_object_get(s, "Action"), k, a) {
			if (!strcmp(json_string_value(a), action))
				return s;
		}
	}
	return NULL;
}

static bool allows(const json_t *policy, const char *who, const char *action, const char *resource)
{
	const json_t *r = json_object_get(allowing(policy, who, action), "Resource");
	size_t i;
	json_t *item;

	if (json_is_string(r))
		return !strcmp(json_string_value(r), resource);
	json_array_foreach(r, i, item) {
		if (!strcmp(json_string_value(item), resource))
			return true;
	}
	return false;
}

#define assert_allows(who, action, resource) assert_true(allows(policy, who, action, resource))

static void test_plain(void **state)
{
	auto_err err = { 0 };
	auto_free char *note = NULL;
	auto_json *policy = policy_of("version: 1\nname: iris\nrole: Trainer\ninputs: {train: data/train}\n",
				      "eu-west-1", &note, &err);
	const json_t *pass;

	(void)state;
	assert_null(note);
	assert_allows("caller", "ecr:GetAuthorizationToken", "*");
	assert_allows("caller", "ecr:PutImage", "arn:aws:ecr:eu-west-1:123456789012:repository/iris");
	assert_allows("caller", "s3:ListBucket", "arn:aws:s3:::sagemaker-eu-west-1-123456789012");
	assert_allows("caller", "s3:PutObject", "arn:aws:s3:::sagemaker-eu-west-1-123456789012/iris/data/*");
	assert_allows("caller", "s3:PutObject", "arn:aws:s3:::sagemaker-eu-west-1-123456789012/iris/records/*");
	assert_allows("caller", "sagemaker:CreateTrainingJob",
		      "arn:aws:sagemaker:eu-west-1:123456789012:training-job/iris-*");
	assert_allows("caller", "iam:PassRole", "arn:aws:iam::123456789012:role/Trainer");
	pass = allowing(policy, "caller", "iam:PassRole");
	assert_string_equal(json_string_value(json_at(pass, "Condition", "StringEquals", "iam:PassedToService", NULL)),
			    "sagemaker.amazonaws.com");
	assert_null(allowing(policy, "caller", "s3:CreateBucket"));
	assert_null(allowing(policy, "caller", "kms:Decrypt"));
	assert_allows("role", "s3:GetObject", "arn:aws:s3:::sagemaker-eu-west-1-123456789012/iris/data/*");
	assert_allows("role", "s3:PutObject", "arn:aws:s3:::sagemaker-eu-west-1-123456789012/iris/output/iris-*");
	assert_allows("role", "ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:123456789012:repository/iris");
	assert_allows("role", "cloudwatch:PutMetricData", "*");
	/* What only a VPC and keys need. */
	assert_null(allowing(policy, "role", "ec2:CreateNetworkInterface"));
	assert_null(allowing(policy, "role", "kms:CreateGrant"));
}

static const char full_yaml[] = "version: 1\n"
				"name: Iris\n"
				"role: arn:aws-cn:iam::123456789012:role/path/Trainer\n"
				"bucket: own-bucket\n"
				"create_bucket: true\n"
				"data_location: s3://data-bucket/deep/er/\n"
				"image: {uri: '210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/base/img@sha256:"
				"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}\n"
				"source: {entry_point: t.py, source_dir: src, code_location: code-bucket,\n"
				"  encryption: mrk-1234abcd12ab34cd56ef1234567890ab}\n"
				"data_encryption: aws:kms\n"
				"inputs: {train: data/train, val: 's3://others/v*l/'}\n"
				"estimator:\n"
				"  output_path: s3://out-bucket/o\n"
				"  checkpoint_s3_uri: s3://ckpt/c\n"
				"  output_kms_key: alias/out\n"
				"  volume_kms_key: 1234abcd-12ab-34cd-56ef-1234567890ab\n"
				"  subnets: [subnet-1]\n"
				"  security_group_ids: [sg-1]\n";

static void test_full(void **state)
{
	auto_err err = { 0 };
	auto_free char *note = NULL;
	auto_json *policy = policy_of(full_yaml, "cn-north-1", &note, &err);
	const json_t *key;

	(void)state;
	assert_non_null(policy);
	/* Nothing is pushed when the image is there already. */
	assert_null(allowing(policy, "caller", "ecr:PutImage"));
	assert_allows("role", "ecr:BatchGetImage", "arn:aws-cn:ecr:cn-north-1:210987654321:repository/base/img");
	assert_allows("caller", "s3:CreateBucket", "arn:aws-cn:s3:::data-bucket");
	assert_allows("caller", "s3:PutObject", "arn:aws-cn:s3:::data-bucket/deep/er/Iris/data/*");
	/* A release deletes nothing; gc does, but only snapshots. */
	assert_null(allowing(policy, "caller", "s3:DeleteObject"));
	assert_allows("gc", "s3:DeleteObject", "arn:aws-cn:s3:::data-bucket/deep/er/Iris/data/*");
	assert_int_equal(json_array_size(json_object_get(allowing(policy, "gc", "s3:DeleteObject"), "Resource")), 1);
	assert_allows("caller", "s3:AbortMultipartUpload", "arn:aws-cn:s3:::data-bucket/deep/er/Iris/data/*");
	assert_allows("caller", "s3:ListBucketMultipartUploads", "arn:aws-cn:s3:::data-bucket");
	assert_allows("caller", "s3:PutObject", "arn:aws-cn:s3:::code-bucket/Iris/source/*");
	assert_allows("caller", "s3:GetObject", "arn:aws-cn:s3:::own-bucket/Iris/records/*");
	assert_allows("caller", "iam:PassRole", "arn:aws-cn:iam::123456789012:role/path/Trainer");
	assert_allows("caller", "sagemaker:AddTags",
		      "arn:aws-cn:sagemaker:cn-north-1:123456789012:training-job/Iris-*");
	assert_allows("caller", "sagemaker:AddTags",
		      "arn:aws-cn:sagemaker:cn-north-1:123456789012:training-job/iris-*");
	/* A star in a key means itself. */
	assert_allows("role", "s3:GetObject", "arn:aws-cn:s3:::others/v${*}l/*");
	assert_allows("role", "s3:GetObject", "arn:aws-cn:s3:::code-bucket/Iris/source/*");
	assert_allows("role", "s3:PutObject", "arn:aws-cn:s3:::out-bucket/o/Iris-*");
	assert_allows("role", "s3:PutObject", "arn:aws-cn:s3:::ckpt/c*");
	assert_allows("role", "ec2:CreateNetworkInterface", "*");
	assert_allows("role", "kms:CreateGrant",
		      "arn:aws-cn:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab");
	assert_allows("caller", "kms:GenerateDataKey",
		      "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab");
	assert_allows("role", "kms:Decrypt",
		      "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab");
	key = allowing(policy, "role", "kms:GenerateDataKey");
	assert_string_equal(json_string_value(
				    json_at(key, "Condition", "ForAnyValue:StringEquals", "kms:ResourceAliases", NULL)),
			    "alias/out");
	/* The principal is no host name: it is the same in China. */
	assert_string_equal(json_string_value(json_at(json_array_get(json_at(policy, "trust", "Statement", NULL), 0),
						      "Principal", "Service", NULL)),
			    "sagemaker.amazonaws.com");
}

/* Names of tuning jobs are cut, and definitions bring images and places of their own. */
static void test_tuner(void **state)
{
	static const char yaml[] = "version: 1\nname: a-very-long-name-of-it\nrole: R\n"
				   "tuner:\n  definitions:\n    one:\n"
				   "      objective_metric_name: F1\n"
				   "      hyperparameter_ranges: {lr: {continuous: [0.1, 1]}}\n"
				   "    two:\n"
				   "      image: {uri: '210987654321.dkr.ecr.eu-west-1.amazonaws.com/other@sha256:"
				   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}\n"
				   "      estimator: {output_path: s3://two/o}\n"
				   "      objective_metric_name: F1\n"
				   "      hyperparameter_ranges: {lr: {continuous: [0.1, 1]}}\n";
	static const char *const actions[] = { "CreateHyperParameterTuningJob", "DescribeHyperParameterTuningJob",
					       "StopHyperParameterTuningJob",
					       "ListTrainingJobsForHyperParameterTuningJob" };
	static const char tuning[] =
		"arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/a-very-long-nam-*";
	auto_err err = { 0 };
	auto_free char *note = NULL;
	auto_json *policy = policy_of(yaml, "eu-west-1", &note, &err);
	auto_json *without = policy_of("version: 1\nname: iris\nrole: R\n", "eu-west-1", &note, &err);

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		auto_free char *action = xasprintf("sagemaker:%s", actions[i]);

		assert_allows("caller", action, tuning);
		assert_null(allowing(without, "caller", action));
	}
	assert_allows("caller", "sagemaker:ListHyperParameterTuningJobs", "*");
	assert_allows("caller", "sagemaker:DescribeTrainingJob",
		      "arn:aws:sagemaker:eu-west-1:123456789012:training-job/a-very-long-nam-*");
	assert_allows("role", "s3:PutObject",
		      "arn:aws:s3:::sagemaker-eu-west-1-123456789012/a-very-long-name-of-it/output/a-very-long-nam-*");
	assert_allows("role", "s3:PutObject", "arn:aws:s3:::two/o/a-very-long-nam-*");
	assert_allows("role", "ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:210987654321:repository/other");
	assert_allows("role", "ecr:BatchGetImage",
		      "arn:aws:ecr:eu-west-1:123456789012:repository/a-very-long-name-of-it");
	assert_allows("caller", "ecr:PutImage", "arn:aws:ecr:eu-west-1:123456789012:repository/a-very-long-name-of-it");
	assert_allows(
		"caller", "logs:GetLogEvents",
		"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/TrainingJobs:log-stream:a-very-long-nam-*");
}

static void test_open_roles(void **state)
{
	auto_err err = { 0 };
	auto_free char *none = NULL, *automatic = NULL;
	auto_json *policy = policy_of("version: 1\nname: iris\n", "eu-west-1", &none, &err);
	auto_json *other = policy_of("version: 1\nname: iris\nrole: auto\n", "eu-west-1", &automatic, &err);

	(void)state;
	assert_allows("caller", "iam:PassRole", "arn:aws:iam::123456789012:role/smpipe-iris");
	assert_non_null(strstr(none, "role: smpipe-iris"));
	assert_null(json_object_get(policy, "gc"));
	assert_true(
		allows(other, "caller", "sagemaker:DescribeSpace", "arn:aws:sagemaker:eu-west-1:123456789012:space/*"));
	assert_non_null(strstr(automatic, "auto"));
}

static void test_refusals(void **state)
{
	static const char *const files[] = {
		"version: 1\nname: iris\nrole: arn:aws-cn:iam::123456789012:role/R\n",
		"version: 1\nname: iris\nbucket: Not_A_Bucket\n",
		"version: 1\nname: iris\nestimator: {output_path: 'http://x'}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		auto_err err = { 0 };
		auto_free char *note = NULL;

		assert_null(policy_of(files[i], "eu-west-1", &note, &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.msg, "smpipe.yaml:3:"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),      cmocka_unit_test(test_full),     cmocka_unit_test(test_tuner),
		cmocka_unit_test(test_open_roles), cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests_name("pipeline/policy", tests, NULL, NULL);
}
