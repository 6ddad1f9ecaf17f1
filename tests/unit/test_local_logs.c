#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/logs_store.h"

#define GROUP "/aws/sagemaker/TrainingJobs"

struct fixture {
	struct cloud cloud;
	char *dir;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err err = { 0 };

	f->dir = fs_temp_dir("smpipe-test", &err);
	f->cloud.account = xstrdup(LOCAL_ACCOUNT);
	*state = f;
	return store_logs_new(f->dir, &f->cloud.logs, &err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	store_logs_free(f->cloud.logs);
	fs_remove_tree(f->dir, &err);
	free(f->cloud.account);
	free(f->dir);
	free(f);
	return 0;
}

static void append(struct fixture *f, const char *stream, int64_t t, const char *message)
{
	auto_err err = { 0 };

	assert_int_equal(store_logs_append(f->cloud.logs, GROUP, stream, t, message, &err), 0);
}

static json_t *call(struct fixture *f, const char *operation, json_t *in, int status)
{
	struct local_request req = { .body = json_compact(in), .region = xstrdup("eu-west-1"), .body_fd = -1 };
	struct local_response resp;
	auto_err err = { 0 };
	json_t *out;

	local_response_init(&resp, &req);
	req.body_size = strlen(req.body);
	http_headers_addf(&req.headers, "X-Amz-Target", "Logs_20140328.%s", operation);
	local_logs_handle(&f->cloud, &req, &resp);
	assert_int_equal(resp.status, status);
	out = json_parse(resp.body, resp.n, "answer", &err);
	assert_non_null(out);
	local_response_release(&resp);
	local_request_release(&req);
	json_decref(in);
	return out;
}

static void assert_messages(const json_t *out, const char *joined)
{
	auto_str got = { 0 };
	const json_t *event;
	size_t i;

	json_array_foreach(json_object_get(out, "events"), i, event)
		str_addf(&got, "%s ", json_str(event, "message"));
	assert_string_equal(str_text(&got), joined);
}

/* As a client follows a job: page by page, until the token repeats; later lines come with the same token. */
static void test_follow(void **state)
{
	static const char *const pages[] = { "a b ", "c d ", "e ", "" };
	struct fixture *f = *state;
	auto_free char *token = NULL;

	for (int i = 0; i < 5; i++)
		append(f, "job/algo-1", 1000 + i, (char[]){ (char)('a' + i), '\0' });
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		auto_json *out = call(f, "GetLogEvents",
				      json_pack("{s:s, s:s, s:i, s:b, s:s*}", "logGroupName", GROUP, "logStreamName",
						"job/algo-1", "limit", 2, "startFromHead", 1, "nextToken", token),
				      200);

		assert_messages(out, pages[i]);
		if (i == ARRAY_LEN(pages) - 1)
			assert_string_equal(json_str(out, "nextForwardToken"), token);
		free(token);
		token = xstrdup(json_str(out, "nextForwardToken"));
	}
	append(f, "job/algo-1", 2000, "late");
	{
		auto_json *out = call(f, "GetLogEvents",
				      json_pack("{s:s, s:s, s:s}", "logGroupName", GROUP, "logStreamName", "job/algo-1",
						"nextToken", token),
				      200);

		assert_messages(out, "late ");
	}
}

static void test_backwards(void **state)
{
	static const char *const pages[] = { "d e ", "b c ", "a ", "" };
	struct fixture *f = *state;
	auto_free char *token = NULL;

	for (int i = 0; i < 5; i++)
		append(f, "s", 1000 + i, (char[]){ (char)('a' + i), '\0' });
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		auto_json *out = call(f, "GetLogEvents",
				      json_pack("{s:s, s:s, s:i, s:s*}", "logGroupName", GROUP, "logStreamName", "s",
						"limit", 2, "nextToken", token),
				      200);

		assert_messages(out, pages[i]);
		free(token);
		token = xstrdup(json_str(out, "nextBackwardToken"));
	}
}

static void test_period(void **state)
{
	struct fixture *f = *state;
	auto_json *out = NULL;

	for (int i = 0; i < 5; i++)
		append(f, "s", 1000 + i, (char[]){ (char)('a' + i), '\0' });
	out = call(f, "GetLogEvents",
		   json_pack("{s:s, s:s, s:i, s:i}", "logGroupName", GROUP, "logStreamName", "s", "startTime", 1001,
			     "endTime", 1003),
		   200);
	assert_messages(out, "b c ");
}

/* A killed process leaves half a line: nothing before or after it is lost. */
static void test_torn_line(void **state)
{
	struct fixture *f = *state;
	auto_free char *path = xasprintf("%s/%%2Faws%%2Fsagemaker%%2FTrainingJobs/s", f->dir);
	auto_fclose FILE *file = NULL;
	auto_json *out = NULL;

	append(f, "s", 1, "before");
	file = fopen(path, "a");
	assert_non_null(file);
	fputs("{\"t\":2,\"m\":\"ha", file);
	fflush(file);
	append(f, "s", 3, "after");
	out = call(f, "GetLogEvents",
		   json_pack("{s:s, s:s, s:b}", "logGroupName", GROUP, "logStreamName", "s", "startFromHead", 1), 200);
	assert_messages(out, "before after ");
}

static void test_hostile_messages(void **state)
{
	struct fixture *f = *state;
	auto_free char *large = xmalloc(LOGS_MESSAGE_MAX_BYTES + 100);
	auto_logs_events events = { 0 };
	auto_err err = { 0 };

	memset(large, 'x', LOGS_MESSAGE_MAX_BYTES + 100);
	memcpy(large + LOGS_MESSAGE_MAX_BYTES - 1, "\xc3\xa9", 2); /* a character across the limit */
	large[LOGS_MESSAGE_MAX_BYTES + 99] = '\0';
	append(f, "s", 1, large);
	append(f, "s", 2, "bad \xff\xfe end");
	append(f, "s", 3, "\x1b[31m\n\"");
	assert_int_equal(store_logs_read(f->cloud.logs, GROUP, "s", 0, 10, SIZE_MAX, &events, &err), 0);
	assert_int_equal(events.n, 3);
	assert_int_equal(strlen(events.v[0].message), LOGS_MESSAGE_MAX_BYTES - 1);
	assert_true(str_starts(events.v[1].message, "bad "));
	assert_true(str_ends(events.v[1].message, " end"));
	assert_string_equal(events.v[2].message, "\x1b[31m\n\"");
	assert_int_equal(store_logs_append(f->cloud.logs, GROUP, "..", 1, "x", &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void test_describe_streams(void **state)
{
	struct fixture *f = *state;
	auto_free char *token = NULL;
	int pages = 0, n = 0;

	for (int i = 0; i < 120; i++) {
		auto_free char *name = xasprintf("job/algo-%03d", i);

		append(f, name, i, "x");
	}
	append(f, "other", 1, "x");
	do {
		auto_json *out = call(f, "DescribeLogStreams",
				      json_pack("{s:s, s:s, s:s*}", "logGroupName", GROUP, "logStreamNamePrefix",
						"job/", "nextToken", token),
				      200);
		const json_t *streams = json_object_get(out, "logStreams"), *stream;
		size_t i;

		json_array_foreach(streams, i, stream) {
			auto_free char *name = xasprintf("job/algo-%03d", n++);

			assert_string_equal(json_str(stream, "logStreamName"), name);
		}
		pages++;
		free(token);
		token = xstrdup_or_null(json_str(out, "nextToken"));
	} while (token);
	assert_int_equal(pages, 3);
	assert_int_equal(n, 120);
}

static void test_filter_merges_by_time(void **state)
{
	static const char *const pages[] = { "0 1 2 ", "3 4 5 ", "" };
	struct fixture *f = *state;
	auto_free char *token = NULL;

	for (int i = 0; i < 6; i++)
		append(f, i % 2 ? "job/b" : "job/a", 1000 + i, (char[]){ (char)('0' + i), '\0' });
	append(f, "else", 1000, "not this");
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		auto_json *out = call(f, "FilterLogEvents",
				      json_pack("{s:s, s:s, s:i, s:s*}", "logGroupName", GROUP, "logStreamNamePrefix",
						"job/", "limit", 3, "nextToken", token),
				      200);

		assert_messages(out, pages[i]);
		free(token);
		token = xstrdup_or_null(json_str(out, "nextToken"));
	}
	assert_null(token);
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	const struct {
		const char *operation, *code;
		json_t *in;
	} cases[] = {
		{ "DescribeLogStreams", "ResourceNotFoundException", json_pack("{s:s}", "logGroupName", "nope") },
		{ "DescribeLogStreams", "InvalidParameterException", json_object() },
		{ "DescribeLogStreams", "InvalidParameterException",
		  json_pack("{s:s, s:i}", "logGroupName", GROUP, "limit", 51) },
		{ "DescribeLogStreams", "InvalidParameterException",
		  json_pack("{s:s, s:s}", "logGroupName", GROUP, "nextToken", "x") },
		{ "GetLogEvents", "ResourceNotFoundException",
		  json_pack("{s:s, s:s}", "logGroupName", GROUP, "logStreamName", "no") },
		{ "GetLogEvents", "ResourceNotFoundException",
		  json_pack("{s:s, s:s}", "logGroupName", GROUP, "logStreamName", "../x") },
		{ "GetLogEvents", "InvalidParameterException",
		  json_pack("{s:s, s:s, s:s}", "logGroupName", GROUP, "logStreamName", "s", "nextToken", "f/-1") },
		{ "FilterLogEvents", "InvalidParameterException",
		  json_pack("{s:s, s:s}", "logGroupName", GROUP, "filterPattern", "{ $.x = 1 }") },
		{ "FilterLogEvents", "InvalidParameterException",
		  json_pack("{s:s, s:s}", "logGroupName", GROUP, "nextToken", "!") },
		{ "PutLogEvents", "UnknownOperationException", json_object() },
	};

	append(f, "s", 1, "x");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json *out = call(f, cases[i].operation, cases[i].in, 400);

		assert_string_equal(json_str(out, "__type"), cases[i].code);
	}
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_follow),
		WITH_STORE(test_backwards),
		WITH_STORE(test_period),
		WITH_STORE(test_torn_line),
		WITH_STORE(test_hostile_messages),
		WITH_STORE(test_describe_streams),
		WITH_STORE(test_filter_merges_by_time),
		WITH_STORE(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
