/* s3/pump.h and s3/pace.h: a service that asks to slow down for a while, by a clock of its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "s3/pump.h"
#include "tests/unit/fake_http.h"

#define N_CALLS  5000
#define ROUND_MS 10

enum phase { CALM, STORM, NARROW, CALM_AGAIN, N_PHASES };

static const struct {
	int64_t until_ms;
	int capacity; /* requests at a time that are not refused */
} phases[N_PHASES] = {
	[CALM] = { 200, 64 },
	[STORM] = { 5000, 0 },
	[NARROW] = { 10000, 4 },
	[CALM_AGAIN] = { INT64_MAX, 64 },
};

struct service {
	struct http http; /* first */
	struct sys sys;
	struct aws_identity id;
	struct aws aws;
	struct s3 s3;
	int64_t now_ms;
	uint32_t random;
	struct http_exchange *waiting[64];
	int n_waiting;
	int most[N_PHASES]; /* that were under way at a time; of a phase's second half */
	int refused;
};

static enum phase phase_at(int64_t now_ms)
{
	int i = 0;

	while (now_ms >= phases[i].until_ms)
		i++;
	return (enum phase)i;
}

static bool is_settled(int64_t now_ms)
{
	int i = phase_at(now_ms);

	return i == CALM_AGAIN || now_ms >= (phases[i].until_ms + (i ? phases[i - 1].until_ms : 0)) / 2;
}

static void on_submit(struct http *http, struct http_exchange *x)
{
	struct service *s = (struct service *)http;

	assert_true(s->n_waiting < (int)ARRAY_LEN(s->waiting));
	s->waiting[s->n_waiting++] = x;
}

static void answer(struct service *s, struct http_exchange *x, bool is_served)
{
	x->resp->status = is_served ? 200 : 503;
	if (!is_served)
		str_add(&x->resp->body, "<Error><Code>SlowDown</Code><Message>m</Message></Error>");
	x->result = 0;
	s->refused += !is_served;
	x->done(x);
}

/* A round: all that is under way is answered. */
static int on_perform(struct http *http, int64_t timeout_ms, struct err *err)
{
	struct service *s = (struct service *)http;
	enum phase phase = phase_at(s->now_ms);
	int n = s->n_waiting;

	(void)err;
	if (n > s->most[phase] && is_settled(s->now_ms))
		s->most[phase] = n;
	s->n_waiting = 0;
	for (int i = 0; i < n; i++)
		answer(s, s->waiting[i], i < phases[phase].capacity);
	s->now_ms += n ? ROUND_MS : timeout_ms;
	return 0;
}

static int64_t clock_ms(const struct sys *sys)
{
	return ((struct service *)sys->ctx)->now_ms;
}

static void sleep_ms(const struct sys *sys, int64_t ms)
{
	((struct service *)sys->ctx)->now_ms += ms;
}

static void draw(const struct sys *sys, void *p, size_t n)
{
	struct service *s = sys->ctx;
	unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++) {
		s->random = s->random * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(s->random >> 24);
	}
}

static void set_up_service(struct service *s)
{
	static const struct http_ops ops = { .submit = on_submit, .perform = on_perform };

	s->http.ops = &ops;
	fake_identity(&s->id);
	s->sys = (struct sys){ clock_ms, clock_ms, sleep_ms, draw, s };
	s->id.sys = &s->sys;
	s->aws = (struct aws){ &s->id, &s->http };
	s->s3 = (struct s3){ .aws = &s->aws, .bucket_owner = "123456789012" };
}

static void count_done(struct s3_call *c, int result)
{
	if (result < 0)
		fail_msg("%s", c->err.msg);
	++*(int *)c->ctx;
}

static void start(struct s3_pump *pump, struct s3_call *c, int *n_done)
{
	c->req = (struct s3_request){ .operation = "PutObject", .bucket = "bucket", .key = "k" };
	c->req.aws.method = "PUT";
	c->req.aws.is_idempotent = true;
	c->req.aws.is_patient = true;
	c->done = count_done;
	c->ctx = n_done;
	s3_pump_start(pump, c);
}

/* However long everything is refused, no call is lost; the pace falls to what is borne and comes back. */
static void test_storm(void **state)
{
	auto_free struct s3_call *calls = xcalloc(N_CALLS, sizeof(*calls));
	struct service s = { 0 };
	struct s3_pump *pump;
	auto_err err = { 0 };
	int n_done = 0, limit_in_storm = 0;

	(void)state;
	set_up_service(&s);
	pump = s3_pump_new(&s.s3, 0);
	for (int i = 0; i < N_CALLS; i++)
		start(pump, &calls[i], &n_done);
	while (s3_pump_pending(pump)) {
		assert_int_equal(s3_pump_turn(pump, 1000, &err), 0);
		if (phase_at(s.now_ms) == STORM)
			limit_in_storm = s3_pump_limit(pump);
	}
	assert_int_equal(n_done, N_CALLS);
	assert_int_equal(s.most[CALM], S3_MAX_IN_FLIGHT);
	assert_true(s.refused >= 100);
	assert_int_equal(limit_in_storm, 1);
	assert_true(s.most[NARROW] >= 4 && s.most[NARROW] <= 6);
	assert_int_equal(s.most[CALM_AGAIN], S3_MAX_IN_FLIGHT);
	for (int i = 0; i < N_CALLS; i++)
		s3_call_release(&calls[i]);
	s3_pump_free(pump);
	aws_identity_release(&s.id);
}

/* Whoever has other work comes to it: a turn takes no longer than it was given, whatever a retry waits for. */
static void test_turn_has_an_end(void **state)
{
	struct service s = { .now_ms = phases[CALM].until_ms };
	struct s3_call call = { 0 };
	struct s3_pump *pump;
	auto_err err = { 0 };
	int n_done = 0;

	(void)state;
	set_up_service(&s);
	pump = s3_pump_new(&s.s3, 0);
	start(pump, &call, &n_done);
	while (s3_pump_pending(pump)) {
		int64_t before_ms = s.now_ms;

		assert_int_equal(s3_pump_turn(pump, ROUND_MS, &err), 0);
		assert_true(s.now_ms - before_ms <= ROUND_MS);
	}
	assert_true(n_done == 1 && s.refused > 1);
	s3_call_release(&call);
	s3_pump_free(pump);
	aws_identity_release(&s.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_storm), cmocka_unit_test(test_turn_has_an_end) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
