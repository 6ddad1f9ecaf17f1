#ifndef SMPIPE_LOCAL_JOB_H
#define SMPIPE_LOCAL_JOB_H

/*
 * One training job of the local cloud: what DescribeTrainingJob answers, kept in jobs/<name>/job.json with every change
 * of status. Functions lock for themselves.
 */

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sys.h"

/* The tuning job that started a training job. */
struct job_parent {
	const char *arn;    /* TuningJobArn of the description */
	const char *metric; /* the objective, whose values are kept in their order */
	/* Called for each value and each change of status, while the job is locked: it may not call back. */
	void (*changed)(void *ctx);
	void *ctx;
};

struct job {
	char *name;
	char *dir;       /* jobs/<name> */
	json_t *request; /* of CreateTrainingJob; never changes */
	const struct sys *sys;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t
		changed; /* stop_requested, is_shutdown and whatever a runner waits for besides; monotonic clock */
	json_t *describe;
	json_t *tags;      /* [{"Key","Value"}] */
	json_t *leftovers; /* strings "containers/<name>", "networks/<name>": what the Engine may still have of the job,
			      in order of creation; kept on disk, so that the next process can remove it */
	struct job_parent parent;
	char *objective;
	double *values; /* of the objective */
	size_t n_values, values_cap;
	bool stop_requested;
	bool is_shutdown; /* the cloud ends: nothing but removing the container is worth doing */
};

/* A new job, InProgress and Starting, written to disk. request and tags are copied. */
int job_new(const char *dir, const json_t *request, const char *arn, const struct sys *sys, struct job **ret,
	    struct err *err);
/* One that an earlier process kept. ERR_INVALID, ERR_NOT_FOUND. */
int job_load(const char *dir, const struct sys *sys, struct job **ret, struct err *err);
void job_free(struct job *j);
void job_free_p(struct job **j);
#define auto_job __attribute__((cleanup(job_free_p))) struct job

/* The answer of DescribeTrainingJob; a new reference to a copy. */
json_t *job_describe(struct job *j);
/* One summary of ListTrainingJobs, and the tags; copies as well. */
json_t *job_summary(struct job *j);
json_t *job_tags(struct job *j);
/* Set or replace each of tags; ERR_INVALID when there would be more than 50. */
int job_add_tags(struct job *j, const json_t *tags, struct err *err);
/* keys: array of strings. */
int job_delete_tags(struct job *j, const json_t *keys, struct err *err);

bool job_is_final(struct job *j);
char *job_arn(struct job *j);

/* The next secondary status; status NULL leaves it. A final status ends all clocks. reason: FailureReason, or NULL. */
void job_transition(struct job *j, const char *status, const char *secondary, const char *message, const char *reason);
/* Ask for the end: Stopping. ERR_CONFLICT, naming the status, when the job has ended. */
int job_stop(struct job *j, struct err *err);
void job_shutdown(struct job *j);
bool job_is_stop_requested(struct job *j);
bool job_is_shutdown(struct job *j);

/* To be called before the thing is made, so that a process that is killed leaves nothing unknown. */
void job_add_leftover(struct job *j, const char *path);
void job_drop_leftover(struct job *j, const char *path);
/* A new reference to a copy. */
json_t *job_leftovers(struct job *j);
void job_set_artifacts(struct job *j, const char *model_uri);
/* Before the job runs: who started it. What parent points to is copied. */
int job_set_parent(struct job *j, const struct job_parent *parent, struct err *err);
/* The objective's values from one on, counted from 0; *ret is new, NULL when there are none. Returns their number. The
 * first 65536 are kept; a process that is started anew has none. */
size_t job_objective_values(struct job *j, size_t from, double **ret);
/* The last value of each metric counts. */
void job_set_metric(struct job *j, const char *name, double value);

#endif
