#ifndef SMPIPE_AWS_SAGEMAKER_LIMITS_RANGES_H
#define SMPIPE_AWS_SAGEMAKER_LIMITS_RANGES_H

/*
 * The ranges of a tuning job: ParameterRanges of the job, or HyperParameterRanges of one of its definitions.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Where ranges stand; all of it borrowed. */
struct range_place {
	const json_t *ranges; /* or NULL */
	const json_t *request, *definition;
	const char *path; /* of the ranges, added to *ret_path when one is refused */
};

/* Names once, bounds in order and of the right kind, scalings, and what the strategy asks of them. ERR_CONFIG, worded
 * as in aws/sagemaker_limits.h. */
int sagemaker_check_ranges(const struct range_place *place, struct str *ret_path, struct err *err);

/* A bound of a continuous range: decimal, finite. */
bool sagemaker_parse_bound(const char *text, double *ret);

/* Of a range of whole numbers: without fraction and exponent, in 64 bits. */
bool sagemaker_parse_whole_bound(const char *text, int64_t *ret);

/* How many jobs the strategy Grid makes of these ranges: the product of the numbers of distinct values. Of a request
 * that was checked, or of what a service describes: what is no text is not counted. */
int64_t sagemaker_count_combinations(const json_t *ranges);

/* Hyperparameters from which Hyperband takes its MaxResource. Ended by NULL. */
extern const char *const sagemaker_resource_names[];

#endif
