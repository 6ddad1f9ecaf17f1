#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "pipeline/watch.h"
#include "pipeline/watch_tuning.h"
#include "pipeline/watch_tuning_logs.h"
#include "tests/unit/fake_http.h"

/*
 * A service with one tuning job of five training jobs. Each starts and ends at its time, and writes a line at both; the
 * lines come two seconds late. The network goes away for a while. The clock moves when one sleeps.
 */
#define N_CHILDREN 5
#define LATE_MS    2000

struct child {
	int64_t from_ms, until_ms;
	const char *status, *reason, *objective; /* JSON, or NULL */
};

struct world {
	struct http http;
	int64_t now_ms, end_ms;
	int64_t lost_from_ms, lost_until_ms;
	const char *end_status, *reason;
	struct child children[N_CHILDREN];
	int pending_ms; /* an objective is known so long after the end */
	struct str log, steps, notes;
	int n_warnings, n_shown;
	size_t n_ended; /* on the last board */
};

#define auto_world __attribute__((cleanup(world_release))) struct world

static void world_release(struct world *w)
{
	str_release(&w->log);
	str_release(&w->steps);
	str_release(&w->notes);
}

static json_t *summary(const struct world *w, int i)
{
	const struct child *c = &w->children[i];
	bool is_over = w->now_ms >= c->until_ms, is_known = w->now_ms >= c->until_ms + w->pending_ms;
	auto_free char *name = xasprintf("t-%03d-1a2b3c4d", i + 1);
	auto_free char *lr = xasprintf("0.%d", i + 1);
	json_t *j = json_pack("{s:s, s:s, s:f, s:f, s:{s:s}}", "TrainingJobName", name, "TrainingJobStatus",
			      is_over ? c->status : "InProgress", "CreationTime", 1000.0 + i, "TrainingStartTime",
			      2000.0, "TunedHyperParameters", "lr", lr);

	if (!is_over)
		return j;
	json_object_set_new(j, "TrainingEndTime", json_real(2012));
	json_put_str(j, "FailureReason", c->reason);
	json_put_str(j, "ObjectiveStatus", is_known ? "Succeeded" : "Pending");
	if (c->objective && is_known)
		json_object_set_new(j, "FinalHyperParameterTuningJobObjectiveMetric",
				    json_pack("{s:s, s:o}", "MetricName", "F1", "Value",
					      json_loads(c->objective, JSON_DECODE_ANY, NULL)));
	return j;
}

/* In pages of two. */
static json_t *list_children(const struct world *w, const json_t *in)
{
	const char *token = json_str(in, "NextToken");
	int first = token ? *token - '0' : N_CHILDREN - 1, i = first;
	json_t *list = json_array(), *out = json_pack("{s:o}", "TrainingJobSummaries", list);

	for (; i >= 0 && i > first - 2; i--) {
		if (w->children[i].status && w->now_ms >= w->children[i].from_ms)
			json_array_append_new(list, summary(w, i));
	}
	if (i >= 0) {
		char next[] = { (char)('0' + i), '\0' };

		json_put_str(out, "NextToken", next);
	}
	return out;
}

static json_t *describe(const struct world *w)
{
	bool is_over = w->now_ms >= w->end_ms;
	json_t *j = json_pack("{s:s, s:s, s:s, s:f, s:{s:s, s:{s:i}, s:{s:s, s:s}}}", "HyperParameterTuningJobName",
			      "t", "HyperParameterTuningJobArn", "arn", "HyperParameterTuningJobStatus",
			      is_over ? w->end_status : "InProgress", "CreationTime", 1000.0,
			      "HyperParameterTuningJobConfig", "Strategy", "Random", "ResourceLimits",
			      "MaxNumberOfTrainingJobs", N_CHILDREN, "HyperParameterTuningJobObjective", "Type",
			      "Maximize", "MetricName", "F1");

	if (is_over) {
		json_put_str(j, "FailureReason", w->reason);
		json_object_set_new(j, "HyperParameterTuningEndTime", json_real(1090));
	}
	return j;
}

static int child_of(const char *stream)
{
	return stream[4] - '1'; /* "t-00N-…" */
}

static json_t *list_streams(const struct world *w, const json_t *in)
{
	const char *prefix = json_str(in, "logStreamNamePrefix");
	const struct child *c = &w->children[child_of(prefix)];
	auto_free char *name = xasprintf("%salgo-1-1700000000", prefix);

	if (w->now_ms < c->from_ms + LATE_MS)
		return json_pack("{s:[]}", "logStreams");
	return json_pack("{s:[{s:s}]}", "logStreams", "logStreamName", name);
}

/* The token is the number of lines that were read. */
static json_t *get_events(const struct world *w, const json_t *in)
{
	static const char *const lines[] = { "begin", "end" };
	const struct child *c = &w->children[child_of(json_str(in, "logStreamName"))];
	const char *token = json_str(in, "nextToken");
	int from = token ? *token - '0' : 0, n = w->now_ms >= c->until_ms + LATE_MS ? 2 : 1;
	char next[] = { (char)('0' + n), '\0' };
	json_t *events = json_array();

	for (int i = from; i < n; i++)
		json_array_append_new(events, json_pack("{s:i, s:s}", "timestamp", i, "message", lines[i]));
	return json_pack("{s:o, s:s}", "events", events, "nextForwardToken", next);
}

static int respond(struct http_response *resp, json_t *j)
{
	auto_json *owned = j;
	auto_free char *text = json_compact(owned);

	resp->status = 200;
	str_add(&resp->body, text);
	return 0;
}

static int world_send(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	struct world *w = (struct world *)http;
	const char *target = strchr(http_headers_get(&req->headers, "x-amz-target"), '.') + 1;
	auto_json *in = json_parse(req->bytes, req->n, "request", err);

	if (w->now_ms >= w->lost_from_ms && w->now_ms < w->lost_until_ms)
		return err_set(err, ERR_NETWORK, "no route to host");
	if (!strcmp(target, "DescribeHyperParameterTuningJob"))
		return respond(resp, describe(w));
	if (!strcmp(target, "ListTrainingJobsForHyperParameterTuningJob"))
		return respond(resp, list_children(w, in));
	if (!strcmp(target, "DescribeLogStreams"))
		return respond(resp, list_streams(w, in));
	assert_string_equal(target, "GetLogEvents");
	return respond(resp, get_events(w, in));
}

static int64_t world_now(const struct sys *sys)
{
	return ((struct world *)sys->ctx)->now_ms;
}

static void world_sleep(const struct sys *sys, int64_t ms)
{
	((struct world *)sys->ctx)->now_ms += ms;
}

static void on_report(void *ctx, const struct report_event *e)
{
	struct world *w = ctx;

	w->n_warnings += e->kind == REPORT_WARNING;
	str_addf(e->kind == REPORT_LINE ? &w->log : e->kind == REPORT_STEP ? &w->steps : &w->notes, "%s\n", e->text);
}

static void on_board(void *ctx, const struct leaderboard *b)
{
	struct world *w = ctx;

	w->n_shown++;
	w->n_ended = b->n_ended;
}

/* Two at a time; the fourth fails, and the last one has no objective. */
static struct world a_world(void)
{
	static const struct http_ops ops = { .send = world_send };

	return (struct world){ .http = { &ops },
			       .end_ms = 40000,
			       .end_status = "Completed",
			       .children = {
				       { 0, 12000, "Completed", NULL, "0.5" },
				       { 0, 14000, "Completed", NULL, "0.7" },
				       { 13000, 22000, "Completed", NULL, "0.6" },
				       { 15000, 23000, "Failed", "AlgorithmError: it diverged", NULL },
				       { 24000, 38000, "Completed", NULL, "\"NaN\"" },
			       } };
}

/* What is done with it: following, or reading logs. */
typedef int (*act_fn)(const struct session *s, struct world *w, int64_t timeout_ms, struct err *err);

static int with_session(struct world *w, act_fn act, int64_t timeout_ms, struct err *err)
{
	struct sys sys = { world_now, world_now, world_sleep, fake_random, w };
	struct report report = { on_report, w };
	struct session s = { .sys = &sys, .report = &report, .http = &w->http, .options = " --local" };
	int result;

	fake_identity(&s.identity);
	s.identity.sys = &sys;
	result = act(&s, w, timeout_ms, err);
	aws_identity_release(&s.identity);
	return result;
}

static int follow(const struct session *s, struct world *w, int64_t timeout_ms, struct err *err)
{
	struct watch_tuning_options o = {
		.follows = true, .tells_children = true, .timeout_ms = timeout_ms, .show = on_board, .ctx = w
	};
	auto_watched_tuning seen = { 0 };

	return watch_tuning(s, "t", &o, &seen, err) < 0 ? -1 : watch_tuning_judge(s, &seen, err);
}

/* The first two ends are seen in one look: only the better one is the best so far. */
static const char all_events[] = "001-1a2b3c4d started with lr=0.1\n"
				 "002-1a2b3c4d started with lr=0.2\n"
				 "001-1a2b3c4d Completed: F1=0.5 after 12 s (1 of 5) with lr=0.1\n"
				 "002-1a2b3c4d Completed: F1=0.7 after 12 s, the best so far (2 of 5) with lr=0.2\n"
				 "003-1a2b3c4d started with lr=0.3\n"
				 "004-1a2b3c4d started with lr=0.4\n"
				 "003-1a2b3c4d Completed: F1=0.6 after 12 s (3 of 5) with lr=0.3\n"
				 "004-1a2b3c4d Failed after 12 s: AlgorithmError: it diverged (4 of 5) with lr=0.4\n"
				 "005-1a2b3c4d started with lr=0.5\n"
				 "005-1a2b3c4d Completed without F1 after 12 s (5 of 5) with lr=0.5\n";

static void test_events(void **state)
{
	auto_world w = a_world();
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(with_session(&w, follow, 0, &err), 0);
	assert_string_equal(w.steps.s, all_events);
	assert_string_equal(w.notes.s, "Completed after 1 min 30 s: 5 training jobs\n");
	assert_int_equal(w.n_shown, 9);
	assert_int_equal(w.n_ended, 5);
}

/* Of two that are as good, the one that is told later is not the best so far, whichever the service then names. */
static void test_tie(void **state)
{
	auto_world w = a_world();
	auto_err err = { 0 };

	(void)state;
	w.children[0] = (struct child){ 0, 19000, "Completed", NULL, "0.7" };
	assert_int_equal(with_session(&w, follow, 0, &err), 0);
	assert_non_null(strstr(w.steps.s, "002-1a2b3c4d Completed: F1=0.7 after 12 s, the best so far (1 of 5)"));
	assert_non_null(strstr(w.steps.s, "001-1a2b3c4d Completed: F1=0.7 after 12 s (2 of 5)"));
}

/* An end is told when its objective is known. */
static void test_pending(void **state)
{
	auto_world w = a_world();
	auto_err err = { 0 };

	(void)state;
	w.children[1].until_ms = 18000;
	w.pending_ms = 1500;
	w.children[4] = (struct child){ 0 };
	assert_int_equal(with_session(&w, follow, 0, &err), 0);
	assert_non_null(strstr(w.steps.s, "001-1a2b3c4d Completed: F1=0.5 after 12 s, the best so far (1 of 5)"));
	assert_non_null(strstr(w.steps.s, "002-1a2b3c4d Completed: F1=0.7 after 12 s, the best so far (2 of 5)"));
	assert_null(strstr(w.steps.s, "Completed after"));
}

static void test_lost_network(void **state)
{
	auto_world w = a_world();
	auto_err err = { 0 };

	(void)state;
	w.lost_from_ms = 9000;
	w.lost_until_ms = 3600000;
	assert_int_equal(with_session(&w, follow, 0, &err), 0);
	assert_int_equal(w.n_warnings, 1);
	assert_non_null(strstr(w.notes.s, "no route to host; asking again until there is an answer"));
	assert_non_null(strstr(w.notes.s, "there is an answer again"));
	assert_non_null(strstr(w.steps.s, "002-1a2b3c4d Completed: F1=0.7 after 12 s, the best so far (2 of 5)"));
}

static void test_time_is_over(void **state)
{
	auto_world w = a_world();
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(with_session(&w, follow, 7000, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(w.now_ms, 7000);
	/* As they are to be typed, to find the job where this command found it. */
	assert_non_null(strstr(err.hint, "`smpipe logs -f t --local`"));
	assert_non_null(strstr(err.hint, "`smpipe status t --local`"));
}

static void test_ends(void **state)
{
	auto_world failed = a_world(), silent = a_world(), stopped = a_world(), capacity = a_world();
	auto_err err = { 0 };

	(void)state;
	failed.end_status = "Failed";
	failed.reason = "No training job succeeded.";
	assert_int_equal(with_session(&failed, follow, 0, &err), -1);
	assert_int_equal(err.code, ERR_JOB_FAILED);
	assert_non_null(strstr(err.msg, "No training job succeeded."));
	assert_non_null(strstr(err.msg, "'004-1a2b3c4d': AlgorithmError: it diverged"));
	assert_string_equal(err.hint, "`smpipe logs t --local` shows its training jobs' lines");
	/* Without one that failed it is the metric that is missing. */
	memset(silent.children, 0, sizeof(silent.children));
	silent.children[0] = (struct child){ 0, 12000, "Completed", NULL, NULL };
	silent.end_status = "Failed";
	silent.reason = "No objective metrics found";
	assert_int_equal(with_session(&silent, follow, 0, &err), -1);
	assert_int_equal(err.code, ERR_JOB_FAILED);
	assert_string_equal(err.hint, "compare the regex of 'F1' in metric_definitions with the lines that `smpipe "
				      "logs t --local` shows");
	stopped.end_status = "Stopped";
	assert_int_equal(with_session(&stopped, follow, 0, &err), -1);
	assert_int_equal(err.code, ERR_STOPPED);
	/* The reason stands with the training jobs only. */
	capacity.end_status = "Failed";
	capacity.children[3].reason = "CapacityError: Unable to provision requested ML compute capacity.";
	assert_int_equal(with_session(&capacity, follow, 0, &err), -1);
	assert_int_equal(err.code, ERR_CAPACITY);
	assert_non_null(strstr(err.hint, "--again"));
}

static int read_logs(const struct session *s, struct world *w, int64_t timeout_ms, struct err *err)
{
	struct watch_options o = { .follows = timeout_ms >= 0, .timeout_ms = timeout_ms > 0 ? timeout_ms : 0 };

	(void)w;
	return watch_tuning_logs(s, "t", &o, NULL, err);
}

static size_t count(const char *text, const char *line)
{
	size_t n = 0;

	for (const char *p = text; p && (p = strstr(p, line)); p++)
		n++;
	return n;
}

/* Every line of every training job, once, also those that come after the end. */
static void test_logs(void **state)
{
	auto_world w = a_world(), lossy = a_world();
	auto_err err = { 0 };

	(void)state;
	lossy.lost_from_ms = 11000;
	lossy.lost_until_ms = 900000;
	assert_int_equal(with_session(&w, read_logs, 0, &err), 0);
	assert_int_equal(with_session(&lossy, read_logs, 0, &err), 0);
	for (int i = 1; i <= N_CHILDREN; i++) {
		auto_free char *begin = xasprintf("[%03d-1a2b3c4d] begin\n", i);
		auto_free char *end = xasprintf("[%03d-1a2b3c4d] end\n", i);

		assert_int_equal(count(w.log.s, begin), 1);
		assert_int_equal(count(w.log.s, end), 1);
		assert_int_equal(count(lossy.log.s, begin), 1);
		assert_int_equal(count(lossy.log.s, end), 1);
	}
	assert_int_equal(count(w.log.s, "\n"), 2 * N_CHILDREN);
	assert_string_equal(w.notes.s, "Completed after 1 min 30 s\n");
}

static void test_logs_of_now(void **state)
{
	auto_world w = a_world();
	auto_err err = { 0 };

	(void)state;
	w.now_ms = 17000;
	assert_int_equal(with_session(&w, read_logs, -1, &err), 0);
	assert_string_equal(w.log.s, "[001-1a2b3c4d] begin\n[001-1a2b3c4d] end\n[002-1a2b3c4d] begin\n"
				     "[002-1a2b3c4d] end\n[003-1a2b3c4d] begin\n[004-1a2b3c4d] begin\n");
	assert_int_equal(w.now_ms, 17000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),       cmocka_unit_test(test_tie),
		cmocka_unit_test(test_pending),      cmocka_unit_test(test_lost_network),
		cmocka_unit_test(test_time_is_over), cmocka_unit_test(test_ends),
		cmocka_unit_test(test_logs),         cmocka_unit_test(test_logs_of_now),
	};

	return cmocka_run_group_tests_name("pipeline/watch_tuning", tests, NULL, NULL);
}
