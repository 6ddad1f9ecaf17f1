#include "pipeline/watch_tuning.h"

#include <stdlib.h>
#include <string.h>

#include "aws/sagemaker.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/job_end.h"
#include "pipeline/remote_job.h"
#include "pipeline/watch.h"
#include "pipeline/watch_patience.h"

struct watch {
	const struct session *s;
	const struct watch_tuning_options *o;
	struct watch_patience patience;
	struct watched_tuning seen;
	struct leaderboard board; /* of what was seen */
};

static void watch_release(struct watch *w)
{
	watched_tuning_release(&w->seen);
	leaderboard_release(&w->board);
	watch_patience_release(&w->patience);
}

void watched_tuning_release(struct watched_tuning *w)
{
	json_decref(w->job);
	json_decref(w->children);
	*w = (struct watched_tuning){ 0 };
}

/* There is nothing more to be learned about it. */
static bool is_settled(const struct leaderboard *b, const struct leaderboard_child *c)
{
	return !c->is_running && (!c->is_pending || !str_eq(b->status, "InProgress"));
}

/* "3 of 8", or "3" where the number is not limited. New string. */
static char *progress(const struct leaderboard *b, size_t n_ended)
{
	return b->max_jobs ? xasprintf("%zu of %lld", n_ended, (long long)b->max_jobs) : xasprintf("%zu", n_ended);
}

/* Of two that are as good the service may name either: what is no better than before is no news. */
static bool is_new_best(const struct watch *w, const struct leaderboard *b, const struct leaderboard_child *c)
{
	const struct leaderboard_child *before = w->board.best;

	return c == b->best && !(before && (str_eq(before->name, c->name) || before->objective == c->objective));
}

/* ": F1=0.5"; or " without F1" of one that came to its end and should have it. New string. */
static char *objective_text(const struct leaderboard *b, const struct leaderboard_child *c)
{
	const char *metric = leaderboard_objective(b, c->definition)->metric;

	if (c->has_objective)
		return xasprintf(": %s=%.6g", metric ? metric : "objective", c->objective);
	return str_eq(c->status, "Completed") ? xasprintf(" without %s", metric ? metric : "objective") : xstrdup("");
}

static void tell_end_of_child(const struct watch *w, const struct leaderboard *b, const struct leaderboard_child *c,
			      size_t n_ended)
{
	int64_t took_ms = leaderboard_took_ms(c, 0);
	auto_free char *tuned = leaderboard_tuned_text(c);
	auto_free char *took = took_ms >= 0 ? str_duration_ms(took_ms) : NULL;
	auto_free char *objective = objective_text(b, c);
	auto_free char *done = progress(b, n_ended);

	report_text(w->s->report, REPORT_STEP, "tune", "%s %s%s%s%s%s%s%s (%s) %s%s", leaderboard_short_name(b, c),
		    c->status, objective, took ? " after " : "", took ? took : "", c->reason ? ": " : "",
		    c->reason ? c->reason : "", is_new_best(w, b, c) ? ", the best so far" : "", done,
		    *tuned ? "with " : "", tuned);
}

/* Nobody was told of its end. */
static bool has_news(const struct watch *w, const struct leaderboard *b, const struct leaderboard_child *c)
{
	const struct leaderboard_child *before = w->board.job ? leaderboard_find(&w->board, c->name) : NULL;

	return is_settled(b, c) && !(before && is_settled(&w->board, before));
}

static void tell_child(const struct watch *w, const struct leaderboard *b, const struct leaderboard_child *c,
		       size_t *n_ended)
{
	bool is_known = w->board.job && leaderboard_find(&w->board, c->name);

	if (c->is_running && !is_known) {
		auto_free char *tuned = leaderboard_tuned_text(c);

		report_text(w->s->report, REPORT_STEP, "tune", "%s started%s%s", leaderboard_short_name(b, c),
			    *tuned ? " with " : "", tuned);
	}
	if (has_news(w, b, c))
		tell_end_of_child(w, b, c, ++*n_ended);
}

static int compare_created(const void *x, const void *y)
{
	const struct leaderboard_child *c = *(const struct leaderboard_child *const *)x,
				       *d = *(const struct leaderboard_child *const *)y;

	if (c->created_s != d->created_s)
		return c->created_s < d->created_s ? -1 : 1;
	return strcmp(c->name, d->name);
}

/* What has changed since the last look, in the order in which the jobs came. */
static void tell_children(const struct watch *w, const struct leaderboard *b)
{
	auto_free const struct leaderboard_child **order = xcalloc(b->n_children + 1, sizeof(*order));
	size_t n_news = 0, n_ended; /* before these */

	for (size_t i = 0; i < b->n_children; i++)
		order[i] = &b->children[i];
	qsort(order, b->n_children, sizeof(*order), compare_created);
	for (size_t i = 0; i < b->n_children; i++)
		n_news += has_news(w, b, &b->children[i]);
	n_ended = b->n_ended > n_news ? b->n_ended - n_news : 0;
	for (size_t i = 0; i < b->n_children; i++)
		tell_child(w, b, order[i], &n_ended);
}

static void take_board(struct watch *w)
{
	struct leaderboard board;

	leaderboard_init(&board, w->seen.job, w->seen.children);
	/* A failure's is told by watch_tuning_judge(). */
	if (w->o->tells_children && board.reason && !w->board.reason && !str_eq(board.status, "Failed"))
		report_text(w->s->report, REPORT_NOTE, "watch", "%s", board.reason);
	if (w->o->tells_children)
		tell_children(w, &board);
	leaderboard_release(&w->board);
	w->board = board;
	if (w->o->show)
		w->o->show(w->o->ctx, &w->board);
}

/* The description first, so that the training jobs listed after it are all that the job has started before its end. */
static int look(void *ctx, struct err *err)
{
	struct watch *w = ctx;
	struct aws *aws = &w->patience.c.aws;
	auto_watched_tuning now = { 0 };

	if (sagemaker_describe_job(aws, &sagemaker_tuning, w->patience.job_name, &now.job, err) < 0 ||
	    sagemaker_list_tuning_children(aws, w->patience.job_name, LEADERBOARD_MAX_CHILDREN, &now.children, err) < 0)
		return -1;
	watched_tuning_release(&w->seen);
	w->seen = now;
	now = (struct watched_tuning){ 0 };
	w->patience.is_seen = true;
	w->patience.is_done = w->patience.is_over = remote_job_is_over(w->seen.job);
	take_board(w);
	return 0;
}

static void tell_end(const struct watch *w)
{
	auto_free char *took = job_duration(w->seen.job);

	report_text(w->s->report, REPORT_NOTE, "watch", "%s%s%s: %zu training job%s", w->board.status,
		    took ? " after " : "", took ? took : "", w->board.n_children, w->board.n_children == 1 ? "" : "s");
}

int watch_tuning(const struct session *s, const char *job_name, const struct watch_tuning_options *o,
		 struct watched_tuning *ret, struct err *err)
{
	struct watch __attribute__((cleanup(watch_release))) w = {
		.s = s,
		.o = o,
		.patience = { .s = s, .job_name = job_name, .follows = o->follows, .timeout_ms = o->timeout_ms },
	};

	watch_patience_init(&w.patience);
	if (watch_patience_run(&w.patience, look, &w, err) < 0)
		return -1;
	if (o->follows)
		tell_end(&w);
	if (ret) {
		*ret = w.seen;
		w.seen = (struct watched_tuning){ 0 };
	}
	return 0;
}

/* The first training job that failed, and whether none of them had the machines that it needs. */
static const struct leaderboard_child *find_failure(const struct leaderboard *b, bool *ret_is_capacity)
{
	const struct leaderboard_child *first = NULL;
	size_t n_failed = 0, n_capacity = 0;

	for (size_t i = 0; i < b->n_children; i++) {
		const struct leaderboard_child *c = &b->children[i];

		if (!str_eq(c->status, "Failed"))
			continue;
		n_failed++;
		n_capacity += job_reason_is_capacity(c->reason);
		if (!first && c->reason)
			first = c;
	}
	*ret_is_capacity = n_failed && n_failed == n_capacity;
	return first;
}

/* All came to their end, and none has an objective: the regex found nothing in what they printed. */
static int hint_at_metric(const struct session *s, const struct leaderboard *b, struct err *err)
{
	const char *metric = leaderboard_objective(b, NULL)->metric;

	for (size_t i = 0; i < b->n_children; i++) {
		if (b->children[i].has_objective)
			return -1;
	}
	if (!b->n_children || !metric)
		return -1;
	return err_hint(err,
			"compare the regex of '%s' in metric_definitions with the lines that `smpipe logs %s%s` shows",
			metric, b->job, session_options(s));
}

int watch_tuning_judge(const struct session *s, const struct watched_tuning *w, struct err *err)
{
	const struct leaderboard_child *failed;
	auto_leaderboard b = { 0 };
	auto_free char *words = NULL;
	bool is_capacity;

	if (watch_judge(w->job, err) == 0)
		return 0;
	leaderboard_init(&b, w->job, w->children);
	failed = find_failure(&b, &is_capacity);
	if (err->code != ERR_JOB_FAILED)
		return -1;
	if (!failed)
		return hint_at_metric(s, &b, err);
	words = job_end_words(w->job);
	err_set(err, is_capacity ? ERR_CAPACITY : ERR_JOB_FAILED, "tuning job '%s' %s; '%s': %s", b.job, words,
		leaderboard_short_name(&b, failed), failed->reason);
	return is_capacity
		       ? watch_hint_capacity(err)
		       : err_hint(err, "`smpipe logs %s%s` shows its training jobs' lines", b.job, session_options(s));
}
