/*
 * Labelled rows, read from the CSV files of a channel.
 *
 * Each file begins with a header; the last column is the class, every other one a measurement.
 * Fields are not quoted. All files of all channels have the same header, and every class occurs in
 * the training data.
 */
#ifndef DATASET_H
#define DATASET_H

#include "failure.h"

#include <stddef.h>

enum { DATASET_MAX_COLUMNS = 256, DATASET_MAX_CLASSES = 256, DATASET_MAX_LINE = 64 * 1024 };

/* What the training data say about all data. Classes are sorted by name. */
struct schema {
	char **features, **classes, *label_column;
	size_t n_features, n_classes;
};

/* values is row by row; labels are places in schema.classes. */
struct dataset {
	double *values;
	int *labels;
	size_t n_rows, n_features;
};

/*
 * Read the files that end in .csv in the folder, by name order. With an empty (zeroed) schema the
 * files define it, with any other they must agree with it.
 */
int dataset_read(struct dataset *data, struct schema *schema, const char *folder, struct failure *failure);

/*
 * Mean and standard deviation (over n) of each feature; 1 where a feature never varies, so that it
 * can divide.
 */
void dataset_measure(const struct dataset *data, double *ret_mean, double *ret_deviation);

/* Replace each value by its distance from the mean, in deviations. */
void dataset_standardise(struct dataset *data, const double *mean, const double *deviation);

void dataset_release(struct dataset *data);
void schema_release(struct schema *schema);

#endif
