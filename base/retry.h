#ifndef SMPIPE_BASE_RETRY_H
#define SMPIPE_BASE_RETRY_H

/*
 * The one retry loop: classify, decide, say what is waited for, again.
 *
 * Delays are those of the AWS SDKs' standard mode of 2026: rand(0,1) * min(base * 2^i, 20 s) before retry i, base 50 ms,
 * 1 s when throttled; a server's hint h moves the delay t to max(t, min(h, t + 5 s)).
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */

#include "base/err.h"
#include "base/report.h"
#include "base/sys.h"

#define RETRY_MAX_ATTEMPTS 3

enum retry_class {
	RETRY_NO,        /* final: success or an error that another try cannot mend */
	RETRY_TRANSIENT, /* connection lost, 500, 502, 503, 504 */
	RETRY_THROTTLED, /* the service asks to slow down */
};

/* What one attempt says about its own failure. */
struct retry_verdict {
	enum retry_class retry_class;
	int64_t hint_ms; /* from x-amz-retry-after or Retry-After; 0 = none */
};

/* Pure: the wait before retry i (0-based); unit_random in [0, 1). */
int64_t retry_delay_ms(int retry, const struct retry_verdict *verdict, double unit_random);

/* One attempt, numbered from 1: 0, or -1 with err and the verdict. */
typedef int (*retry_attempt_fn)(void *ctx, int attempt, struct retry_verdict *ret_verdict, struct err *err);

/* Run attempts until one succeeds, is final, max_attempts are used up or the process is cancelled. `what` is for the words. */
int retry_run(const struct sys *sys, const struct report *report, const char *what, int max_attempts, retry_attempt_fn fn,
	      void *ctx, struct err *err);

#endif
