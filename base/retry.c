#include "base/retry.h"

#include <pthread.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_DELAY_MS      20000
#define MAX_HINT_ABOVE_MS 5000
/* More cannot be mended in one call: its clock, its credentials. */
#define MAX_MENDED 2

int64_t retry_delay_ms(int retry, const struct retry_verdict *verdict, double unit_random)
{
	double limit = verdict->retry_class == RETRY_THROTTLED ? 1000 : 50;
	int64_t delay, hint = verdict->hint_ms;

	while (retry-- > 0 && limit < MAX_DELAY_MS)
		limit *= 2;
	delay = (int64_t)(unit_random * (limit < MAX_DELAY_MS ? limit : MAX_DELAY_MS));
	if (hint > delay + MAX_HINT_ABOVE_MS)
		hint = delay + MAX_HINT_ABOVE_MS;
	return hint > delay ? hint : delay;
}

struct retry_quota {
	pthread_mutex_t mutex;
	int left;
};

struct retry_quota *retry_quota_new(void)
{
	struct retry_quota *q = xcalloc(1, sizeof(*q));

	pthread_mutex_init(&q->mutex, NULL);
	q->left = RETRY_QUOTA_TOKENS;
	return q;
}

bool retry_quota_take(struct retry_quota *q, int n)
{
	bool is_enough;

	if (!q)
		return true;
	pthread_mutex_lock(&q->mutex);
	is_enough = q->left >= n;
	if (is_enough)
		q->left -= n;
	pthread_mutex_unlock(&q->mutex);
	return is_enough;
}

void retry_quota_give(struct retry_quota *q, int n)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->mutex);
	q->left = q->left + n < RETRY_QUOTA_TOKENS ? q->left + n : RETRY_QUOTA_TOKENS;
	pthread_mutex_unlock(&q->mutex);
}

int retry_quota_left(struct retry_quota *q)
{
	int left;

	if (!q)
		return RETRY_QUOTA_TOKENS;
	pthread_mutex_lock(&q->mutex);
	left = q->left;
	pthread_mutex_unlock(&q->mutex);
	return left;
}

void retry_quota_free(struct retry_quota *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->mutex);
	free(q);
}

static double unit_random(const struct sys *sys)
{
	uint32_t v;

	sys->random(sys, &v, sizeof(v));
	return v / 4294967296.0;
}

void retry_begin(struct retry *r, const struct sys *sys, const struct report *report, const char *what,
		 const struct retry_policy *policy)
{
	*r = (struct retry){
		.sys = sys,
		.report = report,
		.what = what,
		.quota = policy->quota,
		.attempt = 1,
		.max_attempts = policy->max_attempts ? policy->max_attempts : RETRY_MAX_ATTEMPTS,
	};
}

/* Errors of calls name the call already. */
static void tell(const struct retry *r, const struct err *why, const char *next)
{
	bool is_named = str_starts(why->msg, r->what);

	report_text(r->report, REPORT_NOTE, "retry", "%s%s%s; %s", is_named ? "" : r->what, is_named ? "" : ": ",
		    why->msg, next);
}

static bool try_mended(struct retry *r, const struct retry_verdict *v, const struct err *why)
{
	auto_free char *next = NULL;

	if (v->retry_class != RETRY_MENDED || r->n_mended >= MAX_MENDED)
		return false;
	r->n_mended++;
	r->max_attempts++;
	r->attempt++;
	next = xasprintf("%s, once more", v->remedy);
	tell(r, why, next);
	return true;
}

bool retry_again(struct retry *r, const struct retry_verdict *v, struct err *why, int64_t *ret_delay_ms)
{
	int cost = v->retry_class == RETRY_THROTTLED ? RETRY_COST_THROTTLED : RETRY_COST;
	auto_free char *wait = NULL, *next = NULL;

	*ret_delay_ms = 0;
	if (v->retry_class == RETRY_NO || sys_is_cancelled())
		return false;
	if (try_mended(r, v, why))
		return true;
	if (r->attempt >= r->max_attempts)
		return false;
	if (!retry_quota_take(r->quota, cost)) {
		err_hint(why, "not tried again: too many calls failed one after the other");
		return false;
	}
	r->taken = cost;
	*ret_delay_ms = retry_delay_ms(r->n_waits++, v, unit_random(r->sys));
	wait = str_duration_ms(*ret_delay_ms);
	r->attempt++;
	next = xasprintf("next try in %s (%d of %d)", wait, r->attempt, r->max_attempts);
	tell(r, why, next);
	return true;
}

void retry_succeeded(struct retry *r)
{
	retry_quota_give(r->quota, r->taken ? r->taken : 1);
}

int retry_run(const struct sys *sys, const struct report *report, const char *what, const struct retry_policy *policy,
	      retry_attempt_fn fn, void *ctx, struct err *err)
{
	struct retry r;

	retry_begin(&r, sys, report, what, policy);
	for (;;) {
		struct retry_verdict verdict = { RETRY_NO, 0, NULL };
		auto_err why = { 0 };
		int64_t delay_ms;

		if (fn(ctx, r.attempt, &verdict, &why) == 0) {
			retry_succeeded(&r);
			return 0;
		}
		if (!retry_again(&r, &verdict, &why, &delay_ms)) {
			err_move(err, &why);
			return -1;
		}
		if (verdict.retry_class != RETRY_MENDED)
			sys->sleep_ms(sys, delay_ms);
		if (sys_check_cancelled(err) < 0)
			return -1;
	}
}
