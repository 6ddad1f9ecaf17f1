/* pipeline/job_end.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/job_end.h"

static void check_cost(const char *job, const char *want, int saving)
{
	auto_err err = { 0 };
	auto_json *j = json_parse(job, strlen(job), "job", &err);
	auto_free char *cost = job_cost(j);

	assert_non_null(j);
	want ? assert_string_equal(cost, want) : assert_null(cost);
	assert_int_equal(job_spot_saving(j), saving);
}

static void test_cost(void **state)
{
	(void)state;
	check_cost("{}", NULL, 0);
	check_cost("{\"BillableTimeInSeconds\":30,\"TrainingTimeInSeconds\":100,\"EnableManagedSpotTraining\":true,"
		   "\"ResourceConfig\":{\"InstanceGroups\":[{\"InstanceCount\":1},{\"InstanceCount\":3}]}}",
		   "billable 30 s × 4 instances = 120 s; spot saved 70 %", 70);
	check_cost(
		"{\"BillableTimeInSeconds\":30,\"TrainingTimeInSeconds\":100,\"ResourceConfig\":{\"InstanceCount\":1}}",
		"billable 30 s", 0);
	check_cost("{\"BillableTimeInSeconds\":30,\"ResourceConfig\":{\"InstanceGroups\":[{\"InstanceCount\":100000},"
		   "{\"InstanceCount\":100000}]}}",
		   "billable 30 s × 100000 instances = 3000000 s", 0);
	check_cost("{\"BillableTimeInSeconds\":9223372036854775807,\"ResourceConfig\":{\"InstanceCount\":"
		   "9223372036854775807},\"CreationTime\":1e300,\"TrainingEndTime\":1e308}",
		   "billable 315360000 s × 100000 instances = 31536000000000 s", 0);
	check_cost("{\"BillableTimeInSeconds\":0,\"TrainingTimeInSeconds\":0,\"EnableManagedSpotTraining\":true}",
		   "billable 0 s", 0);
}

static void test_reasons(void **state)
{
	auto_json *stopped =
		json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "TrainingJobStatus", "Stopped", "SecondaryStatus",
			  "MaxRuntimeExceeded", "SecondaryStatusTransitions", "Status", "MaxRuntimeExceeded",
			  "StatusMessage", "Training job runtime exceeded MaxRuntimeInSeconds provided");
	auto_free char *words = NULL;

	(void)state;
	assert_int_equal(job_end_class(stopped), ERR_STOPPED);
	assert_non_null(strstr(job_end_reason(stopped), "MaxRuntimeInSeconds"));
	json_object_del(stopped, "SecondaryStatusTransitions");
	assert_string_equal(job_end_reason(stopped), "MaxRuntimeExceeded");
	json_object_clear(stopped);
	assert_null(job_end_reason(stopped));
	json_put_str(stopped, "TrainingJobStatus", "Stopped");
	words = job_end_words(stopped);
	assert_string_equal(words, "was stopped");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
