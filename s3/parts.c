#include "s3/parts.h"

uint64_t s3_part_bytes(uint64_t size)
{
	uint64_t least = (size + S3_MAX_PARTS - 1) / S3_MAX_PARTS;
	uint64_t units = (least + S3_PART_BYTES - 1) / S3_PART_BYTES;

	return (units ? units : 1) * S3_PART_BYTES;
}

uint32_t s3_part_count(uint64_t size)
{
	uint64_t part = s3_part_bytes(size);

	return size <= part ? 0 : (uint32_t)((size + part - 1) / part);
}

uint64_t s3_part_offset(uint64_t size, uint32_t i)
{
	return i * s3_part_bytes(size);
}

uint64_t s3_part_length(uint64_t size, uint32_t i)
{
	uint64_t part = s3_part_bytes(size), left = size - s3_part_offset(size, i);

	return left < part ? left : part;
}

struct digest s3_composite(const struct digest *parts, uint32_t n)
{
	return digest_of(parts, n * sizeof(*parts));
}
