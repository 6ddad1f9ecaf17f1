#ifndef SMPIPE_PIPELINE_CONFIG_H
#define SMPIPE_PIPELINE_CONFIG_H

/*
 * smpipe.yaml: parsed by the table of pipeline/schema.h into a JSON document that remembers where each value stood.
 *
 * In the document durations are integers of seconds, inputs are always mappings, and a hyperparameter is a JSON string
 * (its text) when YAML quotes it or it is no JSON literal, else {"literal": "<text exactly as written>"} (numbers,
 * true, false, null; lists and mappings as JSON).
 */

#include <jansson.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

#define CONFIG_FILE      "smpipe.yaml"
#define CONFIG_MAX_BYTES (1024 * 1024)
#define CONFIG_MAX_NAME  46

struct config_position {
	char *path;       /* "estimator.metric_definitions[0].regex" */
	int line, column; /* from 1 */
};

struct config {
	char *file;           /* as given, for messages */
	char *root;           /* folder of the file, absolute */
	char *environment;    /* of -e, or NULL */
	char *definition;     /* see config_open_definition(), or NULL */
	json_t *values;       /* with the environment laid over */
	struct digest digest; /* of the file's bytes */
	struct strlist lines;
	struct strlist set; /* names of hyperparameters that -p has set */
	struct config_position *positions;
	size_t n_positions, cap_positions;
};

#define auto_config __attribute__((cleanup(config_release))) struct config

/* ERR_CONFIG with file:line:column, the line and a caret. environment may be NULL. */
int config_load(const char *file, const char *environment, struct config *ret, struct err *err);
int config_parse(const char *text, size_t n, const char *name, const char *environment, struct config *ret,
		 struct err *err);
void config_release(struct config *c);

/* Set a hyperparameter as -p does: "name=value", the value read as in YAML. ERR_CONFIG. */
int config_set_hyperparameter(struct config *c, const char *assignment, struct err *err);

/*
 * The configuration as one of tuner.definitions has it: its estimator, image, objective and ranges in the places of the
 * file's own, and no hyperparameter that is tuned. name NULL: the file's own, only without what is tuned. Borrows from
 * c; complaints find the definition's lines.
 */
void config_open_definition(const struct config *c, const char *name, struct config *ret);
void config_close_definition(struct config *definition);

/* Where a definition says what the file says at path, or NULL where it cannot. New string. */
char *config_definition_path(const struct config *definition, const char *path);

/* Lay the keys of over on a section of the file, mappings in it key by key. */
void config_lay_over(json_t *section, const json_t *over);

/* The nearest smpipe.yaml upwards from the working folder, or ERR_CONFIG. New string. */
char *config_discover(struct err *err);

/* The value at a path, without defaults, or NULL. Borrowed. */
const json_t *config_value(const struct config *c, const char *path);
/* Strings and scalars; the schema's default when absent; NULL without one. Borrowed. */
const char *config_str(const struct config *c, const char *path);
/* Integers and durations; the schema's default when absent; 0 without one. */
int64_t config_int(const struct config *c, const char *path);
int config_is_true(const struct config *c, const char *path);
/* The strings of a list; empty when absent. */
void config_list(const struct config *c, const char *path, struct strlist *ret);

/* Set ERR_CONFIG at the position of path (or of its nearest parent that is in the file). Returns -1. */
int config_error(const struct config *c, struct err *err, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* As config_error, at the character `offset` of the value at path. */
int config_error_inside(const struct config *c, struct err *err, const char *path, size_t offset, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* As config_error, without the line itself: it holds a secret. */
int config_error_unquoted(const struct config *c, struct err *err, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* "smpipe.yaml:3:7: <words>" for a warning; without a position where there is none. New string. */
char *config_warning(const struct config *c, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
