#include "model.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void model_init(struct model *model, size_t n_features, size_t n_classes)
{
	*model = (struct model){ .n_features = n_features, .n_classes = n_classes };
	model->weights = memory_zeroed(model_n_weights(model), sizeof(double));
	model->mean = memory_zeroed(n_features, sizeof(double));
	model->deviation = memory_zeroed(n_features, sizeof(double));
}

void model_release(struct model *model)
{
	free(model->weights);
	free(model->mean);
	free(model->deviation);
	*model = (struct model){ 0 };
}

size_t model_n_weights(const struct model *model)
{
	return model->n_classes * (1 + model->n_features);
}

static double *weights_of(const struct model *model, size_t class)
{
	return model->weights + class * (1 + model->n_features);
}

void model_log_probabilities(const struct model *model, const double *row, double *ret_log_probabilities)
{
	double highest = -INFINITY, sum = 0;

	for (size_t k = 0; k < model->n_classes; k++) {
		const double *weights = weights_of(model, k);
		double score = weights[0];

		for (size_t i = 0; i < model->n_features; i++)
			score += weights[1 + i] * row[i];
		ret_log_probabilities[k] = score;
		highest = fmax(highest, score);
	}
	/* exp() of what is at most 0 cannot overflow. */
	for (size_t k = 0; k < model->n_classes; k++)
		sum += exp(ret_log_probabilities[k] - highest);
	for (size_t k = 0; k < model->n_classes; k++)
		ret_log_probabilities[k] -= highest + log(sum);
}

double model_loss(const struct model *model, const struct dataset *data, const size_t *rows, size_t n_rows, double l2)
{
	double log_probabilities[DATASET_MAX_CLASSES], sum = 0, squares = 0;

	for (size_t r = 0; r < n_rows; r++) {
		model_log_probabilities(model, data->values + rows[r] * data->n_features, log_probabilities);
		sum -= log_probabilities[data->labels[rows[r]]];
	}
	for (size_t k = 0; k < model->n_classes; k++)
		for (size_t i = 1; i <= model->n_features; i++)
			squares += weights_of(model, k)[i] * weights_of(model, k)[i];
	return sum / (double)n_rows + l2 / 2 * squares;
}

void model_gradient(const struct model *model, const struct dataset *data, const size_t *rows, size_t n_rows, double l2,
		    double *ret_gradient)
{
	double probabilities[DATASET_MAX_CLASSES];
	size_t stride = 1 + model->n_features;

	memset(ret_gradient, 0, model_n_weights(model) * sizeof(double));
	for (size_t r = 0; r < n_rows; r++) {
		const double *row = data->values + rows[r] * data->n_features;

		model_log_probabilities(model, row, probabilities);
		for (size_t k = 0; k < model->n_classes; k++) {
			double surplus = exp(probabilities[k]) - (data->labels[rows[r]] == (int)k);

			ret_gradient[k * stride] += surplus;
			for (size_t i = 0; i < model->n_features; i++)
				ret_gradient[k * stride + 1 + i] += surplus * row[i];
		}
	}
	for (size_t w = 0; w < model_n_weights(model); w++) {
		ret_gradient[w] /= (double)n_rows;
		if (w % stride != 0)
			ret_gradient[w] += l2 * model->weights[w];
	}
}

void model_write(const struct model *model, const struct schema *schema, FILE *file)
{
	fputs("softmax 1\n", file);
	for (size_t i = 0; i < model->n_features; i++)
		fprintf(file, "feature %.17g %.17g %s\n", model->mean[i], model->deviation[i], schema->features[i]);
	for (size_t k = 0; k < model->n_classes; k++) {
		fputs("class", file);
		for (size_t w = 0; w <= model->n_features; w++)
			fprintf(file, " %.17g", weights_of(model, k)[w]);
		fprintf(file, " %s\n", schema->classes[k]);
	}
}
