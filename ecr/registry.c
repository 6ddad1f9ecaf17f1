#include "ecr/registry.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "ecr/reference.h"

/* Registries hold manifests of at most 4 MiB; configurations are of the same kind of size. */
#define DOCUMENT_MAX (4 * 1024 * 1024)
#define TIMEOUT_MS   120000

#define TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define TYPE_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define TYPE_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define TYPE_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define TYPE_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define TYPE_OCI_CONFIG      "application/vnd.oci.image.config.v1+json"

/* Where one image is read from. */
struct source {
	struct http *http;
	const struct registry_auth *auth;
	char *name;     /* host/repository:tag, for the words */
	char *base_url; /* https://host/v2/repository */
	bool is_loopback;
};

static void source_release(struct source *s)
{
	free(s->name);
	free(s->base_url);
}

void registry_auth_release(struct registry_auth *a)
{
	free(a->host);
	free(a->user);
	free(a->ca_file);
	secret_release(&a->password);
	*a = (struct registry_auth){ 0 };
}

char *registry_auth_header(const struct registry_auth *auth)
{
	json_t *j = json_pack("{s:s, s:s, s:s}", "username", auth->user ? auth->user : "", "password",
			      auth->password.value ? auth->password.value : "", "serveraddress", auth->host);
	struct secret text = { 0 };
	const char *copy;
	size_t n;
	char *header;

	/* Each buffer that held the password is wiped: jansson's own, and the text, for which it must not grow one. */
	n = json_dumpb(j, NULL, 0, JSON_COMPACT);
	text.value = xcalloc(n + 1, 1);
	json_dumpb(j, text.value, n, JSON_COMPACT);
	header = str_base64url(text.value, n);
	secret_release(&text);
	copy = json_str(j, "password");
	if (copy)
		explicit_bzero((char *)copy, strlen(copy));
	json_decref(j);
	return header;
}

void registry_image_release(struct registry_image *i)
{
	free(i->digest);
	free(i->media_type);
	json_decref(i->manifest);
	json_decref(i->config);
	*i = (struct registry_image){ 0 };
}

const char *registry_image_label(const struct registry_image *i, const char *name)
{
	return json_string_value(json_at(i->config, "config", "Labels", name, NULL));
}

static void add_basic_auth(struct http_headers *headers, const struct registry_auth *auth)
{
	struct secret pair = { 0 }, encoded = { 0 };

	if (!auth->user)
		return;
	pair.value = xasprintf("%s:%s", auth->user, auth->password.value ? auth->password.value : "");
	encoded.value = str_base64(pair.value, strlen(pair.value));
	http_headers_addf(headers, "Authorization", "Basic %s", encoded.value);
	secret_release(&pair);
	secret_release(&encoded);
}

/* {"errors":[{"code","message"}]}, or nothing at all. */
static int refused(const struct source *s, const struct http_response *resp, enum err_code code, struct err *err)
{
	auto_json *j = json_loadb(str_text(&resp->body), resp->body.len, 0, NULL);
	const json_t *first = json_array_get(json_object_get(j, "errors"), 0);
	const char *service_code = json_str(first, "code"), *message = json_str(first, "message");
	auto_free char *shown_code = str_printable(service_code ? service_code : "");
	auto_free char *shown = str_printable(message ? message : "no details");

	err_set(err, code, "read '%s': %d%s%s: %s", s->name, resp->status, *shown_code ? " " : "", shown_code, shown);
	return service_code ? err_service(err, shown_code) : -1;
}

static int judge(const struct source *s, const struct http_response *resp, struct err *err)
{
	const char *challenge = http_headers_get(&resp->headers, "WWW-Authenticate");

	if (resp->status == 200)
		return 0;
	if (resp->status == 401 && challenge && !strncasecmp(challenge, "Bearer", 6)) {
		err_set(err, ERR_AUTH,
			"read '%s': the registry asks for a bearer token, and only user and password are supported",
			s->name);
		return err_hint(err, "use an image in ECR, or copy this one there");
	}
	if (resp->status == 401 || resp->status == 403)
		return refused(s, resp, ERR_AUTH, err);
	return refused(s, resp, resp->status == 404 ? ERR_NOT_FOUND : ERR_SERVICE, err);
}

static int get(const struct source *s, const char *url, const char *accept, bool with_auth, struct http_response *resp,
	       struct err *err)
{
	struct http_request req = {
		.method = "GET",
		.url = url,
		.ca_file = s->auth ? s->auth->ca_file : NULL,
		.max_body_bytes = DOCUMENT_MAX,
		.timeout_ms = TIMEOUT_MS,
	};
	int result;

	if (accept)
		http_headers_add(&req.headers, "Accept", accept);
	if (with_auth)
		add_basic_auth(&req.headers, s->auth);
	result = http_send(s->http, &req, resp, err);
	http_headers_release(&req.headers);
	return result < 0 ? err_wrap(err, "read '%s'", s->name) : 0;
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/*
 * Where a redirect leads: https anywhere; plain http only on this machine, and only when the registry itself is here,
 * so that no registry can point us at services behind our firewall's back.
 */
static int redirect_target(const struct source *s, const char *from, const struct http_response *resp, char **ret_url,
			   struct err *err)
{
	const char *location = http_headers_get(&resp->headers, "Location");
	auto_free char *url = NULL;
	auto_url u = { 0 };
	auto_err why = { 0 };

	if (location && location[0] == '/' && location[1] != '/') {
		const char *path = strchr(strstr(from, "://") + 3, '/');

		url = xasprintf("%.*s%s", (int)(path - from), from, location);
	} else {
		url = xstrdup(location ? location : "");
	}
	if (http_url_parse(url, &u, &why) < 0)
		return err_set(err, ERR_INVALID, "read '%s': the registry redirects to nowhere", s->name);
	if (http_is_loopback(u.host) ? !s->is_loopback : !str_eq(u.scheme, "https"))
		return err_set(err, ERR_INVALID,
			       "read '%s': the registry redirects to '%s://%s', which is not followed", s->name,
			       u.scheme, u.host);
	*ret_url = take(url);
	return 0;
}

/* Read a blob whose digest is known. Registries send to their storage (S3), which must not see our password. */
static int get_blob(const struct source *s, const char *digest, struct http_response *resp, struct err *err)
{
	auto_free char *url = xasprintf("%s/blobs/%s", s->base_url, digest), *target = NULL;
	struct digest expected, seen;

	if (digest_parse(digest, &expected) < 0)
		return err_set(err, ERR_INVALID, "read '%s': the manifest names no valid digest of the configuration",
			       s->name);
	if (get(s, url, NULL, true, resp, err) < 0)
		return -1;
	if (is_redirect(resp->status)) {
		if (redirect_target(s, url, resp, &target, err) < 0)
			return -1;
		http_response_release(resp);
		if (get(s, target, NULL, false, resp, err) < 0)
			return -1;
	}
	if (judge(s, resp, err) < 0)
		return -1;
	seen = digest_of(str_text(&resp->body), resp->body.len);
	if (!digest_equal(&seen, &expected))
		return err_set(err, ERR_INVALID, "read '%s': the configuration does not have the digest '%s'", s->name,
			       digest);
	return 0;
}

/* The digest is computed from the bytes; what was asked for, and what the registry says of them, must agree. */
static int check_digest(const struct source *s, const char *wanted, const struct http_response *resp, char **ret_digest,
			struct err *err)
{
	const char *said = http_headers_get(&resp->headers, "Docker-Content-Digest");
	struct digest seen = digest_of(str_text(&resp->body), resp->body.len);
	auto_free char *digest = digest_oci(&seen);

	if (wanted && !str_eq(wanted, digest))
		return err_set(err, ERR_INVALID, "read '%s': the manifest has the digest '%s'", s->name, digest);
	if (!wanted && said && !str_eq(said, digest)) {
		auto_free char *shown = str_printable(said);

		return err_set(err, ERR_INVALID, "read '%s': the registry says digest '%s', but the manifest has '%s'",
			       s->name, shown, digest);
	}
	*ret_digest = take(digest);
	return 0;
}

/* The type stands in the document, or (OCI allows that) only in the header; two that differ are an attack or a bug. */
static int find_type(const struct source *s, const json_t *manifest, const struct http_response *resp, char **ret_type,
		     struct err *err)
{
	const char *header = http_headers_get(&resp->headers, "Content-Type"),
		   *inside = json_str(manifest, "mediaType");
	auto_free char *type = xstrndup(header ? header : "", strcspn(header ? header : "", "; "));

	if (inside && *type && str_starts(type, "application/vnd.") && !str_eq(type, inside))
		return err_set(err, ERR_INVALID, "read '%s': the manifest's type and the answer's differ", s->name);
	*ret_type = inside ? xstrdup(inside) : take(type);
	return 0;
}

static int check_type(const struct source *s, const struct registry_image *i, struct err *err)
{
	const char *type = i->media_type, *config = json_str(json_object_get(i->manifest, "config"), "mediaType");
	auto_free char *shown = str_printable(type);

	/* Also by its members, whatever it is called: CVE-2021-41190. */
	if (str_eq(type, TYPE_DOCKER_LIST) || str_eq(type, TYPE_OCI_INDEX) ||
	    json_object_get(i->manifest, "manifests")) {
		err_set(err, ERR_INVALID,
			"read '%s': it is an index of several images, and SageMaker needs a single image", s->name);
		return err_hint(err, "name the digest of one platform's image, or build without attestations "
				     "(--provenance=false)");
	}
	if (!str_eq(type, TYPE_DOCKER_MANIFEST) && !str_eq(type, TYPE_OCI_MANIFEST))
		return err_set(err, ERR_INVALID, "read '%s': '%s' is no type of an image's manifest", s->name, shown);
	if (!str_eq(config, TYPE_DOCKER_CONFIG) && !str_eq(config, TYPE_OCI_CONFIG))
		return err_set(err, ERR_INVALID, "read '%s': it is no container image", s->name);
	return 0;
}

static int sum_layers(const struct source *s, const json_t *manifest, uint64_t *ret_bytes, struct err *err)
{
	const json_t *layers = json_object_get(manifest, "layers");
	uint64_t total = 0;

	for (size_t i = 0; i < json_array_size(layers); i++) {
		json_int_t size = json_integer_value(json_object_get(json_array_get(layers, i), "size"));

		if (size < 0 || size > (json_int_t)1 << 50)
			return err_set(err, ERR_INVALID, "read '%s': layer %zu has an impossible size", s->name, i + 1);
		total += (uint64_t)size;
	}
	*ret_bytes = total;
	return 0;
}

static int get_manifest(const struct source *s, const char *tag_or_digest, bool is_digest, struct registry_image *i,
			struct err *err)
{
	auto_free char *url = xasprintf("%s/manifests/%s", s->base_url, tag_or_digest);
	auto_response resp = { 0 };

	if (get(s, url, TYPE_DOCKER_MANIFEST ", " TYPE_OCI_MANIFEST ", " TYPE_DOCKER_LIST ", " TYPE_OCI_INDEX, true,
		&resp, err) < 0)
		return -1;
	if (judge(s, &resp, err) < 0)
		return -1;
	if (check_digest(s, is_digest ? tag_or_digest : NULL, &resp, &i->digest, err) < 0)
		return -1;
	i->manifest = json_parse(str_text(&resp.body), resp.body.len, "manifest", err);
	if (!i->manifest)
		return err_wrap(err, "read '%s'", s->name);
	if (find_type(s, i->manifest, &resp, &i->media_type, err) < 0 || check_type(s, i, err) < 0)
		return -1;
	return sum_layers(s, i->manifest, &i->bytes, err);
}

static int get_config(const struct source *s, struct registry_image *i, struct err *err)
{
	const char *digest = json_str(json_object_get(i->manifest, "config"), "digest");
	auto_response resp = { 0 };

	if (get_blob(s, digest ? digest : "", &resp, err) < 0)
		return -1;
	i->config = json_parse(str_text(&resp.body), resp.body.len, "configuration", err);
	return i->config ? 0 : err_wrap(err, "read '%s'", s->name);
}

/* The grammar of references leaves no character that means something in a URL. */
static int locate(struct source *s, const char *repository, const char *tag_or_digest, bool is_digest, struct err *err)
{
	auto_free char *root = xasprintf("https://%s/", s->auth->host);
	auto_reference ref = { 0 };
	auto_url u = { 0 };

	s->name = is_digest ? reference_format(s->auth->host, repository, NULL, tag_or_digest)
			    : reference_format(s->auth->host, repository, tag_or_digest, NULL);
	if (reference_parse(s->name, &ref, err) < 0)
		return -1;
	if (!str_eq(ref.host, s->auth->host) || !str_eq(ref.repository, repository))
		return err_set(err, ERR_CONFIG, "'%s' is no name of a repository at '%s'", repository, s->auth->host);
	if (http_url_parse(root, &u, err) < 0)
		return -1;
	s->is_loopback = http_is_loopback(u.host);
	s->base_url = xasprintf("%s://%s/v2/%s", s->is_loopback ? "http" : "https", s->auth->host, repository);
	return 0;
}

int registry_get_image(struct http *http, const struct registry_auth *auth, const char *repository,
		       const char *tag_or_digest, struct registry_image *ret, struct err *err)
{
	__attribute__((cleanup(source_release))) struct source s = { .http = http, .auth = auth };
	bool is_digest = strchr(tag_or_digest, ':');
	auto_registry_image image = { 0 };

	if (locate(&s, repository, tag_or_digest, is_digest, err) < 0)
		return -1;
	if (get_manifest(&s, tag_or_digest, is_digest, &image, err) < 0 || get_config(&s, &image, err) < 0)
		return -1;
	*ret = image;
	image = (struct registry_image){ 0 };
	return 0;
}
