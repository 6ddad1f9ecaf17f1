#include "s3/uri.h"

#include <ctype.h>
#include <stdbool.h>

#include "base/mem.h"
#include "base/str.h"
#include "s3/object.h"

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Four groups of digits, as "192.168.5.4". */
static bool looks_like_address(const char *s)
{
	int dots = 0;

	for (; *s; s++) {
		if (*s == '.')
			dots++;
		else if (*s < '0' || *s > '9')
			return false;
	}
	return dots == 3;
}

/*
 * What is wrong with a name, or NULL. Suffixes of names that requests may carry (access point aliases, directory
 * buckets) pass; those that no request of ours can address do not.
 */
static const char *bucket_name_fault(const char *b)
{
	static const char *const prefixes[] = { "xn--", "sthree-", "amzn-s3-demo-" };
	static const char *const suffixes[] = { "--ol-s3", ".mrap", "--table-s3" };
	size_t n = strlen(b);

	if (n < 3 || n > 63)
		return "it must have 3 to 63 characters";
	for (size_t i = 0; i < n; i++)
		if (!is_lower_or_digit(b[i]) && b[i] != '-' && b[i] != '.')
			return "only lower-case letters, digits, '-' and '.' may be in it";
	if (!is_lower_or_digit(b[0]) || !is_lower_or_digit(b[n - 1]))
		return "it must begin and end with a letter or digit";
	if (strstr(b, ".."))
		return "two dots may not stand together";
	if (looks_like_address(b))
		return "it looks like an IP address";
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(b, prefixes[i]))
			return "S3 reserves its prefix";
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (str_ends(b, suffixes[i]))
			return "S3 reserves its suffix";
	return NULL;
}

int s3_check_bucket_name(const char *bucket, struct err *err)
{
	const char *fault = bucket_name_fault(bucket);
	auto_free char *shown = NULL;

	if (!fault)
		return 0;
	shown = str_printable(bucket);
	return err_set(err, ERR_CONFIG, "bucket '%s': %s", shown, fault);
}

static const char *key_fault(const char *key)
{
	size_t n = strlen(key);

	if (key[0] == '/')
		return "the key begins with '/'";
	if (n > S3_KEY_MAX_BYTES)
		return "the key is longer than 1024 bytes";
	if (!str_is_utf8(key, n))
		return "the key is not UTF-8";
	for (size_t i = 0; i < n; i++)
		if (iscntrl((unsigned char)key[i]))
			return "there is a control character in the key";
	return NULL;
}

int s3_uri_parse(const char *uri, struct s3_uri *ret, struct err *err)
{
	auto_free char *shown = str_printable(uri);
	auto_free char *bucket = NULL;
	const char *slash, *key, *fault;

	if (!str_starts(uri, "s3://"))
		return err_set(err, ERR_CONFIG, "'%s' is no S3 URI: it must begin with s3://", shown);
	uri += strlen("s3://");
	slash = strchrnul(uri, '/');
	bucket = xstrndup(uri, (size_t)(slash - uri));
	if (s3_check_bucket_name(bucket, err) < 0)
		return err_wrap(err, "S3 URI '%s'", shown);
	key = *slash ? slash + 1 : slash;
	fault = key_fault(key);
	if (fault)
		return err_set(err, ERR_CONFIG, "S3 URI '%s': %s", shown, fault);
	ret->bucket = take(bucket);
	ret->key = xstrdup(key);
	return 0;
}

void s3_uri_release(struct s3_uri *u)
{
	free(u->bucket);
	free(u->key);
	*u = (struct s3_uri){ 0 };
}

char *s3_uri_format(const char *bucket, const char *key)
{
	return xasprintf("s3://%s/%s", bucket, key);
}
