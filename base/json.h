#ifndef SMPIPE_BASE_JSON_H
#define SMPIPE_BASE_JSON_H

/* JSON is jansson's json_t; here is what jansson leaves open: ownership, limits, paths and the canonical form. */

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

void json_decref_p(json_t **j);
#define auto_json __attribute__((cleanup(json_decref_p))) json_t

/* Parse n bytes; `what` names the text in the error. Duplicate keys are refused. ERR_INVALID. */
json_t *json_parse(const char *text, size_t n, const char *what, struct err *err);

/* The string at a key of an object, or NULL when it is absent or no string. Borrowed. */
const char *json_str(const json_t *object, const char *key);

/* As json_str, but absent is an error that names key and what. */
const char *json_need_str(const json_t *object, const char *key, const char *what, struct err *err);

/* The value at a path of object keys, ended by NULL; NULL when any step is absent. Borrowed. */
const json_t *json_at(const json_t *j, ...) __attribute__((sentinel));

/* Set key to a copy of the string; nothing when value is NULL. */
void json_put_str(json_t *object, const char *key, const char *value);
void json_put_int(json_t *object, const char *key, json_int_t value);

/* RFC 8785 (JCS) text; new string. */
char *json_canonical(const json_t *j);

/* Indented text for people, ending in a newline; new string. Reals have 15 digits, here and in json_compact(). */
char *json_pretty(const json_t *j);
/* One line; new string. */
char *json_compact(const json_t *j);

#endif
