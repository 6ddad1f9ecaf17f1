#include "s3/encryption.h"

#include <string.h>

#include "base/str.h"

#define HEADER      "x-amz-server-side-encryption"
#define KMS         "aws:kms"
#define MAX_KEY     2048
#define KEY_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* The forms that KMS has for a KeyId: "1234abcd-…" or "mrk-…", an ARN of a key or alias, "alias/…". */
static bool is_key(const char *text)
{
	size_t n = strlen(text);

	if (n > MAX_KEY || strspn(text, KEY_LETTERS ":/_-") != n)
		return false;
	if (str_starts(text, "alias/"))
		return text[strlen("alias/")] != '\0';
	if (str_starts(text, "arn:"))
		return strstr(text, ":kms:") && (strstr(text, ":key/") || strstr(text, ":alias/"));
	return str_starts(text, "mrk-") || (n == 36 && strspn(text, "0123456789abcdefABCDEF-") == n);
}

int s3_encryption_parse(const char *text, struct s3_encryption *ret, struct err *err)
{
	*ret = (struct s3_encryption){ 0 };
	if (!text || str_eq(text, "none"))
		return 0;
	if (str_eq(text, "AES256") || str_eq(text, KMS)) {
		ret->algorithm = text;
		return 0;
	}
	if (!is_key(text)) {
		err_set(err, ERR_CONFIG, "'%s' is neither none, AES256, aws:kms nor a KMS key", text);
		return err_hint(err, "a key is written as its ARN, its id, or alias/NAME");
	}
	ret->algorithm = KMS;
	ret->kms_key = text;
	return 0;
}

void s3_encryption_add(const struct s3_encryption *e, struct http_headers *headers)
{
	if (e->algorithm)
		http_headers_add(headers, HEADER, e->algorithm);
	if (e->kms_key)
		http_headers_add(headers, HEADER "-aws-kms-key-id", e->kms_key);
}

bool s3_encryption_can_be_told(const struct s3_encryption *e)
{
	return !str_eq(e->algorithm, KMS) || (e->kms_key && !strstr(e->kms_key, "alias/"));
}

bool s3_encryption_is_told(const struct s3_encryption *e, const struct http_headers *headers)
{
	const char *key = http_headers_get(headers, HEADER "-aws-kms-key-id");

	if (!e->algorithm)
		return true;
	/* The id is the end of the ARN. */
	return str_eq(http_headers_get(headers, HEADER), e->algorithm) &&
	       (!e->kms_key || (key && str_ends(key, e->kms_key)));
}
