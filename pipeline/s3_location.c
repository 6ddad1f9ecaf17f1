#include "pipeline/s3_location.h"

#include "base/mem.h"
#include "base/str.h"

int s3_location_read(const struct config *c, const char *key, const char *bucket, struct s3_uri *ret, struct err *err)
{
	const char *value = config_str(c, key);
	auto_free char *text =
		value && str_starts(value, "s3://") ? xstrdup(value) : s3_uri_format(value ? value : bucket, "");

	return s3_uri_parse(text, ret, err) < 0 ? config_error(c, err, key, "%s", err->msg) : 0;
}

int s3_location_encryption(const struct config *c, const char *key, struct s3_encryption *ret, struct err *err)
{
	auto_err why = { 0 };

	if (s3_encryption_parse(config_str(c, key), ret, &why) == 0)
		return 0;
	config_error(c, err, key, "%s", why.msg);
	return err_hint(err, "%s", why.hint);
}

int s3_location_check_region(const char *bucket, const char *bucket_region, const char *job_region, struct err *err)
{
	if (str_eq(bucket_region, job_region))
		return 0;
	err_set(err, ERR_CONFIG,
		"bucket '%s' is in region '%s', and a job in '%s' reads and writes only buckets of its own", bucket,
		bucket_region, job_region);
	return err_hint(err, "name a bucket of '%s', or set `region: %s`", job_region, bucket_region);
}
