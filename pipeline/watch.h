#ifndef SMPIPE_PIPELINE_WATCH_H
#define SMPIPE_PIPELINE_WATCH_H

/* Following a training job: statuses with their reasons, and the log lines of every host, none lost and none doubled. */

#include <jansson.h>
#include <stdbool.h>

#include "pipeline/session.h"

struct watch_options {
	bool shows_logs;
	bool shows_only_end; /* the job ended long ago: tell its end, not its course */
	bool follows;      /* until the job has ended; else what is there now */
	int64_t timeout_ms; /* of the waiting; 0 = none */
};

/*
 * Report the job's progress as lines of stage "log" and notes of stage "watch" until it ends. *ret_job (may be NULL) is the last
 * description. Any end of the job is a success of watching. ERR_TIMEOUT, ERR_CANCELLED: the job goes on.
 */
int watch_job(const struct session *s, const char *job_name, const struct watch_options *options, json_t **ret_job,
	      struct err *err);

/* Set err as the end of a job demands: nothing for Completed, ERR_JOB_FAILED or ERR_STOPPED with the reason. */
int watch_judge(const json_t *job, struct err *err);

#endif
