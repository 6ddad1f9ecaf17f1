#include "local/runner_watch.h"

#include <errno.h>
#include <string.h>

#include "base/http.h"
#include "ecr/engine_container.h"
#include "local/lock.h"

#define RETRY_S          5
#define SHUTDOWN_GRACE_S 5
#define PEER_GRACE_S     10 /* a host that has lost a peer has nothing to save */

static struct timespec seconds_from_now(int64_t seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += seconds;
	return t;
}

void watch_group_init(struct watch_group *g, struct cloud *cloud, struct job *job, int64_t max_runtime_s)
{
	*g = (struct watch_group){ .cloud = cloud, .job = job, .deadline = seconds_from_now(max_runtime_s) };
}

/* Under the lock; the first reason stays. */
static void note(struct watch_group *g, enum watch_reason reason)
{
	if (g->reason != WATCH_NOTHING)
		return;
	g->reason = reason;
	pthread_cond_broadcast(&g->job->changed);
}

void watch_group_fail(struct watch_group *g, size_t host)
{
	auto_unlock pthread_mutex_t *held = lock_take(&g->job->lock);

	if (g->reason != WATCH_NOTHING || g->job->stop_requested)
		return;
	g->failed_host = host;
	note(g, WATCH_HOST_FAILED);
}

enum watch_reason watch_group_reason(struct watch_group *g)
{
	auto_unlock pthread_mutex_t *held = lock_take(&g->job->lock);

	return g->reason == WATCH_NOTHING && g->job->stop_requested ? WATCH_STOPPED : g->reason;
}

/* Why this host's container is to end; WATCH_NOTHING when it did. *ret_is_late: this watch was the first to see it. */
static enum watch_reason wait_for_reason(struct watch *w, bool *ret_is_late)
{
	struct watch_group *g = w->group;
	struct job *j = g->job;
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	while (!w->is_over) {
		if (j->is_shutdown)
			note(g, WATCH_SHUTDOWN);
		else if (j->stop_requested)
			note(g, WATCH_STOPPED);
		if (j->is_shutdown)
			return WATCH_SHUTDOWN;
		if (g->reason != WATCH_NOTHING)
			return g->reason;
		if (pthread_cond_timedwait(&j->changed, &j->lock, &g->deadline) == ETIMEDOUT && !w->is_over &&
		    g->reason == WATCH_NOTHING && !j->stop_requested) {
			*ret_is_late = true;
			note(g, WATCH_MAX_RUNTIME);
		}
	}
	return WATCH_NOTHING;
}

/* Whether the container is over within some seconds. */
static bool wait_over(struct watch *w, int seconds)
{
	struct job *j = w->group->job;
	struct timespec deadline = seconds_from_now(seconds);
	auto_unlock pthread_mutex_t *held = lock_take(&j->lock);

	while (!w->is_over)
		if (pthread_cond_timedwait(&j->changed, &j->lock, &deadline) == ETIMEDOUT)
			break;
	return w->is_over;
}

static int stop_container(const struct watch *w, int grace_s, struct err *err)
{
	auto_http *http = http_curl_new();
	auto_engine engine = { 0 };

	if (engine_connect(http, w->group->cloud->docker_host, &engine, err) < 0)
		return -1;
	return container_stop(&engine, w->container_id, grace_s, err);
}

static int grace_s(enum watch_reason reason)
{
	if (reason == WATCH_SHUTDOWN)
		return SHUTDOWN_GRACE_S;
	return reason == WATCH_HOST_FAILED ? PEER_GRACE_S : RUNNER_GRACE_S;
}

static void *watch_main(void *ctx)
{
	struct watch *w = ctx;
	bool is_late = false;
	enum watch_reason reason = wait_for_reason(w, &is_late);

	if (is_late)
		job_transition(w->group->job, "Stopping", "Stopping",
			       "Training job runtime exceeded MaxRuntimeInSeconds provided", NULL);
	if (reason == WATCH_NOTHING)
		return NULL;
	/* An Engine that does not answer may come back; the one who follows the container notices if it does not. */
	for (;;) {
		auto_err ignored = { 0 };

		if (stop_container(w, grace_s(reason), &ignored) == 0)
			break;
		if (wait_over(w, RETRY_S))
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
	struct job *j = w->group->job;
	pthread_mutex_t *held = lock_take(&j->lock);

	w->is_over = true;
	pthread_cond_broadcast(&j->changed);
	lock_drop(&held);
	pthread_join(w->thread, NULL);
}
