#ifndef SMPIPE_LOCAL_S3_CRC_H
#define SMPIPE_LOCAL_S3_CRC_H

/*
 * The reflected CRCs that S3 knows, of bytes and of what is put together from parts.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */

#include <stddef.h>
#include <stdint.h>

enum s3_crc_kind { S3_CRC32, S3_CRC32C, S3_CRC64NVME };

/* A running CRC; zeroed by nobody: s3_crc_init. */
struct s3_crc {
	enum s3_crc_kind kind;
	uint64_t state;
	uint64_t table[8][256];
};

void s3_crc_init(struct s3_crc *crc, enum s3_crc_kind kind);
void s3_crc_update(struct s3_crc *crc, const void *p, size_t n);
uint64_t s3_crc_value(const struct s3_crc *crc);

/* The CRC of A followed by B, from theirs and the length of B. */
uint64_t s3_crc_combine(enum s3_crc_kind kind, uint64_t a, uint64_t b, uint64_t b_bytes);

#endif
