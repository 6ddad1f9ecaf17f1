#include "local/s3_checksum.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "local/s3_store.h"

#define PREFIX          "x-amz-checksum-"
#define VALUE_MAX_BYTES 32

/* A reflected CRC: all ones before, inverted after. */
struct crc {
	const char *name;
	uint64_t polynomial, ones;
	size_t bytes;
};

static const struct crc crcs[] = {
	{ "crc32", 0xedb88320, 0xffffffff, 4 },
	{ "crc32c", 0x82f63b78, 0xffffffff, 4 },
	{ "crc64nvme", 0x9a6c9329ac4bc9b5, UINT64_MAX, 8 },
};

static void crc_compute(const struct crc *crc, const char *p, size_t n, unsigned char *out)
{
	uint64_t table[256], state = crc->ones;

	for (unsigned i = 0; i < 256; i++) {
		uint64_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = v & 1 ? v >> 1 ^ crc->polynomial : v >> 1;
		table[i] = v;
	}
	for (size_t i = 0; i < n; i++)
		state = state >> 8 ^ table[(state ^ (unsigned char)p[i]) & 0xff];
	state ^= crc->ones;
	for (size_t i = 0; i < crc->bytes; i++)
		out[i] = (unsigned char)(state >> 8 * (crc->bytes - 1 - i));
}

const char *s3_checksum_algorithm(const char *header_name)
{
	static const char *const names[] = { "sha256", "sha1", "crc32", "crc32c", "crc64nvme" };

	if (strncasecmp(header_name, PREFIX, strlen(PREFIX)))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcasecmp(header_name + strlen(PREFIX), names[i]))
			return names[i];
	return NULL;
}

/* The number of bytes of the checksum of the body; 0: we do not compute this one. */
static size_t compute(const char *algorithm, const struct local_request *req, const struct s3_mapped *body,
		      unsigned char *out)
{
	if (!strcmp(algorithm, "sha256")) {
		memcpy(out, req->body_digest.b, DIGEST_BYTES);
		return DIGEST_BYTES;
	}
	for (size_t i = 0; i < ARRAY_LEN(crcs); i++) {
		if (!strcmp(crcs[i].name, algorithm)) {
			crc_compute(&crcs[i], body->p, body->n, out);
			return crcs[i].bytes;
		}
	}
	return 0;
}

static bool check_one(const char *algorithm, const char *value, const struct local_request *req,
		      const struct s3_mapped *body, struct local_response *resp)
{
	unsigned char ours[VALUE_MAX_BYTES];
	size_t n = compute(algorithm, req, body, ours), theirs_n = 0;
	auto_free char *theirs = str_unbase64(value, &theirs_n);

	if (n == 0)
		local_respond_s3_error(resp, 501, "NotImplemented", "The local cloud does not compute %s checksums",
				       algorithm);
	else if (!theirs || theirs_n != n)
		local_respond_s3_error(resp, 400, "InvalidRequest", "Value for x-amz-checksum-%s header is invalid.",
				       algorithm);
	else if (memcmp(ours, theirs, n))
		local_respond_s3_error(resp, 400, "BadDigest",
				       "The %s you specified did not match the calculated checksum.", algorithm);
	else
		return true;
	return false;
}

static bool check_md5(const char *value, const struct s3_mapped *body, struct local_response *resp)
{
	struct digest_md5 ours = digest_md5_of(body->p, body->n);
	size_t n = 0;
	auto_free char *theirs = str_unbase64(value, &n);

	if (!theirs || n != sizeof(ours.b))
		local_respond_s3_error(resp, 400, "InvalidDigest", "The Content-MD5 you specified is not valid.");
	else if (memcmp(theirs, ours.b, n))
		local_respond_s3_error(resp, 400, "BadDigest",
				       "The Content-MD5 you specified did not match what we received.");
	else
		return true;
	return false;
}

static bool check_all(const struct local_request *req, const struct s3_mapped *body, struct local_response *resp)
{
	for (size_t i = 0; i < req->headers.n; i++) {
		const struct http_header *h = &req->headers.v[i];
		const char *algorithm = s3_checksum_algorithm(h->name);

		if (algorithm && !check_one(algorithm, h->value, req, body, resp))
			return false;
		if (!strcasecmp(h->name, "Content-MD5") && !check_md5(h->value, body, resp))
			return false;
	}
	return true;
}

bool s3_checksum_check(const struct local_request *req, struct local_response *resp)
{
	auto_s3_mapped map = { 0 };
	auto_err err = { 0 };

	if (req->body)
		return check_all(req, &(struct s3_mapped){ .p = req->body, .n = req->body_size }, resp);
	if (s3_mapped_open(&map, req->body_fd, req->body_size, &err) < 0) {
		local_respond_s3_error(resp, 500, "InternalError", "%s", err.msg);
		return false;
	}
	return check_all(req, &map, resp);
}
