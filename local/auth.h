#ifndef SMPIPE_LOCAL_AUTH_H
#define SMPIPE_LOCAL_AUTH_H

/*
 * Whether a request is signed as AWS wants it: Signature Version 4 in the Authorization header or in the query.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 */

#include "base/mem.h"
#include "local/server.h"

enum auth_verdict {
	AUTH_ACCEPTED,
	AUTH_MISSING,   /* not signed at all */
	AUTH_MALFORMED, /* a signature that cannot be read */
	AUTH_UNKNOWN_KEY,
	AUTH_UNKNOWN_TOKEN, /* a session token, of which there are none here */
	AUTH_MISMATCH,      /* the signature is not that of this request */
	AUTH_SKEWED,        /* the clocks differ too much */
	AUTH_EXPIRED,       /* a presigned URL whose time is over */
};

/* Where the signatures of a body's chunks begin: local/chunked.h. */
struct auth_seed {
	char *signature, *time_text, *region, *service;
	time_t time;
};
void auth_seed_release(struct auth_seed *s);
/* false: the request has no readable signature in its header. */
bool auth_seed(const struct local_request *req, struct auth_seed *ret);

struct auth_key {
	const char *access_key_id, *secret_access_key;
	bool takes_tokens; /* any session token passes, so that a client under test can have new credentials */
};

/*
 * Set req->service and req->region from the scope that the request claims, without believing it. false: there is none.
 */
bool auth_claim(struct local_request *req);

/*
 * Verify a request. payload_hash stands for the body where the request has no x-amz-content-sha256 header; NULL then
 * means that the body is not known yet. *ret_words, new, says for people why a request is refused.
 */
enum auth_verdict auth_verify(const struct auth_key *key, int64_t now_ms, const struct local_request *req,
			      const char *payload_hash, char **ret_words);

#endif
