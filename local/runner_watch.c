#include "local/runner_watch.h"

#include <errno.h>
#include <string.h>

#include "base/http.h"
#include "ecr/engine_container.h"
#include "local/lock.h"

#define RETRY_S          5
#define SHUTDOWN_GRACE_S 5

static struct timespec seconds_from_now(int64_t seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += seconds;
	return t;
}

static enum watch_reason wait_for_reason(struct watch *w)
{
	struct job *j = w->job;
	struct timespec deadline = seconds_from_now(w->max_runtime_s);
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	while (!j->is_over) {
		if (j->is_shutdown)
			return WATCH_SHUTDOWN;
		if (j->stop_requested)
			return WATCH_STOPPED;
		if (pthread_cond_timedwait(&j->changed, &j->lock, &deadline) == ETIMEDOUT && !j->is_over)
			return WATCH_MAX_RUNTIME;
	}
	return j->stop_requested ? WATCH_STOPPED : WATCH_NOTHING;
}

/* Whether the container is over within some seconds. */
static bool wait_over(struct job *j, int seconds)
{
	struct timespec deadline = seconds_from_now(seconds);
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	while (!j->is_over)
		if (pthread_cond_timedwait(&j->changed, &j->lock, &deadline) == ETIMEDOUT)
			break;
	return j->is_over;
}

static int stop_container(const struct watch *w, int grace_s, struct err *err)
{
	auto_http *http = http_curl_new();
	auto_engine engine = { 0 };

	if (engine_connect(http, w->cloud->docker_host, &engine, err) < 0)
		return -1;
	return container_stop(&engine, w->container_id, grace_s, err);
}

static void *watch_main(void *ctx)
{
	struct watch *w = ctx;

	w->reason = wait_for_reason(w);
	if (w->reason == WATCH_MAX_RUNTIME)
		job_transition(w->job, "Stopping", "Stopping",
			       "Training job runtime exceeded MaxRuntimeInSeconds provided", NULL);
	if (w->reason == WATCH_NOTHING)
		return NULL;
	/* An Engine that does not answer may come back; the one who follows the container notices if it does not. */
	for (;;) {
		auto_err ignored = { 0 };

		if (stop_container(w, w->reason == WATCH_SHUTDOWN ? SHUTDOWN_GRACE_S : RUNNER_GRACE_S, &ignored) == 0)
			break;
		if (wait_over(w->job, RETRY_S))
			break;
	}
	return NULL;
}

int watch_begin(struct watch *w, struct err *err)
{
	int r = pthread_create(&w->thread, NULL, watch_main, w);

	if (r != 0)
		return err_set(err, ERR_IO, "start a thread: %s", strerror(r));
	return 0;
}

void watch_end(struct watch *w)
{
	job_set_over(w->job);
	pthread_join(w->thread, NULL);
}
