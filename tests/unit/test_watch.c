#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "pipeline/watch.h"
#include "pipeline/watch_logs.h"
#include "tests/unit/fake_http.h"

/*
 * A service that keeps a job and its logs: streams and lines appear at their time, lists come in pages of 50, lines in
 * pages of 3 with an empty page before each, and the network goes away for a while. The clock moves when one sleeps.
 */
#define PAGE_LINES   3
#define PAGE_STREAMS 50
#define MAX_STREAMS  60

struct line {
	int64_t appears_ms;
	int64_t timestamp_ms;
	const char *text;
};

struct stream {
	char name[40];
	int64_t appears_ms;
	struct line lines[12];
	size_t n;
};

struct world {
	struct http http;
	int64_t now_ms;
	int64_t end_ms;   /* of the job */
	int64_t group_ms; /* when the log group appears */
	int64_t lost_from_ms, lost_until_ms;
	const char *end_status, *reason;
	int n_instances;
	struct stream streams[MAX_STREAMS];
	size_t n_streams;
	int n_calls, lose_each; /* of so many calls three in a row are lost: as many as are tried */
	struct str log, steps, notes, progress;
	int n_warnings;
};

#define auto_world __attribute__((cleanup(world_release))) struct world

static void world_release(struct world *w)
{
	str_release(&w->log);
	str_release(&w->steps);
	str_release(&w->notes);
	str_release(&w->progress);
}

static json_t *describe(const struct world *w)
{
	bool is_over = w->now_ms >= w->end_ms;
	json_t *j = json_pack("{s:s, s:s, s:s, s:{s:i}, s:[{s:s, s:s}]}", "TrainingJobName", "j", "TrainingJobArn",
			      "arn", "TrainingJobStatus", is_over ? w->end_status : "InProgress", "ResourceConfig",
			      "InstanceCount", w->n_instances, "SecondaryStatusTransitions", "Status", "Training",
			      "StatusMessage", is_over ? "Uploaded" : "In progress");

	json_object_set_new(j, "AlgorithmSpecification",
			    json_pack("{s:[{s:s, s:s}]}", "MetricDefinitions", "Name", "loss", "Regex",
				      "loss=([0-9.]+)"));
	if (is_over) {
		json_put_str(j, "FailureReason", w->reason);
		json_put_int(j, "BillableTimeInSeconds", 60);
		json_object_set_new(j, "CreationTime", json_real(1000));
		json_object_set_new(j, "TrainingEndTime", json_real(1090));
	}
	return j;
}

static json_t *list_streams(const struct world *w, const json_t *in)
{
	const char *token = json_str(in, "nextToken");
	size_t i = token ? (size_t)strtoll(token, NULL, 10) : 0, end = i + PAGE_STREAMS;
	json_t *list = json_array(), *out = json_pack("{s:o}", "logStreams", list);

	for (; i < w->n_streams && i < end; i++) {
		if (w->streams[i].appears_ms <= w->now_ms)
			json_array_append_new(list, json_pack("{s:s}", "logStreamName", w->streams[i].name));
	}
	if (i < w->n_streams) {
		auto_free char *next = xasprintf("%zu", i);

		json_put_str(out, "nextToken", next);
	}
	return out;
}

static size_t n_visible(const struct world *w, const struct stream *s)
{
	size_t n = 0;

	while (n < s->n && s->lines[n].appears_ms <= w->now_ms)
		n++;
	return n;
}

static const struct stream *find(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->n_streams; i++) {
		if (str_eq(w->streams[i].name, name))
			return &w->streams[i];
	}
	return NULL;
}

/* Tokens: "f/2" is before line 2; "e/2" the same place, after the empty page. */
static json_t *get_events(const struct world *w, const json_t *in)
{
	const struct stream *s = find(w, json_str(in, "logStreamName"));
	const char *token = json_str(in, "nextToken");
	bool from_head = json_is_true(json_object_get(in, "startFromHead")), is_empty;
	size_t limit = (size_t)json_integer_value(json_object_get(in, "limit"));
	size_t n = n_visible(w, s), i = token ? (size_t)strtoll(token + 2, NULL, 10) : 0, end;
	int64_t since = json_integer_value(json_object_get(in, "startTime"));
	json_t *events = json_array();
	auto_free char *next = NULL;

	if (!from_head && !token)
		i = n > limit ? n - limit : 0;
	is_empty = from_head && i < n && (!token || *token == 'f');
	end = is_empty ? i : from_head && i + PAGE_LINES < n ? i + PAGE_LINES : n;
	next = token && i == n ? xstrdup(token) : xasprintf("%c/%zu", is_empty ? 'e' : 'f', end);
	for (; i < end; i++) {
		if (s->lines[i].timestamp_ms >= since)
			json_array_append_new(events,
					      json_pack("{s:I, s:s}", "timestamp", (json_int_t)s->lines[i].timestamp_ms,
							"message", s->lines[i].text));
	}
	return json_pack("{s:o, s:s}", "events", events, "nextForwardToken", next);
}

static int respond(struct http_response *resp, int status, json_t *j)
{
	auto_json *owned = j;
	auto_free char *text = json_compact(owned);

	resp->status = status;
	str_add(&resp->body, text);
	return 0;
}

static int world_send(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	struct world *w = (struct world *)http;
	const char *target = strchr(http_headers_get(&req->headers, "x-amz-target"), '.') + 1;
	auto_json *in = json_parse(req->bytes, req->n, "request", err);

	if ((w->now_ms >= w->lost_from_ms && w->now_ms < w->lost_until_ms) ||
	    (w->lose_each && ++w->n_calls % w->lose_each < 3))
		return err_set(err, ERR_NETWORK, "no route to host");
	if (!strcmp(target, "DescribeTrainingJob"))
		return respond(resp, 200, describe(w));
	if (w->now_ms < w->group_ms)
		return respond(resp, 400, json_pack("{s:s}", "__type", "ResourceNotFoundException"));
	if (!strcmp(target, "DescribeLogStreams"))
		return respond(resp, 200, list_streams(w, in));
	assert_string_equal(target, "GetLogEvents");
	return respond(resp, 200, get_events(w, in));
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
	struct str *to = e->kind == REPORT_LINE       ? &w->log
			 : e->kind == REPORT_STEP     ? &w->steps
			 : e->kind == REPORT_PROGRESS ? &w->progress
						      : &w->notes;

	w->n_warnings += e->kind == REPORT_WARNING;
	str_addf(to, "%s\n", e->text);
}

static struct world world_of(int n_instances, int64_t end_ms)
{
	static const struct http_ops ops = { .send = world_send };

	return (struct world){
		.http = { &ops }, .n_instances = n_instances, .end_ms = end_ms, .end_status = "Completed"
	};
}

static struct stream *add_stream(struct world *w, const char *host, int64_t appears_ms)
{
	struct stream *s = &w->streams[w->n_streams++];

	assert_true(w->n_streams <= MAX_STREAMS);
	snprintf(s->name, sizeof(s->name), "j/%.12s-1700000000", host);
	s->appears_ms = appears_ms;
	return s;
}

static void add_line(struct stream *s, int64_t appears_ms, int64_t timestamp_ms, const char *text)
{
	assert_true(s->n < ARRAY_LEN(s->lines));
	s->lines[s->n++] = (struct line){ appears_ms, timestamp_ms, text };
}

static int watch(struct world *w, const struct watch_options *o, struct err *err)
{
	struct sys sys = { world_now, world_now, world_sleep, fake_random, w };
	struct report report = { on_report, w };
	struct session s = { .sys = &sys, .report = &report, .http = &w->http };
	auto_json *job = NULL;
	int result;

	fake_identity(&s.identity);
	s.identity.sys = &sys;
	result = watch_job(&s, "j", o, &job, err);
	aws_identity_release(&s.identity);
	return result < 0 ? -1 : watch_judge(job, err);
}

static const struct watch_options all = { .shows_logs = true, .follows = true };

/* Lines come while the job runs, after its end, and not in the order of their times; the group is late too. */
static void test_one_host(void **state)
{
	auto_world w = world_of(1, 20000);
	struct stream *s = add_stream(&w, "algo-1", 0);
	auto_err err = { 0 };

	(void)state;
	w.group_ms = 4000;
	add_line(s, 0, 100, "a loss=3");
	add_line(s, 0, 100, "a loss=3");
	add_line(s, 0, 90, "b");
	add_line(s, 0, 110, "c");
	add_line(s, 9000, 80, "d loss=2");
	add_line(s, 12000, 80, "d loss=2");
	add_line(s, 26000, 200, "the last");
	assert_int_equal(watch(&w, &all, &err), 0);
	assert_string_equal(w.log.s, "a loss=3\na loss=3\nb\nc\nd loss=2\nd loss=2\nthe last\n");
	assert_string_equal(w.progress.s, "loss=3\nloss=2\n");
	/* A message that changes is told again. */
	assert_string_equal(w.steps.s, "Training: In progress\nTraining: Uploaded\n");
	assert_string_equal(w.notes.s, "Completed after 1 min 30 s; billable 60 s\n");
}

/* 60 hosts are two pages of streams; one of them is late. */
static void fill_many(struct world *w)
{
	static char hosts[MAX_STREAMS][20], texts[MAX_STREAMS][8][40];

	for (int i = 0; i < MAX_STREAMS; i++) {
		struct stream *s;

		snprintf(hosts[i], sizeof(hosts[i]), "algo-%d", i + 1);
		s = add_stream(w, hosts[i], i == 57 ? 11000 : 0);
		for (int k = 0; k < 8; k++) {
			snprintf(texts[i][k], sizeof(texts[i][k]), "line %d of %d", k, i + 1);
			add_line(s, k * 3000, 1000 + k % 3, texts[i][k]);
		}
	}
}

static void check_many(const struct world *w)
{
	auto_strlist lines = { 0 };

	str_split(&lines, w->log.s, '\n');
	assert_int_equal(lines.n, MAX_STREAMS * 8 + 1);
	for (int i = 0; i < MAX_STREAMS; i++) {
		int k = 0;
		auto_free char *label = xasprintf("[algo-%d] ", i + 1);

		for (size_t n = 0; n < lines.n; n++) {
			auto_free char *want = xasprintf("[algo-%d] line %d of %d", i + 1, k, i + 1);

			if (str_starts(lines.v[n], label)) {
				assert_string_equal(lines.v[n], want);
				k++;
			}
		}
		assert_int_equal(k, 8);
	}
}

static void test_sixty_hosts(void **state)
{
	auto_world w = world_of(MAX_STREAMS, 20000);
	auto_err err = { 0 };

	(void)state;
	fill_many(&w);
	assert_int_equal(watch(&w, &all, &err), 0);
	check_many(&w);
	assert_non_null(strstr(w.notes.s, "billable 60 s × 60 instances = 3600 s"));
}

/* Answers are lost all the time, so often that the calls' own retries do not help; and all of them for an hour. */
static void test_bad_network(void **state)
{
	auto_world w = world_of(MAX_STREAMS, 20000);
	auto_err err = { 0 };

	(void)state;
	fill_many(&w);
	w.lose_each = 50;
	w.lost_from_ms = 6000;
	w.lost_until_ms = 3600000;
	assert_int_equal(watch(&w, &all, &err), 0);
	check_many(&w);
	/* Once for each time that it is away. */
	assert_in_range(w.n_warnings, 2, 60);
	assert_non_null(strstr(w.notes.s, "no route to host; asking again until there is an answer"));
	assert_non_null(strstr(w.notes.s, "there is an answer again"));
}

static void test_bad_network_ends_with_the_users_time(void **state)
{
	auto_world w = world_of(1, 20000);
	struct watch_options o = { .follows = true, .timeout_ms = 60000 };
	auto_err err = { 0 };

	(void)state;
	w.lost_until_ms = INT64_MAX;
	assert_int_equal(watch(&w, &o, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_non_null(strstr(err.hint, "smpipe logs -f j"));
	assert_in_range(w.now_ms, 60000, 62000);
	/* One look that fails is no following. */
	err_release(&err);
	o = (struct watch_options){ .shows_logs = true };
	assert_int_equal(watch(&w, &o, &err), -1);
	assert_int_equal(err.code, ERR_NETWORK);
}

static void test_time_is_over(void **state)
{
	auto_world w = world_of(1, 2000000);
	struct watch_options o = { .follows = true, .timeout_ms = 7000 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(watch(&w, &o, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(w.now_ms, 7000);
}

static void test_since_and_host(void **state)
{
	auto_world w = world_of(2, 0);
	struct watch_options o = { .shows_logs = true, .since_ms = 100, .host = "algo-2" };
	auto_err err = { 0 };

	(void)state;
	add_line(add_stream(&w, "algo-1", 0), 0, 200, "other");
	add_line(add_stream(&w, "algo-2", 0), 0, 99, "old");
	add_line(&w.streams[1], 0, 100, "new");
	assert_int_equal(watch(&w, &o, &err), 0);
	assert_string_equal(w.log.s, "[algo-2] new\n");
	o.host = "algo-3";
	assert_int_equal(watch(&w, &o, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* Lines of a job that ended long ago are not waited for. */
static void test_ended_long_ago(void **state)
{
	auto_world w = world_of(1, 0);
	auto_err err = { 0 };

	(void)state;
	w.now_ms = 100000000;
	add_line(add_stream(&w, "algo-1", 0), 0, 1, "a");
	assert_int_equal(watch(&w, &all, &err), 0);
	assert_string_equal(w.log.s, "a\n");
	assert_int_equal(w.now_ms, 100000000);
}

/* A container that was restarted is one host with two streams. */
static void test_restart(void **state)
{
	auto_world w = world_of(1, 0);
	auto_err err = { 0 };

	(void)state;
	add_line(add_stream(&w, "algo-1", 0), 0, 1, "before");
	add_line(add_stream(&w, "algo-1", 0), 0, 2, "after");
	w.streams[1].name[strlen(w.streams[1].name) - 1] = '9';
	assert_int_equal(watch(&w, &all, &err), 0);
	assert_string_equal(w.log.s, "before\nafter\n");
}

static void fill_failure(struct world *w, const char *reason)
{
	static const char *const hosts[] = { "algo-1", "algo-2", "algo-12" };

	w->end_status = "Failed";
	w->reason = reason;
	for (int i = 0; i < 3; i++) {
		add_line(add_stream(w, hosts[i], 0), 0, 50 - i, "waiting");
		add_line(&w->streams[i], 0, 60 + i, i == 1 ? "ValueError: no" : "still waiting");
	}
}

static void test_host_that_failed(void **state)
{
	auto_world w = world_of(3, 0), named = world_of(3, 0), silent = world_of(3, 0);
	struct watch_options quiet = { .follows = true };
	auto_err err = { 0 };

	(void)state;
	fill_failure(&w, "AlgorithmError: , exit code: 1");
	assert_int_equal(watch(&w, &quiet, &err), -1);
	assert_int_equal(err.code, ERR_JOB_FAILED);
	assert_non_null(strstr(err.msg, "exit code: 1"));
	assert_non_null(strstr(w.notes.s, "[algo-2] waiting\n[algo-2] ValueError: no\n"));
	assert_null(strstr(w.notes.s, "[algo-1]"));
	assert_null(w.log.s);
	fill_failure(&named, "AlgorithmError: on algo-12: exit code 1");
	assert_int_equal(watch(&named, &quiet, &err), -1);
	assert_non_null(strstr(named.notes.s, "[algo-12] still waiting\n"));
	assert_null(strstr(named.notes.s, "[algo-1] "));
	fill_failure(&silent, NULL);
	silent.streams[1].lines[1].text = "over";
	assert_int_equal(watch(&silent, &quiet, &err), -1);
	assert_non_null(strstr(silent.notes.s, "[algo-1] still waiting\n"));
}

/* What has just been shown is not shown twice. */
static void test_failure_of_one_host(void **state)
{
	auto_world w = world_of(1, 0);
	auto_err err = { 0 };

	(void)state;
	w.end_status = "Failed";
	w.reason = "CapacityError: Unable to provision requested ML compute capacity.";
	add_line(add_stream(&w, "algo-1", 0), 0, 1, "boom");
	assert_int_equal(watch(&w, &all, &err), -1);
	assert_int_equal(err.code, ERR_CAPACITY);
	assert_non_null(err.hint);
	assert_string_equal(w.log.s, "boom\n");
	assert_null(strstr(w.notes.s, "boom"));
}

/* Progress bars. */
static void test_drawn_again(void **state)
{
	static const char *const rows[][2] = {
		{ "loss=0.5", "loss=0.5" },
		{ "10 %\r20 %\r30 %", "30 %" },
		{ "10 %\r20 %\r\r", "20 %" },
		{ "from Windows\r", "from Windows" },
		{ "\r", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *drawn = watch_logs_drawn(rows[i][0]);

		assert_string_equal(drawn, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawn_again),
		cmocka_unit_test(test_one_host),
		cmocka_unit_test(test_sixty_hosts),
		cmocka_unit_test(test_bad_network),
		cmocka_unit_test(test_bad_network_ends_with_the_users_time),
		cmocka_unit_test(test_time_is_over),
		cmocka_unit_test(test_since_and_host),
		cmocka_unit_test(test_ended_long_ago),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_host_that_failed),
		cmocka_unit_test(test_failure_of_one_host),
	};

	return cmocka_run_group_tests_name("pipeline/watch", tests, NULL, NULL);
}
