#include "local/job.h"

#include <math.h>
#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/fs.h"
#include "base/json.h"
#include "local/json_api.h"
#include "local/lock.h"
#include "local/tags.h"

#define JOB_FILE_MAX (4u << 20)
#define VALUES_MAX   65536 /* of an objective: more than any rule looks at */

static json_t *now(const struct job *j)
{
	return json_api_time(j->sys->now_ms(j->sys));
}

static struct job *job_alloc(const char *dir, const struct sys *sys)
{
	struct job *j = xcalloc(1, sizeof(*j));
	pthread_condattr_t attr;

	j->dir = xstrdup(dir);
	j->sys = sys;
	j->leftovers = json_array();
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->changed, &attr);
	pthread_condattr_destroy(&attr);
	return j;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	json_decref(j->request);
	json_decref(j->describe);
	json_decref(j->tags);
	json_decref(j->leftovers);
	free(j->name);
	free(j->dir);
	free(j->objective);
	free(j->values);
	pthread_cond_destroy(&j->changed);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

void job_free_p(struct job **j)
{
	job_free(*j);
}

/* Under the lock. */
static int save(const struct job *j, struct err *err)
{
	auto_free char *path = fs_join(j->dir, "job.json");
	auto_free char *text = NULL;
	auto_json *doc = json_pack("{s:O, s:O, s:O, s:O}", "request", j->request, "describe", j->describe, "tags",
				   j->tags, "leftovers", j->leftovers);

	text = json_pretty(doc);
	return fs_write_atomic(path, text, strlen(text), 0600, err);
}

/* A disk that is full must not end a training that runs: the next change tries again. */
static void save_if_possible(const struct job *j)
{
	auto_err ignored = { 0 };

	save(j, &ignored);
}

static json_t *first_description(const struct job *j, const char *arn)
{
	json_t *d = json_deep_copy(j->request);

	json_object_del(d, "Tags");
	json_put_str(d, "TrainingJobArn", arn);
	json_put_str(d, "TrainingJobStatus", "InProgress");
	json_object_set_new(d, "CreationTime", now(j));
	json_object_set_new(d, "SecondaryStatusTransitions", json_array());
	json_object_set_new(d, "FinalMetricDataList", json_array());
	return d;
}

int job_new(const char *dir, const json_t *request, const char *arn, const struct sys *sys, struct job **ret,
	    struct err *err)
{
	auto_job *j = job_alloc(dir, sys);
	const json_t *tags = json_object_get(request, "Tags");

	j->name = xstrdup(json_str(request, "TrainingJobName"));
	j->request = json_deep_copy(request);
	j->tags = tags ? json_deep_copy(tags) : json_array();
	j->describe = first_description(j, arn);
	job_transition(j, NULL, "Starting", "Preparing the instances for training", NULL);
	if (save(j, err) < 0)
		return -1;
	*ret = take(j);
	return 0;
}

int job_load(const char *dir, const struct sys *sys, struct job **ret, struct err *err)
{
	auto_free char *path = fs_join(dir, "job.json");
	auto_job *j = job_alloc(dir, sys);
	auto_free char *text = NULL;
	auto_json *doc = NULL;
	size_t n;

	if (fs_read(path, JOB_FILE_MAX, &text, &n, err) < 0)
		return -1;
	doc = json_parse(text, n, path, err);
	if (!doc)
		return -1;
	j->request = json_incref(json_object_get(doc, "request"));
	j->describe = json_incref(json_object_get(doc, "describe"));
	j->tags = json_incref(json_object_get(doc, "tags"));
	if (json_is_array(json_object_get(doc, "leftovers")))
		json_array_extend(j->leftovers, json_object_get(doc, "leftovers"));
	j->name = xstrdup_or_null(json_str(j->request, "TrainingJobName"));
	if (!j->name || !json_str(j->describe, "TrainingJobStatus") || !json_is_array(j->tags))
		return err_set(err, ERR_INVALID, "'%s' describes no training job", path);
	*ret = take(j);
	return 0;
}

json_t *job_describe(struct job *j)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	return json_deep_copy(j->describe);
}

json_t *job_summary(struct job *j)
{
	static const char *const members[] = { "TrainingJobName", "TrainingJobArn",   "CreationTime",
					       "TrainingEndTime", "LastModifiedTime", "TrainingJobStatus",
					       "SecondaryStatus" };
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);
	json_t *summary = json_object();

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *value = json_object_get(j->describe, members[i]);

		if (value)
			json_object_set_new(summary, members[i], json_copy(value));
	}
	return summary;
}

json_t *job_tags(struct job *j)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	return json_deep_copy(j->tags);
}

int job_add_tags(struct job *j, const json_t *tags, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	return tags_add(&j->tags, tags, err) < 0 ? -1 : save(j, err);
}

int job_delete_tags(struct job *j, const json_t *keys, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	tags_delete(j->tags, keys);
	return save(j, err);
}

bool job_is_final(struct job *j)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	return sagemaker_is_final(json_str(j->describe, "TrainingJobStatus"));
}

char *job_arn(struct job *j)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	return xstrdup(json_str(j->describe, "TrainingJobArn"));
}

/* Close the transition that is open, if there is one. */
static void end_transition(json_t *transitions, json_t *time)
{
	json_t *last = json_array_get(transitions, json_array_size(transitions) - 1);

	if (last && !json_object_get(last, "EndTime"))
		json_object_set(last, "EndTime", time);
}

static void add_transition(struct job *j, const char *secondary, const char *message, json_t *time)
{
	json_t *transitions = json_object_get(j->describe, "SecondaryStatusTransitions");

	end_transition(transitions, time);
	json_array_append_new(transitions, json_pack("{s:s, s:O, s:s}", "Status", secondary, "StartTime", time,
						     "StatusMessage", message));
	json_put_str(j->describe, "SecondaryStatus", secondary);
}

/* The time counts from the first byte that is downloaded, as the bill does. */
static void end_clocks(struct job *j, json_t *time)
{
	const json_t *start = json_object_get(j->describe, "TrainingStartTime");
	double seconds = start ? json_number_value(time) - json_number_value(start) : 0;

	end_transition(json_object_get(j->describe, "SecondaryStatusTransitions"), time);
	json_object_set(j->describe, "TrainingEndTime", time);
	json_put_int(j->describe, "TrainingTimeInSeconds", (json_int_t)ceil(seconds));
	json_put_int(j->describe, "BillableTimeInSeconds", (json_int_t)ceil(seconds));
}

/* Under the lock. */
static void tell_parent(struct job *j)
{
	if (j->parent.changed)
		j->parent.changed(j->parent.ctx);
}

int job_set_parent(struct job *j, const struct job_parent *parent, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	j->parent = *parent;
	j->parent.arn = j->parent.metric = NULL;
	j->objective = xstrdup_or_null(parent->metric);
	json_put_str(j->describe, "TuningJobArn", parent->arn);
	return save(j, err);
}

size_t job_objective_values(struct job *j, size_t from, double **ret)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);
	size_t n = j->n_values > from ? j->n_values - from : 0;

	*ret = n ? xmemdup(j->values + from, n * sizeof(double)) : NULL;
	return n;
}

void job_transition(struct job *j, const char *status, const char *secondary, const char *message, const char *reason)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);
	auto_json *time = now(j);

	if (sagemaker_is_final(json_str(j->describe, "TrainingJobStatus")))
		return;
	/* The runner learns of a stop a moment later: until then its steps must not hide it. */
	if (!status && j->stop_requested && !str_eq(secondary, "Uploading"))
		return;
	if (str_eq(secondary, "Downloading"))
		json_object_set(j->describe, "TrainingStartTime", time);
	add_transition(j, secondary, message, time);
	json_object_set(j->describe, "LastModifiedTime", time);
	json_put_str(j->describe, "FailureReason", reason);
	if (status) {
		json_put_str(j->describe, "TrainingJobStatus", status);
		if (sagemaker_is_final(status))
			end_clocks(j, time);
	}
	save_if_possible(j);
	pthread_cond_broadcast(&j->changed);
	tell_parent(j);
}

int job_stop(struct job *j, struct err *err)
{
	pthread_mutex_t *held = lock_take(&j->lock);
	const char *status = json_str(j->describe, "TrainingJobStatus");
	bool is_first = !j->stop_requested;

	if (sagemaker_is_final(status)) {
		err_set(err, ERR_CONFLICT, "The request was rejected because the training job is in status %s.",
			status);
		lock_drop(&held);
		return -1;
	}
	j->stop_requested = true;
	pthread_cond_broadcast(&j->changed);
	lock_drop(&held);
	if (is_first)
		job_transition(j, "Stopping", "Stopping", "Stopping the training job", NULL);
	return 0;
}

void job_shutdown(struct job *j)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	j->is_shutdown = true;
	pthread_cond_broadcast(&j->changed);
}

bool job_is_stop_requested(struct job *j)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	return j->stop_requested;
}

bool job_is_shutdown(struct job *j)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	return j->is_shutdown;
}

void job_add_leftover(struct job *j, const char *path)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	json_array_append_new(j->leftovers, json_string(path));
	save_if_possible(j);
}

void job_drop_leftover(struct job *j, const char *path)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	for (size_t i = json_array_size(j->leftovers); i-- > 0;)
		if (str_eq(json_string_value(json_array_get(j->leftovers, i)), path))
			json_array_remove(j->leftovers, i);
	save_if_possible(j);
}

json_t *job_leftovers(struct job *j)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	return json_deep_copy(j->leftovers);
}

void job_set_artifacts(struct job *j, const char *model_uri)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	json_object_set_new(j->describe, "ModelArtifacts", json_pack("{s:s}", "S3ModelArtifacts", model_uri));
}

void job_set_metric(struct job *j, const char *name, double value)
{
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);
	json_t *list = json_object_get(j->describe, "FinalMetricDataList");
	json_t *datum;
	size_t i;

	json_array_foreach(list, i, datum) {
		if (str_eq(json_str(datum, "MetricName"), name)) {
			json_array_remove(list, i);
			break;
		}
	}
	/* JSON has no NaN and no infinity. */
	if (isfinite(value))
		json_array_append_new(list, json_pack("{s:s, s:f, s:o}", "MetricName", name, "Value", value,
						      "Timestamp", now(j)));
	if (str_eq(name, j->objective) && j->n_values < VALUES_MAX) {
		array_grow(j->values, j->n_values, j->values_cap);
		j->values[j->n_values++] = value;
		tell_parent(j);
	}
}
