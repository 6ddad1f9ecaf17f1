/*
 * The OCI distribution API, version 1.1, on the repositories of the local ECR.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 */

#include "local/registry.h"

#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "ecr/reference.h"
#include "local/cloud.h"

void registry_respond_error(struct local_response *resp, int status, const char *code, const char *fmt, ...)
{
	auto_free char *words = NULL;
	auto_free char *text = NULL;
	json_t *body;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	text = str_printable(words);
	body = json_pack("{s:[{s:s, s:s}]}", "errors", "code", code, "message", text);
	local_respond_json(resp, status, body);
	http_headers_set(&resp->headers, "Content-Type", "application/json");
}

void registry_respond_err(struct local_response *resp, const char *not_found_code, const struct err *err)
{
	if (err->code == ERR_NOT_FOUND)
		registry_respond_error(resp, 404, not_found_code, "%s", err->msg);
	else if (err_is_disk_full(err))
		registry_respond_error(resp, 507, "UNKNOWN", "%s", err->msg);
	else
		registry_respond_error(resp, 500, "UNKNOWN", "%s", err->msg);
}

void registry_respond_empty(struct local_response *resp, int status)
{
	resp->status = status;
	resp->body = xstrdup("");
	resp->n = 0;
}

/* Basic AWS:<password>; the scheme's name is compared without case. */
static bool is_authorized(struct cloud *cloud, const struct local_request *req)
{
	const char *header = http_headers_get(&req->headers, "Authorization");
	struct secret text = { 0 };
	bool is_valid = false;
	size_t n;

	if (!header || strncasecmp(header, "Basic ", 6) != 0)
		return false;
	text.value = str_unbase64(header + 6, &n);
	if (text.value && strlen(text.value) == n && str_starts(text.value, "AWS:"))
		is_valid = store_ecr_check_password(cloud->ecr, text.value + 4, cloud->sys->now_ms(cloud->sys));
	secret_release(&text);
	return is_valid;
}

static void respond_unauthorized(struct local_response *resp)
{
	registry_respond_error(
		resp, 401, "UNAUTHORIZED",
		"Your authorization token is not valid or has expired. Ask GetAuthorizationToken again.");
	http_headers_set(&resp->headers, "WWW-Authenticate", "Basic realm=\"smpipe local registry\"");
}

/*
 * Split "<name>/<marker>/<rest>" at the last marker: names may have parts that look like one, what follows a marker has
 * none. path is cut in place.
 */
static bool split_path(char *path, const char *marker, char **ret_rest)
{
	char *found = NULL;

	for (char *p = path; (p = strstr(p, marker)); p++)
		found = p;
	if (!found || found == path || strchr(found + strlen(marker), '/'))
		return false;
	*found = '\0';
	*ret_rest = found + strlen(marker);
	return true;
}

typedef void (*route_fn)(struct cloud *cloud, const struct local_request *req, const char *repository, const char *rest,
			 struct local_response *resp);

/* The spec's paths, the longer marker before the one that it contains. */
static const struct route {
	const char *marker;
	route_fn fn;
} routes[] = {
	{ "/blobs/uploads/", registry_uploads }, { "/blobs/", registry_blobs },   { "/manifests/", registry_manifests },
	{ "/referrers/", registry_referrers },   { "/tags/list", registry_tags },
};

static void respond_in_repository(struct cloud *cloud, const struct local_request *req, char *path,
				  struct local_response *resp)
{
	auto_err ignored = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		char *rest;

		if (!split_path(path, routes[i].marker, &rest))
			continue;
		if (reference_check_repository(path, &ignored) < 0)
			registry_respond_error(resp, 400, "NAME_INVALID", "'%s' can be no repository's name", path);
		else if (!store_ecr_has_repository(cloud->ecr, path))
			registry_respond_error(
				resp, 404, "NAME_UNKNOWN",
				"The repository with name '%s' does not exist in the registry with id '%s'", path,
				cloud->account);
		else
			routes[i].fn(cloud, req, path, rest, resp);
		return;
	}
	registry_respond_error(resp, 404, "NOT_FOUND", "there is no such path");
}

void local_registry_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	auto_free char *path = str_uri_decode(req->path);

	if (!is_authorized(cloud, req))
		respond_unauthorized(resp);
	else if (path && (str_eq(path, "/v2/") || str_eq(path, "/v2")))
		local_respond_json(resp, 200, json_object());
	else if (path && str_starts(path, "/v2/"))
		respond_in_repository(cloud, req, path + strlen("/v2/"), resp);
	else
		registry_respond_error(resp, 404, "NOT_FOUND", "there is no such path");
	http_headers_set(&resp->headers, "Docker-Distribution-Api-Version", "registry/2.0");
}

/* "bytes=first-last" or "bytes=first-" within size; anything else is answered whole, as RFC 9110 allows. */
static bool parse_range(const char *header, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
	auto_strlist ends = { 0 };
	int64_t first, last = (int64_t)size - 1;

	if (!header || !str_starts(header, "bytes=") || size == 0)
		return false;
	str_split(&ends, header + strlen("bytes="), '-');
	if (ends.n != 2 || !str_parse_i64(ends.v[0], 0, (int64_t)size - 1, &first))
		return false;
	if (*ends.v[1] && !str_parse_i64(ends.v[1], first, INT64_MAX, &last))
		return false;
	*ret_first = (uint64_t)first;
	*ret_last = (uint64_t)last < size ? (uint64_t)last : size - 1;
	return true;
}

static void send_blob(const struct local_request *req, int fd, uint64_t size, struct local_response *resp)
{
	uint64_t first, last;

	resp->status = 200;
	resp->file_fd = fd;
	resp->file_size = size;
	if (!parse_range(http_headers_get(&req->headers, "Range"), size, &first, &last))
		return;
	resp->status = 206;
	resp->file_offset = first;
	resp->file_size = last - first + 1;
	http_headers_addf(&resp->headers, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)first,
			  (unsigned long long)last, (unsigned long long)size);
}

void registry_blobs(struct cloud *cloud, const struct local_request *req, const char *repository, const char *rest,
		    struct local_response *resp)
{
	bool is_head = str_eq(req->method, "HEAD");
	auto_err err = { 0 };
	struct digest digest;
	auto_close int fd = -1;
	uint64_t size;

	if (!is_head && !str_eq(req->method, "GET")) {
		registry_respond_error(resp, 405, "UNSUPPORTED", "blobs can be read only");
		return;
	}
	if (!str_starts(rest, "sha256:") || digest_parse(rest, &digest) < 0) {
		registry_respond_error(resp, 400, "DIGEST_INVALID", "'%s' is no sha256 digest", rest);
		return;
	}
	if (store_ecr_open_blob(cloud->ecr, repository, &digest, &fd, &size, &err) < 0) {
		registry_respond_err(resp, "BLOB_UNKNOWN", &err);
		return;
	}
	http_headers_set(&resp->headers, "Docker-Content-Digest", rest);
	http_headers_set(&resp->headers, "Content-Type", "application/octet-stream");
	http_headers_set(&resp->headers, "Accept-Ranges", "bytes");
	if (is_head) {
		resp->status = 200;
		resp->is_head = true;
		resp->head_size = size;
		return;
	}
	send_blob(req, take_fd(&fd), size, resp);
}
