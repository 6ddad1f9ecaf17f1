/* The words for what S3 refuses. */

#include <string.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/request.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
static const char *action_of(const char *operation)
{
	static const struct {
		const char *operation, *action;
	} actions[] = {
		{ "HeadObject", "GetObject" },
		{ "CopyObject", "PutObject" },
		{ "CreateMultipartUpload", "PutObject" },
		{ "UploadPart", "PutObject" },
		{ "UploadPartCopy", "PutObject" },
		{ "CompleteMultipartUpload", "PutObject" },
		{ "ListParts", "ListMultipartUploadParts" },
		{ "HeadBucket", "ListBucket" },
		{ "ListObjectsV2", "ListBucket" },
		{ "ListMultipartUploads", "ListBucketMultipartUploads" },
		{ "DeleteObjects", "DeleteObject" },
		{ "PutPublicAccessBlock", "PutBucketPublicAccessBlock" },
		{ "PutBucketEncryption", "PutEncryptionConfiguration" },
	};

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (!strcmp(actions[i].operation, operation))
			return actions[i].action;
	return operation;
}

/* "s3:PutObject on arn:aws:s3:::bucket/key"; new string. */
static char *permission(const struct s3 *s3, const struct s3_request *req)
{
	return xasprintf("s3:%s on arn:%s:s3:::%s%s%s", action_of(req->operation), s3->aws->id->partition->id,
			 req->bucket, req->key ? "/" : "", req->key ? req->key : "");
}

char *s3_answered_region(const struct http_response *resp)
{
	const char *header = http_headers_get(&resp->headers, "x-amz-bucket-region");
	auto_xml *root = NULL;
	auto_err ignored = { 0 };

	/* A request to the wrong region is redirected, or refused because the signature names the wrong one. */
	if (resp->status / 100 != 3 && resp->status != 400)
		return NULL;
	if (header)
		return xstrdup(header);
	root = xml_parse(str_text(&resp->body), resp->body.len, "the answer", &ignored);
	return root && !strcmp(root->name, "Error") ? xstrdup_or_null(xml_child_text(root, "Region")) : NULL;
}

static int explain_region(const struct s3 *s3, const struct s3_request *req, const char *region, struct err *err)
{
	auto_free char *shown = str_printable(region);

	return err_set(err, ERR_CONFIG, "bucket '%s' is in region '%s', not in '%s'", req->bucket, shown,
		       req->region ? req->region : s3->aws->id->region);
}

/*
 * What else is refused in the words of a missing permission: a bucket of another account than is expected, and an
 * object that is not there from who may not list the bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
static char *other_reasons(const struct s3 *s3, const struct s3_request *req)
{
	auto_free char *owner = s3->bucket_owner && !req->any_owner
					? xasprintf(", or bucket '%s' belongs to another account than %s", req->bucket,
						    s3->bucket_owner)
					: xstrdup("");
	bool reads = str_eq(action_of(req->operation), "GetObject");

	return xasprintf("%s%s", reads ? ", or there is no such object and s3:ListBucket is not allowed" : "", owner);
}

static int hint_at_owner(const struct s3 *s3, struct err *err)
{
	if (!s3->bucket_owner)
		return -1;
	return err_hint(err, "if the bucket is another account's on purpose, name that account: `bucket_owner` in "
			     "smpipe.yaml, or --account of put and get");
}

/* An answer to HEAD has no body, so the service cannot say which it is. */
static int explain_head(const struct s3 *s3, const struct s3_request *req, struct err *err)
{
	auto_free char *missing = permission(s3, req), *others = other_reasons(s3, req);

	err_set(err, ERR_AUTH, "%s: 403: the credentials are not valid here, or %s is not allowed%s", req->what,
		missing, others);
	return hint_at_owner(s3, err);
}

static int explain_denial(const struct s3 *s3, const struct s3_request *req, struct err *err)
{
	auto_free char *missing = permission(s3, req), *others = other_reasons(s3, req);

	/* IAM says who may not do what to which. */
	if (strstr(err->msg, "not authorized to perform"))
		return -1;
	err_wrap(err, "%s is not allowed%s", missing, others);
	return hint_at_owner(s3, err);
}

int s3_request_explain(struct s3 *s3, const struct s3_request *req, const struct http_response *resp, struct err *err)
{
	auto_free char *region = s3_answered_region(resp);

	if (region && !str_eq(region, req->region ? req->region : s3->aws->id->region))
		return explain_region(s3, req, region, err);
	/* A wrong clock was told by the answer's Date. */
	if (str_eq(req->aws.method, "HEAD") && !err->service_code && resp->status == 403)
		return explain_head(s3, req, err);
	if (str_eq(req->aws.method, "HEAD") && !err->service_code && resp->status == 400)
		return err_hint(err, "an answer to HEAD gives no reason; credentials that have expired are one");
	if (str_eq(req->aws.method, "HEAD") && !err->service_code && resp->status == 404)
		return err_wrap(err, "there is no such %s", req->key ? "object, or no such bucket" : "bucket");
	return err_is_service(err, "AccessDenied") ? explain_denial(s3, req, err) : -1;
}
