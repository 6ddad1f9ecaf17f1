#ifndef SMPIPE_PIPELINE_SM_ENV_H
#define SMPIPE_PIPELINE_SM_ENV_H

/*
 * estimator.sm_env: the variables that the SageMaker training toolkit sets in its images (SM_CHANNEL_TRAIN,
 * SM_MODEL_DIR, …), for images without it. Only those that are known before the job runs. What estimator.environment
 * says itself stays.
 */

#include "pipeline/training_job.h"

/*
 * Add to environment, a map of strings. ERR_CONFIG: a channel's name makes no name of a variable, or two make the same
 * one. Hyperparameters for which that is so, or whose value is longer than the service allows, are left out with a
 * warning.
 */
int sm_env_add(const struct config *c, const struct training_job_facts *facts, json_t *environment, struct err *err);

#endif
