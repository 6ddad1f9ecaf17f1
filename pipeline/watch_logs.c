#include "pipeline/watch_logs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/mem.h"

#define LAST_LINES 10
/* Looked at for the cause of a failure. */
#define MAX_SUSPECTS 100

void watch_logs_release(struct watch_logs *l)
{
	for (size_t i = 0; i < l->n_streams; i++) {
		free(l->streams[i].name);
		free(l->streams[i].host);
		logs_place_release(&l->streams[i].place);
	}
	free(l->streams);
	l->streams = NULL;
	l->n_streams = l->cap_streams = 0;
}

/* "algo-2" of "<job>/algo-2-1700000000"; new string. */
static char *host_of(const char *stream)
{
	const char *slash = strchr(stream, '/'), *last = strrchr(stream, '-');

	return slash && last > slash ? xstrndup(slash + 1, (size_t)(last - slash - 1)) : xstrdup(stream);
}

static bool has_stream(const struct watch_logs *l, const char *name)
{
	for (size_t i = 0; i < l->n_streams; i++) {
		if (!strcmp(l->streams[i].name, name))
			return true;
	}
	return false;
}

static int find_streams(struct watch_logs *l, struct err *err)
{
	auto_free char *prefix = xasprintf("%s/", l->job_name);
	auto_strlist names = { 0 };

	if (logs_list_streams(l->aws, SAGEMAKER_LOG_GROUP, prefix, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (!str_starts(names.v[i], prefix) || has_stream(l, names.v[i]))
			continue;
		array_grow(l->streams, l->n_streams, l->cap_streams);
		l->streams[l->n_streams++] = (struct watch_stream){ .name = xstrdup(names.v[i]),
								    .host = host_of(names.v[i]),
								    .place = { .since_ms = l->since_ms } };
	}
	return 0;
}

/* Restarts of one host are still one host. */
static bool has_many_hosts(const struct watch_logs *l)
{
	for (size_t i = 1; i < l->n_streams; i++) {
		if (strcmp(l->streams[i].host, l->streams[0].host) != 0)
			return true;
	}
	return l->has_many_hosts;
}

static void on_event(void *ctx, int64_t timestamp_ms, const char *message)
{
	const struct watch_logs *l = ctx;

	(void)timestamp_ms;
	l->fn(l->ctx, has_many_hosts(l) ? l->streams[l->at].host : NULL, message);
}

static bool is_wanted(const struct watch_logs *l, const struct watch_stream *stream)
{
	return !l->host || str_eq(l->host, stream->host);
}

int watch_logs_read(struct watch_logs *l, struct err *err)
{
	if (find_streams(l, err) < 0)
		return -1;
	for (; l->at < l->n_streams; l->at++) {
		struct watch_stream *stream = &l->streams[l->at];

		if (is_wanted(l, stream) &&
		    logs_read(l->aws, SAGEMAKER_LOG_GROUP, stream->name, &stream->place, on_event, l, err) < 0)
			return -1;
	}
	l->at = 0;
	return 0;
}

bool watch_logs_has_host(const struct watch_logs *l)
{
	for (size_t i = 0; i < l->n_streams; i++) {
		if (is_wanted(l, &l->streams[i]))
			return true;
	}
	return false;
}

/* The end of one stream. */
char *watch_logs_drawn(const char *line)
{
	size_t end = strlen(line), start;

	while (end > 0 && line[end - 1] == '\r')
		end--;
	for (start = end; start > 0 && line[start - 1] != '\r'; start--)
		;
	return xstrndup(line + start, end - start);
}

struct tail {
	struct strlist lines;
	int64_t last_ms;
	bool speaks_of_error;
};

static void on_tail(void *ctx, int64_t timestamp_ms, const char *message)
{
	static const char *const words[] = { "error", "exception", "traceback", "fatal", "killed", "abort" };
	auto_free char *lower = str_lower(message);
	struct tail *t = ctx;

	strlist_add(&t->lines, message);
	if (timestamp_ms > t->last_ms)
		t->last_ms = timestamp_ms;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		t->speaks_of_error |= strstr(lower, words[i]) != NULL;
}

/* Of one host's restarts the last is the one that counts. */
static bool is_worse(const struct tail *a, const struct tail *b, bool is_same_host)
{
	if (!a->lines.n || !b->lines.n)
		return a->lines.n > b->lines.n;
	if (is_same_host)
		return a->last_ms > b->last_ms;
	if (a->speaks_of_error != b->speaks_of_error)
		return a->speaks_of_error;
	return a->last_ms < b->last_ms;
}

/* "algo-1" is in "on host algo-1:", not in "algo-12". */
static bool names_host(const char *reason, const char *host)
{
	size_t n = strlen(host);

	for (const char *p = reason; p && n && (p = strstr(p, host)); p++) {
		if (!isalnum((unsigned char)p[n]) && (p == reason || !isalnum((unsigned char)p[-1])))
			return true;
	}
	return false;
}

/* Move the worse one's lines into *worst. */
static int compare_stream(struct watch_logs *l, const struct watch_stream *stream, struct tail *worst,
			  const struct watch_stream **ret_stream, struct err *err)
{
	struct tail t = { 0 };
	auto_err why = { 0 };

	if (logs_read_last(l->aws, SAGEMAKER_LOG_GROUP, stream->name, LAST_LINES, on_tail, &t, &why) < 0 &&
	    why.code != ERR_NOT_FOUND) {
		strlist_release(&t.lines);
		err_move(err, &why);
		return -1;
	}
	if (is_worse(&t, worst, *ret_stream && str_eq((*ret_stream)->host, stream->host))) {
		struct tail better = *worst;

		*worst = t;
		t = better;
		*ret_stream = stream;
	}
	strlist_release(&t.lines);
	return 0;
}

static bool any_is_named(const struct watch_logs *l, const char *reason)
{
	for (size_t i = 0; i < l->n_streams; i++) {
		if (names_host(reason, l->streams[i].host))
			return true;
	}
	return false;
}

int watch_logs_of_failure(struct watch_logs *l, const char *reason, struct err *err)
{
	const struct watch_stream *stream = NULL;
	struct tail worst = { 0 };
	bool is_named;
	int result = find_streams(l, err);

	is_named = any_is_named(l, reason);
	for (size_t i = 0, n = 0; result == 0 && i < l->n_streams && n < MAX_SUSPECTS; i++) {
		if (is_named && !names_host(reason, l->streams[i].host))
			continue;
		n++;
		result = compare_stream(l, &l->streams[i], &worst, &stream, err);
	}
	for (size_t i = 0; result == 0 && i < worst.lines.n; i++)
		l->fn(l->ctx, has_many_hosts(l) ? stream->host : NULL, worst.lines.v[i]);
	strlist_release(&worst.lines);
	return result;
}
