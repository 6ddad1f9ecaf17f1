#include "ecr/engine.h"

#include <errno.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define DEFAULT_SOCKET  "/var/run/docker.sock"
#define ANSWER_MAX      (8 * 1024 * 1024)
#define CALL_TIMEOUT_MS 120000

/* API versions that the calls made here are written for. */
static const struct api_version {
	int major, minor;
} oldest = { 1, 24 }, newest = { 1, 43 };

static int find_socket(const char *docker_host, char **ret_path, struct err *err)
{
	auto_free char *host = NULL, *shown = NULL;
	const char *path;

	if (!docker_host)
		docker_host = getenv("DOCKER_HOST");
	host = str_trim(docker_host ? docker_host : "");
	shown = http_url_shown(host);
	path = *host ? host + strlen("unix://") : DEFAULT_SOCKET;
	if (*host && !str_starts(host, "unix://")) {
		err_set(err, ERR_CONFIG, "DOCKER_HOST is '%s': only unix:// is supported", shown);
		return err_hint(err, "forward the engine's socket (ssh -nNT -L /tmp/docker.sock:" DEFAULT_SOCKET
				     " HOST) and set DOCKER_HOST=unix:///tmp/docker.sock");
	}
	if (*path != '/' || strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return err_set(err, ERR_CONFIG,
			       "DOCKER_HOST is '%s': unix:// needs an absolute path of at most %zu bytes", shown,
			       sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	*ret_path = xstrdup(path);
	return 0;
}

/* Say before the exchange what curl would only call "could not connect". */
static int check_socket(const char *path, struct err *err)
{
	if (access(path, R_OK | W_OK) == 0)
		return 0;
	err_errno(err, "connect to the Docker Engine at '%s'", path);
	err->code = ERR_NETWORK;
	if (errno == EACCES)
		return err_hint(err, "the socket belongs to root and its group: add yourself to the group docker "
				     "(usermod -aG docker USER) and log in again");
	return err_hint(err, "start Docker, or set DOCKER_HOST to the unix:// socket of the engine");
}

static int parse_api_version(const char *text, struct api_version *ret)
{
	auto_strlist parts = { 0 };
	int64_t major, minor;

	if (!text)
		return -1;
	str_split(&parts, text, '.');
	if (parts.n != 2 || !str_parse_i64(parts.v[0], 0, 1000, &major) || !str_parse_i64(parts.v[1], 0, 1000, &minor))
		return -1;
	*ret = (struct api_version){ (int)major, (int)minor };
	return 0;
}

static bool is_older(const struct api_version *a, const struct api_version *b)
{
	return a->major != b->major ? a->major < b->major : a->minor < b->minor;
}

static int refuse_version(const struct engine *e, const struct api_version *theirs, const char *how, struct err *err)
{
	auto_free char *name = str_printable(e->engine_version);

	err_set(err, ERR_CONFIG, "Docker Engine %s at '%s' speaks API %d.%d %s: smpipe speaks %d.%d to %d.%d", name,
		e->socket, theirs->major, theirs->minor, how, oldest.major, oldest.minor, newest.major, newest.minor);
	return err_hint(err,
			"use another release of the engine, or allow older clients there (DOCKER_MIN_API_VERSION)");
}

/* What answers may be Docker or another engine with its API (Podman): only what both say counts. */
static int negotiate(struct engine *e, const json_t *version, struct err *err)
{
	struct api_version use, min;
	const char *os = json_str(version, "Os"), *arch = json_str(version, "Arch");

	if (parse_api_version(json_str(version, "ApiVersion"), &use) < 0)
		return err_set(err, ERR_INVALID, "'%s' does not answer as a Docker Engine does", e->socket);
	e->engine_version = xstrdup(json_str(version, "Version") ? json_str(version, "Version") : "of unknown version");
	if (is_older(&use, &oldest))
		return refuse_version(e, &use, "at most", err);
	if (parse_api_version(json_str(version, "MinAPIVersion"), &min) == 0 && is_older(&newest, &min))
		return refuse_version(e, &min, "at least", err);
	if (is_older(&newest, &use))
		use = newest;
	e->api_version = xasprintf("%d.%d", use.major, use.minor);
	e->os_arch = xasprintf("%s/%s", os ? os : "linux", arch ? arch : "amd64");
	return 0;
}

static int ask_version(struct engine *e, struct err *err)
{
	struct http_request req = { .method = "GET", .max_body_bytes = ANSWER_MAX, .timeout_ms = CALL_TIMEOUT_MS };
	auto_response resp = { 0 };
	auto_json *version = NULL;

	if (engine_send(e, "ask the Docker Engine for its version", "/version", &req, &resp, err) < 0) {
		if (err->code == ERR_NETWORK)
			err_hint(err, "is the engine behind '%s' running?", e->socket);
		return -1;
	}
	version = json_parse(str_text(&resp.body), resp.body.len, "version of the Docker Engine", err);
	return version ? negotiate(e, version, err) : -1;
}

int engine_connect(struct http *http, const char *docker_host, struct engine *ret, struct err *err)
{
	auto_engine e = { .http = http };

	if (find_socket(docker_host, &e.socket, err) < 0 || check_socket(e.socket, err) < 0 || ask_version(&e, err) < 0)
		return -1;
	*ret = e;
	e = (struct engine){ 0 };
	return 0;
}

void engine_release(struct engine *e)
{
	free(e->socket);
	free(e->api_version);
	free(e->engine_version);
	free(e->os_arch);
	*e = (struct engine){ 0 };
}

/* {"message": …} in Docker and Podman alike; anything else is shown as it is, shortened. */
static char *refusal_words(const struct http_response *resp)
{
	auto_json *j = json_loadb(str_text(&resp->body), resp->body.len, 0, NULL);
	const char *message = json_str(j, "message");
	auto_free char *start = xstrndup(str_text(&resp->body), 200), *text = str_trim(message ? message : start);

	return str_printable(*text ? text : "no details");
}

static int refused(const char *what, const struct http_response *resp, struct err *err)
{
	auto_free char *words = refusal_words(resp);
	enum err_code code = ERR_SERVICE;

	if (resp->status == 404)
		code = ERR_NOT_FOUND;
	else if (resp->status == 409)
		code = ERR_CONFLICT;
	return err_set(err, code, "%s: Docker Engine: %d %s", what, resp->status, words);
}

int engine_send(struct engine *e, const char *what, const char *path, struct http_request *req,
		struct http_response *ret_resp, struct err *err)
{
	auto_free char *url = e->api_version ? xasprintf("http://localhost/v%s%s", e->api_version, path)
					     : xasprintf("http://localhost%s", path);
	int result;

	req->url = url;
	req->unix_socket = e->socket;
	result = http_send(e->http, req, ret_resp, err);
	req->url = NULL;
	if (result < 0)
		return err_wrap(err, "%s", what);
	if ((ret_resp->status < 200 || ret_resp->status > 299) && ret_resp->status != 304)
		return refused(what, ret_resp, err);
	return 0;
}

int engine_call(struct engine *e, const char *method, const char *path, const json_t *body, json_t **ret_answer,
		struct err *err)
{
	struct http_request req = { .method = method, .max_body_bytes = ANSWER_MAX, .timeout_ms = CALL_TIMEOUT_MS };
	auto_free char *what = xasprintf("%s %.*s", method, (int)strcspn(path, "?"), path);
	auto_free char *text = body ? json_compact(body) : NULL;
	auto_response resp = { 0 };
	json_t *answer;
	int result;

	if (text) {
		http_headers_add(&req.headers, "Content-Type", "application/json");
		req.bytes = text;
		req.n = strlen(text);
	}
	req.idle_ms = -1;
	result = engine_send(e, what, path, &req, &resp, err);
	http_headers_release(&req.headers);
	if (result < 0)
		return -1;
	if (!ret_answer)
		return 0;
	answer = json_parse(str_text(&resp.body), resp.body.len, what, err);
	if (!answer)
		return -1;
	*ret_answer = answer;
	return 0;
}

static char *image_path(const char *image, const char *suffix)
{
	auto_free char *name = str_uri_encode(image, true);

	return xasprintf("/images/%s%s", name, suffix);
}

int engine_tag(struct engine *e, const char *image, const char *repository, const char *tag, struct err *err)
{
	auto_free char *repo = str_uri_encode(repository, false), *tag_text = NULL;
	auto_free char *name = str_uri_encode(image, true), *path = NULL;

	tag_text = str_uri_encode(tag, false);
	path = xasprintf("/images/%s/tag?repo=%s&tag=%s", name, repo, tag_text);
	if (engine_call(e, "POST", path, NULL, NULL, err) < 0)
		return err_wrap(err, "tag image '%s' as '%s:%s'", image, repository, tag);
	return 0;
}

int engine_inspect_image(struct engine *e, const char *image, json_t **ret, struct err *err)
{
	auto_free char *path = image_path(image, "/json");

	if (engine_call(e, "GET", path, NULL, ret, err) < 0)
		return err_wrap(err, "inspect image '%s'", image);
	return 0;
}

int engine_untag(struct engine *e, const char *image, struct err *err)
{
	auto_free char *path = image_path(image, "?noprune=false");
	auto_err why = { 0 };

	if (engine_call(e, "DELETE", path, NULL, NULL, &why) == 0 || why.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &why);
	return err_wrap(err, "remove image name '%s'", image);
}
