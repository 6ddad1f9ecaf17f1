#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/logs.h"
#include "aws/sagemaker.h"
#include "base/json.h"
#include "tests/unit/fake_http.h"

static void test_create(void **state)
{
	SERVICE(ANSWER("{\"TrainingJobArn\":\"arn:x\"}"), REFUSAL("{\"__type\":\"ResourceInUse\"}"), { 0 });
	auto_json *request = json_pack("{s:s}", "TrainingJobName", "j");
	auto_free char *arn = NULL;

	assert_int_equal(sagemaker_create_training_job(&aws, request, &arn, &err), 0);
	assert_string_equal(arn, "arn:x");
	assert_string_equal(f.sent[0].url, "https://api.sagemaker.eu-west-1.amazonaws.com/");
	assert_string_equal(http_headers_get(&f.sent[0].headers, "x-amz-target"), "SageMaker.CreateTrainingJob");
	assert_string_equal(f.sent[0].body, "{\"TrainingJobName\":\"j\"}");
	assert_int_equal(sagemaker_create_training_job(&aws, request, &arn, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	/* A lost answer: the job may exist, so nothing is sent again. */
	assert_int_equal(sagemaker_create_training_job(&aws, request, &arn, &err), -1);
	assert_int_equal(err.code, ERR_NETWORK);
	assert_int_equal(f.n_sent, 3);
}

static void test_lack_of_capacity(void **state)
{
	SERVICE(REFUSAL("{\"__type\":\"ResourceLimitExceeded\",\"message\":\"The account-level service limit is 0\"}"),
		REFUSAL("{\"__type\":\"InsufficientCapacityException\"}"), REFUSAL("{\"__type\":\"CapacityError\"}"));
	auto_json *request = json_pack("{s:s}", "TrainingJobName", "j");
	auto_free char *arn = NULL;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(sagemaker_create_training_job(&aws, request, &arn, &err), -1);
		assert_int_equal(err.code, ERR_CAPACITY);
	}
}

static void test_describe(void **state)
{
	SERVICE(ANSWER("{\"TrainingJobName\":\"j\",\"TrainingJobArn\":\"arn\",\"TrainingJobStatus\":\"InProgress\"}"),
		REFUSAL("{\"__type\":\"ValidationException\",\"message\":\"Requested resource not found.\"}"),
		REFUSAL("{\"__type\":\"ValidationException\",\"message\":\"name is too long\"}"),
		ANSWER("{\"TrainingJobName\":\"j\",\"TrainingJobStatus\":\"InProgress\"}"));
	auto_json *answer = NULL;

	assert_int_equal(sagemaker_describe_training_job(&aws, "j", &answer, &err), 0);
	assert_string_equal(json_str(answer, "TrainingJobStatus"), "InProgress");
	assert_int_equal(sagemaker_describe_training_job(&aws, "j", &answer, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(err.msg, "training job 'j'"));
	assert_int_equal(sagemaker_describe_training_job(&aws, "j", &answer, &err), -1);
	assert_int_equal(err.code, ERR_SERVICE);
	assert_int_equal(sagemaker_describe_training_job(&aws, "j", &answer, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "TrainingJobArn"));
}

static void test_stop(void **state)
{
	SERVICE(ANSWER(""),
		REFUSAL("{\"__type\":\"ValidationException\",\"message\":\"The request was rejected because the "
			"training job is in status Completed.\"}"),
		REFUSAL("{\"__type\":\"ValidationException\",\"message\":\"Requested resource not found.\"}"));

	assert_int_equal(sagemaker_stop_training_job(&aws, "j", &err), 0);
	assert_int_equal(sagemaker_stop_training_job(&aws, "j", &err), 0);
	assert_int_equal(sagemaker_stop_training_job(&aws, "j", &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void test_lists(void **state)
{
	SERVICE(ANSWER("{\"TrainingJobSummaries\":[{\"TrainingJobName\":\"b\"}],\"NextToken\":\"t\"}"),
		ANSWER("{\"TrainingJobSummaries\":[{\"TrainingJobName\":\"a\"}]}"), ANSWER("{}"),
		ANSWER("{\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"},{\"Key\":\"l\",\"Value\":\"\"}]}"));
	auto_json *jobs = NULL, *tags = json_pack("[{s:s, s:s}]", "Key", "k", "Value", "v"), *found = NULL;

	assert_int_equal(sagemaker_list_training_jobs(&aws, "a-name", 500, &jobs, &err), 0);
	assert_int_equal(json_array_size(jobs), 2);
	assert_string_equal(f.sent[0].body,
			    "{\"SortBy\":\"CreationTime\",\"SortOrder\":\"Descending\",\"MaxResults\":100,"
			    "\"NameContains\":\"a-name\"}");
	assert_int_equal(sagemaker_add_tags(&aws, "arn:x", tags, &err), 0);
	assert_int_equal(sagemaker_list_tags(&aws, "arn:x", &found, &err), 0);
	assert_string_equal(json_str(found, "k"), "v");
	assert_string_equal(json_str(found, "l"), "");
}

static void test_log_streams(void **state)
{
	SERVICE(ANSWER("{\"logStreams\":[{\"logStreamName\":\"j/algo-1-1\"}],\"nextToken\":\"t\"}"),
		ANSWER("{\"logStreams\":[{\"logStreamName\":\"j/algo-2-1\"}]}"),
		REFUSAL("{\"__type\":\"ResourceNotFoundException\",\"message\":\"no group\"}"),
		REFUSAL("{\"__type\":\"Other\"}"));
	auto_strlist streams = { 0 }, none = { 0 };

	assert_int_equal(logs_list_streams(&aws, "/g", "j/", &streams, &err), 0);
	assert_int_equal(streams.n, 2);
	assert_string_equal(streams.v[1], "j/algo-2-1");
	assert_string_equal(http_headers_get(&f.sent[0].headers, "x-amz-target"), "Logs_20140328.DescribeLogStreams");
	assert_int_equal(logs_list_streams(&aws, "/g", "j/", &none, &err), 0);
	assert_int_equal(none.n, 0);
	assert_int_equal(logs_list_streams(&aws, "/g", "j/", &none, &err), -1);
}

static void add_event(void *ctx, int64_t timestamp_ms, const char *message)
{
	str_addf(ctx, "%d:%s ", (int)timestamp_ms, message);
}

static void test_log_events(void **state)
{
	SERVICE(ANSWER("{\"events\":[{\"timestamp\":1,\"message\":\"a\"}],\"nextForwardToken\":\"f/1\"}"),
		ANSWER("{\"events\":[],\"nextForwardToken\":\"f/2\"}"),
		ANSWER("{\"events\":[{\"timestamp\":2,\"message\":\"b\"}],\"nextForwardToken\":\"f/3\"}"),
		ANSWER("{\"events\":[],\"nextForwardToken\":\"f/3\"}"),
		ANSWER("{\"events\":[{\"timestamp\":3,\"message\":\"c\"}],\"nextForwardToken\":\"f/4\"}"),
		ANSWER("{\"events\":[],\"nextForwardToken\":\"f/4\"}"));
	auto_logs_place place = { 0 };
	auto_str got = { 0 };

	assert_int_equal(logs_read(&aws, "/g", "s", &place, add_event, &got, &err), 0);
	assert_string_equal(got.s, "1:a 2:b ");
	assert_string_equal(place.token, "f/3");
	assert_non_null(strstr(f.sent[0].body, "\"startFromHead\":true"));
	assert_null(strstr(f.sent[0].body, "nextToken"));
	assert_int_equal(logs_read(&aws, "/g", "s", &place, add_event, &got, &err), 0);
	assert_string_equal(got.s, "1:a 2:b 3:c ");
	assert_non_null(strstr(f.sent[4].body, "\"nextToken\":\"f/3\""));
}

/* Services that move no token, or give the one that was sent with lines: what was shown is not shown again. */
static void test_log_tokens_that_stay(void **state)
{
	SERVICE(ANSWER("{\"events\":[{\"timestamp\":5,\"message\":\"a\"}]}"),
		ANSWER("{\"events\":[{\"timestamp\":5,\"message\":\"a\"},{\"timestamp\":4,\"message\":\"b\"}],"
		       "\"nextForwardToken\":\"f/1\"}"),
		ANSWER("{\"events\":[{\"timestamp\":5,\"message\":\"c\"}],\"nextForwardToken\":\"f/1\"}"),
		ANSWER("{\"events\":[{\"timestamp\":5,\"message\":\"c\"},{\"timestamp\":6,\"message\":\"c\"}],"
		       "\"nextForwardToken\":\"f/1\"}"));
	auto_logs_place place = { 0 };
	auto_str got = { 0 };

	for (int i = 0; i < 3; i++)
		assert_int_equal(logs_read(&aws, "/g", "s", &place, add_event, &got, &err), 0);
	assert_string_equal(got.s, "5:a 4:b 5:c 6:c ");
}

/* A token of yesterday: on from the last line's time, past the lines of that time that are known. */
static void test_log_token_forgotten(void **state)
{
	SERVICE(ANSWER("{\"events\":[{\"timestamp\":7,\"message\":\"a\"},{\"timestamp\":7,\"message\":\"b\"}],"
		       "\"nextForwardToken\":\"f/1\"}"),
		ANSWER("{\"events\":[],\"nextForwardToken\":\"f/1\"}"),
		REFUSAL("{\"__type\":\"InvalidParameterException\",\"message\":\"The specified nextToken is invalid.\"}"),
		ANSWER("{\"events\":[{\"timestamp\":7,\"message\":\"a\"}],\"nextForwardToken\":\"f/8\"}"),
		ANSWER("{\"events\":[{\"timestamp\":7,\"message\":\"b\"},{\"timestamp\":7,\"message\":\"c\"}],"
		       "\"nextForwardToken\":\"f/9\"}"),
		ANSWER("{\"events\":[],\"nextForwardToken\":\"f/9\"}"),
		REFUSAL("{\"__type\":\"ResourceNotFoundException\",\"message\":\"no stream\"}"));
	auto_logs_place place = { 0 };
	auto_str got = { 0 };

	for (int i = 0; i < 3; i++)
		assert_int_equal(logs_read(&aws, "/g", "s", &place, add_event, &got, &err), 0);
	assert_string_equal(got.s, "7:a 7:b 7:c ");
	assert_non_null(strstr(f.sent[3].body, "\"startTime\":7"));
	assert_null(strstr(f.sent[3].body, "nextToken"));
}

static void test_last_log_lines(void **state)
{
	SERVICE(ANSWER("{\"events\":[{\"timestamp\":1,\"message\":\"y\"},{\"timestamp\":2,\"message\":\"z\"}]}"));
	auto_str got = { 0 };

	assert_int_equal(logs_read_last(&aws, "/g", "s", 2, add_event, &got, &err), 0);
	assert_string_equal(got.s, "1:y 2:z ");
	assert_non_null(strstr(f.sent[0].body, "\"startFromHead\":false,\"limit\":2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_lack_of_capacity),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_log_streams),
		cmocka_unit_test(test_log_events),
		cmocka_unit_test(test_log_tokens_that_stay),
		cmocka_unit_test(test_log_token_forgotten),
		cmocka_unit_test(test_last_log_lines),
	};

	return cmocka_run_group_tests_name("aws/sagemaker", tests, NULL, NULL);
}
