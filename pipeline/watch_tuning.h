#ifndef SMPIPE_PIPELINE_WATCH_TUNING_H
#define SMPIPE_PIPELINE_WATCH_TUNING_H

/* Following a tuning job: its leaderboard, and each of its training jobs as it starts and ends. */

#include "pipeline/leaderboard.h"
#include "pipeline/session.h"

struct watch_tuning_options {
	bool follows;        /* until the job has ended; else what is there now */
	bool tells_children; /* report the start and end of each, with objective and tuned values, as steps of "tune" */
	int64_t timeout_ms;  /* of the waiting; 0 = none */
	void (*show)(void *ctx, const struct leaderboard *b); /* at each look; NULL: nobody watches */
	void *ctx;
};

/* What was last seen; a leaderboard is made of both. */
struct watched_tuning {
	json_t *job;      /* DescribeHyperParameterTuningJob's answer */
	json_t *children; /* summaries, LEADERBOARD_MAX_CHILDREN at most */
};

#define auto_watched_tuning __attribute__((cleanup(watched_tuning_release))) struct watched_tuning
void watched_tuning_release(struct watched_tuning *w);

/*
 * Follow a tuning job; ret (may be NULL) is what was last seen. Any end of the job is a success of watching. Networks
 * that are away, ERR_TIMEOUT, ERR_CANCELLED and ERR_NOT_FOUND as in watch_job().
 */
int watch_tuning(const struct session *s, const char *job_name, const struct watch_tuning_options *options,
		 struct watched_tuning *ret, struct err *err);

/* As watch_judge(); when its training jobs are the reason of a failure, the first of theirs is in the message. */
int watch_tuning_judge(const struct session *s, const struct watched_tuning *w, struct err *err);

#endif
