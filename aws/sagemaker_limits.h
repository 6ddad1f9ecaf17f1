#ifndef SMPIPE_AWS_SAGEMAKER_LIMITS_H
#define SMPIPE_AWS_SAGEMAKER_LIMITS_H

/* The limits that CreateTrainingJob and CreateHyperParameterTuningJob enforce; checked before anything is sent, and by
 * the local cloud as the service would. */

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Check a CreateTrainingJob request: required and unknown members, types, patterns, enums, minima, maxima, list
 * lengths. ERR_CONFIG; the message is "HyperParameters.lr: …": the path of the member and what it may be.
 */
int sagemaker_check_training_job(const json_t *request, struct err *err);

/* The same; on failure *ret_path is the path alone ("CreateTrainingJob" for the request itself), with which err->msg
 * begins, followed by ": ". New string. */
int sagemaker_check_training_job_at(const json_t *request, char **ret_path, struct err *err);

/* The same two of a CreateHyperParameterTuningJob request; with rules of the strategy, the ranges and the definitions.
 */
int sagemaker_check_tuning_job(const json_t *request, struct err *err);
int sagemaker_check_tuning_job_at(const json_t *request, char **ret_path, struct err *err);

/* The Tags of either request, and of AddTags: "Tags[0].Key: …". ERR_CONFIG. */
int sagemaker_check_tags(const json_t *tags, struct err *err);

/* One text against the shape of its member (aws/sagemaker_limits_table.h); ERR_CONFIG: "<path>: …". */
struct shape;
int sagemaker_check_string(const struct shape *shape, const char *path, const char *value, struct err *err);

/* [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}, of tuning jobs {0,31} */
int sagemaker_check_job_name(const char *name, struct err *err);
int sagemaker_check_tuning_job_name(const char *name, struct err *err);

/* Statuses after which a job changes no more. */
bool sagemaker_is_final(const char *training_job_status);

#define SAGEMAKER_LOG_GROUP "/aws/sagemaker/TrainingJobs"

#endif
