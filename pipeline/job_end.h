#ifndef SMPIPE_PIPELINE_JOB_END_H
#define SMPIPE_PIPELINE_JOB_END_H

/* What an answer of DescribeTrainingJob means; class, reason and duration also of DescribeHyperParameterTuningJob.
 * Pure. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* ERR_NONE, ERR_JOB_FAILED, ERR_STOPPED; ERR_CAPACITY when the reason of the failure is a lack of capacity or quota. */
enum err_code job_end_class(const json_t *job);

/* Whether a FailureReason (may be NULL) speaks of a lack of capacity or quota. */
bool job_reason_is_capacity(const char *reason);

/* FailureReason, else the message or the name of the last secondary status; NULL when the service tells
 * none, as of most jobs that were stopped. Borrowed. */
const char *job_end_reason(const json_t *job);

/* Of a job that has not succeeded: "failed: <reason>", "was stopped". New string. */
char *job_end_words(const json_t *job);

/* Of ResourceConfig, instance groups added up; at least 1. */
int64_t job_instances(const json_t *job);

/* Of all instances (the service tells one's): seconds, or -1 when they are not known yet. */
int64_t job_billable_seconds(const json_t *job);
int64_t job_training_seconds(const json_t *job);

/* Percent of the training time that spot instances made free; 0 when they were not used. */
int job_spot_saving(const json_t *job);

/* From its creation to its end, "5 min 03 s"; NULL when one of them is not known. New string. */
char *job_duration(const json_t *job);

/* "5 min 03 s; billable 120 s × 2 instances = 240 s; spot saved 40 %"; NULL when nothing is known. New string. */
char *job_cost(const json_t *job);

/* A time member as 2023-11-23T01:38:54Z; NULL when absent. New string. */
char *job_time(const json_t *job, const char *member);

#endif
