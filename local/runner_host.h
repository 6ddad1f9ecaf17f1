#ifndef SMPIPE_LOCAL_RUNNER_HOST_H
#define SMPIPE_LOCAL_RUNNER_HOST_H

/* One host of a training job: its folders, its container, its log stream, and the thread that follows it. */

#include "aws/metrics.h"
#include "ecr/engine.h"
#include "local/runner_watch.h"

/* What the hosts of a job share. */
struct host_group {
	struct cloud *cloud;
	struct job *job;
	const json_t *request;
	char *arn, *checkpoints;
	size_t n;
	char *network; /* "bridge", "none" or the job's own */
	bool is_private;
	struct watch_group watch;
	pthread_mutex_t metrics_lock; /* of both */
	struct metrics *metrics;
	int metrics_fd; /* metrics.jsonl */
};

struct host {
	struct host_group *group;
	size_t index; /* from 0 */
	char *name, *ml, *stream, *container_id;
	pthread_t thread;
	bool is_followed; /* there is a thread */
	int exit_code;
	struct err err; /* of following it */
};

void host_init(struct host *h, struct host_group *group, size_t index);
void host_release(struct host *h);

/* The tree below /opt/ml, inputs and all. */
int host_prepare(struct host *h, struct err *err);
/* Service codes: "ClientError", "AlgorithmError". */
int host_create(struct host *h, struct engine *e, struct err *err);
int host_start(struct host *h, struct engine *e, struct err *err);

/* Follow it in a thread of its own, which tells the group when the host fails; until host_join returns. */
int host_follow(struct host *h, struct err *err);
void host_join(struct host *h);

/* A line of the platform's own in the log of the host. */
int host_log(struct host *h, const char *text, struct err *err);

#endif
