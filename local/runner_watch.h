#ifndef SMPIPE_LOCAL_RUNNER_WATCH_H
#define SMPIPE_LOCAL_RUNNER_WATCH_H

/* A thread beside the one that follows a container: it ends the container when the job is stopped or its time is over.
 */

#include "local/cloud.h"
#include "local/job.h"

#define RUNNER_GRACE_S 120 /* between SIGTERM and SIGKILL, as the service has it */

enum watch_reason {
	WATCH_NOTHING, /* the container ended by itself */
	WATCH_STOPPED,
	WATCH_MAX_RUNTIME,
	WATCH_SHUTDOWN,
};

struct watch {
	struct cloud *cloud;
	struct job *job;
	const char *container_id;
	int64_t max_runtime_s;
	pthread_t thread;
	enum watch_reason reason; /* valid once watch_end has returned */
};

int watch_begin(struct watch *w, struct err *err);
/* The container has ended, or is given up: end the thread. */
void watch_end(struct watch *w);

#endif
