#ifndef SMPIPE_LOCAL_SAGEMAKER_STORE_H
#define SMPIPE_LOCAL_SAGEMAKER_STORE_H

/* The training jobs of a local cloud: all of them are held in memory, each with a folder below jobs/. */

#include "local/cloud.h"
#include "local/job.h"

struct store_sagemaker {
	struct cloud *cloud;
	char *dir;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t idle;  /* n_runners became 0; monotonic clock */
	struct job **jobs;    /* in order of creation; none is ever removed */
	size_t n, cap;
	int n_runners; /* threads that use the store */
};

/* Add a job and begin to run it. ERR_CONFLICT: there is one of that name. */
int store_sagemaker_add(struct store_sagemaker *s, const json_t *request, const char *arn, struct err *err);

/* By name, or by ARN; NULL when there is none. Borrowed: jobs live as long as the store. */
struct job *store_sagemaker_find(struct store_sagemaker *s, const char *name);
struct job *store_sagemaker_find_arn(struct store_sagemaker *s, const char *arn);

/* All jobs at this moment; the array is new, the jobs are borrowed. */
struct job **store_sagemaker_all(struct store_sagemaker *s, size_t *ret_n);

/* For runners: count a thread in before it starts, and out as its last act. */
void store_sagemaker_enter(struct store_sagemaker *s);
void store_sagemaker_leave(struct store_sagemaker *s);

#endif
