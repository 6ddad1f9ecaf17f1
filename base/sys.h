#ifndef SMPIPE_BASE_SYS_H
#define SMPIPE_BASE_SYS_H

/* The machine behind a seam: clock, randomness, waiting and cancellation. Tests bring their own. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sys {
	/* Wall clock, milliseconds since 1970 (UTC). */
	int64_t (*now_ms)(const struct sys *sys);
	/* Monotonic clock, milliseconds. */
	int64_t (*ticks_ms)(const struct sys *sys);
	/* Wait; returns early when the process is cancelled. */
	void (*sleep_ms)(const struct sys *sys, int64_t ms);
	/* Fill with unpredictable bytes. */
	void (*random)(const struct sys *sys, void *p, size_t n);
	void *ctx;
};

/* The real machine. */
extern const struct sys sys_real;

/* Processors that this process may use; at least 1. */
unsigned sys_cpus(void);

/* ^C: set by the handler that sys_catch_signals installs for SIGINT and SIGTERM; a second signal ends the process at
 * once. */
void sys_catch_signals(void);
void sys_cancel(void);
bool sys_is_cancelled(void);

/* ERR_CANCELLED when the process is cancelled, else 0. */
int sys_check_cancelled(struct err *err);

#endif
