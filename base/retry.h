#ifndef SMPIPE_BASE_RETRY_H
#define SMPIPE_BASE_RETRY_H

/*
 * The one retry loop: classify, decide, say what is waited for, again.
 *
 * Delays and quota are those of the AWS SDKs' standard mode of 2026: rand(0,1) * min(base * 2^i, 20 s) before retry i,
 * base 50 ms, 1 s when throttled; a server's hint h moves the delay t to max(t, min(h, t + 5 s)). A retry takes tokens
 * from the quota; when too many calls fail at once it is empty, and failures are final until successes fill it again.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */

#include "base/err.h"
#include "base/report.h"
#include "base/sys.h"

#define RETRY_MAX_ATTEMPTS 3 /* unless the user says otherwise */

/* Tokens of the quota, and what a retry takes. */
#define RETRY_QUOTA_TOKENS   500
#define RETRY_COST           14
#define RETRY_COST_THROTTLED 5

enum retry_class {
	RETRY_NO,        /* final: success or an error that another try cannot mend */
	RETRY_TRANSIENT, /* connection lost, 500, 502, 503, 504 */
	RETRY_THROTTLED, /* the service asks to slow down */
	RETRY_MENDED,    /* the cause is mended: once more at once, beside max_attempts and quota */
};

/* What one attempt says about its own failure. */
struct retry_verdict {
	enum retry_class retry_class;
	int64_t hint_ms;    /* from x-amz-retry-after; 0 = none */
	const char *remedy; /* RETRY_MENDED: what was done, in words */
};

/* Pure: the wait before retry i (0-based); unit_random in [0, 1). */
int64_t retry_delay_ms(int retry, const struct retry_verdict *verdict, double unit_random);

/* Shared by threads. NULL stands for a quota without end. */
struct retry_quota;

struct retry_quota *retry_quota_new(void);
/* Take n tokens, all or none. */
bool retry_quota_take(struct retry_quota *q, int n);
/* Put n tokens back, up to RETRY_QUOTA_TOKENS. */
void retry_quota_give(struct retry_quota *q, int n);
int retry_quota_left(struct retry_quota *q);
void retry_quota_free(struct retry_quota *q);

struct retry_policy {
	int max_attempts;          /* the first included; 0 = RETRY_MAX_ATTEMPTS */
	struct retry_quota *quota; /* borrowed; may be NULL */
};

/* One call over its attempts, for those who wait in their own way; retry_run is these in a loop. */
struct retry {
	const struct sys *sys;
	const struct report *report;
	const char *what; /* borrowed, for the words */
	struct retry_quota *quota;
	int attempt, max_attempts; /* those that were mended make room for one more */
	int n_waits;               /* the exponent of the next one */
	int n_mended;
	int taken; /* of the quota, by the last retry */
};

/* The first attempt begins. report may be NULL. */
void retry_begin(struct retry *r, const struct sys *sys, const struct report *report, const char *what,
		 const struct retry_policy *policy);
/*
 * An attempt failed because of why. true: there is another, to be begun after *ret_delay_ms; that is reported. false:
 * why is final.
 */
bool retry_again(struct retry *r, const struct retry_verdict *verdict, struct err *why, int64_t *ret_delay_ms);
/* The attempt succeeded. */
void retry_succeeded(struct retry *r);

/* One attempt, numbered from 1: 0, or -1 with err and the verdict. */
typedef int (*retry_attempt_fn)(void *ctx, int attempt, struct retry_verdict *ret_verdict, struct err *err);

/*
 * Run attempts until one succeeds, is final, the policy's attempts or quota are used up or the process is cancelled.
 * Each wait is reported with its reason. `what` is for the words.
 */
int retry_run(const struct sys *sys, const struct report *report, const char *what, const struct retry_policy *policy,
	      retry_attempt_fn fn, void *ctx, struct err *err);

#endif
