#ifndef SMPIPE_LOCAL_SAGEMAKER_STORE_H
#define SMPIPE_LOCAL_SAGEMAKER_STORE_H

/*
 * The training jobs and tuning jobs of a local cloud: all of them are held in memory, each with a folder below jobs/ or
 * tuning/.
 */

#include "local/cloud.h"
#include "local/job.h"
#include "local/tuning.h"

/* The FailureReason of a job, of either kind, that had not ended when the cloud did. */
#define REASON_CLOUD_STOPPED "InternalServerError: the local cloud was stopped while the job ran"

struct store_sagemaker {
	struct cloud *cloud;
	char *dir, *tuning_dir;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t idle;  /* n_runners became 0; monotonic clock */
	struct job **jobs;    /* in order of creation; none is ever removed */
	size_t n, cap;
	struct tuning **tunings; /* none of these either */
	size_t n_tunings, tunings_cap;
	int n_runners;  /* threads that use the store */
	bool is_ending; /* nothing is added any more */
};

/*
 * Add a job and begin to run it. parent: the tuning job that wants it, or NULL; *ret_job, borrowed, may be NULL.
 * ERR_CONFLICT: there is one of that name. ERR_CANCELLED: the cloud ends.
 */
int store_sagemaker_add(struct store_sagemaker *s, const json_t *request, const char *arn,
			const struct job_parent *parent, struct job **ret_job, struct err *err);

/* By name, or by ARN; NULL when there is none. Borrowed: jobs live as long as the store. */
struct job *store_sagemaker_find(struct store_sagemaker *s, const char *name);
struct job *store_sagemaker_find_arn(struct store_sagemaker *s, const char *arn);

/* All jobs at this moment; the array is new, the jobs are borrowed. */
struct job **store_sagemaker_all(struct store_sagemaker *s, size_t *ret_n);

/* The same for tuning jobs; in local/tuning_store. */
int store_tuning_add(struct store_sagemaker *s, const json_t *request, const char *arn, struct err *err);
struct tuning *store_tuning_find(struct store_sagemaker *s, const char *name);
struct tuning *store_tuning_find_arn(struct store_sagemaker *s, const char *arn);
struct tuning **store_tuning_all(struct store_sagemaker *s, size_t *ret_n);

/* What the store does with its tuning jobs: read those of an earlier process, which become Failed if they had not ended
 * (call it once the jobs are there); count those that have not; end all at once; free them. */
int store_tuning_load(struct store_sagemaker *s, struct err *err);
int store_tuning_running(struct store_sagemaker *s);
void store_tuning_shut_down(struct store_sagemaker *s);
void store_tuning_release(struct store_sagemaker *s);

/* For runners: count a thread in before it starts, and out as its last act. */
void store_sagemaker_enter(struct store_sagemaker *s);
void store_sagemaker_leave(struct store_sagemaker *s);

#endif
