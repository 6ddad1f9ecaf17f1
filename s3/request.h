#ifndef SMPIPE_S3_REQUEST_H
#define SMPIPE_S3_REQUEST_H

/* What every S3 call has in common: where the bucket is addressed, whose it must be, how a refusal is worded. */

#include "s3/object.h"

/* Largest XML answer that is read: a page of 1000 keys of 1024 bytes, percent-encoded, with room. */
#define S3_MAX_XML_BYTES ((size_t)8 * 1024 * 1024)

struct s3_request {
	const char *operation; /* S3's name of the call */
	const char *bucket;
	const char *key; /* NULL: the bucket itself */
	bool any_owner;  /* leave x-amz-expected-bucket-owner out: the bucket does not exist yet */
	struct http_headers headers;
	struct aws_request aws; /* method, query, body and sink; the rest is filled in */
};

#define auto_s3_request __attribute__((cleanup(s3_request_release))) struct s3_request
void s3_request_release(struct s3_request *r);

/*
 * Path style below an endpoint override and for bucket names with dots (no certificate covers them), else virtual-host
 * style. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html ERR_CONFIG: the bucket is in another
 * region; else as aws_send.
 */
int s3_send(struct s3 *s3, struct s3_request *req, struct http_response *ret_resp, struct err *err);

#endif
