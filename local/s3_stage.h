#ifndef SMPIPE_LOCAL_S3_STAGE_H
#define SMPIPE_LOCAL_S3_STAGE_H

/*
 * How an object comes to be: its bytes are staged in a file of the bucket's tmp folder, then published by one rename.
 * Nothing waits for the disk: what is there survives the end of the process, however it ends, not that of the machine.
 */

#include "local/s3_store.h"

/* A file of the tmp folder; it vanishes with the struct unless it was published. */
struct s3_staged {
	char *path;
	int fd; /* -1: none */
};
#define auto_s3_staged __attribute__((cleanup(s3_staged_release))) struct s3_staged
void s3_staged_release(struct s3_staged *t);

/* An empty file. */
int s3_stage_new(struct s3_staged *t, struct store_s3 *s, const char *bucket, struct err *err);
/* One with these bytes: a nameless file (a large request body) is taken as it is, others are copied. */
int s3_stage_bytes(struct s3_staged *t, struct store_s3 *s, const char *bucket, const struct s3_bytes *bytes,
		   struct err *err);

/* Append size bytes of a file from an offset on; in the kernel, sharing blocks where the file system can. */
int s3_copy_range(int from, uint64_t offset, uint64_t size, int to, const char *what, struct err *err);

struct s3_publication {
	const char *bucket, *key, *etag;
	const json_t *headers; /* NULL for none */
	const json_t *parts;   /* as in struct s3_stored; NULL for none */
	bool if_absent;        /* only when there is no such object */
	const char *if_match;  /* only when there is one with this ETag; NULL for any */
	const char *upload;    /* path of the file whose upload becomes this object and ends with it; NULL for none */
};

/*
 * Make the staged file the object. PreconditionFailed, NoSuchKey (of if_match), NoSuchUpload: then nothing has changed
 * and the staged file is still the caller's.
 */
int s3_publish(struct store_s3 *s, struct s3_staged *t, const struct s3_publication *p, struct err *err);

/* Whether it would be refused now, with the same errors. */
int s3_check_publication(struct store_s3 *s, const struct s3_publication *p, struct err *err);

/* The object as it is now, with the lock held. */
int s3_open_locked(struct store_s3 *s, const char *bucket, const char *key, struct s3_stored *o, struct err *err);

/* A refusal with the service's code; -1. */
int s3_refuse(struct err *err, enum err_code class, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Whether a list of ETags, as in If-Match, has this one (given without quotes). */
bool s3_etag_matches(const char *list, const char *etag);

#endif
