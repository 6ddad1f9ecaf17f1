#ifndef SMPIPE_S3_OBJECT_H
#define SMPIPE_S3_OBJECT_H

/*
 * S3's object calls. To AWS every one carries x-amz-expected-bucket-owner. An S3-compatible store at an endpoint of its
 * own may be used without: it has no accounts, or nobody to tell ours.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */

#include <stdbool.h>
#include <stdint.h>

#include "aws/call.h"
#include "base/filelist.h"
#include "base/str.h"
#include "s3/checksum.h"
#include "s3/encryption.h"

/* Larger objects are sent in parts, by s3/transfer. */
#define S3_MAX_PUT_BYTES (5ULL * 1024 * 1024 * 1024)

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
#define S3_KEY_MAX_BYTES 1024

struct s3 {
	struct aws *aws;                 /* borrowed */
	const char *bucket_owner;        /* account that must own the buckets; borrowed; NULL: at an override only */
	struct s3_encryption encryption; /* of what is written */
};

struct s3_head {
	uint64_t size;
	bool has_digest;
	struct digest digest;             /* of the whole object, from x-amz-checksum-sha256 */
	struct s3_checksum sha256, crc64; /* as they were answered: that of an object in parts is made of theirs */
	char *etag;
	char *version_id; /* NULL without versioning */
};

void s3_head_release(struct s3_head *h);
#define auto_s3_head __attribute__((cleanup(s3_head_release))) struct s3_head

/* ERR_NOT_FOUND; a foreign owner is ERR_AUTH. ret may be NULL. */
int s3_head_object(struct s3 *s3, const char *bucket, const char *key, struct s3_head *ret, struct err *err);

/*
 * Put one object. Its digest is the signed payload hash and the stored x-amz-checksum-sha256, so that S3 itself refuses
 * other bytes. ERR_INVALID above S3_MAX_PUT_BYTES.
 */
int s3_put_bytes(struct s3 *s3, const char *bucket, const char *key, const void *p, size_t n, const char *content_type,
		 struct err *err);
/* ERR_CONFLICT: the key exists already (perhaps by an earlier try of this very call). */
int s3_put_new_bytes(struct s3 *s3, const char *bucket, const char *key, const void *p, size_t n,
		     const char *content_type, struct err *err);
/* From the start of a seekable file of known size and digest. */
int s3_put_fd(struct s3 *s3, const char *bucket, const char *key, int fd, uint64_t size, const struct digest *digest,
	      const char *content_type, struct err *err);

/* A small object into memory (at most max bytes; NUL added). */
int s3_get_bytes(struct s3 *s3, const char *bucket, const char *key, size_t max, char **ret_text, size_t *ret_n,
		 struct err *err);
/* Stream an object to fd from its current position and hash it. */
int s3_get_fd(struct s3 *s3, const char *bucket, const char *key, int fd, struct digest *ret_digest, uint64_t *ret_size,
	      struct err *err);

struct s3_listed {
	char *key;
	uint64_t size;
	time_t modified_s; /* 0 when the answer does not say */
};
struct s3_listing {
	struct s3_listed *v;
	size_t n, cap;
};
#define auto_s3_listing __attribute__((cleanup(s3_listing_release))) struct s3_listing
/* All objects below prefix (ListObjectsV2, all pages), at most max. */
int s3_list(struct s3 *s3, const char *bucket, const char *prefix, size_t max, struct s3_listing *ret, struct err *err);
/* The same of one level: what stands directly below prefix, and the prefixes that go on from there to the next '/'. */
int s3_list_level(struct s3 *s3, const char *bucket, const char *prefix, size_t max, struct s3_listing *ret,
		  struct strlist *ret_folders, struct err *err);
void s3_listing_release(struct s3_listing *l);

/*
 * Delete objects (DeleteObjects, 1000 at a time; names that XML cannot say one by one). What is gone already is fine.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
int s3_delete(struct s3 *s3, const char *bucket, const struct strlist *keys, struct err *err);

/*
 * Copy an object that was sent in parts inside S3, in the same parts (s3/parts.h), so that their digests' digest stays.
 * source is the head of it, whose sha256 is what must come out. ERR_CONFLICT: it is another by now. ERR_INVALID: the
 * copy has another checksum.
 */
int s3_copy_object(struct s3 *s3, const char *from_bucket, const char *from_key, const struct s3_head *source,
		   const char *to_bucket, const char *to_key, struct err *err);

/*
 * HeadBucket: 1 = there and ours, 0 = absent; a foreign one is ERR_AUTH that says so. *ret_region, of one that is
 * there: where it is; new string.
 */
int s3_has_bucket(struct s3 *s3, const char *bucket, char **ret_region, struct err *err);

/*
 * CreateBucket in the client's region, all public access blocked, encrypted by default (SSE-S3). Already ours is
 * success.
 */
int s3_create_bucket(struct s3 *s3, const char *bucket, struct err *err);

#endif
