#include "local/tuning.h"

#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/fs.h"
#include "base/json.h"
#include "local/json_api.h"
#include "local/lock.h"
#include "local/tags.h"

#define TUNING_FILE_MAX (64u << 20)

static json_t *now(const struct tuning *t)
{
	return json_api_time(t->sys->now_ms(t->sys));
}

static struct tuning *tuning_alloc(const char *dir, const struct sys *sys)
{
	struct tuning *t = xcalloc(1, sizeof(*t));
	pthread_condattr_t attr;

	t->dir = xstrdup(dir);
	t->sys = sys;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
	return t;
}

void tuning_free(struct tuning *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->children[i].name);
		json_decref(t->children[i].tuned);
	}
	free(t->children);
	json_decref(t->request);
	json_decref(t->describe);
	json_decref(t->tags);
	free(t->name);
	free(t->dir);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void tuning_free_p(struct tuning **t)
{
	tuning_free(*t);
}

static json_t *children_document(const struct tuning *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:O}", "name", t->children[i].name, "definition",
						(json_int_t)t->children[i].definition, "tuned", t->children[i].tuned));
	return list;
}

/* Under the lock. */
static int save(const struct tuning *t, struct err *err)
{
	auto_free char *path = fs_join(t->dir, "tuning.json");
	auto_free char *text = NULL;
	auto_json *doc = json_pack("{s:O, s:O, s:O, s:o}", "request", t->request, "describe", t->describe, "tags",
				   t->tags, "children", children_document(t));

	text = json_pretty(doc);
	return fs_write_atomic(path, text, strlen(text), 0600, err);
}

/* A disk that is full must not end a tuning that runs: the next change tries again. */
static void save_if_possible(const struct tuning *t)
{
	auto_err ignored = { 0 };

	save(t, &ignored);
}

static json_t *first_description(const struct tuning *t, const char *arn)
{
	json_t *d = json_deep_copy(t->request);

	json_object_del(d, "Tags");
	json_put_str(d, "HyperParameterTuningJobArn", arn);
	json_put_str(d, "HyperParameterTuningJobStatus", "InProgress");
	json_object_set_new(d, "CreationTime", now(t));
	json_object_set(d, "LastModifiedTime", json_object_get(d, "CreationTime"));
	return d;
}

int tuning_new(const char *dir, const json_t *request, const char *arn, const struct sys *sys, struct tuning **ret,
	       struct err *err)
{
	auto_tuning *t = tuning_alloc(dir, sys);
	const json_t *tags = json_object_get(request, "Tags");

	t->name = xstrdup(json_str(request, "HyperParameterTuningJobName"));
	t->request = json_deep_copy(request);
	t->tags = tags ? json_deep_copy(tags) : json_array();
	t->describe = first_description(t, arn);
	if (save(t, err) < 0)
		return -1;
	*ret = take(t);
	return 0;
}

static void load_children(struct tuning *t, const json_t *list)
{
	size_t i;
	json_t *child;

	json_array_foreach(list, i, child) {
		json_t *tuned = json_object_get(child, "tuned");

		if (json_str(child, "name") && json_is_object(tuned)) {
			array_grow(t->children, t->n, t->cap);
			t->children[t->n++] = (struct tuning_child){
				.name = xstrdup(json_str(child, "name")),
				.definition = (size_t)json_integer_value(json_object_get(child, "definition")),
				.tuned = json_incref(tuned),
			};
		}
	}
}

int tuning_load(const char *dir, const struct sys *sys, struct tuning **ret, struct err *err)
{
	auto_free char *path = fs_join(dir, "tuning.json");
	auto_tuning *t = tuning_alloc(dir, sys);
	auto_free char *text = NULL;
	auto_json *doc = NULL;
	size_t n;

	if (fs_read(path, TUNING_FILE_MAX, &text, &n, err) < 0)
		return -1;
	doc = json_parse(text, n, path, err);
	if (!doc)
		return -1;
	t->request = json_incref(json_object_get(doc, "request"));
	t->describe = json_incref(json_object_get(doc, "describe"));
	t->tags = json_incref(json_object_get(doc, "tags"));
	t->name = xstrdup_or_null(json_str(t->request, "HyperParameterTuningJobName"));
	if (!t->name || !json_str(t->describe, "HyperParameterTuningJobStatus") || !json_is_array(t->tags))
		return err_set(err, ERR_INVALID, "'%s' describes no tuning job", path);
	load_children(t, json_object_get(doc, "children"));
	*ret = take(t);
	return 0;
}

bool tuning_is_final(struct tuning *t)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	return sagemaker_is_final(json_str(t->describe, "HyperParameterTuningJobStatus"));
}

char *tuning_arn(struct tuning *t)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	return xstrdup(json_str(t->describe, "HyperParameterTuningJobArn"));
}

json_t *tuning_state(struct tuning *t)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	return json_deep_copy(t->describe);
}

json_t *tuning_tags(struct tuning *t)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	return json_deep_copy(t->tags);
}

int tuning_add_tags(struct tuning *t, const json_t *tags, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	return tags_add(&t->tags, tags, err) < 0 ? -1 : save(t, err);
}

int tuning_delete_tags(struct tuning *t, const json_t *keys, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	tags_delete(t->tags, keys);
	return save(t, err);
}

void tuning_transition(struct tuning *t, const char *status, const char *reason)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);
	auto_json *time = now(t);

	if (sagemaker_is_final(json_str(t->describe, "HyperParameterTuningJobStatus")))
		return;
	json_put_str(t->describe, "HyperParameterTuningJobStatus", status);
	json_put_str(t->describe, "FailureReason", reason);
	json_object_set(t->describe, "LastModifiedTime", time);
	if (sagemaker_is_final(status))
		json_object_set(t->describe, "HyperParameterTuningEndTime", time);
	save_if_possible(t);
	pthread_cond_broadcast(&t->changed);
}

/* Under the lock. */
static void notify(struct tuning *t)
{
	t->has_news = true;
	pthread_cond_broadcast(&t->changed);
}

int tuning_stop(struct tuning *t, struct err *err)
{
	auto_free char *status = NULL;
	pthread_mutex_t *held = lock_take(&t->lock);

	status = xstrdup(json_str(t->describe, "HyperParameterTuningJobStatus"));
	if (!sagemaker_is_final(status)) {
		t->stop_requested = true;
		notify(t);
	}
	lock_drop(&held);
	if (sagemaker_is_final(status))
		return err_set(err, ERR_CONFLICT, "The request was rejected because the tuning job is in status %s.",
			       status);
	tuning_transition(t, "Stopping", NULL);
	return 0;
}

void tuning_shutdown(struct tuning *t)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	t->is_shutdown = true;
	notify(t);
}

size_t tuning_add_child(struct tuning *t, const char *name, size_t definition, json_t *tuned)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	array_grow(t->children, t->n, t->cap);
	t->children[t->n] = (struct tuning_child){ .name = xstrdup(name), .definition = definition, .tuned = tuned };
	t->n++;
	save_if_possible(t);
	return t->n - 1;
}

void tuning_set_child_job(struct tuning *t, size_t index, struct job *job)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	t->children[index].job = job;
}

struct tuning_child *tuning_children(struct tuning *t, size_t *ret_n)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);
	struct tuning_child *list = xcalloc(t->n + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->children[i].job)
			list[n++] = t->children[i];
	*ret_n = n;
	return list;
}

void tuning_notify(void *ctx)
{
	struct tuning *t = ctx;
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	notify(t);
}
