#ifndef SMPIPE_PIPELINE_IDENTITY_H
#define SMPIPE_PIPELINE_IDENTITY_H

/* The digests that name results (design 3a, format 1). Each is 64 hex digits in a new string. */

#include <jansson.h>

#include "base/digest.h"

struct build_inputs {
	const struct digest *context_tree;
	const char *dockerfile, *target, *platform; /* target may be NULL */
	const json_t *build_args;                   /* may be NULL */
	const json_t *bases;                        /* image name → digest */
};

/* SHA-256 of the RFC 8785 JSON of what decides a build. */
char *identity_build_key(const struct build_inputs *in);

/*
 * SHA-256 of the canonical CreateTrainingJob request without TrainingJobName, Tags, ExperimentConfig and the
 * hyperparameter sagemaker_job_name, TrainingImage replaced by image_identity (the build key, or a pinned URI; NULL
 * when the request names none).
 */
char *identity_request_key(const json_t *request, const char *image_identity);

/* The same of a CreateHyperParameterTuningJob request without HyperParameterTuningJobName and Tags. Its definitions
 * name the build key as their TrainingImage already where they use what is built. */
char *identity_tuning_key(const json_t *request);

#endif
