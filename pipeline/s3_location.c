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
