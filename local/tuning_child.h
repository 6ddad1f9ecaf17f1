#ifndef SMPIPE_LOCAL_TUNING_CHILD_H
#define SMPIPE_LOCAL_TUNING_CHILD_H

/* The training jobs of a tuning job. */

#include <jansson.h>

#include "base/sys.h"

/*
 * The CreateTrainingJob request that a training job definition stands for: static and tuned hyperparameters, and the
 * name of the objective as _tuning_objective_metric; of several instance configurations the first; the tags of the
 * tuning job. New.
 */
json_t *tuning_child_request(const json_t *tuning_request, const json_t *definition, const char *name,
			     const json_t *tuned);

/* "<tuning job>-<number, from 1>-<8 random digits>"; new. */
char *tuning_child_name(const json_t *tuning_request, size_t number, const struct sys *sys);

#endif
