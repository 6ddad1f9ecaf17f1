#ifndef SMPIPE_ECR_REGISTRY_H
#define SMPIPE_ECR_REGISTRY_H

/*
 * Reading a registry: OCI distribution specification v1.1 and Docker's v2 schema 2.
 * Credentials go to this host only; redirects of blobs are followed without them.
 */

#include <jansson.h>

#include "base/http.h"
#include "base/mem.h"

struct registry_auth {
	char *host; /* with port: where the password may go */
	char *user;
	struct secret password;
	char *ca_file; /* as in http_request; or NULL */
};

void registry_auth_release(struct registry_auth *a);
#define auto_registry_auth __attribute__((cleanup(registry_auth_release))) struct registry_auth

/* The value of X-Registry-Auth: base64url of JSON; new string, a secret: wipe it. */
char *registry_auth_header(const struct registry_auth *auth);

struct registry_image {
	char *digest; /* "sha256:…" of the manifest's bytes, computed here and equal to what was asked for */
	char *media_type;
	json_t *manifest;
	json_t *config; /* the image configuration; labels at .config.Labels */
	uint64_t bytes; /* sum of the layers */
};

void registry_image_release(struct registry_image *i);
#define auto_registry_image __attribute__((cleanup(registry_image_release))) struct registry_image

/*
 * Read manifest and configuration of repository at a tag or digest. http is used for plain only on loopback hosts.
 * ERR_NOT_FOUND; ERR_INVALID when a digest does not fit or the manifest is an index (SageMaker takes single images).
 */
int registry_get_image(struct http *http, const struct registry_auth *auth, const char *repository,
		       const char *tag_or_digest, struct registry_image *ret, struct err *err);

/* A label of the image, or NULL. Borrowed. */
const char *registry_image_label(const struct registry_image *i, const char *name);

#endif
