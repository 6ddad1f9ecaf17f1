#include "local/s3_parts.h"

json_t *s3_parts_new(void)
{
	json_t *parts = json_object();

	json_object_set_new(parts, "sizes", json_array());
	json_object_set_new(parts, "sums", json_array());
	return parts;
}

void s3_parts_add(json_t *parts, uint64_t size, const char *sum)
{
	json_array_append_new(json_object_get(parts, "sizes"), json_integer((json_int_t)size));
	json_array_append_new(json_object_get(parts, "sums"), json_string(sum));
}

size_t s3_parts_count(const json_t *parts)
{
	return json_array_size(json_object_get(parts, "sizes"));
}

uint64_t s3_parts_size(const json_t *parts, size_t i)
{
	return (uint64_t)json_integer_value(json_array_get(json_object_get(parts, "sizes"), i));
}

uint64_t s3_parts_offset(const json_t *parts, size_t i)
{
	uint64_t offset = 0;

	while (i > 0)
		offset += s3_parts_size(parts, --i);
	return offset;
}

const char *s3_parts_sum(const json_t *parts, size_t i)
{
	const char *sum = json_string_value(json_array_get(json_object_get(parts, "sums"), i));

	return sum ? sum : "";
}
