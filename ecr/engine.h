#ifndef SMPIPE_ECR_ENGINE_H
#define SMPIPE_ECR_ENGINE_H

/*
 * Docker Engine API over a unix socket. https://docs.docker.com/reference/api/engine/
 */

#include <jansson.h>

#include "base/filelist.h"
#include "base/http.h"
#include "base/report.h"
#include "base/sys.h"

struct engine {
	struct http *http;    /* borrowed */
	char *socket;         /* path */
	char *api_version;    /* "1.41": the lower of the engine's and ours */
	char *engine_version; /* "20.10.24" */
	char *os_arch;        /* "linux/amd64" */
};

#define auto_engine __attribute__((cleanup(engine_release))) struct engine

/*
 * Connect to docker_host (unix:// only, as yet); NULL = DOCKER_HOST of the environment; blank or unset =
 * /var/run/docker.sock. Negotiates the version through /version. ERR_NETWORK with a hint when no engine answers;
 * ERR_CONFIG for another kind of host and for an engine whose versions do not meet ours.
 */
int engine_connect(struct http *http, const char *docker_host, struct engine *ret, struct err *err);
void engine_release(struct engine *e);

/*
 * One call: path below /v<api_version>; body JSON or NULL. Statuses other than 2xx become errors with the engine's
 * message (404 ERR_NOT_FOUND, 409 ERR_CONFLICT, else ERR_SERVICE). *ret_answer may be NULL.
 */
int engine_call(struct engine *e, const char *method, const char *path, const json_t *body, json_t **ret_answer,
		struct err *err);

/*
 * One exchange, for bodies and answers that are no JSON documents: req says all but URL and socket; path as in
 * engine_call. Statuses other than 2xx become errors as in engine_call, except 304, which the engine uses for "it is so
 * already". `what` begins the message: "push 'app:1'".
 */
int engine_send(struct engine *e, const char *what, const char *path, struct http_request *req,
		struct http_response *ret_resp, struct err *err);

/* What a build needs. */
struct engine_build {
	const struct filelist *context; /* sorted, hashed */
	const char *dockerfile;         /* path within the context */
	const char *target;             /* or NULL */
	const json_t *build_args;       /* object of strings, or NULL */
	const json_t *labels;           /* object of strings */
	const char *platform;           /* "linux/amd64", or NULL for the engine's own */
	const char *network;            /* of RUN steps: "host", "none", … or NULL for the engine's default */
	const char *tag;                /* name:tag to give to the result */
};

/*
 * Classic build. Its output goes to report as lines of stage "image". A Dockerfile that the engine refuses, an error
 * inside the 200 stream, a stream that ends without an image id, and an image for another platform are ERR_FAILED: the
 * message has the failing step, the hint the last lines of output. Cancelling drops the connection, which ends the
 * build. *ret_image_id ("sha256:…") is new.
 */
int engine_build(struct engine *e, const struct engine_build *build, const struct report *report, char **ret_image_id,
		 struct err *err);

/* Give a local image another name. */
int engine_tag(struct engine *e, const char *image, const char *repository, const char *tag, struct err *err);

/*
 * Push repository ("host/name"):tag; auth may be NULL, and must be for that host. *ret_digest ("sha256:…") is what the
 * registry gave; new. ERR_AUTH, ERR_NOT_FOUND (no such repository), ERR_CONFLICT (the tag is immutable and taken).
 */
struct registry_auth;
int engine_push(struct engine *e, const char *repository, const char *tag, const struct registry_auth *auth,
		const struct report *report, char **ret_digest, struct err *err);

/* Pull host/repository@digest or :tag. auth may be NULL, and must be for that host. ERR_AUTH, ERR_NOT_FOUND. */
int engine_pull(struct engine *e, const char *reference, const struct registry_auth *auth, const struct report *report,
		struct err *err);

/* GET /images/{name}/json; ERR_NOT_FOUND. */
int engine_inspect_image(struct engine *e, const char *image, json_t **ret, struct err *err);
/* Remove a name of an image (untag); absent is fine. */
int engine_untag(struct engine *e, const char *image, struct err *err);

#endif
