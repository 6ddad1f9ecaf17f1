#ifndef SMPIPE_LOCAL_RUNNER_WATCH_H
#define SMPIPE_LOCAL_RUNNER_WATCH_H

/*
 * A thread beside each one that follows a container: it ends the container when the job is stopped, when its time is
 * over, or when another host has failed.
 */

#include "local/cloud.h"
#include "local/job.h"

#define RUNNER_GRACE_S 120 /* between SIGTERM and SIGKILL, as the service has it */

enum watch_reason {
	WATCH_NOTHING, /* the containers ended by themselves */
	WATCH_STOPPED,
	WATCH_MAX_RUNTIME,
	WATCH_SHUTDOWN,
	WATCH_HOST_FAILED,
};

/* What the watches of a job's hosts share. */
struct watch_group {
	struct cloud *cloud;
	struct job *job;
	struct timespec deadline; /* CLOCK_MONOTONIC */
	/* Under the lock of the job: what came first, and for WATCH_HOST_FAILED the host that did. */
	enum watch_reason reason;
	size_t failed_host;
};

void watch_group_init(struct watch_group *g, struct cloud *cloud, struct job *job, int64_t max_runtime_s);
/* A host has failed, unless the job is ending already: the other hosts are told to end. */
void watch_group_fail(struct watch_group *g, size_t host);
/* Once no host runs any more. A stop that came in the last moment counts. */
enum watch_reason watch_group_reason(struct watch_group *g);

struct watch {
	struct watch_group *group;
	const char *container_id;
	pthread_t thread;
	bool is_over; /* under the lock of the job */
};

int watch_begin(struct watch *w, struct err *err);
/* The container has ended, or is given up: end the thread. */
void watch_end(struct watch *w);

#endif
