/* What a tuning job and its training jobs make up together. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "local/tuning_report.h"

struct reader {
	struct tuning *tuning;
	_Atomic pid_t thread;
	json_t *seen;
};

static void *read_description(void *ctx)
{
	struct reader *r = ctx;

	r->thread = gettid();
	r->seen = tuning_describe(r->tuning);
	return NULL;
}

/* Until the thread waits for a lock: it has nothing else to wait for. */
static void wait_until_held(struct reader *r)
{
	char state = 0;

	while (state != 'S') {
		auto_free char *path = xasprintf("/proc/self/task/%d/stat", (int)r->thread);
		auto_free char *text = NULL;
		auto_err err = { 0 };
		size_t n;

		state = r->thread && fs_read(path, 4096, &text, &n, &err) == 0 ? strrchr(text, ')')[2] : 0;
	}
}

/* A job that ends while it is described: it is over only once its training jobs are. */
static void test_what_is_over_runs_no_more(void **state)
{
	auto_err err = { 0 };
	auto_free char *dir = fs_temp_dir("smpipe-test", &err);
	auto_json *request = json_pack("{s:s}", "HyperParameterTuningJobName", "tune");
	auto_json *child = json_pack("{s:s}", "TrainingJobName", "tune-001-a");
	auto_tuning *t = NULL;
	auto_job *j = NULL;
	struct reader reader = { 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(tuning_new(dir, request, "arn", &sys_real, &t, &err), 0);
	assert_int_equal(job_new(dir, child, "arn", &sys_real, &j, &err), 0);
	tuning_set_child_job(t, tuning_add_child(t, "tune-001-a", 0, json_object()), j);
	reader.tuning = t;
	pthread_mutex_lock(&j->lock);
	assert_int_equal(pthread_create(&thread, NULL, read_description, &reader), 0);
	wait_until_held(&reader);
	tuning_transition(t, "Completed", NULL);
	pthread_mutex_unlock(&j->lock);
	pthread_join(thread, NULL);
	assert_int_equal(json_integer_value(json_at(reader.seen, "TrainingJobStatusCounters", "InProgress", NULL)), 1);
	assert_string_equal(json_str(reader.seen, "HyperParameterTuningJobStatus"), "InProgress");
	json_decref(reader.seen);
	fs_remove_tree(dir, &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_over_runs_no_more),
	};

	return cmocka_run_group_tests_name("local/tuning_report", tests, NULL, NULL);
}
