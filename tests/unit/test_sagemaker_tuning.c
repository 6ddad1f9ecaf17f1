#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sagemaker_tuning.h"
#include "base/json.h"
#include "tests/unit/fake_http.h"

#define GONE      "{\"__type\":\"ResourceNotFound\",\"message\":\"Tuning job does not exist\"}"
#define NOT_FOUND "{\"__type\":\"ValidationException\",\"message\":\"Requested resource not found.\"}"

static const char *target(const struct fake_http *f, size_t i)
{
	return http_headers_get(&f->sent[i].headers, "x-amz-target");
}

static void test_create(void **state)
{
	SERVICE(ANSWER("{\"HyperParameterTuningJobArn\":\"arn:x\"}"), REFUSAL("{\"__type\":\"ResourceInUse\"}"),
		REFUSAL("{\"__type\":\"ResourceLimitExceeded\"}"), ANSWER("{}"), { 0 });
	auto_json *request = json_pack("{s:s}", "HyperParameterTuningJobName", "t");
	auto_free char *arn = NULL;

	assert_int_equal(sagemaker_create_tuning_job(&aws, request, &arn, &err), 0);
	assert_string_equal(arn, "arn:x");
	assert_string_equal(target(&f, 0), "SageMaker.CreateHyperParameterTuningJob");
	assert_string_equal(f.sent[0].body, "{\"HyperParameterTuningJobName\":\"t\"}");
	assert_int_equal(sagemaker_create_tuning_job(&aws, request, &arn, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(sagemaker_create_tuning_job(&aws, request, &arn, &err), -1);
	assert_int_equal(err.code, ERR_CAPACITY);
	assert_int_equal(sagemaker_create_tuning_job(&aws, request, &arn, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	/* A lost answer: the job may exist, so nothing is sent again. */
	assert_int_equal(sagemaker_create_tuning_job(&aws, request, &arn, &err), -1);
	assert_int_equal(err.code, ERR_NETWORK);
	assert_int_equal(f.n_sent, 5);
}

static void test_describe(void **state)
{
	SERVICE(ANSWER("{\"HyperParameterTuningJobName\":\"t\",\"HyperParameterTuningJobArn\":\"arn\","
		       "\"HyperParameterTuningJobStatus\":\"InProgress\"}"),
		REFUSAL(GONE), REFUSAL(NOT_FOUND),
		REFUSAL("{\"__type\":\"ValidationException\",\"message\":\"name is too long\"}"),
		ANSWER("{\"HyperParameterTuningJobName\":\"t\",\"HyperParameterTuningJobArn\":7}"));
	auto_json *answer = NULL;

	assert_int_equal(sagemaker_describe_tuning_job(&aws, "t", &answer, &err), 0);
	assert_string_equal(json_str(answer, "HyperParameterTuningJobStatus"), "InProgress");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sagemaker_describe_tuning_job(&aws, "t", &answer, &err), -1);
		assert_int_equal(err.code, ERR_NOT_FOUND);
		assert_string_equal(err.msg, "there is no tuning job 't'");
	}
	assert_int_equal(sagemaker_describe_tuning_job(&aws, "t", &answer, &err), -1);
	assert_int_equal(err.code, ERR_SERVICE);
	assert_int_equal(sagemaker_describe_tuning_job(&aws, "t", &answer, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "HyperParameterTuningJobArn"));
}

static void test_stop(void **state)
{
	SERVICE(ANSWER(""),
		REFUSAL("{\"__type\":\"ValidationException\",\"message\":\"The request was rejected because the "
			"tuning job is in status Stopped.\"}"),
		REFUSAL(GONE));

	assert_int_equal(sagemaker_stop_tuning_job(&aws, "t", &err), 0);
	assert_string_equal(target(&f, 0), "SageMaker.StopHyperParameterTuningJob");
	assert_string_equal(f.sent[0].body, "{\"HyperParameterTuningJobName\":\"t\"}");
	assert_int_equal(sagemaker_stop_tuning_job(&aws, "t", &err), 0);
	assert_int_equal(sagemaker_stop_tuning_job(&aws, "t", &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void test_lists(void **state)
{
	SERVICE(ANSWER("{\"HyperParameterTuningJobSummaries\":[{\"HyperParameterTuningJobName\":\"b\"}]}"),
		ANSWER("{\"TrainingJobSummaries\":[{\"TrainingJobName\":\"t-2\"}],\"NextToken\":\"n\"}"),
		ANSWER("{\"TrainingJobSummaries\":[{\"TrainingJobName\":\"t-1\"}]}"), REFUSAL(GONE));
	auto_json *jobs = NULL, *children = NULL, *none = NULL;

	assert_int_equal(sagemaker_list_tuning_jobs(&aws, "a-name", 20, &jobs, &err), 0);
	assert_int_equal(json_array_size(jobs), 1);
	assert_string_equal(f.sent[0].body, "{\"SortBy\":\"CreationTime\",\"SortOrder\":\"Descending\","
					    "\"MaxResults\":20,\"NameContains\":\"a-name\"}");
	assert_int_equal(sagemaker_list_tuning_children(&aws, "t", 750, &children, &err), 0);
	assert_string_equal(target(&f, 1), "SageMaker.ListTrainingJobsForHyperParameterTuningJob");
	assert_int_equal(json_array_size(children), 2);
	assert_non_null(strstr(f.sent[2].body, "\"NextToken\":\"n\""));
	assert_non_null(strstr(f.sent[2].body, "\"HyperParameterTuningJobName\":\"t\""));
	assert_int_equal(sagemaker_list_tuning_children(&aws, "t", 750, &none, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests_name("aws/sagemaker_tuning", tests, NULL, NULL);
}
