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

static void deliver(const json_t *events, logs_event_fn fn, void *ctx)
{
	size_t i;
	json_t *event;

	json_array_foreach(events, i, event) {
		const char *message = json_str(event, "message");

		if (message)
			fn(ctx, json_integer_value(json_object_get(event, "timestamp")), message);
	}
}

/* One page; *ret_is_end when the service gave back the token that was sent. */
static int read_page(struct aws *aws, json_t *request, char **token, logs_event_fn fn, void *ctx, bool *ret_is_end,
		     struct err *err)
{
	auto_json *answer = NULL;
	const char *next;

	json_put_str(request, "nextToken", *token);
	if (aws_call_json(aws, AWS_LOGS, "GetLogEvents", request, &answer, err) < 0)
		return -1;
	deliver(json_object_get(answer, "events"), fn, ctx);
	next = json_str(answer, "nextForwardToken");
	*ret_is_end = !next || str_eq(next, *token);
	if (!*ret_is_end) {
		free(*token);
		*token = xstrdup(next);
	}
	return 0;
}

int logs_read(struct aws *aws, const char *group, const char *stream, char **token, logs_event_fn fn, void *ctx,
	      struct err *err)
{
	auto_json *request =
		json_pack("{s:s, s:s, s:b}", "logGroupName", group, "logStreamName", stream, "startFromHead", 1);
	bool is_end = false;

	for (int page = 0; page < MAX_PAGES && !is_end; page++)
		if (read_page(aws, request, token, fn, ctx, &is_end, err) < 0)
			return -1;
	return 0;
}
