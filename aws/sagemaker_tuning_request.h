#ifndef SMPIPE_AWS_SAGEMAKER_TUNING_REQUEST_H
#define SMPIPE_AWS_SAGEMAKER_TUNING_REQUEST_H

/*
 * Reading a CreateHyperParameterTuningJob request, or the description of such a job, which has the same members. Any of
 * them may be missing or of another type: what cannot be read is not there. Results are borrowed.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The i-th training job definition: TrainingJobDefinition, or one of TrainingJobDefinitions; NULL behind the last. */
json_t *sagemaker_tuning_definition(const json_t *request, size_t i);

/* What a definition is judged by, and its ranges: its own, else the job's; NULL when there are none. */
const json_t *sagemaker_tuning_objective(const json_t *request, const json_t *definition);
const json_t *sagemaker_tuning_ranges(const json_t *request, const json_t *definition);

/* The lists that ranges are made of. */
enum sagemaker_range_kind { RANGE_INTEGER, RANGE_CONTINUOUS, RANGE_CATEGORICAL, RANGE_AUTO, N_RANGE_KINDS };
extern const char *const sagemaker_range_lists[N_RANGE_KINDS]; /* "IntegerParameterRanges" … */
const json_t *sagemaker_range_list(const json_t *ranges, enum sagemaker_range_kind kind);

/* A bound of a range as a number: decimal, finite. text may be NULL. */
bool sagemaker_parse_bound(const char *text, double *ret);
/* Of a range of whole numbers: without fraction and exponent, in 64 bits. */
bool sagemaker_parse_whole_bound(const char *text, int64_t *ret);

/* How many jobs the strategy Grid makes of these ranges: the product of the numbers of distinct values. */
int64_t sagemaker_count_combinations(const json_t *ranges);

/* Hyperparameters from which Hyperband takes its MaxResource. Ended by NULL. */
extern const char *const sagemaker_resource_names[];

#endif
