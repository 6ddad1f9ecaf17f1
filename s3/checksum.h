#ifndef SMPIPE_S3_CHECKSUM_H
#define SMPIPE_S3_CHECKSUM_H

/*
 * The checksums that S3 keeps with an object.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */

#include <stdbool.h>

#include "aws/xml.h"
#include "base/digest.h"
#include "base/http.h"

enum s3_checksum_kind {
	S3_CHECKSUM_NONE,
	S3_SHA256,    /* of a whole object or, with n_parts, of its parts' digests */
	S3_CRC64NVME, /* of a whole object, however it was sent */
};

struct s3_checksum {
	enum s3_checksum_kind kind;
	uint32_t n_parts; /* 0: of the whole object */
	struct digest sha256;
	uint64_t crc64;
};

#define S3_HEADER_SHA256 "x-amz-checksum-sha256"
#define S3_HEADER_CRC64  "x-amz-checksum-crc64nvme"

/* "sha256" or "crc64nvme"; S3_CHECKSUM_NONE: neither. */
enum s3_checksum_kind s3_checksum_kind(const char *name);
/* What S3 calls it: "SHA256", "CRC64NVME". */
const char *s3_checksum_algorithm(enum s3_checksum_kind kind);
/* The header that carries a kind. */
const char *s3_checksum_header(enum s3_checksum_kind kind);
/* Its value in an answer, of kind or S3_CHECKSUM_NONE where there is none or it cannot be read. */
struct s3_checksum s3_checksum_from(const struct http_response *resp, enum s3_checksum_kind kind);
/* The same of an XML element's child. */
struct s3_checksum s3_checksum_in(const struct xml *x, enum s3_checksum_kind kind);
struct s3_checksum s3_checksum_parse(enum s3_checksum_kind kind, const char *text);
/* Base64, with "-N" for parts; new string. */
char *s3_checksum_format(const struct s3_checksum *c);
/* Add the header. */
void s3_checksum_add(struct http_headers *headers, const struct s3_checksum *c);

/* Whether both are known, comparable and the same. */
bool s3_checksum_equal(const struct s3_checksum *a, const struct s3_checksum *b);
/* Whether both are known and of one kind, but not the same. */
bool s3_checksum_differ(const struct s3_checksum *a, const struct s3_checksum *b);

#endif
