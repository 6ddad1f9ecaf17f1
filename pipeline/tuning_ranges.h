#ifndef SMPIPE_PIPELINE_TUNING_RANGES_H
#define SMPIPE_PIPELINE_TUNING_RANGES_H

/* tuner.hyperparameter_ranges and tuner.auto_parameters as ParameterRanges. */

#include "pipeline/training_job.h"

/* The key that a range of one of the service's lists has: "continuous" of "ContinuousParameterRanges"; else NULL. */
const char *tuning_ranges_key(const char *list);

/* *ret is a new reference, NULL when nothing is tuned. ERR_CONFIG: a range that is none or more than one of its kinds;
 * bounds that are not two; what the strategy Hyperband gives each job itself. */
int tuning_ranges_encode(const struct config *definition, const struct training_job_facts *facts, json_t **ret,
			 struct err *err);

/* Warn when checked ranges have fewer combinations than there are to be jobs. */
void tuning_ranges_warn(const struct config *c, const json_t *ranges, struct strlist *warnings);

/* ERR_USAGE-like complaint (ERR_CONFIG) about a hyperparameter that -p has set and that is tuned. */
int tuning_ranges_check_options(const struct config *c, struct err *err);

#endif
