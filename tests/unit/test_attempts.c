#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "pipeline/attempts.h"
#include "pipeline/remote_job.h"
#include "tests/unit/fake_http.h"

#define JOB(name, word)                                                                                                \
	{                                                                                                              \
		.status = 200, .body = "{\"TrainingJobName\":\"" name                                                  \
				       "\",\"TrainingJobArn\":\"arn\",\"TrainingJobStatus\":\"" word "\"}"             \
	}
#define ABSENT                                                                                                         \
	{                                                                                                              \
		.status = 400,                                                                                         \
		.body = "{\"__type\":\"ValidationException\",\"message\":\"Requested resource not found.\"}"           \
	}
#define DENIED                                                                                                         \
	{                                                                                                              \
		.status = 400, .body = "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}"                     \
	}

static int find(struct fake_http *f, char **ret_attempt, json_t **ret_job, struct err *err)
{
	struct aws_identity id = { 0 };
	struct aws aws = { .id = &id, .http = &f->http };
	const struct plan plan = { .kind = JOB_TRAINING, .job_base = (char *)"iris-0123456789ab" };
	int result;

	fake_identity(&id);
	result = attempts_find_last(&aws, &plan, ret_attempt, ret_job, err);
	aws_identity_release(&id);
	return result;
}

static void test_the_last_one_counts(void **state)
{
	static const struct fake_answer answers[] = { JOB("iris-0123456789ab", "Failed"),
						      JOB("iris-0123456789ab-2", "Stopped"),
						      JOB("iris-0123456789ab-3", "InProgress"), ABSENT };
	auto_fake_http f = fake_http_of(answers, ARRAY_LEN(answers));
	auto_free char *attempt = NULL;
	auto_json *job = NULL;
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(find(&f, &attempt, &job, &err), 0);
	assert_string_equal(attempt, "3");
	assert_string_equal(remote_job_status(job), "InProgress");
	assert_non_null(strstr(f.sent[0].body, "\"iris-0123456789ab\""));
	assert_non_null(strstr(f.sent[3].body, "\"iris-0123456789ab-4\""));
}

static void test_there_is_none(void **state)
{
	static const struct fake_answer answers[] = { ABSENT };
	auto_fake_http f = fake_http_of(answers, ARRAY_LEN(answers));
	auto_free char *attempt = NULL;
	auto_json *job = NULL;
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(find(&f, &attempt, &job, &err), 0);
	assert_null(attempt);
	assert_null(job);
}

/* What the service will not tell is not "no more attempts". */
static void test_a_refusal_is_no_end(void **state)
{
	static const struct fake_answer answers[] = { JOB("iris-0123456789ab", "Failed"), DENIED };
	auto_fake_http f = fake_http_of(answers, ARRAY_LEN(answers));
	auto_free char *attempt = NULL;
	auto_json *job = NULL;
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(find(&f, &attempt, &job, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_null(attempt);
	assert_null(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_one_counts),
		cmocka_unit_test(test_there_is_none),
		cmocka_unit_test(test_a_refusal_is_no_end),
	};

	return cmocka_run_group_tests_name("pipeline/attempts", tests, NULL, NULL);
}
