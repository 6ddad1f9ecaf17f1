#ifndef SMPIPE_LOCAL_TUNING_SAMPLE_H
#define SMPIPE_LOCAL_TUNING_SAMPLE_H

/*
 * Points of a space of hyperparameters: ParameterRanges and random numbers become values, as strings. Pure: the same
 * seed gives the same points.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
 */

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

/* A space, and what was drawn of it so far. */
struct sampler;

/*
 * ranges: ParameterRanges, or NULL for a space of one empty point. The scaling Auto is Logarithmic where the minimum is
 * above 0 and the maximum at least 100 times as large, else Linear. ERR_CONFIG: bounds that are no numbers or cross.
 */
int sampler_new(const json_t *ranges, uint64_t seed, struct sampler **ret, struct err *err);
void sampler_free(struct sampler *s);

/* The number of points; 0 when a range is continuous, or there are more than 2^32. */
uint64_t sampler_points(const struct sampler *s);

/*
 * A point at random: an object of name and value, new. Uniform on each range's scale, categories with equal chances;
 * none comes twice as long as the space has another.
 */
json_t *sampler_random(struct sampler *s);
/* The next point in order, the last range the quickest; NULL after all. For spaces of a known number of points. */
json_t *sampler_next(struct sampler *s);

#endif
