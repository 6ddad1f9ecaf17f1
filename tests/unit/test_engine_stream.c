#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ecr/engine_frames.h"
#include "ecr/engine_stream.h"

#define ID_A  "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void note_event(void *ctx, const struct report_event *event)
{
	struct str *log = ctx;

	if (event->kind == REPORT_PROGRESS)
		str_addf(log, "[%s %ju/%ju]", event->text, (uintmax_t)event->done_bytes, (uintmax_t)event->total_bytes);
	else
		str_addf(log, "%s|", event->text);
}

static const struct stream_case {
	const char *text;
	const char *lines, *step, *error, *image_id, *digest;
} stream_cases[] = {
	{ .text = "", .lines = "" },
	{ "{\"stream\":\"Step 3/5 : RUN make\\n\"}\r\n{\"stream\":\"a\"}{\"stream\":\"b\\nc\"}\n",
	  "Step 3/5 : RUN make|ab|c|", .step = "step 3/5 'RUN make'" },
	{ "{\"stream\":\"STEP 2/2: COPY a b\\n\"}\n", "STEP 2/2: COPY a b|", .step = "step 2/2 'COPY a b'" },
	/* Braces and quotes inside of strings end nothing. */
	{ "{\"stream\":\"}\\\"{\\\\\"}{\"aux\":{\"ID\":\"" ID_A "\"}}", "}\"{\\|", .image_id = ID_A },
	{ .text = "{\"stream\":\"10%\\r 50%\\r100%\\r\\n\\u001b[91mred\\u001b[0m\\nn\\u0000ul\\n\"}",
	  .lines = "100%|red|nul|" },
	/* The message of errorDetail counts, and the first error. */
	{ "{\"errorDetail\":{\"code\":1,\"message\":\"first\"},\"error\":\"other\"}{\"error\":\"second\"}", "",
	  .error = "first" },
	{ "{\"error\":\"only \\n\"}", "", .error = "only" },
	{ "{\"aux\":{\"Tag\":\"x\",\"Digest\":\"" HEX_B "\",\"Size\":1}}", "", .digest = "sha256:" HEX_B },
	{ .text = "{\"status\":\"The push refers to\"}{\"status\":\"Pushing\",\"id\":\"a\",\"progressDetail\":{\"current\":1,\"total\":4}}"
		  "{\"status\":\"Pushing\",\"id\":\"b\",\"progressDetail\":{\"current\":9,\"total\":6}}"
		  "{\"status\":\"Pushed\",\"id\":\"a\",\"progressDetail\":{}}{\"status\":\"Preparing\",\"id\":\"c\"}",
	  .lines = "The push refers to|[Pushing 1/4][Pushing 10/13][Pushed 13/13]" },
	{ .text = "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":-5,\"total\":4}}",
	  .lines = "" },
};

static void assert_same(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void check_stream(const struct stream_case *c, size_t split)
{
	auto_str log = { 0 };
	struct report report = { note_event, &log };
	auto_engine_stream s = { .report = &report, .stage = "image" };
	auto_err err = { 0 };
	auto_free char *step = NULL;

	assert_int_equal(engine_stream_feed(&s, c->text, split, &err), 0);
	assert_int_equal(engine_stream_feed(&s, c->text + split, strlen(c->text) - split, &err), 0);
	assert_int_equal(engine_stream_end(&s, &err), 0);
	assert_string_equal(str_text(&log), c->lines);
	step = engine_stream_step(&s);
	assert_same(step, c->step);
	assert_same(s.error, c->error);
	assert_same(s.image_id, c->image_id);
	assert_same(s.digest, c->digest);
}

static void test_messages_split_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stream_cases); i++) {
		for (size_t split = 0; split <= strlen(stream_cases[i].text); split++)
			check_stream(&stream_cases[i], split);
	}
}

static void test_bad_streams(void **state)
{
	static const char *const texts[] = {
		"oops",
		"[1]",
		"\"x\"",
		"{\"stream\":",
		"{\"a\":1}}",
		"{x}",
		"{\"aux\":{\"ID\":\"../../x\"}}",
		"{\"aux\":{\"Digest\":\"sha256:00\"}}",
		"{]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_engine_stream s = { .stage = "image" };
		auto_err err = { 0 };

		if (engine_stream_feed(&s, texts[i], strlen(texts[i]), &err) == 0)
			assert_int_equal(engine_stream_end(&s, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void test_endless_message(void **state)
{
	auto_engine_stream s = { .stage = "image" };
	auto_free char *filler = xcalloc(1, ENGINE_STREAM_MESSAGE_MAX);
	auto_err err = { 0 };

	(void)state;
	memset(filler, 'x', ENGINE_STREAM_MESSAGE_MAX);
	assert_int_equal(engine_stream_feed(&s, "{\"stream\":\"", 11, &err), 0);
	assert_int_equal(engine_stream_feed(&s, filler, ENGINE_STREAM_MESSAGE_MAX, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void count_line(void *ctx, const struct report_event *event)
{
	assert_true(strlen(event->text) <= ENGINE_STREAM_LINE_MAX);
	++*(int *)ctx;
}

static void test_long_lines_and_tail(void **state)
{
	int n = 0;
	struct report report = { count_line, &n };
	auto_engine_stream s = { .report = &report, .stage = "image" };
	auto_str message = { 0 };
	auto_err err = { 0 };

	(void)state;
	str_add(&message, "{\"stream\":\"");
	for (int i = 0; i < ENGINE_STREAM_LINE_MAX + 1; i++)
		str_add_char(&message, 'x');
	for (int i = 0; i < 30; i++)
		str_addf(&message, "\\nline %d\\n ---> 0123456789ab", i);
	str_add(&message, "\\n\"}");
	assert_int_equal(engine_stream_feed(&s, message.s, message.len, &err), 0);
	assert_int_equal(engine_stream_end(&s, &err), 0);
	assert_int_equal(n, 2 + 60);
	assert_int_equal(s.tail.n, ENGINE_STREAM_TAIL_LINES);
	assert_string_equal(s.tail.v[0], "line 10");
	assert_string_equal(s.tail.v[19], "line 29");
}

static int note_line(void *ctx, const char *line, size_t n, struct err *err)
{
	(void)err;
	str_addf(ctx, "%.*s|", (int)n, line);
	return 0;
}

#define FRAME(stream, n) stream "\0\0\0\0\0\0" n

static void test_frames_split_anywhere(void **state)
{
	static const char bytes[] = FRAME("\1", "\4") "ab\nc" FRAME("\2", "\5") "err\r\n" FRAME("\1", "\0")
		FRAME("\1", "\2") "d\n" FRAME("\1", "\2") "\ne";
	const size_t n = sizeof(bytes) - 1;

	(void)state;
	for (size_t split = 0; split <= n; split++) {
		auto_str log = { 0 };
		auto_engine_frames f = { .fn = note_line, .ctx = &log };
		auto_err err = { 0 };

		assert_int_equal(engine_frames_feed(&f, bytes, split, &err), 0);
		assert_int_equal(engine_frames_feed(&f, bytes + split, n - split, &err), 0);
		assert_int_equal(engine_frames_end(&f, &err), 0);
		assert_string_equal(str_text(&log), "ab|err|cd||e|");
	}
}

static void test_bad_frames(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{ "plain text of a terminal", 24 },
		{ "\3\0\0\0\0\0\0\1x", 9 },
		{ "\1\0\0", 3 },
		{ "\1\0\0\0\0\0\0\5abc", 11 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str log = { 0 };
		auto_engine_frames f = { .fn = note_line, .ctx = &log };
		auto_err err = { 0 };

		if (engine_frames_feed(&f, cases[i].bytes, cases[i].n, &err) == 0)
			assert_int_equal(engine_frames_end(&f, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void test_long_frame_line(void **state)
{
	auto_str log = { 0 };
	auto_engine_frames f = { .fn = note_line, .ctx = &log };
	auto_free char *filler = xcalloc(1, ENGINE_FRAMES_LINE_MAX + 10);
	auto_err err = { 0 };

	(void)state;
	memset(filler, 'x', ENGINE_FRAMES_LINE_MAX + 10);
	assert_int_equal(engine_frames_feed(&f, "\1\0\0\0\0\1\0\12", 8, &err), 0);
	assert_int_equal(engine_frames_feed(&f, filler, ENGINE_FRAMES_LINE_MAX + 10, &err), 0);
	assert_int_equal(engine_frames_end(&f, &err), 0);
	assert_int_equal(log.len, ENGINE_FRAMES_LINE_MAX + 10 + 2);
	assert_int_equal(log.s[ENGINE_FRAMES_LINE_MAX], '|');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_split_anywhere), cmocka_unit_test(test_bad_streams),
		cmocka_unit_test(test_endless_message),         cmocka_unit_test(test_long_lines_and_tail),
		cmocka_unit_test(test_frames_split_anywhere),   cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_long_frame_line),
	};

	return cmocka_run_group_tests_name("ecr/engine_stream", tests, NULL, NULL);
}
