#include "pipeline/watch_tuning_logs.h"

#include <string.h>

#include "aws/sagemaker.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/job_end.h"
#include "pipeline/leaderboard.h"
#include "pipeline/remote_job.h"
#include "pipeline/watch_logs.h"
#include "pipeline/watch_patience.h"

/* CloudWatch shows lines some seconds after they were written. */
#define FLUSH_MS 10000
/* Long enough ago for every line to be there, whatever this machine's clock says. */
#define LONG_AGO_MS 3600000
/* Of one tuning job, over all lists: each list may bring others. */
#define MAX_CHILDREN 10000

struct child {
	const struct session *s;
	char *name;
	const char *short_name; /* in it */
	struct watch_logs logs;
	bool is_over;    /* as of the last list */
	bool is_old;     /* long ago */
	int64_t over_ms; /* when it was seen so: 0 not yet */
	bool is_read;    /* it has ended, and no more lines are waited for */
};

struct watch {
	const struct session *s;
	const struct watch_options *o;
	struct watch_patience patience;
	json_t *job;
	struct child **children; /* each stays where it is: its log points at it */
	size_t n, cap;
};

static void child_free(struct child *c)
{
	watch_logs_release(&c->logs);
	free(c->name);
	free(c);
}

static void watch_release(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		child_free(w->children[i]);
	free(w->children);
	json_decref(w->job);
	watch_patience_release(&w->patience);
}

static void on_line(void *ctx, const char *host, const char *line)
{
	const struct child *c = ctx;
	auto_free char *drawn = watch_logs_drawn(line);

	report_text(c->s->report, REPORT_LINE, "log", "[%s%s%s] %s", c->short_name, host ? "/" : "", host ? host : "",
		    drawn);
}

static struct child *find(const struct watch *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!strcmp(w->children[i]->name, name))
			return w->children[i];
	}
	return NULL;
}

static struct child *add(struct watch *w, const char *name)
{
	struct child *c = xcalloc(1, sizeof(*c));

	c->s = w->s;
	c->name = xstrdup(name);
	c->short_name = leaderboard_name_within(w->patience.job_name, c->name);
	c->logs = (struct watch_logs){ .aws = &w->patience.c.aws,
				       .job_name = c->name,
				       .host = w->o->host,
				       .since_ms = w->o->since_ms,
				       .fn = on_line,
				       .ctx = c };
	array_grow(w->children, w->n, w->cap);
	w->children[w->n++] = c;
	return c;
}

static bool ended_long_ago(const struct watch *w, const json_t *summary)
{
	const json_t *end = json_object_get(summary, "TrainingEndTime");

	return end && (double)w->s->sys->now_ms(w->s->sys) - json_number_value(end) * 1000 > LONG_AGO_MS;
}

/* Newest first in the list, and a newer list may have forgotten the oldest: those are read on all the same. */
static void take_list(struct watch *w, const json_t *list)
{
	int64_t now_ms = w->s->sys->ticks_ms(w->s->sys);

	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *summary = json_array_get(list, i);
		const char *name = json_str(summary, "TrainingJobName"),
			   *status = json_str(summary, "TrainingJobStatus");
		struct child *c = name ? find(w, name) : NULL;

		if (!name || (!c && w->n >= MAX_CHILDREN))
			continue;
		if (!c)
			c = add(w, name);
		c->is_over = !str_eq(status, "InProgress") && !str_eq(status, "Stopping");
		c->is_old = ended_long_ago(w, summary);
		if (c->is_over && !c->over_ms)
			c->over_ms = now_ms;
	}
}

static bool has_all(const struct watch *w, const struct child *c)
{
	int64_t flush_ms = w->s->is_local || c->is_old ? 0 : FLUSH_MS;

	return c->is_over && w->s->sys->ticks_ms(w->s->sys) - c->over_ms >= flush_ms;
}

static int read_children(struct watch *w, bool *ret_is_done, struct err *err)
{
	*ret_is_done = true;
	for (size_t i = 0; i < w->n; i++) {
		struct child *c = w->children[i];
		bool is_last = has_all(w, c);

		if (c->is_read)
			continue;
		if (watch_logs_read(&c->logs, err) < 0)
			return -1;
		c->is_read = is_last;
		*ret_is_done &= is_last;
	}
	return 0;
}

static int look(void *ctx, struct err *err)
{
	struct watch *w = ctx;
	struct aws *aws = &w->patience.c.aws;
	auto_json *list = NULL;
	json_t *job = NULL;
	bool is_done;

	if (sagemaker_describe_job(aws, &sagemaker_tuning, w->patience.job_name, &job, err) < 0)
		return -1;
	json_decref(w->job);
	w->job = job;
	w->patience.is_seen = true;
	w->patience.is_over = remote_job_is_over(job);
	if (sagemaker_list_tuning_children(aws, w->patience.job_name, LEADERBOARD_MAX_CHILDREN, &list, err) < 0)
		return -1;
	take_list(w, list);
	if (read_children(w, &is_done, err) < 0)
		return -1;
	w->patience.is_done = w->patience.is_over && is_done;
	return 0;
}

static int check_host(const struct watch *w, struct err *err)
{
	for (size_t i = 0; w->o->host && i < w->n; i++) {
		if (watch_logs_has_host(&w->children[i]->logs))
			return 0;
	}
	if (!w->o->host)
		return 0;
	return err_set(err, ERR_NOT_FOUND, "no training job of '%s' has a log of a host '%s'", w->patience.job_name,
		       w->o->host);
}

static void tell_end(const struct watch *w)
{
	auto_free char *took = job_duration(w->job);

	report_text(w->s->report, REPORT_NOTE, "watch", "%s%s%s", remote_job_status(w->job), took ? " after " : "",
		    took ? took : "");
}

int watch_tuning_logs(const struct session *s, const char *job_name, const struct watch_options *o, json_t **ret_job,
		      struct err *err)
{
	struct watch __attribute__((cleanup(watch_release))) w = {
		.s = s,
		.o = o,
		.patience = { .s = s, .job_name = job_name, .follows = o->follows, .timeout_ms = o->timeout_ms },
	};

	watch_patience_init(&w.patience);
	if (watch_patience_run(&w.patience, look, &w, err) < 0 || check_host(&w, err) < 0)
		return -1;
	if (o->follows)
		tell_end(&w);
	if (ret_job)
		*ret_job = take(w.job);
	return 0;
}
