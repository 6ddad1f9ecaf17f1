#ifndef SMPIPE_AWS_SAGEMAKER_JOB_H
#define SMPIPE_AWS_SAGEMAKER_JOB_H

/* What SageMaker's operations about jobs of one kind and another have in common: for aws/sagemaker and
 * aws/sagemaker_tuning, whose headers say what each call does. */

#include <jansson.h>

#include "aws/call.h"

struct sagemaker_job_calls {
	const char *noun; /* "training job" */
	const char *create, *describe, *stop, *list;
	const char *name, *arn, *status; /* members */
	const char *summaries;           /* the member of a list's answer */
};

int sagemaker_job_create(struct aws *aws, const struct sagemaker_job_calls *calls, const json_t *request,
			 char **ret_arn, struct err *err);
int sagemaker_job_describe(struct aws *aws, const struct sagemaker_job_calls *calls, const char *name,
			   json_t **ret_answer, struct err *err);
int sagemaker_job_stop(struct aws *aws, const struct sagemaker_job_calls *calls, const char *name, struct err *err);
int sagemaker_job_list(struct aws *aws, const struct sagemaker_job_calls *calls, const char *contains, size_t max_items,
		       json_t **ret_array, struct err *err);

/* Make of a refusal an ERR_NOT_FOUND if it says that there is no job of that name. Returns -1. */
int sagemaker_job_mark_absent(const struct sagemaker_job_calls *calls, const char *name, struct err *err);

/* What a request for a list begins with: newest first, in pages of as many items as are wanted. New reference. */
json_t *sagemaker_job_newest_first(size_t max_items);

#endif
