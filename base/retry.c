#include "base/retry.h"

#include "base/mem.h"
#include "base/str.h"

#define MAX_DELAY_MS 20000
#define MAX_HINT_ABOVE_MS 5000

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

static double unit_random(const struct sys *sys)
{
	uint32_t v;

	sys->random(sys, &v, sizeof(v));
	return v / 4294967296.0;
}

int retry_run(const struct sys *sys, const struct report *report, const char *what, int max_attempts, retry_attempt_fn fn,
	      void *ctx, struct err *err)
{
	for (int attempt = 1;; attempt++) {
		struct retry_verdict verdict = { RETRY_NO, 0 };
		auto_err why = { 0 };
		auto_free char *wait = NULL;
		int64_t delay;

		if (fn(ctx, attempt, &verdict, &why) == 0)
			return 0;
		if (verdict.retry_class == RETRY_NO || attempt >= max_attempts || sys_is_cancelled()) {
			err_move(err, &why);
			return -1;
		}
		delay = retry_delay_ms(attempt - 1, &verdict, unit_random(sys));
		wait = str_duration_ms(delay);
		report_text(report, REPORT_NOTE, "retry", "%s: %s; next try in %s (%d of %d)", what, why.msg, wait, attempt + 1,
			    max_attempts);
		sys->sleep_ms(sys, delay);
		if (sys_check_cancelled(err) < 0)
			return -1;
	}
}
