#ifndef SMPIPE_PIPELINE_S3_LOCATION_H
#define SMPIPE_PIPELINE_S3_LOCATION_H

/* Where in S3 a release puts what a job is to find, and how it is encrypted there. */

#include "pipeline/config.h"
#include "s3/encryption.h"
#include "s3/uri.h"

/*
 * What a key of smpipe.yaml says that is s3://bucket/prefix or a bare bucket, the prefix as written; absent: bucket,
 * without a prefix. ERR_CONFIG with a position.
 */
int s3_location_read(const struct config *c, const char *key, const char *bucket, struct s3_uri *ret, struct err *err);
/* *ret borrows from c. ERR_CONFIG with a position. */
int s3_location_encryption(const struct config *c, const char *key, struct s3_encryption *ret, struct err *err);

/*
 * ERR_CONFIG: the bucket is in another region than the job, which finds only those of its own.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html (S3Uri)
 */
int s3_location_check_region(const char *bucket, const char *bucket_region, const char *job_region, struct err *err);

#endif
