#include "aws/logs.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_STREAMS 10000
/* One call of logs_read ends even when lines come faster than they are read: the next call goes on. */
#define MAX_PAGES 10000

int logs_list_streams(struct aws *aws, const char *group, const char *prefix, struct strlist *ret, struct err *err)
{
	auto_json *request = json_pack("{s:s}", "logGroupName", group);
	auto_json *streams = NULL;
	auto_err why = { 0 };
	json_t *stream;
	size_t i;

	json_put_str(request, "logStreamNamePrefix", prefix);
	if (aws_call_json_pages(aws, AWS_LOGS, "DescribeLogStreams", request, "logStreams", "nextToken", MAX_STREAMS,
				&streams, &why) < 0) {
		if (err_is_service(&why, "ResourceNotFoundException"))
			return 0;
		err_move(err, &why);
		return -1;
	}
	json_array_foreach(streams, i, stream) {
		const char *name = json_str(stream, "logStreamName");

		if (name)
			strlist_add(ret, name);
	}
	return 0;
}

void logs_place_release(struct logs_place *place)
{
	free(place->token);
	*place = (struct logs_place){ 0 };
}

static void advance(struct logs_place *place, int64_t timestamp_ms)
{
	if (timestamp_ms > place->last_ms || !place->n_at_last) {
		place->last_ms = timestamp_ms;
		place->n_at_last = 0;
	}
	if (timestamp_ms == place->last_ms)
		place->n_at_last++;
}

/* The events of a page but for the first n_seen. */
static void deliver(const json_t *events, struct logs_place *place, logs_event_fn fn, void *ctx)
{
	size_t i;
	json_t *event;

	json_array_foreach(events, i, event) {
		const char *message = json_str(event, "message");
		int64_t timestamp_ms = json_integer_value(json_object_get(event, "timestamp"));

		if (i < place->n_seen)
			continue;
		advance(place, timestamp_ms);
		if (message)
			fn(ctx, timestamp_ms, message);
	}
}

/* Tokens live for a day: begin anew at the last line's time, past the lines of that time that are known. */
static void forget_token(struct logs_place *place)
{
	free(take(place->token));
	place->n_seen = place->n_at_last;
	if (place->n_at_last)
		place->since_ms = place->last_ms;
}

/* 1: a page; 0: there is nothing to read now. */
static int get_page(struct aws *aws, const char *group, const char *stream, struct logs_place *place,
		    json_t **ret_answer, struct err *err)
{
	auto_json *request =
		json_pack("{s:s, s:s, s:b}", "logGroupName", group, "logStreamName", stream, "startFromHead", 1);
	auto_err why = { 0 };

	json_put_str(request, "nextToken", place->token);
	if (place->since_ms)
		json_put_int(request, "startTime", place->since_ms);
	if (aws_call_json(aws, AWS_LOGS, "GetLogEvents", request, ret_answer, &why) == 0)
		return 1;
	if (err_is_service(&why, "ResourceNotFoundException"))
		return 0;
	if (place->token && err_is_service(&why, "InvalidParameterException")) {
		forget_token(place);
		return get_page(aws, group, stream, place, ret_answer, err);
	}
	err_move(err, &why);
	return -1;
}

/* One page: 1 when there is another, 0 when the service gave back the token that was sent. */
static int read_page(struct aws *aws, const char *group, const char *stream, struct logs_place *place, logs_event_fn fn,
		     void *ctx, struct err *err)
{
	auto_json *answer = NULL;
	const json_t *events;
	const char *next;
	size_t n;
	int result = get_page(aws, group, stream, place, &answer, err);

	if (result <= 0)
		return result;
	events = json_object_get(answer, "events");
	n = json_array_size(events);
	deliver(events, place, fn, ctx);
	next = json_str(answer, "nextForwardToken");
	if (!next || str_eq(next, place->token)) {
		/* The same place again: the next call finds these lines once more, and then what came after them. */
		place->n_seen = n > place->n_seen ? n : place->n_seen;
		return 0;
	}
	free(place->token);
	place->token = xstrdup(next);
	place->n_seen = place->n_seen > n ? place->n_seen - n : 0;
	return 1;
}

int logs_read(struct aws *aws, const char *group, const char *stream, struct logs_place *place, logs_event_fn fn,
	      void *ctx, struct err *err)
{
	int more = 1;

	for (int page = 0; page < MAX_PAGES && more > 0; page++)
		more = read_page(aws, group, stream, place, fn, ctx, err);
	return more < 0 ? -1 : 0;
}

int logs_read_last(struct aws *aws, const char *group, const char *stream, int limit, logs_event_fn fn, void *ctx,
		   struct err *err)
{
	auto_json *request = json_pack("{s:s, s:s, s:b, s:i}", "logGroupName", group, "logStreamName", stream,
				       "startFromHead", 0, "limit", limit);
	auto_json *answer = NULL;
	struct logs_place place = { 0 };

	if (aws_call_json(aws, AWS_LOGS, "GetLogEvents", request, &answer, err) < 0)
		return -1;
	deliver(json_object_get(answer, "events"), &place, fn, ctx);
	return 0;
}
