#ifndef SMPIPE_LOCAL_TUNER_H
#define SMPIPE_LOCAL_TUNER_H

/*
 * Runs tuning jobs: chooses hyperparameters, starts training jobs, never more than MaxParallelTrainingJobs at once, and
 * stops them and itself by the rules of local/tuning_rules.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
 *
 * Random, Grid and Hyperband are what they say; Hyperband draws at random. Bayesian samples at random as well: the
 * FailureReason of the description, its only free text, says so from the start (runnable_note).
 */

#include "local/sagemaker_store.h"

/* Without MaxNumberOfTrainingJobs; but for a Grid, which has as many as its points. The service's quota. */
#define TUNER_JOBS_MAX 750

/* Run a tuning job in a thread of its own. Whatever happens, it ends in a final status. */
void tuner_start(struct store_sagemaker *s, struct tuning *t);

#endif
