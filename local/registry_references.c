/* Manifests, their tags and their referrers. */

#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "local/cloud.h"
#include "local/registry.h"

#define MANIFESTS_MAX 10000

static void send_manifest(const struct local_request *req, struct ecr_manifest *m, struct local_response *resp)
{
	auto_free char *digest = digest_oci(&m->digest);

	resp->status = 200;
	http_headers_set(&resp->headers, "Content-Type", m->media_type);
	http_headers_set(&resp->headers, "Docker-Content-Digest", digest);
	if (str_eq(req->method, "HEAD")) {
		resp->is_head = true;
		resp->head_size = m->n;
		return;
	}
	resp->n = m->n;
	resp->body = take(m->bytes);
}

static void get(struct cloud *cloud, const struct local_request *req, const char *repository, const char *reference,
		struct local_response *resp)
{
	auto_ecr_manifest m = { 0 };
	auto_err err = { 0 };
	struct digest digest;

	if (store_ecr_resolve(cloud->ecr, repository, reference, &digest, &err) < 0 ||
	    store_ecr_get_manifest(cloud->ecr, repository, &digest, &m, &err) < 0) {
		if (err.code == ERR_NOT_FOUND)
			registry_respond_error(resp, 404, "MANIFEST_UNKNOWN", "Requested image not found: '%s'",
					       reference);
		else
			registry_respond_err(resp, "MANIFEST_UNKNOWN", &err);
		return;
	}
	send_manifest(req, &m, resp);
}

/* Whether the thing that a descriptor names is there. Layers with urls lie elsewhere ("foreign" ones). */
static int check_descriptor(struct cloud *cloud, const char *repository, const json_t *descriptor, bool is_manifest,
			    struct err *err)
{
	const char *text = json_str(descriptor, "digest");
	struct digest digest;
	bool is_there;

	if (!text || !str_starts(text, "sha256:") || digest_parse(text, &digest) < 0)
		return err_set(err, ERR_INVALID, "a descriptor has no sha256 digest");
	if (json_array_size(json_object_get(descriptor, "urls")) > 0)
		return 0;
	is_there = is_manifest ? store_ecr_has_manifest(cloud->ecr, repository, &digest)
			       : store_ecr_has_blob(cloud->ecr, repository, &digest);
	if (!is_there)
		return err_set(err, ERR_NOT_FOUND, "'%s' was not uploaded to '%s'", text, repository);
	return 0;
}

static int check_all(struct cloud *cloud, const char *repository, const json_t *list, bool is_manifest, struct err *err)
{
	size_t i;
	json_t *descriptor;

	json_array_foreach(list, i, descriptor) {
		if (check_descriptor(cloud, repository, descriptor, is_manifest, err) < 0)
			return -1;
	}
	return 0;
}

/* ERR_NOT_FOUND: something that it names is missing. A subject need not be there. */
static int check_manifest(struct cloud *cloud, const char *repository, const json_t *doc, const char *media_type,
			  struct err *err)
{
	const char *own_type = json_str(doc, "mediaType");
	const json_t *config = json_object_get(doc, "config");
	const json_t *layers = json_object_get(doc, "layers");
	const json_t *manifests = json_object_get(doc, "manifests");

	if (json_integer_value(json_object_get(doc, "schemaVersion")) != 2)
		return err_set(err, ERR_INVALID, "the manifest's schemaVersion is not 2");
	if (own_type && !str_eq(own_type, media_type))
		return err_set(err, ERR_INVALID, "the manifest says it is '%s', its Content-Type says '%s'", own_type,
			       media_type);
	if (json_is_array(manifests))
		return check_all(cloud, repository, manifests, true, err);
	if (!json_is_object(config) || !json_is_array(layers))
		return err_set(err, ERR_INVALID, "the manifest has no config and layers");
	if (check_descriptor(cloud, repository, config, false, err) < 0)
		return -1;
	return check_all(cloud, repository, layers, false, err);
}

static bool is_immutable(struct cloud *cloud, const char *repository)
{
	auto_err ignored = { 0 };
	auto_json *doc = NULL;

	if (store_ecr_get_repository(cloud->ecr, repository, &doc, &ignored) < 0)
		return false;
	return str_eq(json_str(doc, "imageTagMutability"), "IMMUTABLE");
}

static int read_body(const struct local_request *req, char **ret, size_t *ret_n, struct err *err)
{
	auto_free char *bytes = NULL;

	if (req->body_size > ECR_MANIFEST_MAX)
		return err_set(err, ERR_INVALID, "a manifest may have %u bytes", ECR_MANIFEST_MAX);
	bytes = xcalloc(1, req->body_size + 1);
	if (req->body_fd < 0 && req->body)
		memcpy(bytes, req->body, req->body_size);
	for (size_t done = 0; req->body_fd >= 0 && done < req->body_size;) {
		ssize_t n = pread(req->body_fd, bytes + done, req->body_size - done, (off_t)done);

		if (n <= 0)
			return err_set(err, ERR_IO, "the manifest could not be read");
		done += (size_t)n;
	}
	*ret = take(bytes);
	*ret_n = req->body_size;
	return 0;
}

/* What a request brings, checked in itself: ERR_INVALID. */
static int read_manifest(struct cloud *cloud, const struct local_request *req, const char *reference,
			 struct ecr_manifest *ret, json_t **ret_doc, struct err *err)
{
	const char *type = http_headers_get(&req->headers, "Content-Type");
	struct digest digest;

	if (read_body(req, &ret->bytes, &ret->n, err) < 0)
		return -1;
	*ret_doc = json_parse(ret->bytes, ret->n, "manifest", err);
	if (!*ret_doc)
		return -1;
	ret->digest = digest_of(ret->bytes, ret->n);
	ret->pushed_ms = cloud->sys->now_ms(cloud->sys);
	ret->media_type = xstrdup_or_null(type ? type : json_str(*ret_doc, "mediaType"));
	if (!ret->media_type || strlen(ret->media_type) > 255)
		return err_set(err, ERR_INVALID, "the manifest's media type is not known");
	if (strchr(reference, ':')) {
		if (digest_parse(reference, &digest) < 0 || !digest_equal(&digest, &ret->digest))
			return err_set(err, ERR_INVALID, "the manifest's digest is not '%s'", reference);
	} else if (!store_ecr_is_tag(reference)) {
		return err_set(err, ERR_INVALID, "'%s' can be no tag", reference);
	}
	return 0;
}

static void respond_put(const struct cloud *cloud, const char *repository, const struct ecr_manifest *m,
			const json_t *doc, struct local_response *resp)
{
	auto_free char *text = digest_oci(&m->digest);
	const char *subject = json_str(json_object_get(doc, "subject"), "digest");

	registry_respond_empty(resp, 201);
	http_headers_addf(&resp->headers, "Location", "http://127.0.0.1:%d/v2/%s/manifests/%s", cloud->port, repository,
			  text);
	http_headers_set(&resp->headers, "Docker-Content-Digest", text);
	if (subject && str_is_utf8(subject, strlen(subject)) && strlen(subject) < 256 && !strpbrk(subject, "\r\n"))
		http_headers_set(&resp->headers, "OCI-Subject", subject);
}

static void put(struct cloud *cloud, const struct local_request *req, const char *repository, const char *reference,
		struct local_response *resp)
{
	const char *tag = strchr(reference, ':') ? NULL : reference;
	auto_ecr_manifest m = { 0 };
	auto_json *doc = NULL;
	auto_err err = { 0 };

	if (read_manifest(cloud, req, reference, &m, &doc, &err) < 0 ||
	    check_manifest(cloud, repository, doc, m.media_type, &err) < 0)
		registry_respond_error(resp, 400,
				       err.code == ERR_NOT_FOUND ? "MANIFEST_BLOB_UNKNOWN" : "MANIFEST_INVALID", "%s",
				       err.msg);
	else if (store_ecr_put_manifest(cloud->ecr, repository, &m, tag, is_immutable(cloud, repository), &err) == 0)
		respond_put(cloud, repository, &m, doc, resp);
	else if (err.code == ERR_CONFLICT)
		registry_respond_error(resp, 400, "TAG_INVALID", "%s", err.msg);
	else
		registry_respond_err(resp, "NAME_UNKNOWN", &err);
}

void registry_manifests(struct cloud *cloud, const struct local_request *req, const char *repository, const char *rest,
			struct local_response *resp)
{
	if (str_eq(req->method, "GET") || str_eq(req->method, "HEAD"))
		get(cloud, req, repository, rest, resp);
	else if (str_eq(req->method, "PUT"))
		put(cloud, req, repository, rest, resp);
	else
		registry_respond_error(resp, 405, "UNSUPPORTED", "manifests know GET, HEAD and PUT");
}

void registry_tags(struct cloud *cloud, const struct local_request *req, const char *repository, const char *rest,
		   struct local_response *resp)
{
	auto_free char *limit_text = local_query_get(req, "n");
	auto_free char *last = local_query_get(req, "last");
	auto_strlist tags = { 0 };
	auto_err err = { 0 };
	json_t *list = json_array();
	int64_t limit = INT64_MAX;

	(void)rest;
	if (limit_text)
		str_parse_i64(limit_text, 0, INT64_MAX, &limit);
	if (store_ecr_list_tags(cloud->ecr, repository, &tags, &err) < 0) {
		json_decref(list);
		registry_respond_err(resp, "NAME_UNKNOWN", &err);
		return;
	}
	for (size_t i = 0; i < tags.n && (int64_t)json_array_size(list) < limit; i++)
		if (!last || strcmp(tags.v[i], last) > 0)
			json_array_append_new(list, json_string(tags.v[i]));
	local_respond_json(resp, 200, json_pack("{s:s, s:o}", "name", repository, "tags", list));
	http_headers_set(&resp->headers, "Content-Type", "application/json");
}

/* The descriptor of a manifest when subject is its subject and its type is the wanted one; else NULL. */
static json_t *referrer(struct cloud *cloud, const char *repository, const char *hex, const char *subject,
			const char *wanted_type)
{
	auto_ecr_manifest m = { 0 };
	auto_err ignored = { 0 };
	auto_free char *text = NULL;
	auto_json *doc = NULL;
	json_t *descriptor;
	struct digest digest;
	const char *type;

	if (digest_parse(hex, &digest) < 0 || store_ecr_get_manifest(cloud->ecr, repository, &digest, &m, &ignored) < 0)
		return NULL;
	doc = json_parse(m.bytes, m.n, "manifest", &ignored);
	if (!doc || !str_eq(json_str(json_object_get(doc, "subject"), "digest"), subject))
		return NULL;
	type = json_str(doc, "artifactType");
	if (!type)
		type = json_str(json_object_get(doc, "config"), "mediaType");
	if (wanted_type && !str_eq(type, wanted_type))
		return NULL;
	text = digest_oci(&digest);
	descriptor = json_object();
	json_put_str(descriptor, "mediaType", m.media_type);
	json_put_str(descriptor, "digest", text);
	json_put_int(descriptor, "size", (json_int_t)m.n);
	json_put_str(descriptor, "artifactType", type);
	if (json_object_get(doc, "annotations"))
		json_object_set(descriptor, "annotations", json_object_get(doc, "annotations"));
	return descriptor;
}

void registry_referrers(struct cloud *cloud, const struct local_request *req, const char *repository, const char *rest,
			struct local_response *resp)
{
	auto_free char *type = local_query_get(req, "artifactType");
	auto_strlist all = { 0 };
	auto_err err = { 0 };
	json_t *list = json_array();

	if (store_ecr_list_manifests(cloud->ecr, repository, &all, &err) < 0) {
		json_decref(list);
		registry_respond_err(resp, "NAME_UNKNOWN", &err);
		return;
	}
	for (size_t i = 0; i < all.n && i < MANIFESTS_MAX; i++) {
		json_t *descriptor = referrer(cloud, repository, all.v[i], rest, type);

		if (descriptor)
			json_array_append_new(list, descriptor);
	}
	local_respond_json(resp, 200,
			   json_pack("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType",
				     "application/vnd.oci.image.index.v1+json", "manifests", list));
	http_headers_set(&resp->headers, "Content-Type", "application/vnd.oci.image.index.v1+json");
	if (type)
		http_headers_set(&resp->headers, "OCI-Filters-Applied", "artifactType");
}
