#ifndef SMPIPE_AWS_CREDS_H
#define SMPIPE_AWS_CREDS_H

/*
 * Credentials, and the provider that finds them and keeps them fresh. The sources are in aws/creds_source.h.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */

#include <stdbool.h>
#include <stdint.h>

#include "aws/env.h"
#include "base/err.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/sys.h"

struct creds {
	char *access_key_id;
	struct secret secret_access_key;
	struct secret session_token; /* unset for long-lived keys */
	int64_t expires_ms;          /* since 1970; 0 = never, or not known */
	char *account_id;            /* where the source tells it, else NULL */
	char *source; /* in words, each step: "environment", "profile 'base' → role 'arn:…' via STS" */
};

#define auto_creds __attribute__((cleanup(creds_release))) struct creds
void creds_release(struct creds *c);
void creds_copy(struct creds *to, const struct creds *from);

/* Fill ret, trimmed; token may be NULL. ERR_AUTH when a part could not stand in a header. */
int creds_set(struct creds *ret, const char *id, const char *secret, const char *token, const char *source,
	      struct err *err);

struct creds_options {
	const char *profile; /* named in smpipe.yaml or by --profile: goes before the environment's keys; NULL:
				AWS_PROFILE */
	const char *region;  /* where STS is asked; NULL: AWS_REGION, AWS_DEFAULT_REGION, the profile's */
	env_fn env;
	const struct sys *sys;
	const struct report *report; /* may be NULL; outlives the provider */
	struct http *http;           /* borrowed; NULL: one of its own, made when it is first needed */
};

/* Credentials for as long as the process lives; may be shared by threads. */
struct creds_provider;

/*
 * Looks at the sources in this order; the first that has something decides, and when that is wrong no other is tried:
 * environment (not when a profile is named), profile, web identity from the environment, GitHub Actions, container, EC2
 * instance. Nothing is read or asked before the first creds_provider_get.
 */
struct creds_provider *creds_provider_new(const struct creds_options *options);

/* Always these; copies. */
struct creds_provider *creds_provider_static(const struct creds *creds);

/* From one source of the caller's, called by one thread at a time when credentials are needed; sys tells their age. */
typedef int (*creds_source_fn)(void *ctx, struct creds *ret, struct err *err);
struct creds_provider *creds_provider_from(creds_source_fn source, void *ctx, const struct sys *sys);

/*
 * Copy valid credentials to ret (zeroed or valid before). Those that end within 15 minutes are fetched anew first; when
 * that is refused and there are more than 10 minutes left, the old ones are kept. (Windows are at most half and a third
 * of the lifetime.) expired: those which a service called expired, or NULL; fetched anew unless another thread did so
 * since. Refreshing waits and may talk to the network: never call it from a callback of an exchange.
 *
 * ERR_AUTH: there are none, or their source refuses. ERR_CONFIG: a profile is wrong. ERR_NETWORK. ERR_CANCELLED.
 */
int creds_provider_get(struct creds_provider *p, const struct creds *expired, struct creds *ret, struct err *err);

/* Whether both are the same key with the same token. */
bool creds_equal(const struct creds *a, const struct creds *b);

void creds_provider_free(struct creds_provider *p);

#endif
