#ifndef SMPIPE_PIPELINE_WATCH_H
#define SMPIPE_PIPELINE_WATCH_H

/* Following a training job: statuses with their reasons, and the log lines of every host, none lost and none doubled.
 */

#include <jansson.h>
#include <stdbool.h>

#include "pipeline/session.h"

struct watch_options {
	bool shows_logs;
	bool shows_only_end; /* the job ended long ago: tell its end, not its course */
	bool follows;        /* until the job has ended; else what is there now */
	int64_t timeout_ms;  /* of the waiting; 0 = none */
	int64_t since_ms;    /* lines from then on; 0 = all */
	const char *host;    /* lines of this host only ("algo-2"); NULL = all */
};

/*
 * Report the job's progress as lines of stage "log" and steps of stage "watch" until it ends; its metrics, where its
 * log tells them, as progress of stage "metrics"; at the end what it took, and the last lines of the host that failed
 * unless they have just been shown. *ret_job (may be NULL) is the last description. Any end of the job is a success of
 * watching.
 *
 * A network or a service that is away while the job is followed is reported once, and asked again until it is back.
 * ERR_TIMEOUT, ERR_CANCELLED: the job goes on. ERR_NOT_FOUND: no such job, or no log of that host.
 */
int watch_job(const struct session *s, const char *job_name, const struct watch_options *options, json_t **ret_job,
	      struct err *err);

/*
 * Set err as the end of a job of either kind demands: nothing for Completed, ERR_JOB_FAILED, ERR_CAPACITY or
 * ERR_STOPPED with the reason. Nothing either while it runs.
 */
int watch_judge(const json_t *job, struct err *err);
/* What to do about a lack of capacity. Returns -1. */
int watch_hint_capacity(struct err *err);

#endif
