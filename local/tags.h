#ifndef SMPIPE_LOCAL_TAGS_H
#define SMPIPE_LOCAL_TAGS_H

/* Tags of a resource: [{"Key","Value"}]. */

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Whether these may be set: keys of 1 to 128 characters, none of AWS's own, values of at most 256. */
bool tags_check(const json_t *tags);

/* Set or replace each of added; *tags is replaced. ERR_INVALID when there would be more than 50. */
int tags_add(json_t **tags, const json_t *added, struct err *err);
/* keys: array of strings. */
void tags_delete(json_t *tags, const json_t *keys);

#endif
