#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "aws/call_error.h"
#include "base/mem.h"
#include "base/retry.h"
#include "base/str.h"

static const struct retry_verdict transient = { .retry_class = RETRY_TRANSIENT };
static const struct retry_verdict throttled = { .retry_class = RETRY_THROTTLED };

static void test_backoff(void **state)
{
	static const int64_t expected[][2] = {
		{ 50, 1000 },    { 100, 2000 },   { 200, 4000 },    { 400, 8000 },    { 800, 16000 },   { 1600, 20000 },
		{ 3200, 20000 }, { 6400, 20000 }, { 12800, 20000 }, { 20000, 20000 }, { 20000, 20000 },
	};

	(void)state;
	for (int i = 0; i < (int)ARRAY_LEN(expected); i++) {
		assert_int_equal(retry_delay_ms(i, &transient, 1), expected[i][0]);
		assert_int_equal(retry_delay_ms(i, &throttled, 1), expected[i][1]);
		assert_int_equal(retry_delay_ms(i, &throttled, 0), 0);
	}
	assert_int_equal(retry_delay_ms(1000000, &transient, 1), 20000);
}

/* delay = max(t, min(hint, t + 5 s)) */
static void test_hint(void **state)
{
	static const struct {
		int64_t hint_ms, delay_ms;
	} cases[] = {
		{ 0, 50 },      { 10, 50 },        { 50, 50 }, { 51, 51 }, { 1500, 1500 },    { 5050, 5050 },
		{ 5051, 5050 }, { 1000000, 5050 }, { -5, 50 }, { -1, 50 }, { INT64_MIN, 50 }, { INT64_MAX, 5050 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct retry_verdict v = { .retry_class = RETRY_TRANSIENT, .hint_ms = cases[i].hint_ms };

		assert_int_equal(retry_delay_ms(0, &v, 1), cases[i].delay_ms);
	}
}

static void test_quota(void **state)
{
	struct retry_quota *q = retry_quota_new();
	int n = 0;

	(void)state;
	assert_int_equal(retry_quota_left(q), 500);
	retry_quota_give(q, 1);
	assert_int_equal(retry_quota_left(q), 500);
	while (retry_quota_take(q, RETRY_COST))
		n++;
	assert_int_equal(n, 35);
	assert_int_equal(retry_quota_left(q), 10);
	assert_true(retry_quota_take(q, RETRY_COST_THROTTLED));
	assert_true(retry_quota_take(q, RETRY_COST_THROTTLED));
	assert_false(retry_quota_take(q, RETRY_COST_THROTTLED));
	retry_quota_give(q, 1000);
	assert_int_equal(retry_quota_left(q), 500);
	retry_quota_free(q);
	assert_true(retry_quota_take(NULL, 1));
}

static void *spend(void *ctx)
{
	for (int i = 0; i < 10000; i++)
		if (retry_quota_take(ctx, RETRY_COST))
			retry_quota_give(ctx, RETRY_COST);
	return NULL;
}

static void test_quota_is_shared(void **state)
{
	struct retry_quota *q = retry_quota_new();
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, spend, q), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(retry_quota_left(q), 500);
	retry_quota_free(q);
}

/* A machine whose sleeps are added up and whose random numbers are a seeded sequence, or 0xff throughout. */
struct machine {
	struct sys sys;
	int64_t slept_ms;
	uint64_t seed; /* 0: all ones */
	bool cancels;  /* ^C comes while it sleeps */
};

static void sleep_ms(const struct sys *sys, int64_t ms)
{
	struct machine *m = sys->ctx;

	m->slept_ms += ms;
	if (m->cancels)
		sys_cancel();
}

/* xorshift64* */
static void seeded_random(const struct sys *sys, void *p, size_t n)
{
	struct machine *m = sys->ctx;
	uint64_t value = UINT64_MAX;

	if (m->seed) {
		m->seed ^= m->seed >> 12;
		m->seed ^= m->seed << 25;
		m->seed ^= m->seed >> 27;
		value = (m->seed * UINT64_C(2685821657736338717)) >> 32;
	}
	assert_true(n <= sizeof(value));
	memcpy(p, &value, n);
}

static void machine_init(struct machine *m, uint64_t seed)
{
	*m = (struct machine){ .sys = { .sleep_ms = sleep_ms, .random = seeded_random, .ctx = m }, .seed = seed };
}

/* Fails as the verdicts say, in turn; succeeds where there is none. */
struct script {
	const struct retry_verdict *v;
	size_t n;
	int n_attempts;
};

static int follow_script(void *ctx, int attempt, struct retry_verdict *ret_verdict, struct err *err)
{
	struct script *s = ctx;

	assert_int_equal(attempt, ++s->n_attempts);
	if ((size_t)attempt > s->n)
		return 0;
	*ret_verdict = s->v[attempt - 1];
	return err_set(err, ERR_SERVICE, "failure %d", attempt);
}

#define T                                                                                                              \
	{                                                                                                              \
		RETRY_TRANSIENT, 0, NULL                                                                               \
	}
#define S                                                                                                              \
	{                                                                                                              \
		RETRY_THROTTLED, 0, NULL                                                                               \
	}
#define M                                                                                                              \
	{                                                                                                              \
		RETRY_MENDED, 0, "mended"                                                                              \
	}
#define F                                                                                                              \
	{                                                                                                              \
		RETRY_NO, 0, NULL                                                                                      \
	}

static void test_runs(void **state)
{
	static const struct {
		struct retry_verdict v[8];
		size_t n;
		int max_attempts;
		int quota; /* before */
		int n_attempts, result, slept_ms, left;
	} cases[] = {
		{ { F }, 0, 0, 400, 1, 0, 0, 401 },
		{ { F }, 1, 0, 400, 1, -1, 0, 400 },
		{ { T }, 1, 0, 400, 2, 0, 49, 400 },
		{ { T, S }, 2, 0, 400, 3, 0, 49 + 1999, 386 },
		{ { T, T, T }, 3, 0, 400, 3, -1, 49 + 99, 372 },
		{ { T, F }, 2, 0, 400, 2, -1, 49, 386 },
		{ { T }, 1, 1, 400, 1, -1, 0, 400 },
		{ { T, T, T, T }, 4, 5, 400, 5, 0, 49 + 99 + 199 + 399, 358 },
		{ { M }, 1, 1, 400, 2, 0, 0, 401 },
		{ { M, T, M, T }, 4, 0, 400, 5, 0, 49 + 99, 386 },
		{ { M, M, M }, 3, 1, 400, 3, -1, 0, 400 },
		{ { T }, 1, 0, 13, 1, -1, 0, 13 },
		{ { T }, 1, 0, 14, 2, 0, 49, 14 },
		{ { S }, 1, 0, 13, 2, 0, 999, 13 },
		{ { S }, 1, 0, 4, 1, -1, 0, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct retry_policy policy = { cases[i].max_attempts, retry_quota_new() };
		struct script script = { cases[i].v, cases[i].n, 0 };
		struct machine m;
		auto_err err = { 0 };

		machine_init(&m, 0);
		assert_true(retry_quota_take(policy.quota, 500 - cases[i].quota));
		assert_int_equal(retry_run(&m.sys, NULL, "call", &policy, follow_script, &script, &err),
				 cases[i].result);
		assert_int_equal(script.n_attempts, cases[i].n_attempts);
		assert_int_equal(m.slept_ms, cases[i].slept_ms);
		assert_int_equal(retry_quota_left(policy.quota), cases[i].left);
		retry_quota_free(policy.quota);
	}
}

static void keep_text(void *ctx, const struct report_event *event)
{
	str_addf(ctx, "%s\n", event->text);
}

static void test_words(void **state)
{
	static const struct retry_verdict verdicts[] = { M, S };
	struct retry_policy policy = { 0, NULL };
	struct script script = { verdicts, ARRAY_LEN(verdicts), 0 };
	auto_str words = { 0 };
	struct report report = { keep_text, &words };
	struct machine m;
	auto_err err = { 0 };

	(void)state;
	machine_init(&m, 0);
	assert_int_equal(retry_run(&m.sys, &report, "PutObject", &policy, follow_script, &script, &err), 0);
	assert_string_equal(words.s, "PutObject: failure 1; mended, once more\n"
				     "PutObject: failure 2; next try in 1.0 s (3 of 4)\n");

	/* What names itself is not named twice. */
	str_release(&words);
	script.n_attempts = 0;
	machine_init(&m, 0);
	assert_int_equal(retry_run(&m.sys, &report, "failure", &policy, follow_script, &script, &err), 0);
	assert_string_equal(words.s, "failure 1; mended, once more\n"
				     "failure 2; next try in 1.0 s (3 of 4)\n");
}

/* Chi-squared over 100 classes: 135.8 is exceeded by chance once in a hundred, and this seed is always the same. */
static void test_jitter(void **state)
{
	static const struct retry_verdict once[] = { S };
	int counts[100] = { 0 };
	double chi2 = 0;
	struct machine m;

	(void)state;
	machine_init(&m, 20231123);
	for (int i = 0; i < 10000; i++) {
		struct retry_policy policy = { 0, NULL };
		struct script script = { once, 1, 0 };
		auto_err err = { 0 };

		m.slept_ms = 0;
		assert_int_equal(retry_run(&m.sys, NULL, "call", &policy, follow_script, &script, &err), 0);
		assert_in_range(m.slept_ms, 0, 999);
		counts[m.slept_ms / 10]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		chi2 += (counts[i] - 100.0) * (counts[i] - 100.0) / 100;
	assert_true(chi2 > 50 && chi2 < 135.8);
}

static void test_verdicts(void **state)
{
	static const struct {
		int status;
		const char *code, *hint;
		enum retry_class retry_class;
		int64_t hint_ms;
	} cases[] = {
		{ 400, "Throttling", NULL, RETRY_THROTTLED, 0 },
		{ 400, "ThrottlingException", NULL, RETRY_THROTTLED, 0 },
		{ 400, "ThrottledException", NULL, RETRY_THROTTLED, 0 },
		{ 400, "RequestThrottledException", NULL, RETRY_THROTTLED, 0 },
		{ 400, "TooManyRequestsException", NULL, RETRY_THROTTLED, 0 },
		{ 400, "ProvisionedThroughputExceededException", NULL, RETRY_THROTTLED, 0 },
		{ 400, "TransactionInProgressException", NULL, RETRY_THROTTLED, 0 },
		{ 503, "RequestLimitExceeded", NULL, RETRY_THROTTLED, 0 },
		{ 400, "BandwidthLimitExceeded", NULL, RETRY_THROTTLED, 0 },
		{ 400, "LimitExceededException", NULL, RETRY_THROTTLED, 0 },
		{ 400, "RequestThrottled", NULL, RETRY_THROTTLED, 0 },
		{ 503, "SlowDown", "250", RETRY_THROTTLED, 250 },
		{ 400, "PriorRequestNotComplete", NULL, RETRY_THROTTLED, 0 },
		{ 400, "EC2ThrottledException", NULL, RETRY_THROTTLED, 0 },
		{ 429, NULL, "1", RETRY_THROTTLED, 1 },
		{ 500, NULL, "-1", RETRY_TRANSIENT, 0 },
		{ 500, "InternalError", "1.5", RETRY_TRANSIENT, 0 },
		{ 502, NULL, "soon", RETRY_TRANSIENT, 0 },
		{ 503, "ServiceUnavailable", "", RETRY_TRANSIENT, 0 },
		{ 504, NULL, "99999999999999999999999", RETRY_TRANSIENT, 0 },
		{ 400, "RequestTimeout", NULL, RETRY_TRANSIENT, 0 },
		{ 400, "RequestTimeoutException", NULL, RETRY_TRANSIENT, 0 },
		{ 400, "IDPCommunicationError", NULL, RETRY_TRANSIENT, 0 },
		{ 501, NULL, NULL, RETRY_NO, 0 },
		{ 400, "ValidationException", "100", RETRY_NO, 100 },
		{ 400, "ResourceLimitExceeded", NULL, RETRY_NO, 0 },
		{ 403, "AccessDenied", NULL, RETRY_NO, 0 },
		{ 307, NULL, NULL, RETRY_NO, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_response resp = { .status = cases[i].status };
		auto_err err = { 0 };
		struct retry_verdict v;

		if (cases[i].hint)
			http_headers_add(&resp.headers, "x-amz-retry-after", cases[i].hint);
		if (cases[i].code)
			err_service(&err, cases[i].code);
		v = aws_retry_verdict(&resp, &err);
		assert_int_equal(v.retry_class, cases[i].retry_class);
		assert_int_equal(v.hint_ms, cases[i].hint_ms);
	}
}

/* Last: the process stays cancelled. Nothing is sent after ^C. */
static void test_cancelled(void **state)
{
	static const struct retry_verdict verdicts[] = { { RETRY_TRANSIENT, 0, NULL }, { RETRY_TRANSIENT, 0, NULL } };
	struct script s = { verdicts, ARRAY_LEN(verdicts), 0 };
	struct machine m;
	auto_err err = { 0 };

	(void)state;
	machine_init(&m, 1);
	m.cancels = true;
	assert_int_equal(retry_run(&m.sys, NULL, "call", &(struct retry_policy){ 0 }, follow_script, &s, &err), -1);
	assert_int_equal(s.n_attempts, 1);
	assert_int_equal(err.code, ERR_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff),         cmocka_unit_test(test_hint),
		cmocka_unit_test(test_quota),           cmocka_unit_test(test_runs),
		cmocka_unit_test(test_quota_is_shared), cmocka_unit_test(test_words),
		cmocka_unit_test(test_jitter),          cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_cancelled),
	};

	return cmocka_run_group_tests_name("base/retry", tests, NULL, NULL);
}
