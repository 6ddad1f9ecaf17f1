#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "pipeline/provenance.h"
#include "pipeline/record_outcome.h"
#include "tests/unit/fake_http.h"

#define CHILD(name, status, objective)                                                                                 \
	"{\"TrainingJobName\":\"" name "\",\"TrainingJobStatus\":\"" status                                            \
	"\",\"TunedHyperParameters\":{\"lr\":\"0.1\"},"                                                                \
	"\"FinalHyperParameterTuningJobObjectiveMetric\":{\"MetricName\":\"F1\",\"Value\":" objective "}}"
#define DESCRIBED(name, seconds)                                                                                       \
	"{\"TrainingJobName\":\"" name "\",\"TrainingJobArn\":\"arn\",\"TrainingJobStatus\":\"Completed\","            \
	"\"ResourceConfig\":{\"InstanceCount\":2}," seconds "}"

static json_t *tuning_job(const char *status)
{
	return json_pack("{ss ss ss sf sf s{s{ss ss}}}", "HyperParameterTuningJobName", "t",
			 "HyperParameterTuningJobArn", "arn", "HyperParameterTuningJobStatus", status, "CreationTime",
			 1700703534.0, "HyperParameterTuningEndTime", 1700703594.0, "HyperParameterTuningJobConfig",
			 "HyperParameterTuningJobObjective", "Type", "Maximize", "MetricName", "F1");
}

static json_t *statement(void)
{
	return json_pack("{s[] s{s{s{} s{s{ss}}} s{s{}}}}", "subject", "predicate", "buildDefinition",
			 "internalParameters", "externalParameters", "request", "HyperParameterTuningJobName", "t",
			 "runDetails", "metadata");
}

static void add(struct fake_http *f, struct record *r, const json_t *job)
{
	struct session s = { .sys = &fake_sys, .http = &f->http };
	auto_err err = { 0 };

	fake_identity(&s.identity);
	r->statement = statement();
	if (record_add_outcome(&s, r, job, &err) < 0)
		fail_msg("%s", err.msg);
	aws_identity_release(&s.identity);
}

static json_int_t number(const struct record *r, const char *key)
{
	return json_integer_value(json_object_get(provenance_internal(r->statement), key));
}

/* Seconds of all instances of all training jobs; the saving is that of those on spot. A job that is gone is no error.
 */
static void test_tuning(void **state)
{
	static const struct fake_answer answers[] = {
		ANSWER("{\"TrainingJobSummaries\":[" CHILD("t-3", "Stopped", "\"NaN\"") "," CHILD(
			"t-2", "Completed", "0.5") "," CHILD("t-1", "Completed", "0.75") "]}"),
		ANSWER(DESCRIBED(
			"t-1",
			"\"BillableTimeInSeconds\":30,\"TrainingTimeInSeconds\":120,\"EnableManagedSpotTraining\":true")),
		ANSWER(DESCRIBED("t-2", "\"BillableTimeInSeconds\":40,\"TrainingTimeInSeconds\":40")),
		{ .status = 400,
		  .body = "{\"__type\":\"ValidationException\",\"message\":\"Requested resource not found.\"}" },
	};
	auto_fake_http f = fake_http_of(answers, ARRAY_LEN(answers));
	auto_record r = { 0 };
	auto_json *job = tuning_job("Completed");
	const json_t *tuning, *first;

	(void)state;
	add(&f, &r, job);
	tuning = provenance_tuning(r.statement);
	first = json_array_get(json_object_get(tuning, "children"), 0);
	assert_int_equal(provenance_kind(r.statement), JOB_TUNING);
	assert_string_equal(provenance_status(r.statement), "Completed");
	assert_int_equal(number(&r, "billableSeconds"), 140);
	assert_int_equal(number(&r, "spotSavingPercent"), 75);
	assert_float_equal(json_real_value(json_at(r.statement, "predicate", "buildDefinition", "internalParameters",
						   "metrics", "F1", NULL)),
			   0.75, 0);
	assert_string_equal(json_str(tuning, "best"), "t-1");
	assert_int_equal(json_array_size(json_object_get(tuning, "children")), 3);
	assert_string_equal(json_str(first, "job"), "t-1");
	assert_int_equal(json_integer_value(json_object_get(first, "billableSeconds")), 60);
	assert_string_equal(json_str(json_object_get(first, "hyperparameters"), "lr"), "0.1");
	assert_string_equal(json_string_value(
				    json_at(r.statement, "predicate", "runDetails", "metadata", "finishedOn", NULL)),
			    "2023-11-23T01:39:54Z");
}

/* Nothing was found: there is no best job, no metric and no model. */
static void test_nothing_found(void **state)
{
	static const struct fake_answer answers[] = { ANSWER("{\"TrainingJobSummaries\":[]}") };
	auto_fake_http f = fake_http_of(answers, ARRAY_LEN(answers));
	auto_record r = { 0 };
	auto_json *job = tuning_job("Failed");

	(void)state;
	json_put_str(job, "FailureReason", "No training job succeeded.");
	add(&f, &r, job);
	assert_string_equal(provenance_status(r.statement), "Failed");
	assert_string_equal(json_str(provenance_internal(r.statement), "failureReason"), "No training job succeeded.");
	assert_null(json_str(provenance_tuning(r.statement), "best"));
	assert_int_equal(json_object_size(json_object_get(provenance_internal(r.statement), "metrics")), 0);
	assert_null(provenance_subject(r.statement, "model", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tuning),
		cmocka_unit_test(test_nothing_found),
	};

	return cmocka_run_group_tests_name("pipeline/record_outcome", tests, NULL, NULL);
}
