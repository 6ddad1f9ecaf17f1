#include "base/sys.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Set by the handler, read by every thread. */
static _Atomic sig_atomic_t cancelled;

static int64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t real_now_ms(const struct sys *sys)
{
	(void)sys;
	return clock_ms(CLOCK_REALTIME);
}

static int64_t real_ticks_ms(const struct sys *sys)
{
	(void)sys;
	return clock_ms(CLOCK_MONOTONIC);
}

static void real_sleep_ms(const struct sys *sys, int64_t ms)
{
	int64_t end = real_ticks_ms(sys) + ms;

	/* In slices: a signal may arrive in another thread than this one. */
	while (!cancelled && (ms = end - real_ticks_ms(sys)) > 0) {
		struct timespec t = { 0, (ms < 100 ? ms : 100) * 1000000 };

		nanosleep(&t, NULL);
	}
}

static void real_random(const struct sys *sys, void *p, size_t n)
{
	(void)sys;
	for (unsigned char *b = p; n;) {
		ssize_t got = getrandom(b, n, 0);

		if (got <= 0)
			abort();
		b += got;
		n -= (size_t)got;
	}
}

const struct sys sys_real = {
	.now_ms = real_now_ms,
	.ticks_ms = real_ticks_ms,
	.sleep_ms = real_sleep_ms,
	.random = real_random,
};

static void on_signal(int number)
{
	if (cancelled)
		_exit(128 + number);
	cancelled = 1;
}

void sys_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void sys_cancel(void)
{
	cancelled = 1;
}

bool sys_is_cancelled(void)
{
	return cancelled;
}

int sys_check_cancelled(struct err *err)
{
	return cancelled ? err_set(err, ERR_CANCELLED, "cancelled") : 0;
}

unsigned sys_cpus(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : (unsigned)n;
}
