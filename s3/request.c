#include "s3/request.h"

#include <assert.h>
#include <string.h>

#include "aws/call_error.h"
#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/uri.h"

void s3_request_release(struct s3_request *r)
{
	http_headers_release(&r->headers);
	free(r->query);
	free(r->path);
	free(r->host);
	free(r->what);
	r->query = r->path = r->host = r->what = NULL;
}

static bool is_path_style(const struct endpoint *endpoint, const char *bucket)
{
	return endpoint->is_override || strchr(bucket, '.');
}

/* "<bucket>.<host[:port]>" of the endpoint; new string. */
static char *virtual_host(const struct endpoint *endpoint, const char *bucket)
{
	const char *host = strstr(endpoint->url, "://");

	host = host ? host + 3 : endpoint->url;
	return xasprintf("%s.%.*s", bucket, (int)strcspn(host, "/"), host);
}

static char *request_path(const struct s3_request *req, bool has_bucket)
{
	auto_free char *key = str_uri_encode(req->key ? req->key : "", true);

	if (!has_bucket)
		return xasprintf("/%s", key);
	return xasprintf("/%s%s%s", req->bucket, req->key ? "/" : "", key);
}

int s3_request_explain(struct s3 *s3, const struct s3_request *req, const struct http_response *resp, struct err *err)
{
	const char *region = http_headers_get(&resp->headers, "x-amz-bucket-region");

	/* A request to the wrong region is redirected, or refused because the signature names the wrong one. */
	if (region && !str_eq(region, s3->aws->id->region) && (resp->status / 100 == 3 || resp->status == 400)) {
		auto_free char *shown = str_printable(region);

		return err_set(err, ERR_CONFIG, "bucket '%s' is in region '%s', not in '%s'", req->bucket, shown,
			       s3->aws->id->region);
	}
	/* An answer to HEAD has no body, so the service cannot say which it is. */
	if (resp->status == 403 && str_eq(req->aws.method, "HEAD")) {
		err_set(err, ERR_AUTH,
			"%s '%s': 403: bucket '%s' belongs to another account than %s, or access is denied",
			req->operation, req->key ? req->key : req->bucket, req->bucket, s3->bucket_owner);
		return err_hint(err,
				"if the bucket is another account's on purpose, name that account as bucket_owner");
	}
	return -1;
}

void s3_request_prepare(struct s3 *s3, struct s3_request *req)
{
	const struct endpoint *endpoint = &s3->aws->id->endpoints[AWS_S3];
	bool path_style = is_path_style(endpoint, req->bucket);
	auto_free char *uri = s3_uri_format(req->bucket, req->key ? req->key : "");

	req->what = xasprintf("%s '%s'", req->operation, uri);
	req->path = request_path(req, path_style);
	req->host = path_style ? NULL : virtual_host(endpoint, req->bucket);
	assert(s3->bucket_owner || endpoint->is_override);
	if (!req->any_owner && s3->bucket_owner)
		http_headers_set(&req->headers, "x-amz-expected-bucket-owner", s3->bucket_owner);
	if (http_headers_get(&req->headers, "x-amz-copy-source") && s3->bucket_owner)
		http_headers_set(&req->headers, "x-amz-source-expected-bucket-owner", s3->bucket_owner);
	req->aws.service = AWS_S3;
	req->aws.path = req->path;
	req->aws.host = req->host;
	req->aws.headers = &req->headers;
}

int s3_send(struct s3 *s3, struct s3_request *req, struct http_response *ret_resp, struct err *err)
{
	s3_request_prepare(s3, req);
	if (aws_send(s3->aws, req->what, &req->aws, ret_resp, err) < 0)
		return s3_request_explain(s3, req, ret_resp, err);
	return 0;
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

bool s3_is_refusal_of_bytes(const struct err *err)
{
	return err_is_service(err, "XAmzContentSHA256Mismatch") || err_is_service(err, "BadDigest") ||
	       err_is_service(err, "XAmzContentChecksumMismatch");
}
