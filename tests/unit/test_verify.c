#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "pipeline/verify.h"
#include "tests/unit/fake_http.h"

#define TAGS ANSWER("{\"Tags\":[{\"Key\":\"smpipe:request\",\"Value\":\"key\"}]}")

static void on_check(void *ctx, const char *what, enum verified verified, const char *difference)
{
	assert_int_equal(verified, difference ? VERIFIED_BAD : VERIFIED_OK);
	str_addf(ctx, "%s%s%s\n", what, difference ? ": " : "", difference ? difference : "");
}

/* A record without image, code, data and model: what is left is the job. tuning may be NULL; it is taken over. */
static void check(const struct fake_answer *answers, size_t n, json_t *request, json_t *tuning, const char *want)
{
	auto_fake_http f = fake_http_of(answers, n);
	struct session s = { .sys = &fake_sys, .http = &f.http };
	auto_record r = { 0 };
	auto_str said = { 0 };
	auto_err err = { 0 };
	struct verify_result result = { 0 };

	fake_identity(&s.identity);
	r.key = xstrdup("statement.json");
	r.statement = json_pack("{s[] s{s{s{ss ss so*} s{so}}}}", "subject", "predicate", "buildDefinition",
				"internalParameters", "job", "t", "requestKey", "key", "tuning", tuning,
				"externalParameters", "request", request);
	if (verify_record(&s, NULL, &r, false, on_check, &said, &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(str_text(&said), want);
	assert_int_equal(result.bad, strstr(want, ": ") ? 1 : 0);
	aws_identity_release(&s.identity);
}

static json_t *training_request(void)
{
	return json_pack("{ss s[{ss} {ss}]}", "TrainingJobName", "t", "InputDataConfig", "ChannelName", "a",
			 "ChannelName", "b");
}

#define DESCRIBED(inputs)                                                                                                        \
	"{\"TrainingJobName\":\"t\",\"TrainingJobArn\":\"arn\",\"TrainingJobStatus\":\"Completed\",\"InputDataConfig\":[" inputs \
	"]}"

/* The service fills in what nobody sent; what was sent must be as it was. */
static void test_defaults_of_the_service(void **state)
{
	static const struct fake_answer more[] = {
		ANSWER(DESCRIBED("{\"ChannelName\":\"a\",\"CompressionType\":\"None\"},{\"ChannelName\":\"b\"}")), TAGS
	};
	static const struct fake_answer other[] = {
		ANSWER(DESCRIBED("{\"ChannelName\":\"a\"},{\"ChannelName\":\"c\"}")), TAGS
	};
	static const struct fake_answer fewer[] = { ANSWER(DESCRIBED("{\"ChannelName\":\"a\"}")), TAGS };

	(void)state;
	check(more, ARRAY_LEN(more), training_request(), NULL, "record in S3\njob\n");
	check(other, ARRAY_LEN(other), training_request(), NULL,
	      "record in S3\njob: 'InputDataConfig' differs from the recorded request\n");
	check(fewer, ARRAY_LEN(fewer), training_request(), NULL,
	      "record in S3\njob: 'InputDataConfig' differs from the recorded request\n");
}

#define TUNING                                                                                                         \
	ANSWER("{\"HyperParameterTuningJobName\":\"t\",\"HyperParameterTuningJobArn\":\"arn\","                        \
	       "\"HyperParameterTuningJobStatus\":\"Completed\"}")
#define CHILDREN(name, lr, objective)                                                                                  \
	ANSWER("{\"TrainingJobSummaries\":[{\"TrainingJobName\":\"" name "\",\"TunedHyperParameters\":{\"lr\":\"" lr   \
	       "\"},\"FinalHyperParameterTuningJobObjectiveMetric\":{\"Value\":" objective "}}]}")

/* How the best was found is part of what a record vouches for. */
static void test_children(void **state)
{
	static const struct fake_answer same[] = { TUNING, TAGS, TUNING, CHILDREN("t-1", "0.1", "0.5") };
	static const struct fake_answer value[] = { TUNING, TAGS, TUNING, CHILDREN("t-1", "0.2", "0.5") };
	static const struct fake_answer objective[] = { TUNING, TAGS, TUNING, CHILDREN("t-1", "0.1", "0.6") };
	static const struct fake_answer gone[] = { TUNING, TAGS, TUNING, CHILDREN("t-2", "0.1", "0.5") };
	static const struct {
		const struct fake_answer *answers;
		const char *want;
	} cases[] = {
		{ same, "record in S3\njob\ntraining jobs\n" },
		{ value, "record in S3\njob\ntraining jobs: 't-1' has other hyperparameters\n" },
		{ objective, "record in S3\njob\ntraining jobs: 't-1' has another objective\n" },
		{ gone, "record in S3\njob\ntraining jobs: 't-1' is not there\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(cases[i].answers, 4, json_pack("{ss}", "HyperParameterTuningJobName", "t"),
		      json_pack("{s[{ss s{ss} sf}]}", "children", "job", "t-1", "hyperparameters", "lr", "0.1",
				"objective", 0.5),
		      cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_of_the_service),
		cmocka_unit_test(test_children),
	};

	return cmocka_run_group_tests_name("pipeline/verify", tests, NULL, NULL);
}
