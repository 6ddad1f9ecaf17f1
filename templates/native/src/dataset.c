#include "dataset.h"

#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct dataset *data;
	struct schema *schema;
	bool is_defining;
	const char *path;
	size_t line_number, capacity;
	struct failure *failure;
};

static int refuse(const struct reader *reader, const char *what, const char *which)
{
	return fail(reader->failure, "%.700s:%zu: %s '%.80s'", reader->path, reader->line_number, what, which);
}

/* Cut the line at its commas, in place. Returns the number of fields, or -1. */
static int split(const struct reader *reader, char *line, char *fields[DATASET_MAX_COLUMNS])
{
	int n_fields = 0;

	for (char *field = line; field; n_fields++) {
		char *comma = strchr(field, ',');

		if (n_fields == DATASET_MAX_COLUMNS)
			return refuse(reader, "too many columns in", line);
		if (comma)
			*comma++ = '\0';
		fields[n_fields] = field;
		field = comma;
	}
	return n_fields;
}

static int take_header(struct reader *reader, char **fields, size_t n_fields)
{
	struct schema *schema = reader->schema;

	if (n_fields < 2)
		return refuse(reader, "a header with measurements and a class expected, not", fields[0]);
	if (schema->features) {
		if (n_fields - 1 != schema->n_features)
			return refuse(reader, "another number of columns than in the training data, up to",
				      fields[n_fields - 1]);
		for (size_t i = 0; i < n_fields - 1; i++)
			if (strcmp(fields[i], schema->features[i]) != 0)
				return refuse(reader, "another column than in the training data:", fields[i]);
		if (strcmp(fields[n_fields - 1], schema->label_column) != 0)
			return refuse(reader, "another class column than in the training data:", fields[n_fields - 1]);
		return 0;
	}
	schema->n_features = n_fields - 1;
	schema->features = memory_zeroed(schema->n_features, sizeof(*schema->features));
	for (size_t i = 0; i < schema->n_features; i++)
		schema->features[i] = memory_copy_text(fields[i]);
	schema->label_column = memory_copy_text(fields[n_fields - 1]);
	return 0;
}

/* The place of the class; a new one is added while the training data are read. */
static int find_class(struct reader *reader, const char *name)
{
	struct schema *schema = reader->schema;

	for (size_t k = 0; k < schema->n_classes; k++)
		if (strcmp(schema->classes[k], name) == 0)
			return (int)k;
	if (!*name)
		return refuse(reader, "no class in column", schema->label_column);
	if (!reader->is_defining)
		return refuse(reader, "a class that is not in the training data:", name);
	if (schema->n_classes == DATASET_MAX_CLASSES)
		return refuse(reader, "too many classes with", name);
	schema->classes = memory_resize(schema->classes, schema->n_classes + 1, sizeof(*schema->classes));
	schema->classes[schema->n_classes] = memory_copy_text(name);
	return (int)schema->n_classes++;
}

static int take_row(struct reader *reader, char **fields, size_t n_fields)
{
	struct dataset *data = reader->data;
	size_t n_features = reader->schema->n_features;

	if (n_fields != n_features + 1)
		return refuse(reader, "another number of columns than in the header, up to", fields[n_fields - 1]);
	if (data->n_rows == reader->capacity) {
		reader->capacity = reader->capacity ? reader->capacity * 2 : 256;
		data->values = memory_resize(data->values, reader->capacity, n_features * sizeof(double));
		data->labels = memory_resize(data->labels, reader->capacity, sizeof(int));
	}
	for (size_t i = 0; i < n_features; i++) {
		char *end;
		double value = strtod(fields[i], &end);

		if (end == fields[i] || *end || !isfinite(value))
			return refuse(reader, "not a number:", fields[i]);
		data->values[data->n_rows * n_features + i] = value;
	}

	int label = find_class(reader, fields[n_features]);

	if (label < 0)
		return -1;
	data->labels[data->n_rows++] = label;
	return 0;
}

/* Returns 1 with a line that has no end of line any more, 0 at the end of the file. */
static int next_line(struct reader *reader, FILE *file, char line[DATASET_MAX_LINE])
{
	if (!fgets(line, DATASET_MAX_LINE, file))
		return ferror(file) ? fail(reader->failure, "read '%s': %s", reader->path, strerror(errno)) : 0;
	reader->line_number++;

	size_t length = strlen(line);

	if (length == DATASET_MAX_LINE - 1 && line[length - 1] != '\n')
		return refuse(reader, "a line that is too long begins with", line);
	while (length > 0 && strchr("\r\n", line[length - 1]))
		line[--length] = '\0';
	return 1;
}

static int read_lines(struct reader *reader, FILE *file)
{
	char line[DATASET_MAX_LINE], *fields[DATASET_MAX_COLUMNS];
	bool has_header = false;
	int status;

	while ((status = next_line(reader, file, line)) > 0) {
		if (!*line)
			continue;

		int n_fields = split(reader, line, fields);

		if (n_fields < 0)
			return -1;
		status = has_header ? take_row(reader, fields, (size_t)n_fields)
				    : take_header(reader, fields, (size_t)n_fields);
		if (status < 0)
			return -1;
		has_header = true;
	}
	return status;
}

static int read_file(struct reader *reader, const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return fail(reader->failure, "open '%s': %s", path, strerror(errno));
	reader->path = path;
	reader->line_number = 0;

	int status = read_lines(reader, file);

	fclose(file);
	return status;
}

static int is_csv(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && strcmp(entry->d_name + length - 4, ".csv") == 0;
}

/* alphasort() would ask the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_files(struct reader *reader, const char *folder, struct dirent **entries, int n_entries)
{
	for (int i = 0; i < n_entries; i++) {
		char path[PATH_MAX + NAME_MAX];

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (read_file(reader, path) < 0)
			return -1;
	}
	if (reader->data->n_rows == 0)
		return fail(reader->failure, "no rows in the .csv files of '%s'", folder);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The classes came in the order of the rows; the model is not to depend on that. */
static void sort_classes(struct schema *schema, struct dataset *data)
{
	char **found = memory_zeroed(schema->n_classes, sizeof(*found));

	memcpy(found, schema->classes, schema->n_classes * sizeof(*found));
	qsort(schema->classes, schema->n_classes, sizeof(*schema->classes), by_text);
	for (size_t r = 0; r < data->n_rows; r++) {
		char **place = bsearch(&found[data->labels[r]], schema->classes, schema->n_classes,
				       sizeof(*schema->classes), by_text);

		data->labels[r] = (int)(place - schema->classes);
	}
	free(found);
}

int dataset_read(struct dataset *data, struct schema *schema, const char *folder, struct failure *failure)
{
	struct dataset result = { 0 };
	struct reader reader = {
		.data = &result, .schema = schema, .is_defining = !schema->features, .failure = failure
	};
	struct dirent **entries;
	int n_entries = scandir(folder, &entries, is_csv, by_name);

	if (n_entries < 0)
		return fail(failure, "read folder '%s': %s", folder, strerror(errno));

	int status = n_entries == 0 ? fail(failure, "no .csv file in '%s'", folder)
				    : read_files(&reader, folder, entries, n_entries);

	for (int i = 0; i < n_entries; i++)
		free(entries[i]);
	free(entries);
	if (status < 0) {
		dataset_release(&result);
		return -1;
	}
	if (reader.is_defining)
		sort_classes(schema, &result);
	result.n_features = schema->n_features;
	*data = result;
	return 0;
}

void dataset_measure(const struct dataset *data, double *ret_mean, double *ret_deviation)
{
	for (size_t i = 0; i < data->n_features; i++) {
		double sum = 0, squares = 0;

		for (size_t r = 0; r < data->n_rows; r++)
			sum += data->values[r * data->n_features + i];
		ret_mean[i] = sum / (double)data->n_rows;
		for (size_t r = 0; r < data->n_rows; r++) {
			double distance = data->values[r * data->n_features + i] - ret_mean[i];

			squares += distance * distance;
		}
		ret_deviation[i] = squares > 0 ? sqrt(squares / (double)data->n_rows) : 1;
	}
}

void dataset_standardise(struct dataset *data, const double *mean, const double *deviation)
{
	for (size_t r = 0; r < data->n_rows; r++)
		for (size_t i = 0; i < data->n_features; i++) {
			double *value = &data->values[r * data->n_features + i];

			*value = (*value - mean[i]) / deviation[i];
		}
}

void dataset_release(struct dataset *data)
{
	free(data->values);
	free(data->labels);
	*data = (struct dataset){ 0 };
}

void schema_release(struct schema *schema)
{
	for (size_t i = 0; i < schema->n_features; i++)
		free(schema->features[i]);
	for (size_t k = 0; k < schema->n_classes; k++)
		free(schema->classes[k]);
	free(schema->features);
	free(schema->classes);
	free(schema->label_column);
	*schema = (struct schema){ 0 };
}
