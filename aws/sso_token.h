#ifndef SMPIPE_AWS_SSO_TOKEN_H
#define SMPIPE_AWS_SSO_TOKEN_H

/*
 * The access token that `aws sso login` keeps in ~/.aws/sso/cache/<sha1 of the session's name, or of the start
 * URL>.json. https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
 */

#include "aws/creds_source.h"

struct sso_login {
	const char *profile;   /* for words */
	const char *session;   /* of an [sso-session]; NULL: a legacy profile */
	const char *start_url; /* of a legacy profile */
	const char *region;
};

/*
 * The token, which lives for some minutes more. That of a session is refreshed in its last five minutes and kept in the
 * cache when it has a refresh token and a client registration that is still valid. ERR_AUTH with a hint that names
 * `aws sso login` when there is none or it has expired.
 */
int sso_token(struct creds_context *c, const struct sso_login *login, struct secret *ret, struct err *err);

/* Put the hint to log in again. Returns -1. */
int sso_hint(const struct sso_login *login, struct err *err);

#endif
