#ifndef SMPIPE_LOCAL_CHUNKED_H
#define SMPIPE_LOCAL_CHUNKED_H

/*
 * Bodies in aws-chunked coding, as newer SDKs send them: chunks with their sizes, each signed or not, and trailing
 * headers with the checksum of the whole.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */

#include "local/auth.h"
#include "local/server_body.h"

struct chunked;

/* Whether the request's x-amz-content-sha256 says that its body is of this kind. */
bool chunked_is_declared(const struct local_request *req);

/*
 * A decoder for the body of a request whose signature was verified; key is what it was signed with. ERR_INVALID with
 * the service's code: the headers do not fit together. *ret is freed with chunked_free.
 */
int chunked_new(const struct local_request *req, const struct auth_key *key, struct chunked **ret, struct err *err);
void chunked_free(struct chunked *c);

/*
 * Decode the next bytes into body. ERR_INVALID: malformed, more or less than announced, or a chunk whose signature is
 * another; with the service's code where there is one.
 */
int chunked_add(struct chunked *c, const char *p, size_t n, struct server_body *body, struct err *err);

/* The end has come: whether everything was there. Checksums from the trailer are appended to headers. */
int chunked_finish(struct chunked *c, const struct server_body *body, struct http_headers *headers, struct err *err);

#endif
