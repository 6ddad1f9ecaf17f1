#include "s3/checksum.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "s3/parts.h"

#define CRC64_BYTES 8

enum s3_checksum_kind s3_checksum_kind(const char *name)
{
	if (str_eq(name, "sha256"))
		return S3_SHA256;
	return str_eq(name, "crc64nvme") ? S3_CRC64NVME : S3_CHECKSUM_NONE;
}

const char *s3_checksum_algorithm(enum s3_checksum_kind kind)
{
	return kind == S3_CRC64NVME ? "CRC64NVME" : "SHA256";
}

const char *s3_checksum_header(enum s3_checksum_kind kind)
{
	return kind == S3_CRC64NVME ? S3_HEADER_CRC64 : S3_HEADER_SHA256;
}

static int parse_value(struct s3_checksum *c, const unsigned char *p, size_t n)
{
	if (c->kind == S3_SHA256 && n == DIGEST_BYTES) {
		memcpy(c->sha256.b, p, n);
		return 0;
	}
	if (c->kind != S3_CRC64NVME || n != CRC64_BYTES || c->n_parts)
		return -1;
	for (size_t i = 0; i < n; i++)
		c->crc64 = c->crc64 << 8 | p[i];
	return 0;
}

struct s3_checksum s3_checksum_parse(enum s3_checksum_kind kind, const char *text)
{
	struct s3_checksum c = { .kind = kind };
	const char *dash = text ? strchr(text, '-') : NULL;
	auto_free char *value = text ? xstrndup(text, dash ? (size_t)(dash - text) : strlen(text)) : NULL;
	auto_free unsigned char *bytes = NULL;
	int64_t n_parts = 0;
	size_t n = 0;

	if (!value || (dash && !str_parse_i64(dash + 1, 1, S3_MAX_PARTS, &n_parts)))
		return (struct s3_checksum){ 0 };
	c.n_parts = (uint32_t)n_parts;
	bytes = (unsigned char *)str_unbase64(value, &n);
	if (!bytes || parse_value(&c, bytes, n) < 0)
		return (struct s3_checksum){ 0 };
	return c;
}

struct s3_checksum s3_checksum_from(const struct http_response *resp, enum s3_checksum_kind kind)
{
	return s3_checksum_parse(kind, http_headers_get(&resp->headers, s3_checksum_header(kind)));
}

struct s3_checksum s3_checksum_in(const struct xml *x, enum s3_checksum_kind kind)
{
	return s3_checksum_parse(kind,
				 xml_child_text(x, kind == S3_CRC64NVME ? "ChecksumCRC64NVME" : "ChecksumSHA256"));
}

char *s3_checksum_format(const struct s3_checksum *c)
{
	unsigned char crc[CRC64_BYTES];
	auto_free char *text = NULL;

	for (size_t i = 0; i < CRC64_BYTES; i++)
		crc[i] = (unsigned char)(c->crc64 >> (8 * (CRC64_BYTES - 1 - i)));
	text = c->kind == S3_CRC64NVME ? str_base64(crc, sizeof(crc)) : str_base64(c->sha256.b, DIGEST_BYTES);
	return c->n_parts ? xasprintf("%s-%u", text, (unsigned)c->n_parts) : take(text);
}

void s3_checksum_add(struct http_headers *headers, const struct s3_checksum *c)
{
	auto_free char *value = s3_checksum_format(c);

	http_headers_add(headers, s3_checksum_header(c->kind), value);
}

bool s3_checksum_equal(const struct s3_checksum *a, const struct s3_checksum *b)
{
	if (a->kind == S3_CHECKSUM_NONE || a->kind != b->kind || a->n_parts != b->n_parts)
		return false;
	return a->kind == S3_CRC64NVME ? a->crc64 == b->crc64 : digest_equal(&a->sha256, &b->sha256);
}

bool s3_checksum_differ(const struct s3_checksum *a, const struct s3_checksum *b)
{
	return a->kind != S3_CHECKSUM_NONE && a->kind == b->kind && !s3_checksum_equal(a, b);
}
