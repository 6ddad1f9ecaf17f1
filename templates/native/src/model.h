/*
 * Multinomial logistic regression on standardised x:
 *
 *   log p(class k | x) = b_k + w_k·x - log Σ_j exp(b_j + w_j·x)
 *
 * The model file is text, one item a line, names last because they may hold spaces:
 *
 *   softmax 1                                   kind and version of the format
 *   feature <mean> <deviation> <name>           in column order; x = (value - mean) / deviation
 *   class <bias> <weight of each feature> <name>
 */
#ifndef MODEL_H
#define MODEL_H

#include "dataset.h"

#include <stddef.h>
#include <stdio.h>

/* weights is class by class, 1 + n_features each, the bias first. */
struct model {
	double *weights, *mean, *deviation;
	size_t n_features, n_classes;
};

/* All weights zero: the loss is convex, so no start is better than another. */
void model_init(struct model *model, size_t n_features, size_t n_classes);
void model_release(struct model *model);

size_t model_n_weights(const struct model *model);

/* The log-probability of each class for one row; finite where a probability would round to 0. */
void model_log_probabilities(const struct model *model, const double *row, double *ret_log_probabilities);

/* Mean cross-entropy of these rows, and l2/2 times the squares of the weights (not the biases). */
double model_loss(const struct model *model, const struct dataset *data, const size_t *rows, size_t n_rows, double l2);

/* The gradient of model_loss() in the weights. */
void model_gradient(const struct model *model, const struct dataset *data, const size_t *rows, size_t n_rows, double l2,
		    double *ret_gradient);

/* Numbers are written so that reading them gives the same number again. Errors stay in the stream. */
void model_write(const struct model *model, const struct schema *schema, FILE *file);

#endif
