#ifndef SMPIPE_PIPELINE_RECORD_OUTCOME_H
#define SMPIPE_PIPELINE_RECORD_OUTCOME_H

/* What the end of a job adds to its record: record_complete() asks for it. */

#include "pipeline/record.h"

/*
 * Add the outcome of a described job that has ended to r->statement: status, reason, metrics, seconds, and the model
 * with its SHA-256, for which it is read once. Of a tuning job every training job with its tuned values and objective
 * (LEADERBOARD_MAX_CHILDREN at most), and the model of the best one.
 */
int record_add_outcome(const struct session *s, struct record *r, const json_t *job, struct err *err);

#endif
