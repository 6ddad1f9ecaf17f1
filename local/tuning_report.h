#ifndef SMPIPE_LOCAL_TUNING_REPORT_H
#define SMPIPE_LOCAL_TUNING_REPORT_H

/* What a tuning job's state and its training jobs make up together: the answers of the API. */

#include "local/tuning.h"

/*
 * The answer of DescribeHyperParameterTuningJob; new. The best training job is one that Completed or was Stopped; jobs
 * of several definitions are compared where the Type of their objectives is that of the first definition.
 */
json_t *tuning_describe(struct tuning *t);
/* A summary of ListHyperParameterTuningJobs; new. */
json_t *tuning_summary(struct tuning *t);
/* The summaries of ListTrainingJobsForHyperParameterTuningJob; a new array. */
json_t *tuning_child_summaries(struct tuning *t);

/*
 * The final value of a metric of a training job that has ended by itself or was stopped: its ObjectiveStatus is
 * Succeeded. job: its description.
 */
bool tuning_report_objective(const json_t *job, const char *metric, double *ret);

#endif
