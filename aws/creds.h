#ifndef SMPIPE_AWS_CREDS_H
#define SMPIPE_AWS_CREDS_H

/* Credentials, and the chain that finds them. */

#include <stdbool.h>

#include "aws/endpoint.h"
#include "base/err.h"
#include "base/mem.h"

struct creds {
	char *access_key_id;
	struct secret secret_access_key;
	struct secret session_token; /* unset for long-lived keys */
	char *source;                /* in words: "environment", "profile 'research'" */
};

#define auto_creds __attribute__((cleanup(creds_release))) struct creds
void creds_release(struct creds *c);
void creds_copy(struct creds *to, const struct creds *from);

/* Fill ret, trimmed; token may be NULL. ERR_AUTH when a part could not stand in a header. */
int creds_set(struct creds *ret, const char *id, const char *secret, const char *token, const char *source,
	      struct err *err);

/*
 * Find credentials: environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; blank counts as unset)
 * unless a profile is named in smpipe.yaml, then the static keys of the profile (profile, else AWS_PROFILE, else
 * "default"). ERR_AUTH with a hint when there are none.
 */
int creds_resolve(const char *profile, env_fn env, struct creds *ret, struct err *err);

/* One function per source: 1 = found, 0 = this source has none, -1 = it has, but wrong. */
int creds_from_environment(env_fn env, struct creds *ret, struct err *err);
int creds_from_profile(const char *profile, env_fn env, struct creds *ret, struct err *err);

#endif
