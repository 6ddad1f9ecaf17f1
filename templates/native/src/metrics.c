#include "metrics.h"

#include "memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct ranked {
	double score;
	bool is_positive;
};

int metrics_predicted(const double *scores, size_t n_classes)
{
	size_t best = 0;

	for (size_t k = 1; k < n_classes; k++)
		if (scores[k] > scores[best])
			best = k;
	return (int)best;
}

double metrics_log_loss(const double *scores, const int *labels, size_t n_rows, size_t n_classes)
{
	double sum = 0;

	for (size_t r = 0; r < n_rows; r++)
		sum -= scores[r * n_classes + (size_t)labels[r]];
	return sum / (double)n_rows;
}

double metrics_macro_f1(const double *scores, const int *labels, size_t n_rows, size_t n_classes)
{
	double sum = 0;
	size_t n_counted = 0;

	for (size_t k = 0; k < n_classes; k++) {
		size_t n_hits = 0, n_true = 0, n_predicted = 0;

		for (size_t r = 0; r < n_rows; r++) {
			bool is_true = labels[r] == (int)k;
			bool is_predicted = metrics_predicted(scores + r * n_classes, n_classes) == (int)k;

			n_true += is_true;
			n_predicted += is_predicted;
			n_hits += is_true && is_predicted;
		}
		if (n_true + n_predicted == 0)
			continue;
		sum += 2 * (double)n_hits / (double)(n_true + n_predicted);
		n_counted++;
	}
	return n_counted ? sum / (double)n_counted : NAN;
}

static int by_score(const void *a, const void *b)
{
	double left = ((const struct ranked *)a)->score, right = ((const struct ranked *)b)->score;

	return (left > right) - (left < right);
}

/* Mann and Whitney's U from the sum of the positives' ranks, equal scores sharing the mean of theirs. */
static double area(struct ranked *rows, size_t n_rows)
{
	double rank_sum = 0, n_positive = 0;

	qsort(rows, n_rows, sizeof(*rows), by_score);
	for (size_t from = 0, to; from < n_rows; from = to) {
		double n_tied = 0;

		/* The first of them is taken unasked: NAN equals nothing, not even itself. */
		to = from;
		do
			n_tied += rows[to].is_positive;
		while (++to < n_rows && rows[to].score == rows[from].score);
		rank_sum += n_tied * (double)(from + 1 + to) / 2;
		n_positive += n_tied;
	}

	double n_negative = (double)n_rows - n_positive;

	return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative);
}

double metrics_macro_auroc(const double *scores, const int *labels, size_t n_rows, size_t n_classes)
{
	struct ranked *rows = memory_zeroed(n_rows, sizeof(*rows));
	double sum = 0;
	size_t n_counted = 0;

	for (size_t k = 0; k < n_classes; k++) {
		size_t n_positive = 0;

		for (size_t r = 0; r < n_rows; r++) {
			rows[r] = (struct ranked){ scores[r * n_classes + k], labels[r] == (int)k };
			n_positive += rows[r].is_positive;
		}
		if (n_positive == 0 || n_positive == n_rows)
			continue;
		sum += area(rows, n_rows);
		n_counted++;
	}
	free(rows);
	return n_counted ? sum / (double)n_counted : NAN;
}
