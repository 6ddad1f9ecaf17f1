#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "local/lock.h"
#include "local/runnable.h"
#include "local/sagemaker_store.h"
#include "local/tuner.h"

/* Under the lock. */
static void append(struct store_sagemaker *s, struct tuning *t)
{
	array_grow(s->tunings, s->n_tunings, s->tunings_cap);
	s->tunings[s->n_tunings++] = t;
}

static void find_jobs(struct store_sagemaker *s, struct tuning *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->children[i].job = store_sagemaker_find(s, t->children[i].name);
}

/* What cannot be read is left alone, as training jobs are. */
int store_tuning_load(struct store_sagemaker *s, struct err *err)
{
	auto_strlist names = { 0 };

	if (fs_mkdir_p(s->tuning_dir, 0700, err) < 0 || fs_list(s->tuning_dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *dir = fs_join(s->tuning_dir, names.v[i]);
		auto_err ignored = { 0 };
		struct tuning *t;

		if (tuning_load(dir, s->cloud->sys, &t, &ignored) == 0) {
			find_jobs(s, t);
			tuning_transition(t, "Failed", REASON_CLOUD_STOPPED);
			append(s, t);
		} else if (ignored.code == ERR_NOT_FOUND) {
			auto_err left = { 0 };

			fs_remove_tree(dir, &left);
		}
	}
	return 0;
}

int store_tuning_running(struct store_sagemaker *s)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	int running = 0;

	for (size_t i = 0; i < s->n_tunings; i++)
		running += !tuning_is_final(s->tunings[i]);
	return running;
}

void store_tuning_shut_down(struct store_sagemaker *s)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	s->is_ending = true;
	for (size_t i = 0; i < s->n_tunings; i++) {
		tuning_transition(s->tunings[i], "Failed", REASON_CLOUD_STOPPED);
		tuning_shutdown(s->tunings[i]);
	}
}

void store_tuning_release(struct store_sagemaker *s)
{
	for (size_t i = 0; i < s->n_tunings; i++)
		tuning_free(s->tunings[i]);
	free(s->tunings);
}

/* Under the lock; names and ARNs as those of training jobs. */
static struct tuning *find(struct store_sagemaker *s, const char *name, bool is_exact)
{
	for (size_t i = 0; i < s->n_tunings; i++)
		if (is_exact ? str_eq(s->tunings[i]->name, name) : strcasecmp(s->tunings[i]->name, name) == 0)
			return s->tunings[i];
	return NULL;
}

/* Under the lock. */
static int add(struct store_sagemaker *s, const json_t *request, const char *arn, struct tuning **ret, struct err *err)
{
	const char *name = json_str(request, "HyperParameterTuningJobName");
	auto_free char *note = runnable_note(request);
	auto_free char *dir = fs_join(s->tuning_dir, name);

	if (s->is_ending)
		return err_set(err, ERR_CANCELLED, "the local cloud was stopped");
	if (find(s, name, false) || fs_exists(dir))
		return err_set(err, ERR_CONFLICT, "there is a tuning job '%s'", name);
	if (fs_mkdir_p(dir, 0700, err) < 0)
		return -1;
	if (tuning_new(dir, request, arn, s->cloud->sys, ret, err) < 0) {
		auto_err ignored = { 0 };

		fs_remove_tree(dir, &ignored);
		return -1;
	}
	append(s, *ret);
	if (note)
		tuning_transition(*ret, "InProgress", note);
	return 0;
}

int store_tuning_add(struct store_sagemaker *s, const json_t *request, const char *arn, struct err *err)
{
	pthread_mutex_t *held = lock_take(&s->lock);
	struct tuning *t = NULL;
	int r = add(s, request, arn, &t, err);

	lock_drop(&held);
	if (r == 0)
		tuner_start(s, t);
	return r;
}

struct tuning *store_tuning_find(struct store_sagemaker *s, const char *name)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	return find(s, name, true);
}

struct tuning *store_tuning_find_arn(struct store_sagemaker *s, const char *arn)
{
	static const char kind[] = ":hyper-parameter-tuning-job/";
	const char *at = strstr(arn, kind);
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	return at ? find(s, at + strlen(kind), false) : NULL;
}

struct tuning **store_tuning_all(struct store_sagemaker *s, size_t *ret_n)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	*ret_n = s->n_tunings;
	return s->n_tunings ? xmemdup(s->tunings, s->n_tunings * sizeof(*s->tunings)) : xcalloc(1, sizeof(*s->tunings));
}
