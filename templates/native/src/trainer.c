#include "trainer.h"

#include "memory.h"
#include "metrics.h"

#include <stdlib.h>

void trainer_init(struct trainer *trainer, struct model *model, const struct dataset *data,
		  const struct hyperparameters *hp)
{
	*trainer = (struct trainer){ .model = model, .data = data, .hp = hp, .random_state = hp->seed };
	trainer->order = memory_zeroed(data->n_rows, sizeof(*trainer->order));
	trainer->gradient = memory_zeroed(model_n_weights(model), sizeof(*trainer->gradient));
	for (size_t r = 0; r < data->n_rows; r++)
		trainer->order[r] = r;
}

void trainer_release(struct trainer *trainer)
{
	free(trainer->order);
	free(trainer->gradient);
	*trainer = (struct trainer){ 0 };
}

/* SplitMix64 (Steele, Lea, Flood 2014): the same numbers with every C library, unlike rand(). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

/* Below bound, each as likely as the others: the excess of numbers is left out at the low end. */
static size_t random_below(uint64_t *state, size_t bound)
{
	uint64_t number, excess = -(uint64_t)bound % bound;

	do
		number = next_random(state);
	while (number < excess);
	return number % bound;
}

static void shuffle(struct trainer *trainer)
{
	for (size_t left = trainer->data->n_rows; left > 1; left--) {
		size_t chosen = random_below(&trainer->random_state, left);
		size_t row = trainer->order[chosen];

		trainer->order[chosen] = trainer->order[left - 1];
		trainer->order[left - 1] = row;
	}
}

void trainer_epoch(struct trainer *trainer)
{
	size_t n_rows = trainer->data->n_rows, batch = trainer->hp->batch_size;

	shuffle(trainer);
	for (size_t from = 0; from < n_rows; from += batch) {
		size_t n = n_rows - from < batch ? n_rows - from : batch;

		model_gradient(trainer->model, trainer->data, trainer->order + from, n, trainer->hp->l2,
			       trainer->gradient);
		for (size_t w = 0; w < model_n_weights(trainer->model); w++)
			trainer->model->weights[w] -= trainer->hp->lr * trainer->gradient[w];
	}
}

struct score trainer_evaluate(const struct model *model, const struct dataset *data)
{
	double *scores = memory_zeroed(data->n_rows, model->n_classes * sizeof(double));

	for (size_t r = 0; r < data->n_rows; r++)
		model_log_probabilities(model, data->values + r * data->n_features, scores + r * model->n_classes);

	struct score score = {
		.loss = metrics_log_loss(scores, data->labels, data->n_rows, model->n_classes),
		.f1 = metrics_macro_f1(scores, data->labels, data->n_rows, model->n_classes),
		.auroc = metrics_macro_auroc(scores, data->labels, data->n_rows, model->n_classes),
	};

	free(scores);
	return score;
}
