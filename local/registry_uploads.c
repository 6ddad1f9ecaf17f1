#include <string.h>

#include "ecr/reference.h"
#include "local/cloud.h"
#include "local/registry.h"

static const char *no_digest = "the digest is no sha256 digest";

static void set_location(const struct cloud *cloud, struct local_response *resp, const char *repository,
			 const char *what)
{
	http_headers_addf(&resp->headers, "Location", "http://127.0.0.1:%d/v2/%s/blobs/%s", cloud->port, repository,
			  what);
}

static void respond_created(const struct cloud *cloud, const char *repository, const struct digest *digest,
			    struct local_response *resp)
{
	auto_free char *text = digest_oci(digest);

	registry_respond_empty(resp, 201);
	set_location(cloud, resp, repository, text);
	http_headers_set(&resp->headers, "Docker-Content-Digest", text);
}

/* 202 or 204 with where to go on. Range names the last byte, so an empty upload says 0-0 as other registries do. */
static void respond_progress(const struct cloud *cloud, int status, const char *repository, const char *id,
			     uint64_t size, struct local_response *resp)
{
	auto_free char *what = xasprintf("uploads/%s", id);

	registry_respond_empty(resp, status);
	set_location(cloud, resp, repository, what);
	http_headers_addf(&resp->headers, "Range", "0-%llu", (unsigned long long)(size ? size - 1 : 0));
	http_headers_set(&resp->headers, "Docker-Upload-UUID", id);
}

/* *ret_is_given tells whether there was a digest parameter; -1 when it is none of ours. */
static int get_digest(const struct local_request *req, const char *name, struct digest *ret, bool *ret_is_given)
{
	auto_free char *text = local_query_get(req, name);

	*ret_is_given = text != NULL;
	if (!text)
		return 0;
	return str_starts(text, "sha256:") ? digest_parse(text, ret) : -1;
}

static struct ecr_bytes body_of(const struct local_request *req)
{
	return (struct ecr_bytes){ .p = req->body_fd < 0 ? (req->body ? req->body : "") : NULL,
				   .fd = req->body_fd,
				   .size = req->body_size };
}

static void finish(struct cloud *cloud, const char *repository, const char *id, const struct digest *digest,
		   struct local_response *resp)
{
	auto_err err = { 0 };

	if (store_ecr_finish_upload(cloud->ecr, repository, id, digest, &err) == 0)
		respond_created(cloud, repository, digest, resp);
	else if (err.code == ERR_INVALID)
		registry_respond_error(resp, 400, "DIGEST_INVALID", "%s", err.msg);
	else
		registry_respond_err(resp, "BLOB_UPLOAD_UNKNOWN", &err);
}

/* Whether a blob could be had from another repository without sending it. A source that is absent is no error. */
static bool mount(struct cloud *cloud, const struct local_request *req, const char *repository,
		  struct local_response *resp)
{
	auto_free char *from = local_query_get(req, "from");
	auto_err ignored = { 0 };
	struct digest digest;
	bool is_given;

	if (get_digest(req, "mount", &digest, &is_given) < 0 || !is_given)
		return false;
	if (!store_ecr_has_blob(cloud->ecr, repository, &digest)) {
		if (!from || reference_check_repository(from, &ignored) < 0)
			return false;
		if (store_ecr_mount_blob(cloud->ecr, from, repository, &digest, &ignored) < 0)
			return false;
	}
	respond_created(cloud, repository, &digest, resp);
	return true;
}

static void start(struct cloud *cloud, const struct local_request *req, const char *repository,
		  struct local_response *resp)
{
	auto_free char *id = NULL;
	auto_err err = { 0 };
	struct ecr_bytes bytes = body_of(req);
	struct digest digest;
	bool is_whole;
	uint64_t size;

	if (mount(cloud, req, repository, resp))
		return;
	if (get_digest(req, "digest", &digest, &is_whole) < 0) {
		registry_respond_error(resp, 400, "DIGEST_INVALID", "%s", no_digest);
		return;
	}
	if (store_ecr_start_upload(cloud->ecr, repository, cloud->sys, &id, &err) < 0 ||
	    (is_whole && store_ecr_append_upload(cloud->ecr, repository, id, 0, &bytes, &size, &err) < 0))
		registry_respond_err(resp, "NAME_UNKNOWN", &err);
	else if (is_whole)
		finish(cloud, repository, id, &digest, resp);
	else
		respond_progress(cloud, 202, repository, id, 0, resp);
}

/* Where Content-Range ("<first>-<last>", with or without "bytes ") says that the body begins; -1: it says nothing. */
static int64_t range_start(const struct local_request *req)
{
	const char *header = http_headers_get(&req->headers, "Content-Range");
	auto_strlist ends = { 0 };
	int64_t first;

	if (!header)
		return -1;
	if (str_starts(header, "bytes "))
		header += strlen("bytes ");
	str_split(&ends, header, '-');
	return ends.n && str_parse_i64(ends.v[0], 0, INT64_MAX, &first) ? first : -1;
}

static void respond_out_of_order(struct cloud *cloud, const char *repository, const char *id, const struct err *why,
				 struct local_response *resp)
{
	auto_err err = { 0 };
	uint64_t size = 0;

	if (store_ecr_upload_size(cloud->ecr, repository, id, &size, &err) < 0) {
		registry_respond_err(resp, "BLOB_UPLOAD_UNKNOWN", &err);
		return;
	}
	registry_respond_error(resp, 416, "BLOB_UPLOAD_INVALID", "%s", why->msg);
	http_headers_addf(&resp->headers, "Range", "0-%llu", (unsigned long long)(size ? size - 1 : 0));
}

/* PATCH, and PUT with its last bytes. */
static void append(struct cloud *cloud, const struct local_request *req, const char *repository, const char *id,
		   struct local_response *resp)
{
	struct ecr_bytes bytes = body_of(req);
	bool is_last = str_eq(req->method, "PUT"), is_given;
	struct digest digest;
	auto_err err = { 0 };
	uint64_t size;

	if (is_last && (get_digest(req, "digest", &digest, &is_given) < 0 || !is_given)) {
		registry_respond_error(resp, 400, "DIGEST_INVALID", "%s", no_digest);
		return;
	}
	if (store_ecr_append_upload(cloud->ecr, repository, id, range_start(req), &bytes, &size, &err) < 0) {
		if (err.code == ERR_CONFLICT)
			respond_out_of_order(cloud, repository, id, &err, resp);
		else
			registry_respond_err(resp, "BLOB_UPLOAD_UNKNOWN", &err);
		return;
	}
	if (is_last)
		finish(cloud, repository, id, &digest, resp);
	else
		respond_progress(cloud, 202, repository, id, size, resp);
}

static void look(struct cloud *cloud, const char *repository, const char *id, struct local_response *resp)
{
	auto_err err = { 0 };
	uint64_t size;

	if (store_ecr_upload_size(cloud->ecr, repository, id, &size, &err) < 0)
		registry_respond_err(resp, "BLOB_UPLOAD_UNKNOWN", &err);
	else
		respond_progress(cloud, 204, repository, id, size, resp);
}

static void drop(struct cloud *cloud, const char *repository, const char *id, struct local_response *resp)
{
	auto_err err = { 0 };

	if (store_ecr_drop_upload(cloud->ecr, repository, id, &err) < 0)
		registry_respond_err(resp, "BLOB_UPLOAD_UNKNOWN", &err);
	else
		registry_respond_empty(resp, 204);
}

void registry_uploads(struct cloud *cloud, const struct local_request *req, const char *repository, const char *rest,
		      struct local_response *resp)
{
	const char *m = req->method;

	if (!*rest && str_eq(m, "POST"))
		start(cloud, req, repository, resp);
	else if (*rest && (str_eq(m, "PATCH") || str_eq(m, "PUT")))
		append(cloud, req, repository, rest, resp);
	else if (*rest && str_eq(m, "GET"))
		look(cloud, repository, rest, resp);
	else if (*rest && str_eq(m, "DELETE"))
		drop(cloud, repository, rest, resp);
	else
		registry_respond_error(resp, 405, "UNSUPPORTED", "an upload knows POST, PATCH, PUT, GET and DELETE");
}
