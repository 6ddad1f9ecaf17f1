#include "local/s3.h"

#include <string.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_names.h"
#include "local/s3_store.h"

/* A list of keys or parts may be longer than what is kept in memory of a request. */
#define BODY_XML_MAX_BYTES (16U << 20)

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
		{ "NoSuchBucket", 404 },     { "NoSuchKey", 404 },
		{ "NoSuchUpload", 404 },     { "InvalidBucketName", 400 },
		{ "KeyTooLongError", 400 },  { "InvalidPart", 400 },
		{ "InvalidPartOrder", 400 }, { "EntityTooSmall", 400 },
		{ "InvalidRequest", 400 },   { "MalformedXML", 400 },
		{ "BadDigest", 400 },        { "PreconditionFailed", 412 },
		{ "BucketNotEmpty", 409 },   { "BucketAlreadyOwnedByYou", 409 },
	};

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (err_is_service(err, statuses[i].code)) {
			local_respond_s3_error(c->resp, statuses[i].status, statuses[i].code, "%s", err->msg);
			return;
		}
	}
	if (err_is_disk_full(err))
		local_respond_s3_error(c->resp, 507, LOCAL_DISK_FULL, "%s", err->msg);
	else
		local_respond_s3_error(c->resp, 500, "InternalError", "%s", err->msg);
}

enum level { LEVEL_SERVICE, LEVEL_BUCKET, LEVEL_OBJECT };

struct route {
	enum level level;
	const char *method;
	const char *subresource; /* NULL: none of them */
	const char *name;        /* the API's; of a configuration without what is configured */
	s3_call_fn fn;
	bool is_copy; /* with x-amz-copy-source */
};

static const struct route routes[] = {
	{ LEVEL_SERVICE, "GET", NULL, "ListBuckets", s3_call_list_buckets, false },
	{ LEVEL_BUCKET, "PUT", NULL, "CreateBucket", s3_call_create_bucket, false },
	{ LEVEL_BUCKET, "HEAD", NULL, "HeadBucket", s3_call_head_bucket, false },
	{ LEVEL_BUCKET, "DELETE", NULL, "DeleteBucket", s3_call_delete_bucket, false },
	{ LEVEL_BUCKET, "GET", NULL, "ListObjects", s3_call_list_objects, false },
	{ LEVEL_BUCKET, "GET", "location", "GetBucketLocation", s3_call_get_bucket_location, false },
	{ LEVEL_BUCKET, "GET", "versioning", "GetBucketVersioning", s3_call_get_bucket_versioning, false },
	{ LEVEL_BUCKET, "POST", "delete", "DeleteObjects", s3_call_delete_objects, false },
	{ LEVEL_BUCKET, "GET", "uploads", "ListMultipartUploads", s3_call_list_multipart_uploads, false },
	{ LEVEL_OBJECT, "PUT", NULL, "PutObject", s3_call_put_object, false },
	{ LEVEL_OBJECT, "PUT", NULL, "CopyObject", s3_call_copy_object, true },
	{ LEVEL_OBJECT, "GET", NULL, "GetObject", s3_call_get_object, false },
	{ LEVEL_OBJECT, "GET", "partNumber", "GetObject", s3_call_get_object, false },
	{ LEVEL_OBJECT, "GET", "attributes", "GetObjectAttributes", s3_call_get_object_attributes, false },
	{ LEVEL_OBJECT, "GET", "tagging", "GetObjectTagging", s3_call_get_object_tagging, false },
	{ LEVEL_OBJECT, "HEAD", NULL, "HeadObject", s3_call_get_object, false },
	{ LEVEL_OBJECT, "HEAD", "partNumber", "HeadObject", s3_call_get_object, false },
	{ LEVEL_OBJECT, "DELETE", NULL, "DeleteObject", s3_call_delete_object, false },
	{ LEVEL_OBJECT, "POST", "uploads", "CreateMultipartUpload", s3_call_create_multipart_upload, false },
	{ LEVEL_OBJECT, "PUT", "uploadId", "UploadPart", s3_call_upload_part, false },
	{ LEVEL_OBJECT, "PUT", "uploadId", "UploadPartCopy", s3_call_upload_part_copy, true },
	{ LEVEL_OBJECT, "POST", "uploadId", "CompleteMultipartUpload", s3_call_complete_multipart_upload, false },
	{ LEVEL_OBJECT, "DELETE", "uploadId", "AbortMultipartUpload", s3_call_abort_multipart_upload, false },
	{ LEVEL_OBJECT, "GET", "uploadId", "ListParts", s3_call_list_parts, false },
};

static const struct route config_routes[] = {
	{ LEVEL_BUCKET, "PUT", NULL, "PutBucketConfiguration", s3_call_put_bucket_config, false },
	{ LEVEL_BUCKET, "GET", NULL, "GetBucketConfiguration", s3_call_get_bucket_config, false },
	{ LEVEL_BUCKET, "DELETE", NULL, "DeleteBucketConfiguration", s3_call_delete_bucket_config, false },
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

	for (size_t i = 0; *req->query && i < ARRAY_LEN(names); i++)
		if (local_query_has(req, names[i]))
			return names[i];
	return NULL;
}

static const struct route *find_route(const struct local_request *req, enum level level, const char *subresource)
{
	bool is_config = level == LEVEL_BUCKET && subresource && s3_is_bucket_config(subresource);
	bool is_copy = http_headers_get(&req->headers, "x-amz-copy-source");
	const struct route *table = is_config ? config_routes : routes;
	size_t n = is_config ? ARRAY_LEN(config_routes) : ARRAY_LEN(routes);

	for (size_t i = 0; i < n; i++)
		if (table[i].level == level && !strcmp(table[i].method, req->method) && table[i].is_copy == is_copy &&
		    (is_config || str_eq(table[i].subresource, subresource)))
			return &table[i];
	return NULL;
}

const char *s3_operation(const struct local_request *req)
{
	const char *path = req->path + (*req->path == '/'), *slash = strchr(path, '/');
	enum level level = slash && slash[1] ? LEVEL_OBJECT : *path ? LEVEL_BUCKET : LEVEL_SERVICE;
	const struct route *route = find_route(req, level, find_subresource(req));

	return route ? route->name : NULL;
}

static void refuse_route(const struct s3_call *c, const char *subresource)
{
	if (subresource)
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

/* As S3's regional endpoints: https://docs.aws.amazon.com/AmazonS3/latest/API/Redirects.html */
static bool is_region_right(const struct s3_call *c, const struct route *route)
{
	auto_free char *region = NULL;
	auto_err ignored = { 0 };
	time_t created;

	if (!c->bucket || !c->req->region || route->fn == s3_call_create_bucket ||
	    route->fn == s3_call_get_bucket_location ||
	    store_s3_bucket_info(c->cloud->s3, c->bucket, &region, &created, &ignored) < 0 ||
	    str_eq(region, c->req->region))
		return true;
	local_respond_s3_error(
		c->resp, 301, "PermanentRedirect",
		"The bucket you are attempting to access must be addressed using the specified endpoint");
	http_headers_set(&c->resp->headers, "x-amz-bucket-region", region);
	return false;
}

static void answer(const struct s3_call *c)
{
	enum level level = c->key ? LEVEL_OBJECT : c->bucket ? LEVEL_BUCKET : LEVEL_SERVICE;
	const char *subresource = find_subresource(c->req);
	const struct route *route = find_route(c->req, level, subresource);

	if (!route)
		refuse_route(c, subresource);
	else if (is_owner_right(c) && is_region_right(c, route))
		route->fn(c);
}

struct xml *s3_parse_body(const struct local_request *req, const char *what)
{
	auto_s3_mapped map = { 0 };
	auto_err ignored = { 0 };

	if (req->body)
		return xml_parse(req->body, req->body_size, what, &ignored);
	if (req->body_size > BODY_XML_MAX_BYTES || s3_mapped_open(&map, req->body_fd, req->body_size, &ignored) < 0)
		return NULL;
	return xml_parse(map.p, map.n, what, &ignored);
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
