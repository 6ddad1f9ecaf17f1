#ifndef SMPIPE_LOCAL_S3_PARTS_H
#define SMPIPE_LOCAL_S3_PARTS_H

/*
 * What an object that was uploaded in parts keeps of them: {"sizes": [bytes, …], "sums": ["base64", …]}, in order. An
 * object that was uploaded in one piece has none (NULL).
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
#define S3_PARTS_MAX      10000
#define S3_PART_MIN_BYTES (5ULL << 20) /* but for the last */
#define S3_PART_MAX_BYTES (5ULL << 30)
/* Of every listing. */
#define S3_PAGE_MAX 1000

/* The owner of the result adds with s3_parts_add. */
json_t *s3_parts_new(void);
void s3_parts_add(json_t *parts, uint64_t size, const char *sum);

size_t s3_parts_count(const json_t *parts);
/* i counts from 0; 0 and "" where there is none. */
uint64_t s3_parts_size(const json_t *parts, size_t i);
uint64_t s3_parts_offset(const json_t *parts, size_t i);
const char *s3_parts_sum(const json_t *parts, size_t i);

#endif
