#include "local/logs.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define DESCRIBE_MAX 50

void logs_respond_err(struct local_response *resp, const struct err *err)
{
	if (err->code == ERR_NOT_FOUND)
		local_respond_json_error(resp, 400, "ResourceNotFoundException", "%s", err->msg);
	else
		local_respond_json_error(resp, 500, "ServiceUnavailableException", "%s", err->msg);
}

struct logs_period logs_read_period(const json_t *in)
{
	const json_t *from = json_object_get(in, "startTime"), *until = json_object_get(in, "endTime");

	return (struct logs_period){ json_is_integer(from) ? json_integer_value(from) : INT64_MIN,
				     json_is_integer(until) ? json_integer_value(until) : INT64_MAX };
}

bool logs_is_within(const struct logs_period *p, int64_t timestamp_ms)
{
	return timestamp_ms >= p->from_ms && timestamp_ms < p->until_ms;
}

size_t logs_read_limit(const json_t *in, size_t max, size_t fallback, struct local_response *resp)
{
	const json_t *limit = json_object_get(in, "limit");
	json_int_t n = json_integer_value(limit);

	if (!limit || json_is_null(limit))
		return fallback;
	if (n >= 1 && (uint64_t)n <= max)
		return (size_t)n;
	local_respond_json_error(resp, 400, "InvalidParameterException", "'limit' must be from 1 to %zu", max);
	return 0;
}

/* "arn:aws:logs:region:account:log-group:NAME" with or without ":*" → NAME; anything else is a name itself. */
static char *name_of_identifier(const char *identifier)
{
	const char *name = str_starts(identifier, "arn:") ? strstr(identifier, ":log-group:") : NULL;

	if (!name)
		return xstrdup(identifier);
	name += strlen(":log-group:");
	return str_ends(name, ":*") ? xstrndup(name, strlen(name) - 2) : xstrdup(name);
}

char *logs_need_group(struct cloud *cloud, const json_t *in, struct local_response *resp)
{
	const char *identifier = json_str(in, "logGroupIdentifier");
	const char *named =
		identifier ? identifier : json_api_need(in, "logGroupName", "InvalidParameterException", resp);
	auto_free char *group = named ? name_of_identifier(named) : NULL;

	if (!group)
		return NULL;
	if (store_logs_has_group(cloud->logs, group))
		return take(group);
	local_respond_json_error(resp, 400, "ResourceNotFoundException", "The specified log group does not exist.");
	return NULL;
}

/* Where the page after the token begins: behind the name that the token is. -1: answered. */
static int find_page(const struct strlist *names, const json_t *in, size_t *ret_i, struct local_response *resp)
{
	const char *token = json_str(in, "nextToken");

	*ret_i = 0;
	if (!token)
		return 0;
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->v[i], token))
			continue;
		*ret_i = i + 1;
		return 0;
	}
	local_respond_json_error(resp, 400, "InvalidParameterException", "The specified nextToken is invalid.");
	return -1;
}

static void describe_groups(struct cloud *cloud, const struct local_request *req, const json_t *in,
			    struct local_response *resp)
{
	const char *prefix = json_str(in, "logGroupNamePrefix");
	size_t limit = logs_read_limit(in, DESCRIBE_MAX, DESCRIBE_MAX, resp), i;
	json_t *groups = json_array(), *out = json_pack("{s:o}", "logGroups", groups);
	auto_strlist names = { 0 };
	auto_json *owned = out;
	auto_err err = { 0 };

	if (limit == 0)
		return;
	if (store_logs_groups(cloud->logs, prefix ? prefix : "", &names, &err) < 0) {
		logs_respond_err(resp, &err);
		return;
	}
	if (find_page(&names, in, &i, resp) < 0)
		return;
	for (; i < names.n && json_array_size(groups) < limit; i++) {
		auto_free char *resource = xasprintf("log-group:%s:*", names.v[i]);
		auto_free char *arn = json_api_arn(cloud, req, "logs", resource);

		json_array_append_new(groups, json_pack("{s:s, s:s, s:i}", "logGroupName", names.v[i], "arn", arn,
							"metricFilterCount", 0));
	}
	if (i < names.n)
		json_put_str(out, "nextToken", names.v[i - 1]);
	local_respond_json(resp, 200, take(owned));
}

struct described {
	const char *name;
	struct logs_stream_info info;
};

static int compare_by_last_event(const void *pa, const void *pb)
{
	const struct described *a = pa, *b = pb;
	int by_time = (a->info.last_ms > b->info.last_ms) - (a->info.last_ms < b->info.last_ms);

	return by_time ? by_time : strcmp(a->name, b->name);
}

/* Put the names, sorted, into the order that the request asks for. */
static void order_streams(struct cloud *cloud, const char *group, const json_t *in, struct strlist *names)
{
	struct described *all = xcalloc(names->n, sizeof(*all));
	bool is_by_time = str_eq(json_str(in, "orderBy"), "LastEventTime");
	bool is_descending = json_is_true(json_object_get(in, "descending"));
	size_t n = names->n;

	for (size_t i = 0; i < n; i++) {
		auto_err ignored = { 0 };

		all[i].name = names->v[i];
		if (is_by_time)
			store_logs_stream_info(cloud->logs, group, names->v[i], &all[i].info, &ignored);
	}
	if (is_by_time && n > 1)
		qsort(all, n, sizeof(*all), compare_by_last_event);
	for (size_t i = 0; i < n; i++)
		names->v[i] = (char *)all[is_descending ? n - 1 - i : i].name;
	free(all);
}

static json_t *describe_stream(struct cloud *cloud, const struct local_request *req, const char *group,
			       const char *stream)
{
	auto_free char *resource = xasprintf("log-group:%s:log-stream:%s", group, stream);
	auto_free char *arn = json_api_arn(cloud, req, "logs", resource);
	struct logs_stream_info info;
	auto_err ignored = { 0 };
	json_t *out;

	if (store_logs_stream_info(cloud->logs, group, stream, &info, &ignored) < 0)
		return NULL;
	out = json_pack("{s:s, s:s, s:I, s:I, s:i}", "logStreamName", stream, "arn", arn, "creationTime",
			(json_int_t)info.created_ms, "lastIngestionTime", (json_int_t)info.changed_ms, "storedBytes",
			0);
	if (info.first_ms >= 0) {
		json_put_int(out, "firstEventTimestamp", info.first_ms);
		json_put_int(out, "lastEventTimestamp", info.last_ms);
	}
	return out;
}

static void describe_streams(struct cloud *cloud, const struct local_request *req, const json_t *in,
			     struct local_response *resp)
{
	auto_free char *group = logs_need_group(cloud, in, resp);
	size_t limit = group ? logs_read_limit(in, DESCRIBE_MAX, DESCRIBE_MAX, resp) : 0, i;
	const char *prefix = json_str(in, "logStreamNamePrefix");
	json_t *streams = json_array(), *out = json_pack("{s:o}", "logStreams", streams);
	auto_json *owned = out;
	auto_strlist names = { 0 };
	auto_err err = { 0 };

	if (limit == 0)
		return;
	if (store_logs_streams(cloud->logs, group, prefix ? prefix : "", &names, &err) < 0) {
		logs_respond_err(resp, &err);
		return;
	}
	order_streams(cloud, group, in, &names);
	if (find_page(&names, in, &i, resp) < 0)
		return;
	for (; i < names.n && json_array_size(streams) < limit; i++)
		json_array_append_new(streams, describe_stream(cloud, req, group, names.v[i]));
	if (i < names.n)
		json_put_str(out, "nextToken", names.v[i - 1]);
	local_respond_json(resp, 200, take(owned));
}

/* A token is a direction and a place in the stream's file: "f/…" reads on from there, "b/…" reads what comes before. */
static int read_page(struct cloud *cloud, const char *group, const char *stream, const json_t *in, size_t limit,
		     struct logs_events *ret, struct err *err)
{
	const char *token = json_str(in, "nextToken");
	int64_t offset = 0;

	if (token && ((!str_starts(token, "f/") && !str_starts(token, "b/")) ||
		      !str_parse_i64(token + 2, 0, INT64_MAX, &offset))) {
		err_set(err, ERR_INVALID, "The specified nextToken is invalid.");
		return -1;
	}
	if (token ? *token == 'f' : json_is_true(json_object_get(in, "startFromHead")))
		return store_logs_read(cloud->logs, group, stream, (uint64_t)offset, limit, LOGS_PAGE_BYTES, ret, err);
	return store_logs_read_before(cloud->logs, group, stream, token ? (uint64_t)offset : UINT64_MAX, limit,
				      LOGS_PAGE_BYTES, ret, err);
}

static void respond_page(const struct logs_events *page, const json_t *in, struct local_response *resp)
{
	struct logs_period period = logs_read_period(in);
	json_t *events = json_array(), *out = json_pack("{s:o}", "events", events);
	auto_free char *forward = xasprintf("f/%020llu", (unsigned long long)page->end);
	auto_free char *backward = xasprintf("b/%020llu", (unsigned long long)page->begin);

	for (size_t i = 0; i < page->n; i++) {
		json_int_t t = page->v[i].timestamp_ms;

		if (logs_is_within(&period, t))
			json_array_append_new(events, json_pack("{s:I, s:s, s:I}", "timestamp", t, "message",
								page->v[i].message, "ingestionTime", t));
	}
	json_put_str(out, "nextForwardToken", forward);
	json_put_str(out, "nextBackwardToken", backward);
	local_respond_json(resp, 200, out);
}

static void get_events(struct cloud *cloud, const struct local_request *req, const json_t *in,
		       struct local_response *resp)
{
	auto_free char *group = logs_need_group(cloud, in, resp);
	const char *stream = group ? json_api_need(in, "logStreamName", "InvalidParameterException", resp) : NULL;
	size_t limit = stream ? logs_read_limit(in, LOGS_PAGE_EVENTS, LOGS_PAGE_EVENTS, resp) : 0;
	auto_logs_events page = { 0 };
	auto_err err = { 0 };

	(void)req;
	if (limit == 0)
		return;
	if (read_page(cloud, group, stream, in, limit, &page, &err) == 0)
		respond_page(&page, in, resp);
	else if (err.code == ERR_INVALID)
		local_respond_json_error(resp, 400, "InvalidParameterException", "%s", err.msg);
	else
		logs_respond_err(resp, &err);
}

void local_logs_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	static const struct json_api_op ops[] = {
		{ "DescribeLogGroups", describe_groups },
		{ "DescribeLogStreams", describe_streams },
		{ "GetLogEvents", get_events },
		{ "FilterLogEvents", logs_filter_events },
		{ NULL, NULL },
	};

	json_api_handle(cloud, req, resp, "Logs_20140328", ops);
}
