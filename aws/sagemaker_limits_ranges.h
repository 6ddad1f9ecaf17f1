#ifndef SMPIPE_AWS_SAGEMAKER_LIMITS_RANGES_H
#define SMPIPE_AWS_SAGEMAKER_LIMITS_RANGES_H

/*
 * The ranges of a tuning job: ParameterRanges of the job, or HyperParameterRanges of one of its definitions.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
 */

#include <jansson.h>

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

#endif
