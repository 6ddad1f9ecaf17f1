/*
 * Every member of CreateTrainingJob and CreateHyperParameterTuningJob in the service's model has a key of smpipe.yaml,
 * and a configuration of tests/e2e/right that sets it. `make members` prints them.
 */

#include "pipeline/schema.h"
#include "pipeline/tuning_members.h"
#include "tests/unit/request_cases.h"
#include "tests/unit/vectors.h"

struct found_member {
	char *path; /* "VpcConfig.Subnets" */
	char *key;  /* the row's path */
	char *by;   /* the first configuration that says the key */
};

struct members {
	enum job_kind kind;
	const json_t *shapes;
	struct found_member *v;
	size_t n, cap;
};

static void members_release(struct members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].path);
		free(m->v[i].key);
		free(m->v[i].by);
	}
	free(m->v);
}

/* Of a single definition the shape has them too, but a job with one has them in its configuration. */
static bool is_for_several(const char *path)
{
	return str_starts(path, "TrainingJobDefinition.DefinitionName") ||
	       str_starts(path, "TrainingJobDefinition.TuningObjective") ||
	       str_starts(path, "TrainingJobDefinition.HyperParameterRanges");
}

/* The members that hold values: strings, numbers, booleans, and lists and maps of them. */
static void walk(struct members *m, const char *path, const char *shape_name)
{
	const json_t *shape = json_object_get(m->shapes, shape_name);
	const char *type = json_str(shape, "type"), *name;
	const char *element = json_str(json_object_get(shape, "member"), "shape");
	json_t *member;

	if (str_eq(type, "structure")) {
		json_object_foreach(json_object_get(shape, "members"), name, member) {
			auto_free char *inner = *path ? xasprintf("%s.%s", path, name) : xstrdup(name);

			walk(m, inner, json_str(member, "shape"));
		}
		return;
	}
	if (element && str_eq(json_str(json_object_get(m->shapes, element), "type"), "structure")) {
		auto_free char *inner = xasprintf("%s[]", path);

		walk(m, inner, element);
		return;
	}
	if (is_for_several(path))
		return;
	array_grow(m->v, m->n, m->cap);
	m->v[m->n++] = (struct found_member){ .path = xstrdup(path) };
}

static const char *row_of(const char *member)
{
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (str_eq(row->request, member))
			return row->path;
	}
	return NULL;
}

/* Of a range: what one key says in several members, and what a definition says as the job itself does. */
static const char *row_of_range(const char *member)
{
	static const char *const rows[][2] = {
		{ "IntegerParameterRanges[].Name", "tuner.hyperparameter_ranges.*" },
		{ "IntegerParameterRanges[].MaxValue", "tuner.hyperparameter_ranges.*.integer[]" },
		{ "IntegerParameterRanges[].ScalingType", "tuner.hyperparameter_ranges.*.scaling" },
		{ "ContinuousParameterRanges[].Name", "tuner.hyperparameter_ranges.*" },
		{ "ContinuousParameterRanges[].MaxValue", "tuner.hyperparameter_ranges.*.continuous[]" },
		{ "CategoricalParameterRanges[].Name", "tuner.hyperparameter_ranges.*" },
		{ "AutoParameters[].Name", "tuner.auto_parameters.*" },
	};
	auto_free char *in_job = xasprintf("HyperParameterTuningJobConfig.ParameterRanges.%s", member);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (str_eq(rows[i][0], member))
			return rows[i][1];
	}
	return row_of(in_job);
}

/* The key of a member; new string, or NULL. */
static char *key_of(const char *member)
{
	const char *below = tuning_members_below_definition(member);
	const char *range = strstr(member, "ParameterRanges."), *row = row_of(member);
	bool is_one_of_many = str_starts(member, "TrainingJobDefinitions");
	auto_free char *above = below ? xasprintf("TrainingJobDefinition.%s", below) : NULL;
	auto_free char *training = below ? tuning_members_in_training(below) : NULL;

	if (row)
		return xstrdup(row);
	if (str_eq(member, "HyperParameterTuningJobName"))
		return xstrdup("name");
	if (below && str_starts(below, "HyperParameterRanges.")) {
		row = row_of_range(strchr(below, '.') + 1);
		return row && is_one_of_many ? xasprintf("tuner.definitions.*%s", row + strlen("tuner")) : NULL;
	}
	if (range && !below)
		return xstrdup_or_null(row_of_range(strchr(range, '.') + 1));
	row = below ? row_of(above) : NULL;
	if (row)
		return xasprintf("tuner.definitions.*%s", row + strlen("tuner"));
	row = below ? row_of(training) : NULL;
	return row && is_one_of_many && str_starts(row, "estimator.") ? xasprintf("tuner.definitions.*.%s", row)
								      : xstrdup_or_null(row);
}

static void find_keys(struct members *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->v[i].key = key_of(m->v[i].path);
}

/* Whether a document says something at a row's path. */
static bool says(const json_t *j, const char *path)
{
	size_t n = strcspn(path, ".[");
	auto_free char *name = xstrndup(path, n);
	const char *key;
	json_t *part;
	size_t i;

	if (!j || !*path)
		return j != NULL;
	if (*path == '[') {
		json_array_foreach(j, i, part) {
			if (says(part, path + 2 + (path[2] == '.')))
				return true;
		}
		return false;
	}
	if (strcmp(name, "*") != 0)
		return says(json_object_get(j, name), path + n + (path[n] == '.'));
	json_object_foreach((json_t *)j, key, part) {
		if (says(part, path + n + (path[n] == '.')))
			return true;
	}
	return false;
}

static void find_cases(struct members *m)
{
	auto_strlist names = { 0 };

	request_cases_list(&names);
	for (size_t i = 0; i < names.n; i++) {
		auto_request_case rc = { 0 };

		request_case_open(names.v[i], &rc);
		for (size_t k = 0; k < m->n; k++) {
			struct found_member *f = &m->v[k];
			bool is_sent = rc.plan.kind == m->kind && says(rc.request, f->path);

			if (!f->by && f->key && is_sent && says(rc.project.config.values, f->key))
				f->by = xstrdup(names.v[i]);
		}
	}
}

static void find_all(const char *file, struct members *m)
{
	auto_free char *shape = xasprintf("%sRequest", job_form(m->kind)->api->create);
	auto_json *model = vectors_json(file);

	m->shapes = json_object_get(model, "shapes");
	walk(m, "", shape);
	find_keys(m);
	find_cases(m);
	m->shapes = NULL;
}

static void check_every_member(enum job_kind kind, size_t least)
{
	auto_free char *file = vectors_path("models/sagemaker-service-2.json");
	struct members __attribute__((cleanup(members_release))) m = { .kind = kind };
	auto_str missing = { 0 };

	if (!file)
		skip();
	find_all(file, &m);
	for (size_t i = 0; i < m.n; i++) {
		if (!m.v[i].key || !m.v[i].by)
			str_addf(&missing, "%s has no %s\n", m.v[i].path, m.v[i].key ? "configuration" : "key");
	}
	print_message("%zu members of %s\n", m.n, job_form(kind)->api->create);
	assert_true(m.n > least);
	if (missing.len)
		fail_msg("%s", missing.s);
}

static void test_every_member_has_a_key_and_a_test(void **state)
{
	(void)state;
	check_every_member(JOB_TRAINING, 100);
}

static void test_every_member_of_a_tuning_job_too(void **state)
{
	(void)state;
	check_every_member(JOB_TUNING, 100);
}

/* Rows must not name members that do not exist. */
static void test_rows(void **state)
{
	(void)state;
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (row->request && !sagemaker_shape_at(row->request))
			fail_msg("%s: there is no member %s", row->path, row->request);
	}
	assert_null(sagemaker_shape_at("VpcConfig.Subnet"));
	assert_null(sagemaker_shape_at("VpcConfig[]"));
	assert_non_null(sagemaker_shape_at("VpcConfig.Subnets[]"));
	assert_non_null(sagemaker_shape_at("Environment.any"));
}

static int print_list(void)
{
	static const enum job_kind kinds[] = { JOB_TRAINING, JOB_TUNING };
	auto_free char *file = vectors_path("models/sagemaker-service-2.json");

	if (!file) {
		fprintf(stderr, "the service model is not here (SMPIPE_VECTORS)\n");
		return 1;
	}
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct members __attribute__((cleanup(members_release))) m = { .kind = kinds[k] };

		find_all(file, &m);
		printf("%s%s\n", k ? "\n" : "", job_form(kinds[k])->api->create);
		for (size_t i = 0; i < m.n; i++)
			printf("%-90s %-75s %s\n", m.v[i].path, m.v[i].key ? m.v[i].key : "-",
			       m.v[i].by ? m.v[i].by : "-");
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_member_has_a_key_and_a_test),
		cmocka_unit_test(test_every_member_of_a_tuning_job_too),
		cmocka_unit_test(test_rows),
	};

	if (argc > 1 && str_eq(argv[1], "--list"))
		return print_list();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
