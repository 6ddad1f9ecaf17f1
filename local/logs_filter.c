#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/logs.h"

#define STREAMS_MAX   1000
#define CURSOR_EVENTS 256

/* A place in one stream: what it shows next is the least of all streams by time. */
struct cursor {
	const char *stream;
	struct logs_events page;
	size_t at;
	bool is_done;
};

struct filter {
	struct cloud *cloud;
	const char *group;
	struct logs_period period;
	struct strlist terms; /* each must be in the message */
	struct cursor *cursors;
	size_t n;
};

static void filter_release(struct filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		logs_events_release(&f->cursors[i].page);
	free(f->cursors);
	strlist_release(&f->terms);
}

#define auto_filter __attribute__((cleanup(filter_release))) struct filter

static bool is_wanted(const struct filter *f, const struct logs_event *e)
{
	if (!logs_is_within(&f->period, e->timestamp_ms))
		return false;
	for (size_t i = 0; i < f->terms.n; i++)
		if (*f->terms.v[i] && !strstr(e->message, f->terms.v[i]))
			return false;
	return true;
}

/* Move on to the next event that is wanted, or to the end of the stream. */
static int cursor_settle(const struct filter *f, struct cursor *c, struct err *err)
{
	while (!c->is_done) {
		uint64_t from = c->page.end;

		for (; c->at < c->page.n; c->at++)
			if (is_wanted(f, &c->page.v[c->at]))
				return 0;
		logs_events_release(&c->page);
		c->at = 0;
		if (store_logs_read(f->cloud->logs, f->group, c->stream, from, CURSOR_EVENTS, LOGS_PAGE_BYTES, &c->page,
				    err) < 0)
			return -1;
		c->is_done = c->page.end == from;
	}
	return 0;
}

static struct cursor *next_cursor(const struct filter *f, struct err *err)
{
	struct cursor *next = NULL;

	for (size_t i = 0; i < f->n; i++) {
		struct cursor *c = &f->cursors[i];

		if (cursor_settle(f, c, err) < 0)
			return NULL;
		if (!c->is_done && (!next || c->page.v[c->at].timestamp_ms < next->page.v[next->at].timestamp_ms))
			next = c;
	}
	return next;
}

static json_t *make_event(const struct cursor *c)
{
	const struct logs_event *e = &c->page.v[c->at];
	struct digest digest = digest_of_text(c->stream);
	auto_free char *hex = str_hex(digest.b, 8);
	auto_free char *id = xasprintf("%s%020llu", hex, (unsigned long long)e->offset);

	return json_pack("{s:s, s:I, s:s, s:I, s:s}", "logStreamName", c->stream, "timestamp",
			 (json_int_t)e->timestamp_ms, "message", e->message, "ingestionTime",
			 (json_int_t)e->timestamp_ms, "eventId", id);
}

/* Where every stream goes on. */
static char *make_token(const struct filter *f)
{
	auto_json *places = json_object();
	auto_free char *text = NULL;

	for (size_t i = 0; i < f->n; i++) {
		const struct cursor *c = &f->cursors[i];

		json_put_int(places, c->stream,
			     (json_int_t)(c->at < c->page.n ? c->page.v[c->at].offset : c->page.end));
	}
	text = json_compact(places);
	return str_base64url(text, strlen(text));
}

static int read_token(struct filter *f, const char *token)
{
	size_t n = 0;
	auto_free char *text = str_unbase64(token, &n);
	auto_err ignored = { 0 };
	auto_json *places = text ? json_parse(text, n, "token", &ignored) : NULL;

	if (!json_is_object(places))
		return -1;
	for (size_t i = 0; i < f->n; i++) {
		json_int_t place = json_integer_value(json_object_get(places, f->cursors[i].stream));

		if (place < 0)
			return -1;
		f->cursors[i].page.end = (uint64_t)place;
	}
	return 0;
}

static int choose_streams(const struct filter *f, const json_t *in, struct strlist *ret, struct err *err)
{
	const json_t *names = json_object_get(in, "logStreamNames"), *name;
	const char *prefix = json_str(in, "logStreamNamePrefix");
	auto_strlist all = { 0 };
	size_t i;

	if (store_logs_streams(f->cloud->logs, f->group, prefix ? prefix : "", json_is_array(names) ? &all : ret, err) <
	    0)
		return -1;
	json_array_foreach(names, i, name) {
		const char *s = json_string_value(name);

		if (!s || !strlist_has(&all, s))
			return err_set(err, ERR_NOT_FOUND, "The specified log stream does not exist.");
		if (!strlist_has(ret, s))
			strlist_add(ret, s);
	}
	if (ret->n > STREAMS_MAX)
		return err_set(err, ERR_INVALID, "more than %d log streams at once; name some, or a prefix",
			       STREAMS_MAX);
	return 0;
}

/* Of the pattern language there is the plain form only: words that must all be in the message. */
static int read_pattern(struct filter *f, const json_t *in, struct err *err)
{
	const char *pattern = json_str(in, "filterPattern");

	if (pattern && strpbrk(pattern, "[]{}\"?%"))
		return err_set(err, ERR_INVALID, "the local cloud knows filter patterns of plain words only, not '%s'",
			       pattern);
	if (pattern)
		str_split(&f->terms, pattern, ' ');
	return 0;
}

static int respond_events(struct filter *f, size_t limit, struct local_response *resp, struct err *err)
{
	json_t *events = json_array(), *out = json_pack("{s:o, s:[]}", "events", events, "searchedLogStreams");
	auto_json *owned = out;
	struct cursor *c = NULL;
	size_t bytes = 0;

	while (json_array_size(events) < limit && bytes < LOGS_PAGE_BYTES && (c = next_cursor(f, err))) {
		bytes += strlen(c->page.v[c->at].message);
		json_array_append_new(events, make_event(c));
		c->at++;
	}
	if (err->code)
		return -1;
	if (c) {
		auto_free char *token = make_token(f);

		json_put_str(out, "nextToken", token);
	}
	local_respond_json(resp, 200, take(owned));
	return 0;
}

static int filter_events(struct filter *f, const json_t *in, size_t limit, struct local_response *resp, struct err *err)
{
	const char *token = json_str(in, "nextToken");
	auto_strlist streams = { 0 };

	if (read_pattern(f, in, err) < 0 || choose_streams(f, in, &streams, err) < 0)
		return -1;
	f->cursors = xcalloc(streams.n, sizeof(*f->cursors));
	f->n = streams.n;
	for (size_t i = 0; i < f->n; i++)
		f->cursors[i].stream = streams.v[i];
	if (token && read_token(f, token) < 0)
		return err_set(err, ERR_INVALID, "The specified nextToken is invalid.");
	return respond_events(f, limit, resp, err);
}

void logs_filter_events(struct cloud *cloud, const struct local_request *req, const json_t *in,
			struct local_response *resp)
{
	auto_free char *group = logs_need_group(cloud, in, resp);
	size_t limit = group ? logs_read_limit(in, LOGS_PAGE_EVENTS, LOGS_PAGE_EVENTS, resp) : 0;
	auto_filter f = { .cloud = cloud, .group = group, .period = logs_read_period(in) };
	auto_err err = { 0 };

	(void)req;
	if (limit == 0 || filter_events(&f, in, limit, resp, &err) == 0)
		return;
	if (err.code == ERR_INVALID)
		local_respond_json_error(resp, 400, "InvalidParameterException", "%s", err.msg);
	else
		logs_respond_err(resp, &err);
}
