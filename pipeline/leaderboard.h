#ifndef SMPIPE_PIPELINE_LEADERBOARD_H
#define SMPIPE_PIPELINE_LEADERBOARD_H

/*
 * What a tuning job has found so far: its training jobs by rank, and how its ranges were used. Pure: made from the
 * answers of DescribeHyperParameterTuningJob and ListTrainingJobsForHyperParameterTuningJob, in which any member may be
 * missing or of another type. Texts are as the service sent them: whoever shows them makes them printable.
 *
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeHyperParameterTuningJob.html
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobSummary.html
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Of one tuning job: as many as the service's default quota lets it start. */
#define LEADERBOARD_MAX_CHILDREN 750

struct leaderboard_child {
	char *name, *status;
	char *definition; /* NULL: the tuning job has one only */
	char *reason;     /* of a failure, or NULL */
	json_t *tuned;    /* hyperparameter → its text */
	bool is_running;
	bool is_pending; /* it has ended, and its objective is still to come */
	bool has_objective;
	double objective;
	size_t rank;                          /* 1 is best, equal objectives share one; 0 without objective */
	double created_s, started_s, ended_s; /* since 1970; 0: not yet */
};

enum leaderboard_scale {
	SCALE_LINEAR, /* also where the service chooses */
	SCALE_LOG,
	SCALE_REVERSE_LOG,
};

struct leaderboard_range {
	char *definition; /* NULL: the tuning job has one only */
	char *name;
	bool is_categorical;
	char *min, *max; /* as the request has them; else the least and greatest value tried */
	double low, high;
	enum leaderboard_scale scale;
	struct strlist values; /* categorical */
};

/* What is judged by which metric: one for all, or one for each definition. */
struct leaderboard_objective {
	char *definition; /* NULL: the tuning job has one only */
	char *metric;     /* NULL when the service does not tell */
	bool is_minimized;
};

struct leaderboard {
	char *job, *status;
	char *reason;   /* of a failure, or NULL */
	char *strategy; /* or NULL */
	struct leaderboard_objective *objectives;
	size_t n_objectives;
	bool is_mixed;    /* they differ: ranks count within each definition */
	int64_t max_jobs; /* 0: without a limit */
	size_t n_ended, n_running;
	struct leaderboard_child *children; /* best first, then those that run, then the others */
	size_t n_children;
	const struct leaderboard_child *best; /* that the service names, else the first one Completed; or NULL */
	struct leaderboard_range *ranges;
	size_t n_ranges;
};

#define auto_leaderboard __attribute__((cleanup(leaderboard_release))) struct leaderboard
void leaderboard_init(struct leaderboard *b, const json_t *description, const json_t *children);
void leaderboard_release(struct leaderboard *b);

/* NULL when there is none of that name. */
const struct leaderboard_child *leaderboard_find(const struct leaderboard *b, const char *name);

/* That of a definition (NULL: the job's own); never NULL. */
const struct leaderboard_objective *leaderboard_objective(const struct leaderboard *b, const char *definition);

/* Where a value lies in a range that is not categorical, on the range's own scale: 0 to 1; -1 when nowhere. */
double leaderboard_position(const struct leaderboard_range *r, const char *value);

/* The value of a range's hyperparameter in a child; NULL when the child is of another definition or has none. */
const char *leaderboard_value(const struct leaderboard_range *r, const struct leaderboard_child *child);

/* How often a categorical value was tried, and the best objective that it got. */
struct leaderboard_use {
	size_t n;
	bool has_objective;
	double objective;
};
struct leaderboard_use leaderboard_use(const struct leaderboard *b, const struct leaderboard_range *r,
				       const char *value);

/* Milliseconds that a child has trained until its end or now; -1 before its start. */
int64_t leaderboard_took_ms(const struct leaderboard_child *child, int64_t now_ms);

/* A child's name without the tuning job's in front of it. Borrowed. */
const char *leaderboard_short_name(const struct leaderboard *b, const struct leaderboard_child *child);
/* The same of names alone. */
const char *leaderboard_name_within(const char *job, const char *child);

/* "lr=0.1 batch_size=64": the tuned hyperparameters of a child. New string. */
char *leaderboard_tuned_text(const struct leaderboard_child *child);

/* All of it for machines. New reference. */
json_t *leaderboard_json(const struct leaderboard *b);

/*
 * The hyperparameters with which the best training job ran: tuned ones first, then the fixed ones, without those of the
 * service and of the training toolkit. An object of texts, as in the request; NULL when there is no best one.
 */
json_t *leaderboard_best_hyperparameters(const struct leaderboard *b, const json_t *description);

#endif
