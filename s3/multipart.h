#ifndef SMPIPE_S3_MULTIPART_H
#define SMPIPE_S3_MULTIPART_H

/*
 * Multipart uploads: the requests and what their answers say. Sending is for s3/transfer and s3/copy, many at once.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */

#include "s3/checksum.h"
#include "s3/request.h"

struct s3_part {
	char *etag; /* NULL: not stored yet */
	struct s3_checksum checksum;
	uint64_t size;
};

/* An upload that is under way; parts are numbered from 1, v[0] is the first. */
struct s3_multipart {
	const char *bucket, *key; /* borrowed */
	char *upload_id;
	enum s3_checksum_kind kind;
	uint64_t size;
	struct s3_part *v;
	uint32_t n;
	bool has_sums; /* an answer told a part's checksum; stores that tell none take none in CompleteMultipartUpload
			*/
};

void s3_multipart_release(struct s3_multipart *m);
#define auto_s3_multipart __attribute__((cleanup(s3_multipart_release))) struct s3_multipart

/* CreateMultipartUpload. */
void s3_multipart_create_request(const struct s3_multipart *m, const char *content_type, struct s3_request *ret);
int s3_multipart_created(struct s3_multipart *m, const struct http_response *resp, struct err *err);

/* UploadPart i (0-based), without its body; its checksum is v[i].checksum. */
void s3_multipart_part_request(const struct s3_multipart *m, uint32_t i, struct s3_request *ret);
/* UploadPartCopy i of bytes [first, last] of another object, as long as its ETag is etag. */
void s3_multipart_copy_request(const struct s3_multipart *m, uint32_t i, const char *source_bucket,
			       const char *source_key, const char *etag, uint64_t first, uint64_t last,
			       struct s3_request *ret);
/* Take the ETag of part i; ERR_INVALID when S3 says that it stored other bytes. */
int s3_multipart_part_stored(struct s3_multipart *m, uint32_t i, const struct http_response *resp, struct err *err);
/* The same of a copied part, whose answer is XML; v[i].checksum is compared where it is known, else taken. */
int s3_multipart_part_copied(struct s3_multipart *m, uint32_t i, const struct http_response *resp, struct err *err);

/* CompleteMultipartUpload. The body is *body, which must outlive the request. */
void s3_multipart_complete_request(const struct s3_multipart *m, const struct s3_checksum *whole, struct str *body,
				   struct s3_request *ret);
/* ERR_INVALID when S3 has another checksum than whole. */
int s3_multipart_completed(const struct s3_multipart *m, const struct s3_checksum *whole,
			   const struct http_response *resp, struct err *err);

/* What the whole object's checksum will be: of the parts' digests, or of all bytes. */
struct s3_checksum s3_multipart_whole(const struct s3_multipart *m);

/* ListParts: take those whose number and size fit into m->v. All pages. ERR_NOT_FOUND: no such upload. ERR_CONFLICT: it
 * was begun with another checksum than m->kind. After an error m->v may hold parts of the first pages. */
int s3_multipart_list_parts(struct s3 *s3, struct s3_multipart *m, struct err *err);
/* AbortMultipartUpload; one that is gone already is success. */
int s3_multipart_abort(struct s3 *s3, const char *bucket, const char *key, const char *upload_id, struct err *err);

/*
 * Of a CreateMultipartUpload that was sent more than once, the first may have been carried out too: abort the uploads
 * of the same key that have no part, but not m itself. What cannot be found out or done is left.
 */
void s3_multipart_drop_twins(struct s3 *s3, const struct s3_multipart *m);
/* Abort all uploads of the key but m itself: the object is there by another way. */
void s3_multipart_drop_others(struct s3 *s3, const struct s3_multipart *m);

struct s3_upload {
	char *key, *id;
	char *initiated; /* "2023-11-23T01:38:54.000Z" */
};
struct s3_uploads {
	struct s3_upload *v;
	size_t n, cap;
};
#define auto_s3_uploads __attribute__((cleanup(s3_uploads_release))) struct s3_uploads
/* The uploads under way below prefix (ListMultipartUploads, all pages), at most max. */
int s3_multipart_list(struct s3 *s3, const char *bucket, const char *prefix, size_t max, struct s3_uploads *ret,
		      struct err *err);
void s3_uploads_release(struct s3_uploads *u);

#endif
