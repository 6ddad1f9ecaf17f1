/* Every configuration of tests/e2e/right gives the request that it should, and one that the service's model accepts. */

#include "aws/sagemaker_limits.h"
#include "tests/unit/request_cases.h"
#include "tests/unit/service_model.h"
#include "tests/unit/vectors.h"

/* Whether got holds what want says: members of objects, items of lists from the first on, scalars as they are. */
static bool holds(const json_t *got, const json_t *want, struct str *path)
{
	size_t n = path->len;
	const char *name;
	json_t *part;
	size_t i;

	if (json_typeof(want) == JSON_OBJECT) {
		json_object_foreach((json_t *)want, name, part) {
			str_addf(path, ".%s", name);
			if (!json_object_get(got, name) || !holds(json_object_get(got, name), part, path))
				return false;
			str_truncate(path, n);
		}
		return json_is_object(got);
	}
	if (json_typeof(want) != JSON_ARRAY)
		return json_equal(got, want);
	json_array_foreach(want, i, part) {
		str_addf(path, "[%zu]", i);
		if (!json_array_get(got, i) || !holds(json_array_get(got, i), part, path))
			return false;
		str_truncate(path, n);
	}
	return json_is_array(got);
}

static void test_wanted(void **state)
{
	auto_strlist names = { 0 };

	(void)state;
	request_cases_list(&names);
	assert_true(names.n >= 95);
	for (size_t i = 0; i < names.n; i++) {
		auto_request_case rc = { 0 };
		auto_str path = { 0 };
		auto_free char *text = NULL;

		request_case_open(names.v[i], &rc);
		text = json_compact(rc.request);
		if (!holds(rc.request, rc.want, &path))
			fail_msg("%s: %s is not as wanted in %s", names.v[i], str_text(&path), text);
	}
	print_message("%zu configurations\n", names.n);
}

static void test_limits(void **state)
{
	auto_strlist names = { 0 };

	(void)state;
	request_cases_list(&names);
	for (size_t i = 0; i < names.n; i++) {
		auto_request_case rc = { 0 };
		auto_err err = { 0 };

		request_case_open(names.v[i], &rc);
		if (rc.plan.kind == JOB_TUNING ? sagemaker_check_tuning_job(rc.request, &err) < 0
					       : sagemaker_check_training_job(rc.request, &err) < 0)
			fail_msg("%s: %s", names.v[i], err.msg);
	}
}

/* The faults that the model finds; new string, empty without. */
static char *judge(const json_t *shapes, const struct request_case *rc, const json_t *request, size_t *ret_values,
		   size_t *ret_patterns)
{
	auto_free char *shape = xasprintf("%sRequest", job_form(rc->plan.kind)->api->create);
	struct model_judge m = { .shapes = shapes };

	model_check(&m, shape, request);
	*ret_values += m.n_values;
	*ret_patterns += m.n_patterns;
	str_release(&m.path);
	return str_detach(&m.faults);
}

static void test_model(void **state)
{
	auto_free char *file = vectors_path("models/sagemaker-service-2.json");
	auto_strlist names = { 0 };
	auto_json *model = NULL;
	size_t n_values = 0, n_patterns = 0;

	(void)state;
	if (!file)
		skip();
	model = vectors_json(file);
	request_cases_list(&names);
	for (size_t i = 0; i < names.n; i++) {
		auto_request_case rc = { 0 };
		auto_free char *faults = NULL;

		request_case_open(names.v[i], &rc);
		faults = judge(json_object_get(model, "shapes"), &rc, rc.request, &n_values, &n_patterns);
		if (*faults)
			fail_msg("%s: %s", names.v[i], faults);
	}
	print_message("%zu requests, %zu values, %zu patterns\n", names.n, n_values, n_patterns);
	assert_true(n_patterns > 500);
}

/* A judge that cannot say no proves nothing. */
static void test_the_model_can_refuse(void **state)
{
	static const struct {
		const char *member, *value;
	} rows[] = {
		{ "RoleArn", "null" },
		{ "RoleArn", "\"arn:aws:iam::1:role/x-x-x-x\"" },
		{ "TrainingJobName", "\"a_b\"" },
		{ "TrainingJobName", "1" },
		{ "Newer", "1" },
		{ "EnableNetworkIsolation", "\"true\"" },
		{ "RetryStrategy", "{\"MaximumRetryAttempts\":31}" },
		{ "ResourceConfig", "{\"InstanceType\":\"ml.none.large\",\"InstanceCount\":1}" },
		{ "InputDataConfig", "[]" },
	};
	auto_free char *file = vectors_path("models/sagemaker-service-2.json");
	auto_json *model = NULL;
	auto_request_case rc = { 0 };
	size_t n = 0;

	(void)state;
	if (!file)
		skip();
	model = vectors_json(file);
	request_case_open("volume", &rc);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json *request = json_deep_copy(rc.request);
		json_t *value = json_loads(rows[i].value, JSON_DECODE_ANY, NULL);
		auto_free char *faults = NULL;

		json_object_set_new(request, rows[i].member, value);
		if (json_is_null(value))
			json_object_del(request, rows[i].member);
		faults = judge(json_object_get(model, "shapes"), &rc, request, &n, &n);
		if (!*faults)
			fail_msg("%s = %s was taken", rows[i].member, rows[i].value);
	}
}

static void test_the_comparison_can_fail(void **state)
{
	auto_request_case rc = { 0 };
	auto_str path = { 0 };
	auto_json *other = json_pack("{s:{s:i}}", "ResourceConfig", "VolumeSizeInGB", 501);
	auto_json *more = json_pack("{s:[{}]}", "InputDataConfig");

	(void)state;
	request_case_open("volume", &rc);
	assert_false(holds(rc.request, other, &path));
	assert_false(holds(rc.request, more, &path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_the_model_can_refuse),
		cmocka_unit_test(test_the_comparison_can_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
