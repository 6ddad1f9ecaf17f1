#ifndef SMPIPE_LOCAL_S3_UPLOADS_H
#define SMPIPE_LOCAL_S3_UPLOADS_H

/*
 * Multipart uploads that are under way, in the bucket's folder:
 *
 *   <bucket>/uploads/<id>/upload.json       key, headers, checksum, time; without it there is no upload
 *   <bucket>/uploads/<id>/00007.json        what is known of a part, and which file has its bytes
 *   <bucket>/uploads/<id>/00007-<md5>       its bytes
 *
 * A part is replaced by one rename of its .json, so a reader finds the old or the new one, whole; and everything is
 * there again after the process has died.
 */

#include "local/s3_stage.h"

struct s3_upload {
	char *id, *key;
	json_t *headers;   /* kept for the object */
	enum s3_sum sum;   /* the checksum of its parts and of the object */
	bool is_chosen;    /* the client asked for it, rather than S3 */
	bool is_composite; /* the object's is that of the parts' */
	time_t initiated;
};
#define auto_s3_upload __attribute__((cleanup(s3_upload_release))) struct s3_upload
void s3_upload_release(struct s3_upload *u);

struct s3_part {
	int number; /* from 1 */
	uint64_t size;
	char *etag;
	struct s3_sums sums; /* MD5 and the upload's checksum */
	time_t modified;
};
#define auto_s3_part __attribute__((cleanup(s3_part_release))) struct s3_part
void s3_part_release(struct s3_part *part);

/* Begin one; u->id, 32 hexadecimal digits that nobody used yet, is the caller's choice. */
int s3_upload_create(struct store_s3 *s, const char *bucket, const struct s3_upload *u, struct err *err);
/* NoSuchUpload: no upload of this key has this id, whatever the id looks like. */
int s3_upload_open(struct store_s3 *s, const char *bucket, const char *key, const char *id, struct s3_upload *ret,
		   struct err *err);
/* Keep the staged bytes as a part, in place of what it had before; part->modified is not read. NoSuchUpload. */
int s3_upload_put_part(struct store_s3 *s, const char *bucket, const struct s3_upload *u, struct s3_staged *t,
		       const struct s3_part *part, struct err *err);
/* ERR_NOT_FOUND: there is no such part. */
int s3_upload_part(struct store_s3 *s, const char *bucket, const struct s3_upload *u, int number, struct s3_part *ret,
		   struct err *err);
/* Append the bytes of a part. ERR_NOT_FOUND: it was replaced meanwhile, or its upload is over. */
int s3_upload_copy_part(struct store_s3 *s, const char *bucket, const struct s3_upload *u, const struct s3_part *part,
			struct s3_staged *to, struct err *err);

/* The numbers of its parts, ascending; new array. */
int s3_upload_numbers(struct store_s3 *s, const char *bucket, const struct s3_upload *u, int **ret, size_t *ret_n,
		      struct err *err);
/* The file that s3_publish is to know as upload; new string. */
char *s3_upload_path(const struct store_s3 *s, const char *bucket, const struct s3_upload *u);
/* End it, if it is still there, and remove its parts. */
void s3_upload_drop(struct store_s3 *s, const char *bucket, const struct s3_upload *u);

struct s3_upload_list {
	struct s3_upload *v;
	size_t n, cap;
};
#define auto_s3_upload_list __attribute__((cleanup(s3_upload_list_release))) struct s3_upload_list
void s3_upload_list_release(struct s3_upload_list *l);
/* Those whose key begins with prefix, by key and time. */
int s3_upload_list(struct store_s3 *s, const char *bucket, const char *prefix, struct s3_upload_list *ret,
		   struct err *err);

#endif
