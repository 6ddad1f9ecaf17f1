#include "local/s3.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "local/s3_names.h"

char *s3_time_iso(time_t t)
{
	auto_free char *whole = str_time_iso(t);

	return xasprintf("%.19s.000Z", whole);
}

void s3_respond_err(const struct s3_call *c, const struct err *err)
{
	static const struct {
		const char *code;
		int status;
	} statuses[] = {
		{ "NoSuchBucket", 404 },
		{ "NoSuchKey", 404 },
		{ "InvalidBucketName", 400 },
		{ "KeyTooLongError", 400 },
		{ "PreconditionFailed", 412 },
		{ "BucketNotEmpty", 409 },
		{ "BucketAlreadyOwnedByYou", 409 },
	};

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (err_is_service(err, statuses[i].code)) {
			local_respond_s3_error(c->resp, statuses[i].status, statuses[i].code, "%s", err->msg);
			return;
		}
	}
	local_respond_s3_error(c->resp, 500, "InternalError", "%s", err->msg);
}

enum level { LEVEL_SERVICE, LEVEL_BUCKET, LEVEL_OBJECT };

struct route {
	enum level level;
	const char *method;
	const char *subresource; /* NULL: none of them */
	s3_call_fn fn;
};

static const struct route routes[] = {
	{ LEVEL_SERVICE, "GET", NULL, s3_call_list_buckets },
	{ LEVEL_BUCKET, "PUT", NULL, s3_call_create_bucket },
	{ LEVEL_BUCKET, "HEAD", NULL, s3_call_head_bucket },
	{ LEVEL_BUCKET, "DELETE", NULL, s3_call_delete_bucket },
	{ LEVEL_BUCKET, "GET", NULL, s3_call_list_objects },
	{ LEVEL_BUCKET, "GET", "location", s3_call_get_bucket_location },
	{ LEVEL_BUCKET, "GET", "versioning", s3_call_get_bucket_versioning },
	{ LEVEL_BUCKET, "POST", "delete", s3_call_delete_objects },
	{ LEVEL_OBJECT, "PUT", NULL, s3_call_put_object },
	{ LEVEL_OBJECT, "GET", NULL, s3_call_get_object },
	{ LEVEL_OBJECT, "HEAD", NULL, s3_call_get_object },
	{ LEVEL_OBJECT, "DELETE", NULL, s3_call_delete_object },
};

static const struct route config_routes[] = {
	{ LEVEL_BUCKET, "PUT", NULL, s3_call_put_bucket_config },
	{ LEVEL_BUCKET, "GET", NULL, s3_call_get_bucket_config },
	{ LEVEL_BUCKET, "DELETE", NULL, s3_call_delete_bucket_config },
};

/* Each makes another operation of the same method and path; one that we do not have must not be taken for the plain
 * one. */
static const char *find_subresource(const struct local_request *req)
{
	static const char *const names[] = {
		"location",
		"versioning",
		"delete",
		"publicAccessBlock",
		"encryption",
		"tagging",
		"acl",
		"policy",
		"policyStatus",
		"uploads",
		"uploadId",
		"lifecycle",
		"cors",
		"website",
		"versions",
		"notification",
		"logging",
		"replication",
		"requestPayment",
		"torrent",
		"restore",
		"select",
		"retention",
		"legal-hold",
		"object-lock",
		"attributes",
		"accelerate",
		"analytics",
		"inventory",
		"metrics",
		"intelligent-tiering",
		"partNumber",
		"ownershipControls",
		"session",
		"append",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (local_query_has(req, names[i]))
			return names[i];
	return NULL;
}

static const struct route *find_route(const struct s3_call *c, const char *subresource)
{
	enum level level = c->key ? LEVEL_OBJECT : c->bucket ? LEVEL_BUCKET : LEVEL_SERVICE;
	bool is_config = level == LEVEL_BUCKET && subresource && s3_is_bucket_config(subresource);
	const struct route *table = is_config ? config_routes : routes;
	size_t n = is_config ? ARRAY_LEN(config_routes) : ARRAY_LEN(routes);

	for (size_t i = 0; i < n; i++)
		if (table[i].level == level && !strcmp(table[i].method, c->req->method) &&
		    (is_config || str_eq(table[i].subresource, subresource)))
			return &table[i];
	return NULL;
}

static void refuse_route(const struct s3_call *c, const char *subresource)
{
	if (subresource && (!strcmp(subresource, "uploads") || !strcmp(subresource, "uploadId")))
		local_respond_s3_error(
			c->resp, 501, "NotImplemented",
			"The local cloud does not take multipart uploads; send the object in one request (for the aws "
			"command: aws configure set default.s3.multipart_threshold 5GB)");
	else if (subresource)
		local_respond_s3_error(c->resp, 501, "NotImplemented", "The local cloud does not implement %s ?%s",
				       c->req->method, subresource);
	else
		local_respond_s3_error(c->resp, 405, "MethodNotAllowed",
				       "The specified method is not allowed against this resource.");
}

static bool is_owner_right(const struct s3_call *c)
{
	const char *expected = http_headers_get(&c->req->headers, "x-amz-expected-bucket-owner");

	if (!expected || !strcmp(expected, c->cloud->account))
		return true;
	local_respond_s3_error(c->resp, 403, "AccessDenied", "Access Denied");
	return false;
}

static void answer(const struct s3_call *c)
{
	const char *subresource = find_subresource(c->req);
	const struct route *route = find_route(c, subresource);
	const char *copy_source = http_headers_get(&c->req->headers, "x-amz-copy-source");

	if (copy_source)
		local_respond_s3_error(c->resp, 501, "NotImplemented", "The local cloud does not implement CopyObject");
	else if (!route)
		refuse_route(c, subresource);
	else if (is_owner_right(c))
		route->fn(c);
}

void local_s3_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	const char *path = req->path + (*req->path == '/');
	const char *slash = strchr(path, '/');
	auto_free char *raw_bucket = xstrndup(path, slash ? (size_t)(slash - path) : strlen(path));
	auto_free char *bucket = str_uri_decode(raw_bucket);
	auto_free char *key = slash && slash[1] ? str_uri_decode(slash + 1) : NULL;
	struct s3_call c = { cloud, req, resp, bucket, key };

	if (!bucket || (slash && slash[1] && !key) || (key && !str_is_utf8(key, strlen(key))))
		local_respond_s3_error(resp, 400, "InvalidURI", "Couldn't parse the specified URI.");
	else if (key && strlen(key) > S3_KEY_MAX_BYTES)
		local_respond_s3_error(resp, 400, "KeyTooLongError", "Your key is too long");
	else {
		if (!*bucket)
			c.bucket = NULL;
		answer(&c);
	}
}
