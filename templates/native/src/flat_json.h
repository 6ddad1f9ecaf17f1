/*
 * A reader for the one kind of JSON that a training container is handed: an object whose values are
 * all strings.
 *
 * It is strict (RFC 8259): escapes are resolved, duplicate names, nested values and anything after
 * the object are refused. Limits are those of CreateTrainingJob with room to spare.
 */
#ifndef FLAT_JSON_H
#define FLAT_JSON_H

#include "failure.h"

#include <stddef.h>

enum { FLAT_JSON_MAX_BYTES = 1024 * 1024, FLAT_JSON_MAX_PAIRS = 256 };

struct flat_json_pair {
	char *name, *value;
};

struct flat_json {
	struct flat_json_pair *pairs;
	size_t n_pairs;
};

/* Parse length bytes. On failure the reason names the byte at which reading stopped. */
int flat_json_parse(struct flat_json *json, const char *text, size_t length, struct failure *failure);

void flat_json_release(struct flat_json *json);

#endif
