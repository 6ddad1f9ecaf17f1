#ifndef SMPIPE_PIPELINE_RELEASE_H
#define SMPIPE_PIPELINE_RELEASE_H

/* A whole release, of a training or a tuning job: the stages side by side, the launch, the record, the following.
 * Design, section 3. */

#include "pipeline/record.h"
#include "pipeline/stages.h"
#include "pipeline/watch_tuning.h"

struct release_options {
	bool waits; /* follow the job to its end */
	bool shows_logs;
	int64_t wait_timeout_ms; /* 0 = none */
	struct launch_options launch;
	struct watch_tuning_options tuning; /* how a tuning job is shown; waits and the timeout are as above */
};

struct release_outcome {
	struct image_result image;
	struct stage_result source, data;
	struct launch_result launch;
	struct record record;
	json_t *job;                  /* last description, when it was waited for */
	struct watched_tuning tuning; /* … of a tuning job */
};

#define auto_release_outcome __attribute__((cleanup(release_outcome_release))) struct release_outcome
void release_outcome_release(struct release_outcome *o);

/*
 * Run it. The lock of the work tree is held until the job is launched and recorded, not while it is followed.
 * ERR_JOB_FAILED, ERR_STOPPED, ERR_TIMEOUT: the job's end or the end of waiting; *ret is filled all the same.
 */
int release_run(const struct session *s, struct project *p, const struct plan *plan, const json_t *bases,
		const struct release_options *options, struct release_outcome *ret, struct err *err);

#endif
