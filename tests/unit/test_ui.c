/* What a terminal and a log show of reports, with a clock of its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/ui.h"

#define MIB       ((uint64_t)1024 * 1024)
#define MAX_SHOWN 65536

/* What is printed between shown_begin and shown_end. */
struct screen {
	struct sys sys;
	int64_t now_ms;
	struct ui ui;
	int kept, fd;
	char shown[MAX_SHOWN];
};

static int64_t ticks(const struct sys *sys)
{
	return *(const int64_t *)sys->ctx;
}

static void begin(struct screen *s, bool is_terminal)
{
	auto_err err = { 0 };

	s->sys = (struct sys){ .ticks_ms = ticks, .ctx = &s->now_ms };
	s->now_ms = 1000000;
	fflush(stderr);
	s->kept = dup(STDERR_FILENO);
	s->fd = fs_temp_file(&err);
	assert_true(s->kept >= 0 && s->fd >= 0 && dup2(s->fd, STDERR_FILENO) >= 0);
	ui_init(&s->ui);
	s->ui.sys = &s->sys;
	s->ui.is_terminal = is_terminal;
}

/* What was written since the last time. */
static const char *shown(struct screen *s)
{
	ssize_t n = pread(s->fd, s->shown, sizeof(s->shown) - 1, 0);

	assert_true(n >= 0);
	s->shown[n] = '\0';
	assert_int_equal(ftruncate(s->fd, 0), 0);
	assert_int_equal(lseek(s->fd, 0, SEEK_SET), 0);
	return s->shown;
}

static void end(struct screen *s)
{
	ui_finish(&s->ui);
	fflush(stderr);
	dup2(s->kept, STDERR_FILENO);
	close(s->kept);
	close(s->fd);
}

static void move(struct screen *s, int64_t later_ms, const char *name, uint64_t done, uint64_t total)
{
	s->now_ms += later_ms;
	report_progress(&s->ui.report, "put", name, done, total);
}

/* The result is printed on another stream right afterwards: on the same terminal it would follow the status line. */
static void test_status_is_gone_at_once(void **state)
{
	struct screen s = { 0 };
	const char *text;

	(void)state;
	begin(&s, true);
	move(&s, 0, "a", 1, 2);
	text = shown(&s);
	assert_string_equal(text, "put      a 1 B of 2 B (50 %)");
	ui_clear(&s.ui);
	text = shown(&s);
	assert_string_equal(text, "\r\033[K");
	end(&s);
}

static void test_status_fits_the_line(void **state)
{
	struct screen s = { 0 };
	auto_str name = { 0 };
	const char *text;
	size_t columns = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		str_add(&name, "\xc3\xa9");
	begin(&s, true);
	move(&s, 0, str_text(&name), 0, 1000 * MIB);
	shown(&s);
	move(&s, 2000, str_text(&name), 500 * MIB, 1000 * MIB);
	text = shown(&s);
	/* Not a terminal behind it: 80 columns. Two bytes each, the last one whole; the figures are all there. */
	assert_non_null(strstr(text, "\xc3\xa9 500.0 MiB of 1000.0 MiB (50 %), 250.0 MiB/s, 2.0 s left"));
	text += strlen("\r\033[K");
	assert_int_equal(text[strlen(text) - 1], 't');
	for (const char *p = text; *p; p++)
		columns += (*p & 0xc0) != 0x80;
	assert_int_equal(columns, 79);
	end(&s);
}

static void test_rate_is_that_of_now(void **state)
{
	struct screen s = { 0 };
	uint64_t done = 0;
	const char *text;

	(void)state;
	begin(&s, true);
	move(&s, 0, "a", 0, 10000 * MIB);
	for (int i = 0; i < 20; i++)
		move(&s, 1000, "a", done += 100 * MIB, 10000 * MIB);
	text = shown(&s);
	assert_non_null(strstr(text, "100.0 MiB/s"));
	for (int i = 0; i < 20; i++)
		move(&s, 1000, "a", done += 10 * MIB, 10000 * MIB);
	text = strrchr(shown(&s), '\r');
	assert_non_null(strstr(text, ", 10.0 MiB/s, 13 min 00 s left"));
	/* What was hashed is sent now: another rate. */
	move(&s, 1000, "a", done, 5000 * MIB);
	move(&s, 2000, "a", done + 100 * MIB, 5000 * MIB);
	text = shown(&s);
	assert_non_null(strstr(text, ", 50.0 MiB/s, "));
	move(&s, 10000, "a", 9000 * MIB, 10000 * MIB);
	move(&s, 1000, "a", 9500 * MIB, 10000 * MIB);
	shown(&s);
	/* All is sent, but not answered yet: nothing that could be said about how long that takes. */
	move(&s, 1000, "a", 10000 * MIB, 10000 * MIB);
	text = shown(&s);
	assert_non_null(strstr(text, "(100 %)"));
	assert_null(strstr(text, "left"));
	end(&s);
}

static void test_a_log_is_told_every_half_minute(void **state)
{
	struct screen s = { 0 };
	const char *text;

	(void)state;
	begin(&s, false);
	for (int i = 0; i < 30; i++)
		move(&s, 1000, "a", (uint64_t)i * 10 * MIB, 3000 * MIB);
	text = shown(&s);
	assert_string_equal(text, "");
	for (int i = 30; i < 70; i++)
		move(&s, 1000, "a", (uint64_t)i * 10 * MIB, 3000 * MIB);
	text = shown(&s);
	assert_string_equal(text, "put      a 300.0 MiB of 2.9 GiB (10 %), 10.0 MiB/s, 4 min 30 s left\n"
				  "put      a 600.0 MiB of 2.9 GiB (20 %), 10.0 MiB/s, 4 min 00 s left\n");
	/* Metrics stand in the log by themselves. */
	for (int i = 0; i < 70; i++) {
		s.now_ms += 1000;
		report_progress(&s.ui.report, "metrics", "loss=1", 0, 0);
	}
	assert_string_equal(shown(&s), "");
	end(&s);
}

static void test_retries_are_counted_not_listed(void **state)
{
	struct screen s = { 0 };
	const char *text;

	(void)state;
	begin(&s, false);
	for (int i = 0; i < 200; i++)
		report_text(&s.ui.report, REPORT_NOTE, "retry", "PutObject '%d': 503; next try in 1 s", i);
	text = shown(&s);
	assert_string_equal(text, "retry    PutObject '0': 503; next try in 1 s\n"
				  "retry    PutObject '1': 503; next try in 1 s\n"
				  "retry    PutObject '2': 503; next try in 1 s\n");
	report_text(&s.ui.report, REPORT_NOTE, "data", "something else");
	assert_string_equal(shown(&s), "data     something else\n");
	s.now_ms += 10000;
	report_text(&s.ui.report, REPORT_NOTE, "retry", "again");
	assert_string_equal(shown(&s), "retry    and 197 more\nretry    again\n");
	for (int i = 0; i < 4; i++)
		report_text(&s.ui.report, REPORT_NOTE, "retry", "more");
	shown(&s);
	ui_clear(&s.ui);
	assert_string_equal(shown(&s), "retry    and 2 more\n");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_is_gone_at_once),
		cmocka_unit_test(test_status_fits_the_line),
		cmocka_unit_test(test_rate_is_that_of_now),
		cmocka_unit_test(test_a_log_is_told_every_half_minute),
		cmocka_unit_test(test_retries_are_counted_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
