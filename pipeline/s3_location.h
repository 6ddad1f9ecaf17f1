#ifndef SMPIPE_PIPELINE_S3_LOCATION_H
#define SMPIPE_PIPELINE_S3_LOCATION_H

/* Keys of smpipe.yaml that say where in S3 something is put, and how it is encrypted there. */

#include "pipeline/config.h"
#include "s3/encryption.h"
#include "s3/uri.h"

/* s3://bucket/prefix, or a bare bucket, as written; absent: bucket, without a prefix. ERR_CONFIG with a position. */
int s3_location_read(const struct config *c, const char *key, const char *bucket, struct s3_uri *ret, struct err *err);
/* *ret borrows from c. ERR_CONFIG with a position. */
int s3_location_encryption(const struct config *c, const char *key, struct s3_encryption *ret, struct err *err);

#endif
