#ifndef SMPIPE_PIPELINE_TUNING_JOB_H
#define SMPIPE_PIPELINE_TUNING_JOB_H

/* The CreateHyperParameterTuningJob request from smpipe.yaml; its definitions: pipeline/tuning_definition. */

#include "pipeline/training_job.h"

/* As training_job_request(); facts.image is for definitions that name no image of their own. */
int tuning_job_request(const struct config *c, const struct training_job_facts *facts, json_t **ret, struct err *err);

/* Put another name into a request: its own member, and the toolkit's hyperparameter where that is there. */
void tuning_job_set_name(json_t *request, const char *job_name);

/* Put an image in the place of another in every definition that names it. */
void tuning_job_set_image(json_t *request, const char *old, const char *image);

#endif
