#include "local/s3_checksum.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define PREFIX "x-amz-checksum-"

bool s3_checksum_of_header(const char *name, enum s3_sum *ret)
{
	return !strncasecmp(name, PREFIX, strlen(PREFIX)) && s3_sum_parse(name + strlen(PREFIX), ret);
}

static bool refuse(struct local_response *resp, const char *code, const char *words)
{
	local_respond_s3_error(resp, 400, code, "%s", words);
	return false;
}

/* The one checksum that the client sent; *ret_value stays NULL without any. */
static bool find_claim(const struct local_request *req, struct s3_checked *ret, const char **ret_value,
		       struct local_response *resp)
{
	for (size_t i = 0; i < req->headers.n; i++) {
		if (!s3_checksum_of_header(req->headers.v[i].name, &ret->sum))
			continue;
		if (*ret_value)
			return refuse(resp, "InvalidRequest",
				      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
				      "allowed.");
		*ret_value = req->headers.v[i].value;
	}
	ret->is_claimed = *ret_value;
	if (!*ret_value && http_headers_get(&req->headers, "x-amz-sdk-checksum-algorithm"))
		return refuse(resp, "InvalidRequest",
			      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
			      "x-amz-trailer headers were found.");
	return true;
}

static bool check_claim(const struct s3_checked *c, const char *value, struct local_response *resp)
{
	size_t n = 0;
	auto_free char *theirs = str_unbase64(value, &n);
	auto_free char *words = NULL;

	if (!theirs || n != s3_sum_bytes(c->sum)) {
		words = xasprintf("Value for x-amz-checksum-%s header is invalid.", s3_sum_name(c->sum));
		return refuse(resp, "InvalidRequest", words);
	}
	if (!memcmp(theirs, c->sums.v[c->sum], n))
		return true;
	words = xasprintf("The %s you specified did not match the calculated checksum.", s3_sum_label(c->sum));
	return refuse(resp, "BadDigest", words);
}

static bool check_md5(const struct s3_checked *c, const char *value, struct local_response *resp)
{
	size_t n = 0;
	auto_free char *theirs = str_unbase64(value, &n);

	if (!theirs || n != s3_sum_bytes(S3_SUM_MD5))
		return refuse(resp, "InvalidDigest", "The Content-MD5 you specified is not valid.");
	if (memcmp(theirs, c->sums.v[S3_SUM_MD5], n))
		return refuse(resp, "BadDigest", "The Content-MD5 you specified did not match what we received.");
	return true;
}

bool s3_checksum_check(const struct local_request *req, unsigned also, struct s3_checked *ret,
		       struct local_response *resp)
{
	struct s3_bytes bytes = { .p = req->body, .fd = req->body_fd, .size = req->body_size };
	struct s3_checked c = { .sum = S3_SUM_DEFAULT, .sums.known = S3_SUM_SET(S3_SUM_SHA256) };
	const char *md5 = http_headers_get(&req->headers, "Content-MD5"), *value = NULL;
	auto_err err = { 0 };

	memcpy(c.sums.v[S3_SUM_SHA256], req->body_digest.b, DIGEST_BYTES);
	if (!find_claim(req, &c, &value, resp))
		return false;
	if (s3_sums_add(&c.sums, also | S3_SUM_SET(S3_SUM_MD5) | S3_SUM_SET(c.sum), &bytes, &err) < 0) {
		local_respond_s3_error(resp, 500, "InternalError", "%s", err.msg);
		return false;
	}
	if ((md5 && !check_md5(&c, md5, resp)) || (value && !check_claim(&c, value, resp)))
		return false;
	*ret = c;
	return true;
}
