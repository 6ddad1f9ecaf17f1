#ifndef SMPIPE_S3_URI_H
#define SMPIPE_S3_URI_H

#include "base/err.h"

/* s3://bucket/key; key may be empty and has no leading '/'. */
struct s3_uri {
	char *bucket, *key;
};

#define auto_s3_uri __attribute__((cleanup(s3_uri_release))) struct s3_uri

/* ERR_CONFIG. Bucket names by the rules of https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
int s3_uri_parse(const char *uri, struct s3_uri *ret, struct err *err);
void s3_uri_release(struct s3_uri *u);
/* "s3://bucket/key"; new string. */
char *s3_uri_format(const char *bucket, const char *key);
/* ERR_CONFIG when it can be no bucket's name. */
int s3_check_bucket_name(const char *bucket, struct err *err);

#endif
