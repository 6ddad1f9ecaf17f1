/* Reading requests and descriptions of tuning jobs, of which any member may be missing or of another type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"

static json_t *parsed(const char *text)
{
	auto_err err = { 0 };
	json_t *j = json_parse(text, strlen(text), "the fixture", &err);

	if (!j)
		fail_msg("%s", err.msg);
	return j;
}

static void assert_reads(const char *text, size_t i, const char *definition, const char *metric, size_t n_ranges)
{
	auto_json *request = parsed(text);
	const json_t *d = sagemaker_tuning_definition(request, i);
	const json_t *ranges = sagemaker_tuning_ranges(request, d);

	assert_int_equal(d != NULL, definition != NULL);
	if (definition)
		assert_string_equal(json_str(d, "DefinitionName"), definition);
	if (metric)
		assert_string_equal(json_str(sagemaker_tuning_objective(request, d), "MetricName"), metric);
	assert_int_equal(json_array_size(sagemaker_range_list(ranges, RANGE_INTEGER)), n_ranges);
}

static void test_one_definition_has_what_is_the_jobs(void **state)
{
	static const char one[] = "{\"HyperParameterTuningJobConfig\":{\"HyperParameterTuningJobObjective\":"
				  "{\"MetricName\":\"f1\"},\"ParameterRanges\":{\"IntegerParameterRanges\":[{},{}]}},"
				  "\"TrainingJobDefinition\":{\"DefinitionName\":\"only\"}}";

	(void)state;
	assert_reads(one, 0, "only", "f1", 2);
	assert_reads(one, 1, NULL, "f1", 2);
}

static void test_each_of_several_has_its_own(void **state)
{
	static const char several[] = "{\"HyperParameterTuningJobConfig\":{},\"TrainingJobDefinitions\":["
				      "{\"DefinitionName\":\"a\",\"TuningObjective\":{\"MetricName\":\"f1\"},"
				      "\"HyperParameterRanges\":{\"IntegerParameterRanges\":[{}]}},"
				      "{\"DefinitionName\":\"b\",\"TuningObjective\":{\"MetricName\":\"loss\"}}]}";

	(void)state;
	assert_reads(several, 0, "a", "f1", 1);
	assert_reads(several, 1, "b", "loss", 0);
	assert_reads(several, 2, NULL, NULL, 0);
}

static void test_what_cannot_be_read_is_not_there(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"HyperParameterTuningJobConfig\":7,\"TrainingJobDefinitions\":\"x\"}",
		"{\"HyperParameterTuningJobConfig\":{\"ParameterRanges\":[1]},\"TrainingJobDefinitions\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_reads(texts[i], 0, NULL, NULL, 0);
	assert_null(sagemaker_tuning_objective(NULL, NULL));
}

static void test_bounds(void **state)
{
	static const struct {
		const char *text;
		bool is_number, is_integer;
	} rows[] = {
		{ "12", true, true },
		{ "-3", true, true },
		{ "+3", true, true },
		{ "1e-3", true, false },
		{ "0.5", true, false },
		{ "1e999", false, false },
		{ "0x10", false, false },
		{ "inf", false, false },
		{ "nan", false, false },
		{ " 1", false, false },
		{ "1 ", false, false },
		{ "", false, false },
		{ "-", false, false },
		{ "1-2", false, false },
		{ NULL, false, false },
		{ "--1", false, false },
		{ "9223372036854775808", true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t n;
		double x;

		assert_int_equal(sagemaker_parse_bound(rows[i].text, &x), rows[i].is_number);
		assert_int_equal(sagemaker_parse_whole_bound(rows[i].text, &n), rows[i].is_integer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_definition_has_what_is_the_jobs),
		cmocka_unit_test(test_each_of_several_has_its_own),
		cmocka_unit_test(test_what_cannot_be_read_is_not_there),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
