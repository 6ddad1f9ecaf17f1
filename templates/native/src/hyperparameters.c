#include "hyperparameters.h"

#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exactly one of real and whole is set. */
struct rule {
	const char *name;
	double *real;
	uint32_t *whole;
	double minimum, maximum;
};

enum { N_RULES = 5, MAX_NUMBER_LENGTH = 64 };

static bool is_of_platform(const char *name)
{
	return strncmp(name, "sagemaker_", 10) == 0 || strncmp(name, "_tuning", 7) == 0;
}

/*
 * The SageMaker Python SDK writes some values as JSON in JSON, "\"64\"": a pair of quotes around a
 * number means nothing.
 */
static bool parse_number(const char *text, double *ret_number)
{
	char number[MAX_NUMBER_LENGTH + 1], *end;
	size_t length = strlen(text);

	if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
		text++;
		length -= 2;
	}
	if (length == 0 || length > MAX_NUMBER_LENGTH)
		return false;
	memcpy(number, text, length);
	number[length] = '\0';
	/* strtod also takes spaces, hexadecimal numbers, inf and nan. */
	if (strspn(number, "0123456789.eE+-") != length)
		return false;
	*ret_number = strtod(number, &end);
	return *end == '\0';
}

static int apply(const struct rule *rule, const char *value, struct failure *failure)
{
	double number;

	if (!parse_number(value, &number))
		return fail(failure, "hyperparameter '%s': '%.80s' is not a number", rule->name, value);
	if (!(number >= rule->minimum && number <= rule->maximum))
		return fail(failure, "hyperparameter '%s': %.80s is not between %g and %.10g", rule->name, value,
			    rule->minimum, rule->maximum);
	if (rule->real) {
		*rule->real = number;
		return 0;
	}
	*rule->whole = (uint32_t)number;
	if (*rule->whole != number)
		return fail(failure, "hyperparameter '%s': %.80s is not a whole number", rule->name, value);
	return 0;
}

int hyperparameters_from_json(struct hyperparameters *ret_hp, const struct flat_json *json, struct failure *failure)
{
	struct hyperparameters hp = { .lr = 0.5, .l2 = 0.0001, .epochs = 40, .batch_size = 16, .seed = 7 };
	const struct rule rules[N_RULES] = {
		{ .name = "lr", .real = &hp.lr, .minimum = 1e-9, .maximum = 100 },
		{ .name = "epochs", .whole = &hp.epochs, .minimum = 1, .maximum = 1e9 },
		{ .name = "batch_size", .whole = &hp.batch_size, .minimum = 1, .maximum = 1e9 },
		{ .name = "l2", .real = &hp.l2, .minimum = 0, .maximum = 100 },
		{ .name = "seed", .whole = &hp.seed, .minimum = 0, .maximum = UINT32_MAX },
	};

	for (size_t i = 0; i < json->n_pairs; i++) {
		const struct flat_json_pair *pair = &json->pairs[i];
		size_t r = 0;

		if (is_of_platform(pair->name))
			continue;
		while (r < N_RULES && strcmp(rules[r].name, pair->name) != 0)
			r++;
		if (r == N_RULES)
			return fail(failure,
				    "hyperparameter '%.80s' is unknown: there are lr, epochs, batch_size, l2, seed",
				    pair->name);
		if (apply(&rules[r], pair->value, failure) < 0)
			return -1;
	}
	*ret_hp = hp;
	return 0;
}

/* One byte more than a parser would take: a file that is too large is seen as such. */
static int read_file(const char *path, char **ret_text, size_t *ret_length, struct failure *failure)
{
	FILE *file = fopen(path, "r");

	if (!file && errno == ENOENT) {
		*ret_text = memory_copy_text("{}");
		*ret_length = 2;
		return 0;
	}
	if (!file)
		return fail(failure, "open '%s': %s", path, strerror(errno));

	char *text = memory_zeroed(FLAT_JSON_MAX_BYTES + 1, 1);
	size_t length = fread(text, 1, FLAT_JSON_MAX_BYTES + 1, file);
	bool is_broken = ferror(file);

	fclose(file);
	if (is_broken) {
		free(text);
		return fail(failure, "read '%s'", path);
	}
	*ret_text = text;
	*ret_length = length;
	return 0;
}

int hyperparameters_read(struct hyperparameters *ret_hp, const char *path, struct failure *failure)
{
	struct flat_json json = { 0 };
	struct failure why;
	char *text = NULL;
	size_t length = 0;

	if (read_file(path, &text, &length, failure) < 0)
		return -1;

	int status = flat_json_parse(&json, text, length, &why);

	if (status < 0)
		fail(failure, "read '%.200s': %.700s", path, why.reason);
	else
		status = hyperparameters_from_json(ret_hp, &json, failure);
	flat_json_release(&json);
	free(text);
	return status;
}
