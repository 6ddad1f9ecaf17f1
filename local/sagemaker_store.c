#include "local/sagemaker_store.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "local/lock.h"
#include "local/runner.h"

/* As long as a container may take that is told to end because the cloud does. */
#define SHUTDOWN_S 15

static void append(struct store_sagemaker *s, struct job *j)
{
	array_grow(s->jobs, s->n, s->cap);
	s->jobs[s->n++] = j;
}

static int compare_age(const void *a, const void *b)
{
	const struct job *x = *(struct job *const *)a, *y = *(struct job *const *)b;
	double tx = json_number_value(json_object_get(x->describe, "CreationTime"));
	double ty = json_number_value(json_object_get(y->describe, "CreationTime"));

	return (tx > ty) - (tx < ty);
}

/*
 * A folder without a job's file is a request's that was cut off before it was answered. A job whose file cannot be read
 * is left alone: its folder keeps the name, nobody sees it.
 */
static int load_all(struct store_sagemaker *s, struct err *err)
{
	auto_strlist names = { 0 };

	if (fs_list(s->dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *dir = fs_join(s->dir, names.v[i]);
		auto_err ignored = { 0 };
		struct job *j;

		if (job_load(dir, s->cloud->sys, &j, &ignored) == 0)
			append(s, j);
		else if (ignored.code == ERR_NOT_FOUND) {
			auto_err left = { 0 };

			fs_remove_tree(dir, &left);
		}
	}
	if (s->n > 1)
		qsort(s->jobs, s->n, sizeof(*s->jobs), compare_age);
	return 0;
}

static void fail_orphans(struct store_sagemaker *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!job_is_final(s->jobs[i]))
			job_transition(s->jobs[i], "Failed", "Failed", "Training job failed", REASON_CLOUD_STOPPED);
		if (json_array_size(s->jobs[i]->leftovers) > 0)
			runner_remove_orphan(s, s->jobs[i]);
	}
}

int store_sagemaker_new(struct cloud *cloud, struct store_sagemaker **ret, struct err *err)
{
	auto_free char *dir = fs_join(cloud->dir, "jobs");
	struct store_sagemaker *s;
	pthread_condattr_t attr;

	if (fs_mkdir_p(dir, 0700, err) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->cloud = cloud;
	s->dir = take(dir);
	s->tuning_dir = fs_join(cloud->dir, "tuning");
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->idle, &attr);
	pthread_condattr_destroy(&attr);
	if (load_all(s, err) < 0 || store_tuning_load(s, err) < 0) {
		store_sagemaker_free(s);
		return -1;
	}
	fail_orphans(s);
	*ret = s;
	return 0;
}

/* Tell every job that the cloud ends, and wait until none is run any more. false: some still are. */
static bool shut_down(struct store_sagemaker *s)
{
	struct timespec until;
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	for (size_t i = 0; i < s->n; i++)
		job_shutdown(s->jobs[i]);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SHUTDOWN_S;
	while (s->n_runners > 0)
		if (pthread_cond_timedwait(&s->idle, &s->lock, &until) != 0)
			return false;
	return true;
}

void store_sagemaker_free(struct store_sagemaker *s)
{
	if (!s)
		return;
	/* From here on the list of jobs stays as it is. */
	store_tuning_shut_down(s);
	for (size_t i = 0; i < s->n; i++)
		if (!job_is_final(s->jobs[i]))
			job_transition(s->jobs[i], "Failed", "Failed", "Training job failed", REASON_CLOUD_STOPPED);
	/* What a thread still uses stays; the process is about to end. */
	if (!shut_down(s))
		return;
	for (size_t i = 0; i < s->n; i++)
		job_free(s->jobs[i]);
	free(s->jobs);
	store_tuning_release(s);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s->tuning_dir);
	free(s);
}

int store_sagemaker_running(struct store_sagemaker *s)
{
	int running = store_tuning_running(s);
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	for (size_t i = 0; i < s->n; i++)
		running += !job_is_final(s->jobs[i]);
	return running;
}

/* Names differ without regard to case, as the ARNs have them in lower case. Under the lock. */
static struct job *find(struct store_sagemaker *s, const char *name, bool is_exact)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_exact ? str_eq(s->jobs[i]->name, name) : strcasecmp(s->jobs[i]->name, name) == 0)
			return s->jobs[i];
	return NULL;
}

static int make(const char *dir, struct store_sagemaker *s, const json_t *request, const char *arn,
		const struct job_parent *parent, struct job **ret, struct err *err)
{
	auto_job *j = NULL;

	if (job_new(dir, request, arn, s->cloud->sys, &j, err) < 0 || (parent && job_set_parent(j, parent, err) < 0))
		return -1;
	*ret = take(j);
	return 0;
}

/* Under the lock: two requests for one name must not both find it free. */
static int add(struct store_sagemaker *s, const json_t *request, const char *arn, const struct job_parent *parent,
	       struct job **ret, struct err *err)
{
	const char *name = json_str(request, "TrainingJobName");
	auto_free char *dir = fs_join(s->dir, name);

	if (s->is_ending)
		return err_set(err, ERR_CANCELLED, "the local cloud was stopped");
	if (find(s, name, false) || fs_exists(dir))
		return err_set(err, ERR_CONFLICT, "there is a training job '%s'", name);
	if (fs_mkdir_p(dir, 0700, err) < 0)
		return -1;
	if (make(dir, s, request, arn, parent, ret, err) < 0) {
		auto_err ignored = { 0 };

		fs_remove_tree(dir, &ignored);
		return -1;
	}
	append(s, *ret);
	return 0;
}

int store_sagemaker_add(struct store_sagemaker *s, const json_t *request, const char *arn,
			const struct job_parent *parent, struct job **ret_job, struct err *err)
{
	pthread_mutex_t *held = lock_take(&s->lock);
	struct job *j = NULL;
	int r = add(s, request, arn, parent, &j, err);

	lock_drop(&held);
	if (r < 0)
		return -1;
	runner_start(s, j);
	if (ret_job)
		*ret_job = j;
	return 0;
}

struct job *store_sagemaker_find(struct store_sagemaker *s, const char *name)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	return find(s, name, true);
}

struct job *store_sagemaker_find_arn(struct store_sagemaker *s, const char *arn)
{
	const char *slash = strstr(arn, ":training-job/");
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	return slash ? find(s, slash + strlen(":training-job/"), false) : NULL;
}

struct job **store_sagemaker_all(struct store_sagemaker *s, size_t *ret_n)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	*ret_n = s->n;
	return s->n ? xmemdup(s->jobs, s->n * sizeof(*s->jobs)) : xcalloc(1, sizeof(*s->jobs));
}

void store_sagemaker_enter(struct store_sagemaker *s)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	s->n_runners++;
}

void store_sagemaker_leave(struct store_sagemaker *s)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	if (--s->n_runners == 0)
		pthread_cond_broadcast(&s->idle);
}
