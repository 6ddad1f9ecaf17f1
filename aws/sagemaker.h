#ifndef SMPIPE_AWS_SAGEMAKER_H
#define SMPIPE_AWS_SAGEMAKER_H

/* SageMaker's calls that a release needs. https://docs.aws.amazon.com/sagemaker/latest/APIReference/ */

#include <jansson.h>

#include "aws/call.h"

/*
 * *ret_arn is new. ERR_CONFLICT with service code ResourceInUse when the name is taken; ERR_CAPACITY. The service knows
 * no client token: after ERR_NETWORK nobody knows whether the job exists, and the caller looks by its name.
 */
int sagemaker_create_training_job(struct aws *aws, const json_t *request, char **ret_arn, struct err *err);
/* The answer has a name, an ARN and a status. ERR_NOT_FOUND when there is no such job (the service says
 * ValidationException "Requested resource not found"). */
int sagemaker_describe_training_job(struct aws *aws, const char *name, json_t **ret_answer, struct err *err);
/* Ask the service to stop a job; one that has ended already is left as it is. */
int sagemaker_stop_training_job(struct aws *aws, const char *name, struct err *err);
/* Summaries whose name contains `contains` (NULL = all), newest first. */
int sagemaker_list_training_jobs(struct aws *aws, const char *contains, size_t max_items, json_t **ret_array,
				 struct err *err);
/* tags: [{"Key","Value"}]; sets or replaces. */
int sagemaker_add_tags(struct aws *aws, const char *arn, const json_t *tags, struct err *err);
/* An object key → value. */
int sagemaker_list_tags(struct aws *aws, const char *arn, json_t **ret_tags, struct err *err);

#endif
