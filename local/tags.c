#include "local/tags.h"

#include <stdint.h>

#include "base/json.h"
#include "base/mem.h"

#define TAGS_MAX 50

static size_t find_tag(const json_t *tags, const char *key)
{
	size_t i;
	json_t *tag;

	json_array_foreach(tags, i, tag) {
		if (str_eq(json_str(tag, "Key"), key))
			return i;
	}
	return SIZE_MAX;
}

int tags_add(json_t **tags, const json_t *added, struct err *err)
{
	auto_json *merged = json_deep_copy(*tags);
	size_t i;
	json_t *tag;

	json_array_foreach(added, i, tag) {
		size_t at = find_tag(merged, json_str(tag, "Key"));

		if (at == SIZE_MAX)
			json_array_append_new(merged, json_deep_copy(tag));
		else
			json_array_set_new(merged, at, json_deep_copy(tag));
	}
	if (json_array_size(merged) > TAGS_MAX)
		return err_set(err, ERR_INVALID, "a resource may have %d tags", TAGS_MAX);
	json_decref(*tags);
	*tags = take(merged);
	return 0;
}

void tags_delete(json_t *tags, const json_t *keys)
{
	size_t i;
	json_t *key;

	json_array_foreach(keys, i, key) {
		size_t at = find_tag(tags, json_string_value(key));

		if (at != SIZE_MAX)
			json_array_remove(tags, at);
	}
}
