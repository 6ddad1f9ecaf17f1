#ifndef SMPIPE_AWS_SIGV4_H
#define SMPIPE_AWS_SIGV4_H

/*
 * Signature Version 4, each step callable. The local cloud verifies with the same steps.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

#include <stdbool.h>
#include <time.h>

#include "aws/creds.h"
#include "base/http.h"

struct sigv4_request {
	const char *method;
	const char *path;                   /* as sent on the wire: percent-encoded once */
	const char *query;                  /* as sent, without '?'; NULL or "" for none */
	const struct http_headers *headers; /* all are signed; must have host and x-amz-date */
	const char *payload_hash;           /* hex SHA-256 or UNSIGNED-PAYLOAD */
};

struct signing_keys;

struct sigv4_scope {
	const char *region, *service;
	time_t time;
	struct signing_keys *keys; /* derived keys that are kept (aws/signing_keys.h), or NULL */
	bool is_s3;                /* the path is signed as it is sent: neither normalised nor encoded again */
	bool is_path_kept;         /* the path is not normalised, but encoded */
	bool is_token_unsigned;    /* the session token is added after signing, as a few old services want it */
};

/* In place of the payload's hash, where TLS alone guards the body. */
#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

char *sigv4_canonical_request(const struct sigv4_request *req, const struct sigv4_scope *scope);
char *sigv4_string_to_sign(const char *canonical_request, const struct sigv4_scope *scope);
/* Hex signature. */
char *sigv4_signature(const char *string_to_sign, const struct sigv4_scope *scope, const char *secret_access_key);
/* Semicolon list of the signed headers' names. */
char *sigv4_signed_headers(const struct http_headers *headers);
/* "20231123/us-east-1/s3/aws4_request". */
char *sigv4_credential_scope(const struct sigv4_scope *scope);

/*
 * Add host (from host), x-amz-date, x-amz-security-token (if the credentials have one), x-amz-content-sha256 (S3 only)
 * and authorization to headers, which hold what else is to be signed.
 */
void sigv4_sign(const char *method, const char *host, const char *path, const char *query, struct http_headers *headers,
		const char *payload_hash, const struct sigv4_scope *scope, const struct creds *creds);

/*
 * The query form (presigned requests): query, followed by the X-Amz- parameters that stand for the headers above but
 * the signature, which covers them. headers must have host; session_token may be NULL. New string.
 */
char *sigv4_presign_query(const char *query, const struct http_headers *headers, int expires_s,
			  const struct sigv4_scope *scope, const char *access_key_id, const char *session_token);

/* The whole query of a presigned request, signature last. Adds host to headers. New string. */
char *sigv4_presign(const char *method, const char *host, const char *path, const char *query,
		    struct http_headers *headers, const char *payload_hash, int expires_s,
		    const struct sigv4_scope *scope, const struct creds *creds);

#endif
