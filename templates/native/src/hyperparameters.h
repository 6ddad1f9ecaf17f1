/*
 * The hyperparameters of this algorithm, all optional:
 *
 *   lr          0.5      step length of gradient descent
 *   epochs      40       passes over the training data
 *   batch_size  16       rows per step; as many as there are rows, or more, is full-batch descent
 *   l2          0.0001   penalty on the squares of the weights
 *   seed        7        of the shuffling before each epoch
 */
#ifndef HYPERPARAMETERS_H
#define HYPERPARAMETERS_H

#include "failure.h"
#include "flat_json.h"

#include <stdint.h>

struct hyperparameters {
	double lr, l2;
	uint32_t epochs, batch_size, seed;
};

/*
 * Names that begin with sagemaker_ or _tuning are the platform's and are skipped; any other unknown
 * name is refused.
 */
int hyperparameters_from_json(struct hyperparameters *ret_hp, const struct flat_json *json, struct failure *failure);

/* Read SageMaker's file; where there is none, the defaults hold. */
int hyperparameters_read(struct hyperparameters *ret_hp, const char *path, struct failure *failure);

#endif
