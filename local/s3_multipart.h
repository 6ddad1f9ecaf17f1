#ifndef SMPIPE_LOCAL_S3_MULTIPART_H
#define SMPIPE_LOCAL_S3_MULTIPART_H

/* What the calls of a multipart upload share. */

#include "local/s3.h"
#include "local/s3_uploads.h"

/* The upload that ?uploadId= names; false: answered. */
bool s3_multipart_open(const struct s3_call *c, struct s3_upload *ret);
/* ?partNumber=; false: answered. */
bool s3_multipart_number(const struct s3_call *c, int *ret);
/*
 * Keep bytes with these sums, MD5 and the upload's checksum, as a part. *ret_etag is new; false: answered.
 */
bool s3_multipart_keep(const struct s3_call *c, const struct s3_upload *u, int number, const struct s3_bytes *bytes,
		       const struct s3_sums *sums, char **ret_etag);

#endif
