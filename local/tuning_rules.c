#include "local/tuning_rules.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

#define ETA         3
#define IMPROVEMENT 0.01

enum tuning_direction tuning_direction_of(const char *type)
{
	return str_eq(type, "Minimize") ? TUNING_MINIMIZE : TUNING_MAXIMIZE;
}

bool tuning_is_better(double a, double b, enum tuning_direction direction)
{
	if (isnan(a) || isnan(b))
		return !isnan(a) && isnan(b);
	return direction == TUNING_MAXIMIZE ? a > b : a < b;
}

static double running_average(const struct tuning_series *s, size_t step)
{
	size_t n = step < s->n ? step : s->n;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += s->v[i];
	return sum / (double)n;
}

/* Sorted from the worst to the best, so that a median is one whichever way is better. */
static int compare_values(const void *a, const void *b, void *ctx)
{
	double x = *(const double *)a, y = *(const double *)b;
	enum tuning_direction direction = *(enum tuning_direction *)ctx;

	return tuning_is_better(x, y, direction) - tuning_is_better(y, x, direction);
}

static double median(double *v, size_t n, enum tuning_direction direction)
{
	qsort_r(v, n, sizeof(*v), compare_values, &direction);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

bool tuning_median_stops(const struct tuning_series *earlier, size_t n_earlier, double value, size_t step,
			 enum tuning_direction direction)
{
	auto_free double *averages = xcalloc(n_earlier + 1, sizeof(double));
	size_t n = 0;

	for (size_t i = 0; i < n_earlier; i++)
		if (earlier[i].n > 0)
			averages[n++] = running_average(&earlier[i], step);
	return n > 0 && tuning_is_better(median(averages, n, direction), value, direction);
}

static int resource(int64_t given, int otherwise)
{
	if (given <= 0)
		return otherwise;
	return given < HYPERBAND_RESOURCE_MAX ? (int)given : HYPERBAND_RESOURCE_MAX;
}

void hyperband_init(struct hyperband *h, int64_t min, int64_t max)
{
	int level = resource(max, HYPERBAND_RESOURCE_MAX);

	*h = (struct hyperband){ .min = resource(min, 1), .max = level };
	while (level / ETA >= h->min && h->s_max < HYPERBAND_RUNGS_MAX) {
		level /= ETA;
		h->s_max++;
	}
}

/* ceil((s_max + 1) / (s + 1) * 3^s) */
static size_t bracket_size(const struct hyperband *h, int s)
{
	size_t power = 1;

	for (int i = 0; i < s; i++)
		power *= ETA;
	return (((size_t)h->s_max + 1) * power + (size_t)s) / ((size_t)s + 1);
}

int hyperband_bracket(const struct hyperband *h, size_t index)
{
	size_t round = 0;

	for (int s = 0; s <= h->s_max; s++)
		round += bracket_size(h, s);
	index %= round;
	for (int s = h->s_max; s > 0; s--) {
		if (index < bracket_size(h, s))
			return s;
		index -= bracket_size(h, s);
	}
	return 0;
}

size_t hyperband_rungs(const struct hyperband *h, int bracket, int rungs[HYPERBAND_RUNGS_MAX])
{
	int level = h->max;

	for (int i = bracket - 1; i >= 0; i--)
		rungs[i] = level /= ETA;
	return (size_t)bracket;
}

bool hyperband_stays(const double *at_rung, size_t n, double value, enum tuning_direction direction)
{
	size_t places = n / ETA ? n / ETA : 1, n_better = 0;

	for (size_t i = 0; i < n; i++)
		n_better += tuning_is_better(at_rung[i], value, direction);
	return n_better < places;
}

double tuning_best(const double *finished, size_t n, enum tuning_direction direction)
{
	double best = finished[0];

	for (size_t i = 1; i < n; i++)
		if (tuning_is_better(finished[i], best, direction))
			best = finished[i];
	return best;
}

size_t tuning_count_not_improving(const double *finished, size_t n, enum tuning_direction direction)
{
	size_t count = 0;

	for (size_t i = 1; i < n; i++) {
		double before = tuning_best(finished, i, direction);
		bool is_better = tuning_is_better(finished[i], before, direction);

		if (is_better && (isnan(before) || fabs(finished[i] - before) >= IMPROVEMENT * fabs(before)))
			count = 0;
		else
			count++;
	}
	return count;
}
