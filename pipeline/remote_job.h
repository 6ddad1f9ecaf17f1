#ifndef SMPIPE_PIPELINE_REMOTE_JOB_H
#define SMPIPE_PIPELINE_REMOTE_JOB_H

/*
 * A job of either kind, as the service has it. What DescribeTrainingJob and DescribeHyperParameterTuningJob answer
 * tells by its members which of them it is.
 */

#include <stdbool.h>

#include "aws/call.h"
#include "pipeline/job_kind.h"

/* Of a description, a request or a list's summary. */
enum job_kind remote_job_kind(const json_t *job);

/* Borrowed; NULL when absent, which a description's never are. */
const char *remote_job_name(const json_t *job);
const char *remote_job_arn(const json_t *job);
const char *remote_job_status(const json_t *job);

/* Whether it has ended, however. */
bool remote_job_is_over(const json_t *job);

/* ERR_NOT_FOUND; *ret is a new reference. */
int remote_job_describe(struct aws *aws, enum job_kind kind, const char *name, json_t **ret, struct err *err);

/* The same, for whom absence is an answer: *ret stays as it is when there is no such job. */
int remote_job_look(struct aws *aws, enum job_kind kind, const char *name, json_t **ret, struct err *err);

/* Of whichever kind the job is: `first` is asked first. ERR_NOT_FOUND: neither has it. */
int remote_job_find(struct aws *aws, enum job_kind first, const char *name, json_t **ret, struct err *err);

/* As sagemaker_create_job(); the request says which kind. */
int remote_job_create(struct aws *aws, const json_t *request, char **ret_arn, struct err *err);

/* Ask the service to stop a described job. */
int remote_job_stop(struct aws *aws, const json_t *job, struct err *err);

#endif
