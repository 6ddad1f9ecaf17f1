#include <string.h>

#include "aws/partition.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/request.h"

int s3_has_bucket(struct s3 *s3, const char *bucket, char **ret_region, struct err *err)
{
	auto_s3_request req = { .operation = "HeadBucket", .bucket = bucket };
	auto_response resp = { 0 };
	auto_err local = { 0 };

	req.aws.method = "HEAD";
	req.aws.is_idempotent = true;
	if (s3_send(s3, &req, &resp, &local) == 0) {
		*ret_region = xstrdup(req.region ? req.region : s3->aws->id->region);
		return 1;
	}
	if (local.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &local);
	return -1;
}

static int put_configuration(struct s3 *s3, const char *operation, const char *bucket, const char *query,
			     const char *body, struct err *err)
{
	auto_s3_request req = { .operation = operation, .bucket = bucket };
	auto_response resp = { 0 };
	struct digest digest = digest_of_text(body);
	auto_free char *checksum = str_base64(digest.b, sizeof(digest.b));

	req.aws.method = "PUT";
	req.aws.query = query;
	req.aws.bytes = body;
	req.aws.n = strlen(body);
	req.aws.is_idempotent = true;
	http_headers_add(&req.headers, "Content-Type", "application/xml");
	http_headers_add(&req.headers, S3_HEADER_SHA256, checksum);
	return s3_send(s3, &req, &resp, err);
}

static int block_public_access(struct s3 *s3, const char *bucket, struct err *err)
{
	auto_free char *body =
		xasprintf("<PublicAccessBlockConfiguration xmlns=\"%s\">"
			  "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
			  "<BlockPublicPolicy>true</BlockPublicPolicy>"
			  "<RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
			  partition_s3_xmlns);

	return put_configuration(s3, "PutPublicAccessBlock", bucket, "publicAccessBlock=", body, err);
}

/* What S3 does today by itself, said, so that it stays. */
static int encrypt_by_default(struct s3 *s3, const char *bucket, struct err *err)
{
	auto_free char *body =
		xasprintf("<ServerSideEncryptionConfiguration xmlns=\"%s\"><Rule><ApplyServerSideEncryptionByDefault>"
			  "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
			  "</ServerSideEncryptionConfiguration>",
			  partition_s3_xmlns);

	return put_configuration(s3, "PutBucketEncryption", bucket, "encryption=", body, err);
}

/* us-east-1 is the one region that must not be named. */
static char *create_body(const char *region)
{
	if (str_eq(region, "us-east-1"))
		return NULL;
	return xasprintf("<CreateBucketConfiguration xmlns=\"%s\">"
			 "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
			 partition_s3_xmlns, region);
}

int s3_create_bucket(struct s3 *s3, const char *bucket, struct err *err)
{
	auto_s3_request req = { .operation = "CreateBucket", .bucket = bucket, .any_owner = true };
	auto_response resp = { 0 };
	auto_free char *body = create_body(s3->aws->id->region);
	auto_err local = { 0 };

	req.aws.method = "PUT";
	req.aws.bytes = body;
	req.aws.n = body ? strlen(body) : 0;
	req.aws.is_idempotent = true;
	if (body)
		http_headers_add(&req.headers, "Content-Type", "application/xml");
	/* A first answer that was lost makes the second attempt find the bucket there. */
	if (s3_send(s3, &req, &resp, &local) < 0 && !err_is_service(&local, "BucketAlreadyOwnedByYou")) {
		err_move(err, &local);
		return -1;
	}
	if (block_public_access(s3, bucket, err) < 0)
		return -1;
	return encrypt_by_default(s3, bucket, err);
}
