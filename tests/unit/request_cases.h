#ifndef SMPIPE_TESTS_UNIT_REQUEST_CASES_H
#define SMPIPE_TESTS_UNIT_REQUEST_CASES_H

/*
 * The configurations of tests/e2e/right: each is an smpipe.yaml whose first line, `# want: {…}`, says what its request
 * must hold: the tuning job's where the file has a `tuner`. tests/e2e/wrong.t plans the same files.
 */

#include <dirent.h>

#include "tests/unit/made_project.h"

#define CASES_DIR "tests/e2e/right"
#define CASES_PIN "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct request_case {
	char *name;
	struct project project;
	struct plan plan;
	json_t *want, *request;
};

static inline void request_case_release(struct request_case *rc)
{
	free(rc->name);
	plan_release(&rc->plan);
	project_release(&rc->project);
	json_decref(rc->want);
	json_decref(rc->request);
	*rc = (struct request_case){ 0 };
}

#define auto_request_case __attribute__((cleanup(request_case_release))) struct request_case

/* The names of all files, sorted. */
static inline void request_cases_list(struct strlist *ret)
{
	DIR *dir = opendir(CASES_DIR);
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (str_ends(e->d_name, ".yaml"))
			strlist_take(ret, xstrndup(e->d_name, strlen(e->d_name) - strlen(".yaml")));
	}
	closedir(dir);
	strlist_sort(ret);
}

/* The request as a release would send it. */
static inline void request_case_open(const char *name, struct request_case *ret)
{
	auto_free char *path = xasprintf(CASES_DIR "/%s.yaml", name);
	auto_free char *text = NULL;
	auto_json *bases = json_object();
	struct target target = made_target("us-west-2", bases);
	auto_err err = { 0 };
	auto_free char *image = NULL;
	enum job_kind kind;

	*ret = (struct request_case){ .name = xstrdup(name) };
	assert_int_equal(fs_read(path, CONFIG_MAX_BYTES, &text, NULL, &err), 0);
	assert_true(str_starts(text, "# want: "));
	ret->want = json_loads(text + strlen("# want: "), JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(ret->want);
	make_project_of(&ret->project, text);
	kind = config_value(&ret->project.config, "tuner") ? JOB_TUNING : JOB_TRAINING;
	if (plan_make(&ret->project, &target, kind, &ret->plan, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	image = ret->plan.build_key ? xasprintf("%s/%s@" CASES_PIN, target.registry_host, ret->plan.repository)
				    : xstrdup_or_null(ret->plan.image_uri);
	ret->request = plan_request(&ret->plan, &ret->project, image, ret->plan.job_base);
}

#endif
