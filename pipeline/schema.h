#ifndef SMPIPE_PIPELINE_SCHEMA_H
#define SMPIPE_PIPELINE_SCHEMA_H

/*
 * smpipe.yaml's keys, once: the parser, the request builder, `smpipe config --schema` and the reference page read this
 * table. The limits of what is sent stand in aws/sagemaker_limits_table.h and are found through the column `request`.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/sagemaker_limits_table.h"

enum schema_type {
	SCHEMA_MAPPING, /* keys below are rows of their own */
	SCHEMA_MAP,     /* any keys, each value by the row "<path>.*" */
	SCHEMA_LIST,    /* each item by the row "<path>[]" */
	SCHEMA_STRING,
	SCHEMA_INTEGER,
	SCHEMA_NUMBER, /* with or without a fraction */
	SCHEMA_BOOLEAN,
	SCHEMA_DURATION, /* whole seconds, or with a unit: 90s, 30m, 4h, 4d; becomes an integer of seconds */
	SCHEMA_SCALAR,   /* any scalar, its text exactly as written */
	SCHEMA_VALUE,    /* a hyperparameter: any YAML value; see config.h */
	SCHEMA_RAW,      /* a mapping as JSON: whole numbers, booleans, strings, lists, mappings */
	SCHEMA_INPUTS,   /* a SCHEMA_MAP, or a string (as if it were `{training: …}`) */
	SCHEMA_INPUT,    /* a string (as if it were `path`) or a mapping */
};

struct schema_key {
	const char *path; /* "estimator.instance_type"; `*` stands for any key, `[]` for an item */
	enum schema_type type;
	const char *words; /* one sentence for people */
	/* Member of CreateTrainingJob ("Tags[].Key") or CreateHyperParameterTuningJob that says the same, or NULL: no
	 * member at the top of the one has the name of one of the other, but for Tags. */
	const char *request;
	bool is_derived;      /* the member is made from the value and is not the value itself: its limits are others */
	const char *fallback; /* default, as written in YAML, or NULL */
	/* Allowed strings where the request has no list of them. Of a boolean: what the request says for true. */
	const char *const *choices;
	const char *like;    /* below this mapping, map or list stand the rows that stand below that one; or NULL */
	int64_t min, max;    /* of integers and durations, or characters, narrower than the request's; max 0 = none */
	const char *unit;    /* what an integer counts, or NULL */
	const char *example; /* as written in YAML; NULL: schema_example() makes one up */
};

/* A name that people bring from elsewhere, and what is right here: a key below the parent, or a path from the top. */
struct schema_alias {
	const char *parent, *name, *right;
};

/* A key that makes no sense without another one (and what to add then), or together with it. */
struct schema_pair {
	const char *key, *other, *words;
};

/* Ended by a row without path; parents stand before their children. */
extern const struct schema_key schema_keys[];
extern const struct schema_alias schema_aliases[];
extern const struct schema_pair schema_needs[];
extern const struct schema_pair schema_excludes[];

/* The row with this path, or NULL. */
const struct schema_key *schema_row(const char *path);
/* The row of a key below a parent row's path ("" = top level): exact, else the parent's "*"; NULL when unknown. */
const struct schema_key *schema_find(const char *parent, const char *key);
/* The path below which the rows of a mapping, map or list stand: its own, or that which it is like. */
const char *schema_parent(const struct schema_key *row);
/* Call fn for every row directly below parent, with its last part; "*" is among them. */
typedef void (*schema_child_fn)(void *ctx, const struct schema_key *row, const char *key);
void schema_each_child(const char *parent, schema_child_fn fn, void *ctx);
/* What was meant by an unknown key below parent: a key there, a path from the top, or NULL. */
const char *schema_nearest(const char *parent, const char *key);

/* The shape of the row's member in the request; NULL without one, or when the member is only derived from the value. */
const struct shape *schema_shape(const struct schema_key *row);
/* The shape of the keys of a map whose keys are a member of the request's items (ChannelName, say), or NULL. */
const struct shape *schema_key_shape(const struct schema_key *row);
/* Allowed strings of a row that is no boolean, or NULL. */
const char *const *schema_choices(const struct schema_key *row);
/* Of integers and durations; SHAPE_NO_MAX without a maximum. */
void schema_range(const struct schema_key *row, int64_t *ret_min, int64_t *ret_max);
/* A value as it may stand in YAML, or NULL for what has rows below it. New string. */
char *schema_example(const struct schema_key *row);

/* JSON Schema (2020-12) of the file. New reference. */
json_t *schema_json(void);
/* The reference page, in Markdown. New string. */
char *schema_reference(void);

#endif
