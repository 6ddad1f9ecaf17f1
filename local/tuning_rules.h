#ifndef SMPIPE_LOCAL_TUNING_RULES_H
#define SMPIPE_LOCAL_TUNING_RULES_H

/* What a tuning job decides by numbers alone: when a training job is stopped early, and when tuning is over. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tuning_direction { TUNING_MAXIMIZE, TUNING_MINIMIZE };

/* From the Type of an objective, "Minimize" or "Maximize"; NULL counts as the latter. */
enum tuning_direction tuning_direction_of(const char *type);

/* The objective's values in the order in which a training job printed them. NaN is worse than every number. */
struct tuning_series {
	const double *v;
	size_t n;
};

/* Whether a is better than b. */
bool tuning_is_better(double a, double b, enum tuning_direction direction);

/*
 * The median rule of early stopping: whether the step-th value (from 1) of a training job is worse than the median of
 * the running averages of earlier jobs up to that step. A job that printed fewer values counts with those it has.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
 */
bool tuning_median_stops(const struct tuning_series *earlier, size_t n_earlier, double value, size_t step,
			 enum tuning_direction direction);

/*
 * Hyperband (Li et al. 2018, eta 3) on jobs that cannot be paused: jobs are dealt out to brackets, each with rungs at
 * which a job's value is compared with those that the bracket's jobs had there so far. Who is not in the best third
 * (of at least one) is stopped at once; nobody waits for the others, so the first at a rung always goes on.
 *
 * The resource is the number of values printed. Bracket s of s_max … 0 has rungs at max / 3^s, max / 3^(s-1), … max /
 * 3; bracket 0 has none. s_max is the largest s with max / 3^s >= min.
 */
struct hyperband {
	int min, max, s_max;
};
#define HYPERBAND_RUNGS_MAX    20
#define HYPERBAND_RESOURCE_MAX 20000

/* MinResource and MaxResource; 0 stands for one that nobody said. More than HYPERBAND_RESOURCE_MAX counts as that. */
void hyperband_init(struct hyperband *h, int64_t min, int64_t max);
/* The bracket of the index-th job (from 0); the brackets' sizes are those of the paper, and they come round again. */
int hyperband_bracket(const struct hyperband *h, size_t index);
/* The rungs of a bracket, rising; returns their number. */
size_t hyperband_rungs(const struct hyperband *h, int bracket, int rungs[HYPERBAND_RUNGS_MAX]);
/* Whether value, one of those that the bracket's jobs had at a rung, stays. */
bool hyperband_stays(const double *at_rung, size_t n, double value, enum tuning_direction direction);

/* The best of finished values, in the order in which the jobs ended; and how many came after the last that was better
 * than all before it by 1 % or more. n > 0. */
double tuning_best(const double *finished, size_t n, enum tuning_direction direction);
size_t tuning_count_not_improving(const double *finished, size_t n, enum tuning_direction direction);

#endif
