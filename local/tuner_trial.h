#ifndef SMPIPE_LOCAL_TUNER_TRIAL_H
#define SMPIPE_LOCAL_TUNER_TRIAL_H

/* The training jobs of a tuning job as its tuner follows them, and which of them end early. */

#include "local/job.h"
#include "local/tuning_rules.h"

struct trial {
	struct job *job; /* borrowed */
	size_t definition;
	enum tuning_direction direction;
	struct tuning_series values; /* of the objective, so far */
	size_t n_judged;             /* of them */
	int bracket;                 /* of Hyperband */
	double at_rung[HYPERBAND_RUNGS_MAX];
	size_t n_rungs; /* reached */
	bool is_told;   /* to stop */
	bool has_ended, has_objective, has_failed;
	double objective;
};

struct trials {
	struct trial *v; /* in the order in which they were started */
	size_t n, cap;
	size_t n_active; /* have not ended */
	double *finished;
	size_t n_finished, finished_cap; /* objectives that compare, in the order in which the jobs ended */
	size_t n_succeeded;              /* with an objective */
	size_t n_failed, n_without;      /* ended by a failure; without an objective, failures among them */
};

enum early_rule { EARLY_NONE, EARLY_MEDIAN, EARLY_HYPERBAND };

void trials_release(struct trials *ts);
/* Values are worth looking at from now on. */
struct trial *trials_add(struct trials *ts, struct job *job, size_t definition, enum tuning_direction direction);

/* Take in what has happened to a trial. */
void trial_update(struct trials *ts, struct trial *t);
/* Apply the rule to its values that are new: whether it is to be stopped. */
bool trial_is_to_stop(const struct trials *ts, struct trial *t, enum early_rule rule, const struct hyperband *h);
/* Stop its job, once; its values count no more. */
void trial_stop(struct trial *t);

#endif
