/* base/retry.h: the table of delays, and the loop on a machine whose sleeps are free. */

#include "base/retry.h"
#include "tests/unit/shell.h"

#define FULL (1 - 1e-12) /* the most that a random number can be */

static void test_delays(void **state)
{
	/* The limits in milliseconds; retries of more than 20 s wait 20 s. */
	static const int64_t transient[] = { 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000 };
	static const int64_t throttled[] = { 1000, 2000, 4000, 8000, 16000, 20000, 20000 };
	const struct retry_verdict lost = { RETRY_TRANSIENT, 0 }, slow = { RETRY_THROTTLED, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(transient); i++) {
		assert_int_equal(retry_delay_ms((int)i, &lost, FULL), transient[i] - 1);
		assert_int_equal(retry_delay_ms((int)i, &lost, 0.5), transient[i] / 2);
		assert_int_equal(retry_delay_ms((int)i, &lost, 0), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(throttled); i++)
		assert_int_equal(retry_delay_ms((int)i, &slow, FULL), throttled[i] - 1);
	assert_int_equal(retry_delay_ms(1000000, &lost, FULL), 19999);
}

static void test_hints(void **state)
{
	static const struct {
		int64_t hint_ms, delay_ms;
	} rows[] = {
		{ 0, 50 }, { 20, 50 }, { 51, 51 }, { 5050, 5050 }, { 5051, 5050 }, { INT64_MAX, 5050 }, { -1, 50 }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct retry_verdict v = { RETRY_TRANSIENT, rows[i].hint_ms };

		assert_int_equal(retry_delay_ms(1, &v, 0.5), rows[i].delay_ms);
	}
}

struct script {
	enum retry_class answers[8];
	int n_attempts;
	int64_t slept_ms;
	struct str notes;
	bool cancels;
};

static int attempt(void *ctx, int number, struct retry_verdict *ret_verdict, struct err *err)
{
	struct script *s = ctx;

	assert_int_equal(number, s->n_attempts + 1);
	ret_verdict->retry_class = s->answers[s->n_attempts++];
	if (s->answers[s->n_attempts - 1] == RETRY_NO && s->n_attempts > 1)
		return 0;
	return err_set(err, ERR_SERVICE, "refused %d", number);
}

static void fake_sleep(const struct sys *sys, int64_t ms)
{
	struct script *s = sys->ctx;

	s->slept_ms += ms;
	if (s->cancels)
		sys_cancel();
}

static void fake_random(const struct sys *sys, void *p, size_t n)
{
	(void)sys;
	memset(p, 0x80, n); /* a bit more than one half */
}

static void note(void *ctx, const struct report_event *e)
{
	str_addf(ctx, "%s\n", e->text);
}

static int run_script(struct script *s, struct err *err)
{
	const struct sys sys = { .sleep_ms = fake_sleep, .random = fake_random, .ctx = s };
	const struct report report = { note, &s->notes };

	return retry_run(&sys, &report, "put 'x'", RETRY_MAX_ATTEMPTS, attempt, s, err);
}

static void test_mends(void **state)
{
	struct script s = { .answers = { RETRY_TRANSIENT, RETRY_THROTTLED, RETRY_NO } };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(run_script(&s, &err), 0);
	assert_int_equal(s.n_attempts, 3);
	assert_int_equal(s.slept_ms, 25 + 1003);
	assert_int_equal(err.code, ERR_NONE);
	assert_null(err.msg);
	assert_string_equal(
		s.notes.s,
		"put 'x': refused 1; next try in 0.0 s (2 of 3)\nput 'x': refused 2; next try in 1.0 s (3 of 3)\n");
	str_release(&s.notes);
}

static void test_final(void **state)
{
	struct script s = { .answers = { RETRY_NO } };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(run_script(&s, &err), -1);
	assert_int_equal(s.n_attempts, 1);
	assert_int_equal(s.slept_ms, 0);
	assert_string_equal(err.msg, "refused 1");
}

static void test_gives_up(void **state)
{
	struct script s = { .answers = { RETRY_TRANSIENT, RETRY_TRANSIENT, RETRY_TRANSIENT } };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(run_script(&s, &err), -1);
	assert_int_equal(s.n_attempts, 3);
	assert_string_equal(err.msg, "refused 3");
	str_release(&s.notes);
}

/* Last: the process stays cancelled. Nothing is sent after ^C. */
static void test_cancelled(void **state)
{
	struct script s = { .answers = { RETRY_TRANSIENT, RETRY_TRANSIENT }, .cancels = true };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(run_script(&s, &err), -1);
	assert_int_equal(s.n_attempts, 1);
	assert_int_equal(err.code, ERR_CANCELLED);
	str_release(&s.notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delays), cmocka_unit_test(test_hints),    cmocka_unit_test(test_mends),
		cmocka_unit_test(test_final),  cmocka_unit_test(test_gives_up), cmocka_unit_test(test_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
