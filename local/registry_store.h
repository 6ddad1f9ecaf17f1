#ifndef SMPIPE_LOCAL_REGISTRY_STORE_H
#define SMPIPE_LOCAL_REGISTRY_STORE_H

/*
 * What ECR's API and the registry share: repositories, blobs, manifests, tags and the registry's passwords, as files.
 *
 *     passwords.json                              mode 0600
 *     repositories/<name, '/' as '='>/
 *             repository.json
 *             blobs/<hex>  uploads/<id>
 *             manifests/<hex>  manifests/<hex>.json (media type, time)
 *             tags/<tag>.tag (hex digest)
 *
 * Every file is written beside its place and renamed, so that a killed process leaves old or new. Calls come from
 * several threads.
 */

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define ECR_MANIFEST_MAX     (4u << 20) /* https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html */
#define ECR_PASSWORD_VALID_S (12 * 3600)

struct store_ecr {
	char *dir;
	pthread_mutex_t lock; /* repositories, manifests and tags change under it; blobs only appear */
};

/*
 * A password that is valid for at least half of 12 hours more: the last one, or a new one. *ret_expires_ms is its end.
 * The one before stays valid to its own end, so that every token keeps its promise.
 */
int store_ecr_password(struct store_ecr *s, const struct sys *sys, struct secret *ret, int64_t *ret_expires_ms,
		       struct err *err);
bool store_ecr_check_password(struct store_ecr *s, const char *password, int64_t now_ms);

/* doc is kept as it is. ERR_CONFLICT: there is one of that name. */
int store_ecr_create_repository(struct store_ecr *s, const char *name, const json_t *doc, struct err *err);
/* ERR_NOT_FOUND. */
int store_ecr_get_repository(struct store_ecr *s, const char *name, json_t **ret_doc, struct err *err);
bool store_ecr_has_repository(struct store_ecr *s, const char *name);
/* Sorted names. */
int store_ecr_list_repositories(struct store_ecr *s, struct strlist *ret, struct err *err);
int store_ecr_delete_repository(struct store_ecr *s, const char *name, struct err *err);

/* ERR_NOT_FOUND. */
int store_ecr_open_blob(struct store_ecr *s, const char *repository, const struct digest *digest, int *ret_fd,
			uint64_t *ret_size, struct err *err);
bool store_ecr_has_blob(struct store_ecr *s, const char *repository, const struct digest *digest);
/* Make a blob of one repository be in another as well. ERR_NOT_FOUND. */
int store_ecr_mount_blob(struct store_ecr *s, const char *from, const char *to, const struct digest *digest,
			 struct err *err);

/* Bytes that arrived with a request, in memory or in a file. */
struct ecr_bytes {
	const char *p; /* NULL: in fd, from its beginning */
	int fd;
	uint64_t size;
};

/* A new, empty upload; *ret_id is 32 hexadecimal digits. */
int store_ecr_start_upload(struct store_ecr *s, const char *repository, const struct sys *sys, char **ret_id,
			   struct err *err);
/*
 * Append; at is the offset where the client believes to be, -1 when it does not say. *ret_size: bytes so far.
 * ERR_NOT_FOUND: no such upload; ERR_CONFLICT: at is elsewhere.
 */
int store_ecr_append_upload(struct store_ecr *s, const char *repository, const char *id, int64_t at,
			    const struct ecr_bytes *bytes, uint64_t *ret_size, struct err *err);
int store_ecr_upload_size(struct store_ecr *s, const char *repository, const char *id, uint64_t *ret_size,
			  struct err *err);
/* The upload becomes the blob. ERR_INVALID: its bytes have another digest; the upload is dropped then. */
int store_ecr_finish_upload(struct store_ecr *s, const char *repository, const char *id, const struct digest *digest,
			    struct err *err);
int store_ecr_drop_upload(struct store_ecr *s, const char *repository, const char *id, struct err *err);

struct ecr_manifest {
	struct digest digest;
	char *bytes;
	size_t n;
	char *media_type;
	int64_t pushed_ms;
};

#define auto_ecr_manifest __attribute__((cleanup(ecr_manifest_release))) struct ecr_manifest
void ecr_manifest_release(struct ecr_manifest *m);

/*
 * Keep a manifest and point tag (NULL: none) at it. ERR_CONFLICT: is_immutable and the tag points elsewhere. What it
 * names must have been checked.
 */
int store_ecr_put_manifest(struct store_ecr *s, const char *repository, const struct ecr_manifest *m, const char *tag,
			   bool is_immutable, struct err *err);
/* ERR_NOT_FOUND. */
int store_ecr_get_manifest(struct store_ecr *s, const char *repository, const struct digest *digest,
			   struct ecr_manifest *ret, struct err *err);
bool store_ecr_has_manifest(struct store_ecr *s, const char *repository, const struct digest *digest);
/* The digest that a tag, or a digest's own text, stands for. ERR_NOT_FOUND. */
int store_ecr_resolve(struct store_ecr *s, const char *repository, const char *tag_or_digest, struct digest *ret,
		      struct err *err);
/* Sorted tags; hexadecimal digests of manifests in no order that says anything. */
int store_ecr_list_tags(struct store_ecr *s, const char *repository, struct strlist *ret, struct err *err);
int store_ecr_list_manifests(struct store_ecr *s, const char *repository, struct strlist *ret, struct err *err);

/* [A-Za-z0-9_][A-Za-z0-9._-]{0,127}, so also a file name. */
bool store_ecr_is_tag(const char *s);

/* For the store's own sources: the path of a thing in a repository; folder and leaf may be NULL. New string. */
char *store_ecr_path(const struct store_ecr *s, const char *repository, const char *folder, const char *leaf);

#endif
