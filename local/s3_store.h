#ifndef SMPIPE_LOCAL_S3_STORE_H
#define SMPIPE_LOCAL_S3_STORE_H

/*
 * Buckets and objects as plain files:
 *
 *   <dir>/<bucket>/bucket.json      region and time of creation
 *   <dir>/<bucket>/config/<name>    configuration documents as they were sent
 *   <dir>/<bucket>/objects/…        the bytes, under the names of local/s3_names.h
 *   <dir>/<bucket>/meta/…           etag, digest and headers of each object
 *   <dir>/<bucket>/tmp/             what is being written; emptied when the store is opened
 *   <dir>/<bucket>/uploads/…        multipart uploads that are not completed: local/s3_uploads.h
 *
 * An object appears by one rename, so that it is there whole or not at all. Its meta file names size and time of the
 * bytes it describes; where they do not fit, or there is none, the file was put there by other means and is an object
 * all the same.
 *
 * Errors carry the service's code (err_service): NoSuchBucket and NoSuchKey with ERR_NOT_FOUND, KeyTooLongError with
 * ERR_INVALID, PreconditionFailed, BucketNotEmpty and BucketAlreadyOwnedByYou with ERR_CONFLICT.
 */

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "local/cloud.h"
#include "local/s3_sums.h"

struct store_s3 {
	char *dir;
	pthread_mutex_t lock; /* held while files appear, vanish or are listed; never while bytes are copied */
	atomic_ullong n_staged;
};

int store_s3_create_bucket(struct store_s3 *s, const char *bucket, const char *region, struct err *err);
int store_s3_delete_bucket(struct store_s3 *s, const char *bucket, struct err *err);
/* The names, sorted. */
int store_s3_buckets(struct store_s3 *s, struct strlist *ret, struct err *err);
int store_s3_bucket_info(struct store_s3 *s, const char *bucket, char **ret_region, time_t *ret_created,
			 struct err *err);

/* Configuration documents; name is one of ours, not from outside. ERR_NOT_FOUND without a code: there is none. */
int store_s3_put_config(struct store_s3 *s, const char *bucket, const char *name, const char *text, struct err *err);
int store_s3_get_config(struct store_s3 *s, const char *bucket, const char *name, char **ret_text, struct err *err);
int store_s3_delete_config(struct store_s3 *s, const char *bucket, const char *name, struct err *err);

struct s3_put {
	const char *bucket, *key;
	struct s3_bytes bytes;
	const char *etag;      /* NULL: the MD5 of the bytes, and their CRC64NVME is kept, as S3 does it unasked */
	const json_t *headers; /* object: what GetObject gives back, by lower-case name; NULL for none */
	bool if_absent;        /* only when there is no such object */
	const char *if_match;  /* only when there is one with such an ETag, as in the header; NULL for any */
};
/* NoSuchKey: of if_match. */
int store_s3_put(struct store_s3 *s, const struct s3_put *put, struct err *err);

struct s3_stored {
	int fd;
	uint64_t size;
	time_t modified;
	char *etag;
	json_t *headers;
	json_t *parts; /* of an object made of parts: arrays "sizes" and, in base64, "sums"; else NULL */
};
#define auto_s3_stored __attribute__((cleanup(s3_stored_release))) struct s3_stored
void s3_stored_release(struct s3_stored *o);
int store_s3_open(struct store_s3 *s, const char *bucket, const char *key, struct s3_stored *ret, struct err *err);

/* Of a file, as meta files have it. */
struct stat;
json_int_t s3_mtime_ns(const struct stat *st);

/* An object that is not there is fine. */
int store_s3_delete(struct store_s3 *s, const char *bucket, const char *key, struct err *err);

/* The keys that begin with prefix, sorted by their bytes. */
int store_s3_keys(struct store_s3 *s, const char *bucket, const char *prefix, struct strlist *ret, struct err *err);

/* As store_s3_export of local/cloud.h, but only some of the keys that begin with prefix. */
int store_s3_export_keys(struct store_s3 *s, const char *bucket, const char *prefix, const struct strlist *keys,
			 const char *dir, size_t *ret_n, struct err *err);

/* The bytes of a file, mapped for reading; p is "" when it is empty. */
struct s3_mapped {
	const char *p;
	size_t n;
	void *mapping;
};
#define auto_s3_mapped __attribute__((cleanup(s3_mapped_release))) struct s3_mapped
int s3_mapped_open(struct s3_mapped *m, int fd, uint64_t size, struct err *err);
void s3_mapped_release(struct s3_mapped *m);

#endif
