#ifndef SMPIPE_PIPELINE_SCHEMA_H
#define SMPIPE_PIPELINE_SCHEMA_H

/*
 * smpipe.yaml's keys, once: the parser, the request builder, `smpipe config --schema` and the reference page read this table.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {
	SCHEMA_MAPPING,     /* keys below are rows of their own */
	SCHEMA_MAP,         /* any keys, each value by the row "<path>.*" */
	SCHEMA_LIST,        /* each item by the row "<path>[]" */
	SCHEMA_STRING,
	SCHEMA_INTEGER,
	SCHEMA_BOOLEAN,
	SCHEMA_DURATION,    /* whole seconds, or with a unit: 90s, 30m, 4h, 4d; becomes an integer of seconds */
	SCHEMA_SCALAR,      /* any scalar, its text exactly as written */
	SCHEMA_VALUE,       /* a hyperparameter: any YAML value; see config.h */
	SCHEMA_INPUT,       /* a string (as if it were `path`) or a mapping */
};

struct schema_key {
	const char *path;           /* "estimator.instance_type"; `*` stands for any key, `[]` for an item */
	enum schema_type type;
	const char *request;        /* member of CreateTrainingJob that gets the value as it is, or NULL */
	const char *fallback;       /* default, as written in YAML, or NULL */
	const char *const *choices; /* allowed strings, or NULL */
	int64_t min, max;           /* of integers and durations; max 0 = none */
	const char *words;          /* one sentence for people */
};

/* Ended by a row without path; parents stand before their children. */
extern const struct schema_key schema_keys[];

/* The row of a key below a parent row's path ("" = top level): exact, else the parent's "*"; NULL when unknown. */
const struct schema_key *schema_find(const char *parent, const char *key);
/* The nearest known key below parent, or NULL. */
const char *schema_nearest(const char *parent, const char *key);

/* JSON Schema (2020-12) of the file. New reference. */
json_t *schema_json(void);

#endif
