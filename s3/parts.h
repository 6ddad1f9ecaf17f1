#ifndef SMPIPE_S3_PARTS_H
#define SMPIPE_S3_PARTS_H

/*
 * How an object is cut into parts (format 1, design 3a): parts of max(16 MiB, size/10000 rounded up to a multiple of
 * 16 MiB), the last one shorter; an object of at most one part is sent as it is. The size alone decides, so that the
 * digest of the parts' digests can be computed anywhere.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */

#include <stdint.h>

#include "base/digest.h"

#define S3_PART_BYTES       (UINT64_C(16) * 1024 * 1024)
#define S3_MAX_PARTS        10000
#define S3_MAX_PART_BYTES   (UINT64_C(5) * 1024 * 1024 * 1024)
#define S3_MAX_OBJECT_BYTES (S3_MAX_PARTS * S3_MAX_PART_BYTES)

uint64_t s3_part_bytes(uint64_t size);
/* 0 for an object that is sent as it is. */
uint32_t s3_part_count(uint64_t size);
/* Part i (0-based) of an object. */
uint64_t s3_part_offset(uint64_t size, uint32_t i);
uint64_t s3_part_length(uint64_t size, uint32_t i);

/* S3's composite value: SHA-256 of the parts' digests in turn. */
struct digest s3_composite(const struct digest *parts, uint32_t n);

#endif
