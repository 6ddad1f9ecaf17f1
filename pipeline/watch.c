#include "pipeline/watch.h"

#include <stdlib.h>
#include <string.h>

#include "aws/logs.h"
#include "aws/sagemaker.h"
#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"

#define POLL_MS       5000
#define LOCAL_POLL_MS 100
/* CloudWatch shows lines some seconds after they were written. */
#define FLUSH_MS 10000

struct watched_stream {
	char *name, *token;
};

struct watch {
	const struct session *s;
	struct clients c;
	const char *job_name;
	struct watched_stream *streams;
	size_t n_streams, cap_streams;
	size_t n_transitions; /* that were shown */
	bool got_lines;       /* since the last round */
	const char *host;     /* of the line that is read now */
};

static void watch_release(struct watch *w)
{
	for (size_t i = 0; i < w->n_streams; i++) {
		free(w->streams[i].name);
		free(w->streams[i].token);
	}
	free(w->streams);
	clients_release(&w->c);
}

static void on_line(void *ctx, int64_t timestamp_ms, const char *message)
{
	struct watch *w = ctx;

	(void)timestamp_ms;
	w->got_lines = true;
	if (w->host)
		report_text(w->s->report, REPORT_LINE, "log", "[%s] %s", w->host, message);
	else
		report_text(w->s->report, REPORT_LINE, "log", "%s", message);
}

static bool has_stream(const struct watch *w, const char *name)
{
	for (size_t i = 0; i < w->n_streams; i++) {
		if (!strcmp(w->streams[i].name, name))
			return true;
	}
	return false;
}

static int find_streams(struct watch *w, struct err *err)
{
	auto_free char *prefix = xasprintf("%s/", w->job_name);
	auto_strlist names = { 0 };

	if (logs_list_streams(&w->c.aws, SAGEMAKER_LOG_GROUP, prefix, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (has_stream(w, names.v[i]))
			continue;
		array_grow(w->streams, w->n_streams, w->cap_streams);
		w->streams[w->n_streams++] = (struct watched_stream){ xstrdup(names.v[i]), NULL };
	}
	return 0;
}

/* "algo-2" of "<job>/algo-2-1700000000"; new string. */
static char *host_of_stream(const char *stream)
{
	const char *slash = strchr(stream, '/'), *last = strrchr(stream, '-');

	return slash && last > slash ? xstrndup(slash + 1, (size_t)(last - slash - 1)) : xstrdup(stream);
}

static int read_logs(struct watch *w, struct err *err)
{
	w->got_lines = false;
	if (find_streams(w, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n_streams; i++) {
		auto_free char *host = w->n_streams > 1 ? host_of_stream(w->streams[i].name) : NULL;

		w->host = host;
		if (logs_read(&w->c.aws, SAGEMAKER_LOG_GROUP, w->streams[i].name, &w->streams[i].token, on_line, w, err) < 0)
			return -1;
	}
	return 0;
}

static void show_transitions(struct watch *w, const json_t *job)
{
	const json_t *transitions = json_object_get(job, "SecondaryStatusTransitions");

	for (; w->n_transitions < json_array_size(transitions); w->n_transitions++) {
		const json_t *t = json_array_get(transitions, w->n_transitions);
		const char *status = json_str(t, "Status"), *message = json_str(t, "StatusMessage");

		report_text(w->s->report, REPORT_STEP, "watch", "%s%s%s", status ? status : "?", message && *message ? ": " : "",
			    message ? message : "");
	}
}

static int flush_logs(struct watch *w, struct err *err)
{
	int64_t end_ms = w->s->sys->ticks_ms(w->s->sys) + (w->s->is_local ? 0 : FLUSH_MS);

	do {
		if (read_logs(w, err) < 0)
			return -1;
		if (w->s->sys->ticks_ms(w->s->sys) >= end_ms)
			return 0;
		w->s->sys->sleep_ms(w->s->sys, 1000);
	} while (!sys_is_cancelled());
	return 0;
}

static int check_time(const struct watch *w, const struct watch_options *o, int64_t start_ms, struct err *err)
{
	if (sys_check_cancelled(err) < 0)
		return -1;
	if (!o->timeout_ms || w->s->sys->ticks_ms(w->s->sys) - start_ms < o->timeout_ms)
		return 0;
	err_set(err, ERR_TIMEOUT, "job '%s' is still running", w->job_name);
	return err_hint(err, "come back with `smpipe logs -f %s`", w->job_name);
}

/* In whatever call the user's ^C was seen. */
static int leave(const struct watch *w, struct err *err)
{
	if (err->code != ERR_CANCELLED)
		return -1;
	err_release(err);
	err_set(err, ERR_CANCELLED, "cancelled");
	return err_hint(err, "the job goes on; come back with `smpipe logs -f %s`", w->job_name);
}

/* One round: the description first, so that the lines read after it are all that the job wrote before its end. */
static int look(struct watch *w, const struct watch_options *o, json_t **job, struct err *err)
{
	json_decref(take(*job));
	if (sagemaker_describe_training_job(&w->c.aws, w->job_name, job, err) < 0)
		return -1;
	if (!o->shows_only_end)
		show_transitions(w, *job);
	return o->shows_logs ? read_logs(w, err) : 0;
}

int watch_job(const struct session *s, const char *job_name, const struct watch_options *o, json_t **ret_job,
	      struct err *err)
{
	struct watch __attribute__((cleanup(watch_release))) w = { .s = s, .job_name = job_name };
	int64_t start_ms = s->sys->ticks_ms(s->sys);
	auto_json *job = NULL;

	clients_init(&w.c, s);
	for (;;) {
		if (look(&w, o, &job, err) < 0)
			return leave(&w, err);
		if (!o->follows || sagemaker_is_final(json_str(job, "TrainingJobStatus")))
			break;
		if (check_time(&w, o, start_ms, err) < 0)
			return leave(&w, err);
		s->sys->sleep_ms(s->sys, s->is_local ? LOCAL_POLL_MS : POLL_MS);
	}
	if (o->follows && o->shows_logs && flush_logs(&w, err) < 0)
		return -1;
	if (ret_job)
		*ret_job = take(job);
	return 0;
}

int watch_judge(const json_t *job, struct err *err)
{
	const char *status = json_str(job, "TrainingJobStatus"), *reason = json_str(job, "FailureReason");
	const char *name = json_str(job, "TrainingJobName");

	if (str_eq(status, "Failed"))
		return err_set(err, ERR_JOB_FAILED, "job '%s' failed: %s", name, reason ? reason : "no reason given");
	if (str_eq(status, "Stopped"))
		return err_set(err, ERR_STOPPED, "job '%s' was stopped: %s", name, reason ? reason : "no reason given");
	return 0;
}
