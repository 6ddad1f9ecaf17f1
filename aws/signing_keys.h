#ifndef SMPIPE_AWS_SIGNING_KEYS_H
#define SMPIPE_AWS_SIGNING_KEYS_H

/* Signing keys, derived once for each day, region, service and secret (Signature Version 4). Shared by threads. */

#include <stdbool.h>

#include "aws/sigv4.h"
#include "base/digest.h"

struct signing_keys;

struct signing_keys *signing_keys_new(void);
/* Wipes them. NULL is fine. */
void signing_keys_free(struct signing_keys *k);

/* date is YYYYMMDD. k may be NULL: nothing is found, nothing kept. */
bool signing_keys_find(struct signing_keys *k, const char *date, const struct sigv4_scope *scope,
		       const char *secret_access_key, struct digest *ret);
void signing_keys_keep(struct signing_keys *k, const char *date, const struct sigv4_scope *scope,
		       const char *secret_access_key, const struct digest *key);

#endif
