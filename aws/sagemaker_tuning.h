#ifndef SMPIPE_AWS_SAGEMAKER_TUNING_H
#define SMPIPE_AWS_SAGEMAKER_TUNING_H

/* SageMaker's calls about hyperparameter tuning jobs. Their tags: aws/sagemaker.h.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/ */

#include <jansson.h>

#include "aws/call.h"

/* As sagemaker_create_training_job(), also in what a lost answer means. */
int sagemaker_create_tuning_job(struct aws *aws, const json_t *request, char **ret_arn, struct err *err);

/* The answer has a name, an ARN and a status. ERR_NOT_FOUND when there is no such job. */
int sagemaker_describe_tuning_job(struct aws *aws, const char *name, json_t **ret_answer, struct err *err);

/* Ask the service to stop a tuning job and what it runs; one that has ended already is left as it is. */
int sagemaker_stop_tuning_job(struct aws *aws, const char *name, struct err *err);

/* Summaries whose name contains `contains` (NULL = all), newest first. */
int sagemaker_list_tuning_jobs(struct aws *aws, const char *contains, size_t max_items, json_t **ret_array,
			       struct err *err);

/*
 * Summaries of the training jobs that a tuning job started, newest first; each has its tuned hyperparameters, and once
 * it is known its objective. ERR_NOT_FOUND when there is no such tuning job.
 */
int sagemaker_list_tuning_children(struct aws *aws, const char *name, size_t max_items, json_t **ret_array,
				   struct err *err);

#endif
