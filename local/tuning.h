#ifndef SMPIPE_LOCAL_TUNING_H
#define SMPIPE_LOCAL_TUNING_H

/*
 * One tuning job of the local cloud, kept in tuning/<name>/tuning.json: what was asked for, its status, and the
 * training jobs that it started, its children. What they make of its description is in local/tuning_report. Functions
 * lock for themselves; a job may be locked when this is, never the other way round.
 */

#include "local/job.h"

struct tuning_child {
	char *name;
	size_t definition; /* from 0 */
	json_t *tuned;     /* name and value of each tuned hyperparameter; never changes */
	struct job *job;   /* borrowed; NULL until it is made */
};

struct tuning {
	char *name;
	char *dir;       /* tuning/<name> */
	json_t *request; /* of CreateHyperParameterTuningJob; never changes */
	const struct sys *sys;
	pthread_mutex_t lock;   /* of what follows */
	pthread_cond_t changed; /* has_news, the status; monotonic clock */
	json_t *describe;       /* without what the children make of it */
	json_t *tags;
	struct tuning_child *children; /* in the order in which they were started */
	size_t n, cap;
	bool has_news; /* of a child, of a stop, of the cloud's end */
	bool stop_requested;
	bool is_shutdown;
};

/* A new one, InProgress, written to disk; request is copied. */
int tuning_new(const char *dir, const json_t *request, const char *arn, const struct sys *sys, struct tuning **ret,
	       struct err *err);
/* One that an earlier process kept, its children without jobs. ERR_INVALID, ERR_NOT_FOUND. */
int tuning_load(const char *dir, const struct sys *sys, struct tuning **ret, struct err *err);
void tuning_free(struct tuning *t);
void tuning_free_p(struct tuning **t);
#define auto_tuning __attribute__((cleanup(tuning_free_p))) struct tuning

bool tuning_is_final(struct tuning *t);
char *tuning_arn(struct tuning *t);
/* Of the description what needs no child, and the tags; copies. */
json_t *tuning_state(struct tuning *t);
json_t *tuning_tags(struct tuning *t);
/* As those of a job. */
int tuning_add_tags(struct tuning *t, const json_t *tags, struct err *err);
int tuning_delete_tags(struct tuning *t, const json_t *keys, struct err *err);

/* The next status; a final one ends the clock. reason: FailureReason, or NULL. */
void tuning_transition(struct tuning *t, const char *status, const char *reason);
/* Ask for the end: Stopping. ERR_CONFLICT, naming the status, when the job has ended. */
int tuning_stop(struct tuning *t, struct err *err);
void tuning_shutdown(struct tuning *t);

/* Note a child before its job is made, so that none is ever unknown; tuned is taken over. Returns its index. */
size_t tuning_add_child(struct tuning *t, const char *name, size_t definition, json_t *tuned);
void tuning_set_child_job(struct tuning *t, size_t index, struct job *job);
/* Those that have jobs; the array is new, what it points to lives as long as t. */
struct tuning_child *tuning_children(struct tuning *t, size_t *ret_n);

/* Tell the one who waits that there is news; ctx is the tuning. For job_parent. */
void tuning_notify(void *ctx);

#endif
