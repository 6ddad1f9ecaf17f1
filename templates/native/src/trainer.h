/*
 * Gradient descent on a dataset, epoch by epoch.
 */
#ifndef TRAINER_H
#define TRAINER_H

#include "dataset.h"
#include "hyperparameters.h"
#include "model.h"

#include <stdint.h>

struct trainer {
	struct model *model;
	const struct dataset *data;
	const struct hyperparameters *hp;
	uint64_t random_state;
	size_t *order;
	double *gradient;
};

struct score {
	double loss, f1, auroc;
};

/* What is passed here is borrowed until trainer_release(). */
void trainer_init(struct trainer *trainer, struct model *model, const struct dataset *data,
		  const struct hyperparameters *hp);

/* One pass over the rows in a new order, a step every batch_size rows. */
void trainer_epoch(struct trainer *trainer);

void trainer_release(struct trainer *trainer);

/* How well the model does on these data; the loss is without the penalty. */
struct score trainer_evaluate(const struct model *model, const struct dataset *data);

#endif
