#ifndef SMPIPE_PIPELINE_S3_LOCATION_H
#define SMPIPE_PIPELINE_S3_LOCATION_H

/* Keys of smpipe.yaml that say where in S3 something is put: s3://bucket/prefix, or a bare bucket. */

#include "pipeline/config.h"
#include "s3/uri.h"

/* What the key says, its prefix as written; absent: bucket, without a prefix. ERR_CONFIG with a position. */
int s3_location_read(const struct config *c, const char *key, const char *bucket, struct s3_uri *ret, struct err *err);

#endif
