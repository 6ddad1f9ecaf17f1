#ifndef SMPIPE_AWS_SAGEMAKER_H
#define SMPIPE_AWS_SAGEMAKER_H

/* SageMaker's calls that a release needs. https://docs.aws.amazon.com/sagemaker/latest/APIReference/ */

#include <jansson.h>

#include "aws/call.h"

/* The service has training jobs and tuning jobs, with the same calls under other names. */
struct sagemaker_job_kind {
	const char *noun;                            /* "training job" */
	const char *create, *describe, *stop, *list; /* operations */
	const char *name, *arn, *status;             /* members */
	const char *summaries;                       /* the member of a list's answer */
};

extern const struct sagemaker_job_kind sagemaker_training, sagemaker_tuning;

/*
 * *ret_arn is new. ERR_CONFLICT with service code ResourceInUse when the name is taken; ERR_CAPACITY. The service knows
 * no client token: after ERR_NETWORK nobody knows whether the job exists, and the caller looks by its name.
 */
int sagemaker_create_job(struct aws *aws, const struct sagemaker_job_kind *kind, const json_t *request, char **ret_arn,
			 struct err *err);
/* The answer has a name, an ARN and a status. ERR_NOT_FOUND when there is no such job (whatever the service says). */
int sagemaker_describe_job(struct aws *aws, const struct sagemaker_job_kind *kind, const char *name,
			   json_t **ret_answer, struct err *err);
/* Ask the service to stop a job, and what it runs; one that has ended already is left as it is. */
int sagemaker_stop_job(struct aws *aws, const struct sagemaker_job_kind *kind, const char *name, struct err *err);
/* Summaries whose name contains `contains` (NULL = all), newest first. */
int sagemaker_list_jobs(struct aws *aws, const struct sagemaker_job_kind *kind, const char *contains, size_t max_items,
			json_t **ret_array, struct err *err);
/*
 * Summaries of the training jobs that a tuning job started, newest first; each has its tuned hyperparameters, and once
 * it is known its objective. ERR_NOT_FOUND when there is no such tuning job.
 */
int sagemaker_list_tuning_children(struct aws *aws, const char *name, size_t max_items, json_t **ret_array,
				   struct err *err);

/* Of whatever has an ARN. tags: [{"Key","Value"}]; sets or replaces. */
int sagemaker_add_tags(struct aws *aws, const char *arn, const json_t *tags, struct err *err);
/* An object key → value. */
int sagemaker_list_tags(struct aws *aws, const char *arn, json_t **ret_tags, struct err *err);

#endif
