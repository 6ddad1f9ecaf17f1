#include "pipeline/watch.h"

#include <stdlib.h>
#include <string.h>

#include "aws/sagemaker.h"
#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/job_end.h"
#include "pipeline/remote_job.h"
#include "pipeline/watch_logs.h"
#include "pipeline/watch_metrics.h"
#include "pipeline/watch_patience.h"

/* CloudWatch shows lines some seconds after they were written. */
#define FLUSH_MS      10000
#define FLUSH_POLL_MS 1000
/* Long enough ago for every line to be there, whatever this machine's clock says. */
#define LONG_AGO_MS 3600000

struct watch {
	const struct session *s;
	const struct watch_options *o;
	struct watch_patience patience;
	struct watch_logs logs;
	struct watch_metrics metrics;
	json_t *job;          /* the last description */
	size_t n_transitions; /* that were shown */
	char *last_message;   /* of the last of them: it may still change */
};

static void watch_release(struct watch *w)
{
	watch_logs_release(&w->logs);
	watch_metrics_release(&w->metrics);
	json_decref(w->job);
	free(w->last_message);
	watch_patience_release(&w->patience);
}

static void on_line(void *ctx, const char *host, const char *line)
{
	struct watch *w = ctx;
	auto_free char *drawn = watch_logs_drawn(line);

	if (host)
		report_text(w->s->report, REPORT_LINE, "log", "[%s] %s", host, drawn);
	else
		report_text(w->s->report, REPORT_LINE, "log", "%s", drawn);
	watch_metrics_feed(&w->metrics, line);
}

static void watch_init(struct watch *w)
{
	watch_patience_init(&w->patience);
	w->logs = (struct watch_logs){ .aws = &w->patience.c.aws,
				       .job_name = w->patience.job_name,
				       .host = w->o->host,
				       .since_ms = w->o->since_ms,
				       .fn = on_line,
				       .ctx = w };
}

static void show_transition(struct watch *w, const json_t *t)
{
	const char *status = json_str(t, "Status"), *message = json_str(t, "StatusMessage");

	report_text(w->s->report, REPORT_STEP, "watch", "%s%s%s", status ? status : "?",
		    message && *message ? ": " : "", message ? message : "");
	free(w->last_message);
	w->last_message = xstrdup_or_null(message);
}

static void show_transitions(struct watch *w)
{
	const json_t *transitions = json_object_get(w->job, "SecondaryStatusTransitions");
	const json_t *last = w->n_transitions ? json_array_get(transitions, w->n_transitions - 1) : NULL;

	if (last && !str_eq(json_str(last, "StatusMessage"), w->last_message))
		show_transition(w, last);
	for (; w->n_transitions < json_array_size(transitions); w->n_transitions++)
		show_transition(w, json_array_get(transitions, w->n_transitions));
}

static int read_logs(struct watch *w, struct err *err)
{
	int result = watch_logs_read(&w->logs, err);
	auto_free char *news = watch_metrics_news(&w->metrics);

	if (news)
		report_progress(w->s->report, "metrics", news, 0, 0);
	return result;
}

/* What the first description tells of the lines to come. */
static void learn(struct watch *w)
{
	auto_err why = { 0 };

	w->logs.has_many_hosts = job_instances(w->job) > 1;
	if (w->o->shows_logs && watch_metrics_init(&w->metrics, w->job, &why) < 0)
		report_text(w->s->report, REPORT_NOTE, "watch", "metrics are not shown: %s", why.msg);
}

/* One round: the description first, so that the lines read after it are all that the job wrote before its end. */
static int look(void *ctx, struct err *err)
{
	struct watch *w = ctx;
	json_t *job = NULL;

	if (sagemaker_describe_job(&w->patience.c.aws, &sagemaker_training, w->patience.job_name, &job, err) < 0)
		return -1;
	if (!w->job) {
		w->job = job;
		learn(w);
	} else {
		json_decref(w->job);
		w->job = job;
	}
	w->patience.is_seen = true;
	w->patience.is_done = w->patience.is_over = sagemaker_is_final(json_str(w->job, "TrainingJobStatus"));
	if (!w->o->shows_only_end)
		show_transitions(w);
	return w->o->shows_logs ? read_logs(w, err) : 0;
}

static bool ended_long_ago(const struct watch *w)
{
	const json_t *end = json_object_get(w->job, "TrainingEndTime");

	return end && (double)w->s->sys->now_ms(w->s->sys) - json_number_value(end) * 1000 > LONG_AGO_MS;
}

/* The job has ended: the user's time limits only how long a lost network is waited for. */
static int flush_logs(struct watch *w, struct err *err)
{
	int64_t now_ms = w->s->sys->ticks_ms(w->s->sys);
	int64_t end_ms = now_ms + (w->s->is_local || ended_long_ago(w) ? 0 : FLUSH_MS);

	while (!sys_is_cancelled()) {
		if (read_logs(w, err) == 0) {
			watch_patience_note_answer(&w->patience);
			if (w->s->sys->ticks_ms(w->s->sys) >= end_ms)
				return 0;
		} else if (watch_patience_survive(&w->patience, err) < 0) {
			return -1;
		}
		if (w->patience.is_lost && watch_patience_left_ms(&w->patience) == 0)
			return 0;
		w->s->sys->sleep_ms(w->s->sys, FLUSH_POLL_MS);
	}
	return 0;
}

static void on_failure_line(void *ctx, const char *host, const char *line)
{
	const struct watch *w = ctx;
	auto_free char *drawn = watch_logs_drawn(line);

	report_text(w->s->report, REPORT_NOTE, "failure", "%s%s%s%s", host ? "[" : "", host ? host : "",
		    host ? "] " : "", drawn);
}

static void tell_end(struct watch *w)
{
	auto_free char *cost = job_cost(w->job);
	bool were_shown = w->o->shows_logs && !w->o->host && job_instances(w->job) == 1;
	auto_err why = { 0 };

	w->logs.fn = on_failure_line;
	if (str_eq(json_str(w->job, "TrainingJobStatus"), "Failed") && !were_shown &&
	    watch_logs_of_failure(&w->logs, json_str(w->job, "FailureReason"), &why) < 0)
		report_text(w->s->report, REPORT_NOTE, "failure", "its last lines cannot be read: %s", why.msg);
	report_text(w->s->report, REPORT_NOTE, "watch", "%s%s%s", json_str(w->job, "TrainingJobStatus"),
		    cost ? " after " : "", cost ? cost : "");
}

static int check_host(const struct watch *w, struct err *err)
{
	if (!w->o->shows_logs || !w->o->host || watch_logs_has_host(&w->logs))
		return 0;
	err_set(err, ERR_NOT_FOUND, "job '%s' has no log of a host '%s'", w->patience.job_name, w->o->host);
	return err_hint(err, "its %lld host%s named algo-1 and so on", (long long)job_instances(w->job),
			job_instances(w->job) == 1 ? " is" : "s are");
}

int watch_job(const struct session *s, const char *job_name, const struct watch_options *o, json_t **ret_job,
	      struct err *err)
{
	struct watch __attribute__((cleanup(watch_release))) w = {
		.s = s,
		.o = o,
		.patience = { .s = s, .job_name = job_name, .follows = o->follows, .timeout_ms = o->timeout_ms },
	};

	watch_init(&w);
	if (watch_patience_run(&w.patience, look, &w, err) < 0)
		return -1;
	if (o->follows && o->shows_logs && flush_logs(&w, err) < 0)
		return -1;
	if (o->follows)
		tell_end(&w);
	if (check_host(&w, err) < 0)
		return -1;
	if (ret_job)
		*ret_job = take(w.job);
	return 0;
}

int watch_hint_capacity(struct err *err)
{
	return err_hint(err, "try again later (--again), in another zone or region, or with another instance_type; or "
			     "ask for a higher quota");
}

int watch_judge(const json_t *job, struct err *err)
{
	const char *name = remote_job_name(job);
	enum err_code code = job_end_class(job);
	auto_free char *words = job_end_words(job);

	if (code == ERR_NONE)
		return 0;
	err_set(err, code, "job '%s' %s", name, words);
	if (code == ERR_CAPACITY)
		watch_hint_capacity(err);
	return -1;
}
