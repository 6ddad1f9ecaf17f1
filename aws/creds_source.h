#ifndef SMPIPE_AWS_CREDS_SOURCE_H
#define SMPIPE_AWS_CREDS_SOURCE_H

/*
 * The sources of credentials, one file each. A source returns 1 = found, 0 = there is nothing of this kind here, -1 =
 * there is, but it is wrong or refused.
 */

#include <jansson.h>

#include "aws/call.h"
#include "aws/creds.h"
#include "aws/profile.h"
#include "base/str.h"

/* What the sources work with, for one search. */
struct creds_context {
	const struct creds_options *options;
	struct profiles *profiles;       /* both shared files, read */
	const char *profile;             /* the selected one: given, AWS_PROFILE, or "default" */
	bool is_explicit;                /* it was named */
	struct http *(*http)(void *ctx); /* the client, made when it is first needed; borrowed */
	void *http_ctx;
	struct strlist *skipped; /* why sources were passed over, for the hint; may be NULL */
};

int creds_from_environment(struct creds_context *c, struct creds *ret, struct err *err);
int creds_from_profile(struct creds_context *c, struct creds *ret, struct err *err);
int creds_from_web_identity(struct creds_context *c, struct creds *ret, struct err *err);
int creds_from_github(struct creds_context *c, struct creds *ret, struct err *err);
int creds_from_container(struct creds_context *c, struct creds *ret, struct err *err);
int creds_from_imds(struct creds_context *c, struct creds *ret, struct err *err);

/* Try them all in order; never 0: nothing found is ERR_AUTH. Returns 0 or -1. */
int creds_search(struct creds_context *c, struct creds *ret, struct err *err);

/* Read the shared files and choose the profile. ERR_CONFIG: a malformed line. */
int creds_context_open(struct creds_context *c, const struct creds_options *options, struct err *err);
void creds_context_release(struct creds_context *c);

/* The sources within a profile. */
int creds_from_process(struct creds_context *c, const char *profile, struct creds *ret, struct err *err);
int creds_from_sso(struct creds_context *c, const char *profile, struct creds *ret, struct err *err);

/*
 * AssumeRoleWithWebIdentity with the token in a file, which is read anew each time. session_name may be NULL.
 * `who` begins the words of the source.
 */
int creds_from_token_file(struct creds_context *c, const char *who, const char *role_arn, const char *token_file,
			  const char *session_name, struct creds *ret, struct err *err);

/* The same with the token itself. */
int creds_from_token(struct creds_context *c, const char *who, const char *role_arn, const char *token,
		     const char *session_name, struct creds *ret, struct err *err);

/* Exchange base for the credentials of a role: AssumeRole. Reads role_arn and its companions in the profile. */
int creds_assume_role(struct creds_context *c, const char *profile, const struct creds *base, struct creds *ret,
		      struct err *err);

/*
 * An identity for calls that fetch credentials: region, partition and the endpoints of STS, SSO and SSO-OIDC in it, as
 * the selected profile has them. region NULL: the caller's.
 */
int creds_identity(struct creds_context *c, const char *region, struct aws_identity *ret, struct err *err);

/*
 * One exchange with a service of this machine, retried. Statuses 200 to 299 are success; other errors are those of
 * aws_send, with f->what in front.
 */
struct creds_fetch {
	const char *what;
	struct http_request request;
	int lost_attempts; /* when nothing answers; what answers 500 or 429 is asked up to 3 times */
	int64_t pause_ms;  /* at least, between attempts */
};
int creds_fetch(struct creds_context *c, const struct creds_fetch *f, struct http_response *ret_resp, struct err *err);

/* "smpipe-1700703534000": the name of a role session that nobody named; new string. */
char *creds_session_name(const struct creds_context *c);

/*
 * A document with secrets; text is wiped. Errors say `what` and quote nothing of it. It must be an object. Let go with
 * creds_json_free_p, which wipes the strings.
 */
json_t *creds_json(struct str *text, const char *what, struct err *err);
void creds_json_free_p(json_t **j);
#define auto_creds_json __attribute__((cleanup(creds_json_free_p))) json_t

/* Where a document keeps what; keys that are NULL are not looked for. */
struct creds_keys {
	const char *id, *secret, *token, *expiration, *account;
	bool is_token_optional;
};

/*
 * Take credentials out of a document. Expiration is an ISO 8601 time or, as a number, milliseconds since 1970.
 * ERR_INVALID with `what` when a part is missing.
 */
int creds_take(const json_t *j, const struct creds_keys *keys, const char *what, const char *source, struct creds *ret,
	       struct err *err);

/* A value of a profile; blank counts as absent. Borrowed. */
const char *creds_profile_get(const struct creds_context *c, const char *profile, const char *property);

#endif
