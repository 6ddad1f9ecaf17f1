#include "s3/request.h"

#include <assert.h>
#include <string.h>

#include "aws/call_error.h"
#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/uri.h"

static void release_target(struct s3_request *r)
{
	free(r->path);
	free(r->host);
	free(r->what);
	r->path = r->host = r->what = NULL;
}

void s3_request_release(struct s3_request *r)
{
	http_headers_release(&r->headers);
	free(take(r->query));
	free(take(r->region));
	release_target(r);
}

/* "127.0.0.1", "[::1]:4566": nothing can stand before it. */
static bool is_address(const char *authority)
{
	auto_free char *host = xstrndup(authority, strcspn(authority, ":/"));

	return *authority == '[' || !host[strspn(host, "0123456789.")];
}

static bool is_path_style(const struct endpoint *endpoint, const char *bucket)
{
	const char *authority = strstr(endpoint->url, "://") + strlen("://");

	if (endpoint->addressing == ENDPOINT_PATH || (strchr(bucket, '.') && str_starts(endpoint->url, "https:")))
		return true;
	return endpoint->is_override && (endpoint->addressing != ENDPOINT_VIRTUAL || is_address(authority));
}

static char *request_path(const struct s3_request *req, bool has_bucket)
{
	auto_free char *key = str_uri_encode(req->key ? req->key : "", true);

	if (!has_bucket)
		return xasprintf("/%s", key);
	return xasprintf("/%s%s%s", req->bucket, req->key ? "/" : "", key);
}

/* Host and port; new string. NULL: the endpoint's own. */
static char *request_host(const struct s3 *s3, const struct s3_request *req, bool has_bucket_in_path)
{
	const struct aws_identity *id = s3->aws->id;
	auto_free char *host =
		endpoint_host_in(&id->endpoints[AWS_S3], id->region, req->region ? req->region : id->region);

	if (!has_bucket_in_path)
		return xasprintf("%s.%s", req->bucket, host);
	return req->region ? take(host) : NULL;
}

/* No other answer may be a refusal either. */
static int judge_any(const struct http_response *resp)
{
	int status = resp->body.len ? s3_judge_body(resp) : 0;

	return status > 0 ? status : 0;
}

void s3_request_prepare(struct s3 *s3, struct s3_request *req)
{
	const struct aws_identity *id = s3->aws->id;
	const struct endpoint *endpoint = &id->endpoints[AWS_S3];
	bool path_style = is_path_style(endpoint, req->bucket);
	auto_free char *uri = s3_uri_format(req->bucket, req->key ? req->key : "");

	release_target(req);
	if (!req->region)
		req->region = bucket_regions_find(id->bucket_regions, req->bucket);
	req->what = xasprintf("%s '%s'", req->operation, uri);
	req->path = request_path(req, path_style);
	req->host = request_host(s3, req, path_style);
	assert(s3->bucket_owner || endpoint->is_override);
	if (!req->any_owner && s3->bucket_owner)
		http_headers_set(&req->headers, "x-amz-expected-bucket-owner", s3->bucket_owner);
	req->aws.ret_attempts = &req->n_attempts;
	if (http_headers_get(&req->headers, "x-amz-copy-source") && s3->bucket_owner)
		http_headers_set(&req->headers, "x-amz-source-expected-bucket-owner", s3->bucket_owner);
	req->aws.service = AWS_S3;
	req->aws.path = req->path;
	req->aws.host = req->host;
	req->aws.region = req->region;
	if (!req->aws.judge_body)
		req->aws.judge_body = judge_any;
	req->aws.headers = &req->headers;
}

bool s3_request_redirect(struct s3 *s3, struct s3_request *req, const struct http_response *resp)
{
	const struct aws_identity *id = s3->aws->id;
	auto_free char *region = req->is_redirected ? NULL : s3_answered_region(resp);

	if (!region || !partition_is_region_name(region) || partition_of_region(region) != id->partition ||
	    str_eq(region, req->region ? req->region : id->region))
		return false;
	req->is_redirected = true;
	bucket_regions_keep(id->bucket_regions, req->bucket, region);
	free(req->region);
	req->region = take(region);
	return true;
}

int s3_send(struct s3 *s3, struct s3_request *req, struct http_response *ret_resp, struct err *err)
{
	auto_err why = { 0 };

	for (;;) {
		s3_request_prepare(s3, req);
		if (aws_send(s3->aws, req->what, &req->aws, ret_resp, &why) == 0)
			return 0;
		if (!s3_request_redirect(s3, req, ret_resp))
			break;
		err_release(&why);
	}
	err_move(err, &why);
	return s3_request_explain(s3, req, ret_resp, err);
}

int s3_judge_body(const struct http_response *resp)
{
	auto_service_error e = { 0 };
	auto_err ignored = { 0 };
	auto_xml *root = xml_parse(str_text(&resp->body), resp->body.len, "the answer", &ignored);

	if (!root)
		return -1;
	if (strcmp(root->name, "Error") != 0)
		return 0;
	service_error_parse(resp, &e);
	if (str_eq(e.code, "SlowDown") || str_eq(e.code, "ServiceUnavailable"))
		return 503;
	return str_eq(e.code, "InternalError") ? 500 : 400;
}

static bool is_of_object(const struct http_response *resp)
{
	return http_headers_get(&resp->headers, "ETag") || http_headers_get(&resp->headers, S3_HEADER_SHA256) ||
	       http_headers_get(&resp->headers, S3_HEADER_CRC64);
}

bool s3_sink_is_object(struct http_response *resp, const char *p, size_t n)
{
	if (is_of_object(resp))
		return true;
	if (n <= S3_MAX_REFUSAL_BYTES && resp->body.len <= S3_MAX_REFUSAL_BYTES - n)
		str_add_mem(&resp->body, p, n);
	return false;
}

int s3_judge_object(const struct http_response *resp)
{
	int status;

	if (is_of_object(resp))
		return 0;
	status = s3_judge_body(resp);
	return status ? status : -1;
}

bool s3_is_refusal_of_bytes(const struct err *err)
{
	return err_is_service(err, "XAmzContentSHA256Mismatch") || err_is_service(err, "BadDigest") ||
	       err_is_service(err, "XAmzContentChecksumMismatch");
}
