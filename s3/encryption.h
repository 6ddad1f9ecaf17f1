#ifndef SMPIPE_S3_ENCRYPTION_H
#define SMPIPE_S3_ENCRYPTION_H

/*
 * How S3 encrypts what is written. https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
 */

#include "base/err.h"
#include "base/http.h"

/* Zeroed: nothing is asked for, and the bucket's default holds. */
struct s3_encryption {
	const char *algorithm; /* "AES256", "aws:kms", or NULL */
	const char *kms_key;   /* id, ARN or alias/…; NULL: AWS's own key for S3; borrowed */
};

/*
 * `none`, `AES256`, `aws:kms`, or a KMS key (then the algorithm is aws:kms); NULL is `none`. *ret borrows from text.
 * ERR_CONFIG.
 */
int s3_encryption_parse(const char *text, struct s3_encryption *ret, struct err *err);

/* The headers of PutObject, CreateMultipartUpload and CopyObject. */
void s3_encryption_add(const struct s3_encryption *e, struct http_headers *headers);

/*
 * Whether an answer can tell that it is in force: not of an alias, nor of AWS's own key, as answers name a key by its
 * ARN. Where nothing is asked for there is nothing to tell.
 */
bool s3_encryption_can_be_told(const struct s3_encryption *e);
/* Of one that can be told: whether the headers of an answer (UploadPart, CompleteMultipartUpload, HeadObject …) do. */
bool s3_encryption_is_told(const struct s3_encryption *e, const struct http_headers *headers);

#endif
