#ifndef SMPIPE_LOCAL_TAGS_H
#define SMPIPE_LOCAL_TAGS_H

/* Tags of a resource: [{"Key","Value"}]. */

#include <jansson.h>

#include "base/err.h"

/* Set or replace each of added; *tags is replaced. ERR_INVALID when there would be more than 50. */
int tags_add(json_t **tags, const json_t *added, struct err *err);
/* keys: array of strings. */
void tags_delete(json_t *tags, const json_t *keys);

#endif
