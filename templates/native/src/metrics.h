/*
 * How good predictions are. scores is row by row, n_classes each: log-probabilities, or anything
 * that orders alike.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>

/* The place of the highest score; the first of equals. */
int metrics_predicted(const double *scores, size_t n_classes);

/* Mean of -score of the true class: cross-entropy if the scores are log-probabilities. */
double metrics_log_loss(const double *scores, const int *labels, size_t n_rows, size_t n_classes);

/*
 * Mean over the classes of F1 = 2 TP / (2 TP + FP + FN). A class that neither occurs nor is predicted
 * does not count, one that is never hit counts 0: what scikit-learn's f1_score(average="macro") gives.
 */
double metrics_macro_f1(const double *scores, const int *labels, size_t n_rows, size_t n_classes);

/*
 * Mean over the classes of the area under the ROC curve of that class against the rest: the
 * probability that a row of the class scores higher than a row of another, a tie being one half.
 * Classes that all rows or no rows have do not count; NAN if none does.
 */
double metrics_macro_auroc(const double *scores, const int *labels, size_t n_rows, size_t n_classes);

#endif
