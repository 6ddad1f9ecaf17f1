/*
 * Every member of CreateTrainingJob in the service's model has a key of smpipe.yaml, and a configuration of
 * tests/e2e/right that sets it. `make members` prints them.
 */

#include "pipeline/schema.h"
#include "tests/unit/request_cases.h"
#include "tests/unit/vectors.h"

struct found_member {
	char *path; /* "VpcConfig.Subnets" */
	char *key;  /* the row's path */
	char *by;   /* the first configuration that says the key */
};

struct members {
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
	array_grow(m->v, m->n, m->cap);
	m->v[m->n++] = (struct found_member){ .path = xstrdup(path) };
}

static void find_keys(struct members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		for (const struct schema_key *row = schema_keys; row->path && !m->v[i].key; row++) {
			if (str_eq(row->request, m->v[i].path))
				m->v[i].key = xstrdup(row->path);
		}
	}
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
			bool is_sent = says(rc.request, f->path);

			if (!f->by && f->key && is_sent && says(rc.project.config.values, f->key))
				f->by = xstrdup(names.v[i]);
		}
	}
}

static void find_all(const char *file, struct members *m)
{
	auto_json *model = vectors_json(file);

	m->shapes = json_object_get(model, "shapes");
	walk(m, "", "CreateTrainingJobRequest");
	find_keys(m);
	find_cases(m);
	m->shapes = NULL;
}

static void test_every_member_has_a_key_and_a_test(void **state)
{
	auto_free char *file = vectors_path("models/sagemaker-service-2.json");
	struct members __attribute__((cleanup(members_release))) m = { 0 };
	auto_str missing = { 0 };

	(void)state;
	if (!file)
		skip();
	find_all(file, &m);
	for (size_t i = 0; i < m.n; i++) {
		if (!m.v[i].key || !m.v[i].by)
			str_addf(&missing, "%s has no %s\n", m.v[i].path, m.v[i].key ? "configuration" : "key");
	}
	print_message("%zu members\n", m.n);
	assert_true(m.n > 100);
	if (missing.len)
		fail_msg("%s", missing.s);
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
	auto_free char *file = vectors_path("models/sagemaker-service-2.json");
	struct members __attribute__((cleanup(members_release))) m = { 0 };

	if (!file) {
		fprintf(stderr, "the service model is not here (SMPIPE_VECTORS)\n");
		return 1;
	}
	find_all(file, &m);
	for (size_t i = 0; i < m.n; i++)
		printf("%-90s %-75s %s\n", m.v[i].path, m.v[i].key ? m.v[i].key : "-", m.v[i].by ? m.v[i].by : "-");
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_member_has_a_key_and_a_test),
		cmocka_unit_test(test_rows),
	};

	if (argc > 1 && str_eq(argv[1], "--list"))
		return print_list();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
