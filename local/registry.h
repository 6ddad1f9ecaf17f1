#ifndef SMPIPE_LOCAL_REGISTRY_H
#define SMPIPE_LOCAL_REGISTRY_H

/* The parts of the registry: each answers what lies below its marker in the path of a repository that exists. */

#include "base/digest.h"
#include "local/registry_store.h"
#include "local/server.h"

#define REGISTRY_ROUTE(name)                                                                                           \
	void name(struct cloud *cloud, const struct local_request *req, const char *repository, const char *rest,      \
		  struct local_response *resp)

REGISTRY_ROUTE(registry_blobs);     /* registry.c */
REGISTRY_ROUTE(registry_uploads);   /* registry_uploads.c */
REGISTRY_ROUTE(registry_manifests); /* registry_references.c */
REGISTRY_ROUTE(registry_referrers);
REGISTRY_ROUTE(registry_tags);

/* {"errors":[{"code","message"}]} with the spec's codes. */
void registry_respond_error(struct local_response *resp, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* 404 with not_found_code for ERR_NOT_FOUND, else 500. */
void registry_respond_err(struct local_response *resp, const char *not_found_code, const struct err *err);
void registry_respond_empty(struct local_response *resp, int status);

#endif
