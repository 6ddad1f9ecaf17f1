#ifndef SMPIPE_S3_REQUEST_H
#define SMPIPE_S3_REQUEST_H

/*
 * What every S3 call has in common: where the bucket is addressed, whose it must be, in which region it is, how a
 * refusal is worded.
 */

#include "aws/xml.h"
#include "s3/object.h"

/* Largest XML answer that is read: a page of 1000 keys of 1024 bytes, percent-encoded, with room. */
#define S3_MAX_XML_BYTES ((size_t)8 * 1024 * 1024)

/* A refusal is read whole however little was asked for. */
#define S3_MAX_REFUSAL_BYTES ((size_t)64 * 1024)

struct s3_request {
	const char *operation; /* S3's name of the call */
	const char *bucket;
	const char *key; /* NULL: the bucket itself */
	bool any_owner;  /* leave x-amz-expected-bucket-owner out: the bucket does not exist yet */
	struct http_headers headers;
	struct aws_request aws;   /* method, query, body and sink; the rest is filled in */
	char *query;              /* owned, for aws.query; or NULL */
	char *path, *host, *what; /* filled in; owned */
	char *region;             /* where the bucket was found, if elsewhere; filled in; owned */
	bool is_redirected;
	int n_attempts; /* filled in */
};

#define auto_s3_request __attribute__((cleanup(s3_request_release))) struct s3_request
void s3_request_release(struct s3_request *r);

/*
 * The bucket stands in the host at AWS, unless its name has dots (no certificate covers them), and in the path at other
 * endpoints; addressing_style of the AWS configuration file chooses, but a host that is an address has no names below
 * it. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 *
 * A bucket in another region of the partition is followed there once: the host is computed, never taken from the
 * answer. What was found out is kept in the identity. https://docs.aws.amazon.com/AmazonS3/latest/API/Redirects.html
 *
 * ERR_CONFIG: the bucket is in a region where it is not followed. ERR_AUTH names the permission that is missing. Else
 * as aws_send.
 */
int s3_send(struct s3 *s3, struct s3_request *req, struct http_response *ret_resp, struct err *err);

/* The same in steps, around aws_call_new and aws_call_judge: req->aws and req->what are whole, … */
void s3_request_prepare(struct s3 *s3, struct s3_request *req);
/* … a failure may say where the bucket is: true when the request is to be prepared anew and sent there, … */
bool s3_request_redirect(struct s3 *s3, struct s3_request *req, const struct http_response *resp);
/* … or it gets the words that only S3's answers allow. Returns -1. */
int s3_request_explain(struct s3 *s3, const struct s3_request *req, const struct http_response *resp, struct err *err);

/* The region that an answer names as the bucket's, or NULL: it does not speak of that. New string. */
char *s3_answered_region(const struct http_response *resp);

/*
 * For aws_request.judge_body: S3 answers 200 before it has finished a Complete or a copy, and may then send <Error>.
 * What is no XML is cut off. Without a judge of its own, a request takes any body but an <Error>.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
int s3_judge_body(const struct http_response *resp);
/*
 * The same of PutObject, UploadPart and GetObject: what comes without an ETag and without a checksum of the object is
 * no answer about it, whatever its status.
 */
int s3_judge_object(const struct http_response *resp);
/*
 * For the sinks of such answers: false when these bytes of a body belong to no object. They are kept for
 * s3_judge_object, as far as a refusal may be long.
 */
bool s3_sink_is_object(struct http_response *resp, const char *p, size_t n);

/*
 * A key of a list, decoded: encoding-type=url writes a space as '+'; a page that does not say so has plain keys. NULL:
 * it is none, or text is NULL. New string.
 */
char *s3_listed_key(const struct xml *page, const char *text);

/* Whether S3 refused the bytes because they are not those that were hashed. */
bool s3_is_refusal_of_bytes(const struct err *err);

#endif
