#ifndef SMPIPE_TESTS_UNIT_EDIT_JSON_H
#define SMPIPE_TESTS_UNIT_EDIT_JSON_H

/* JSON that is written with single quotes, and changed at one place. */

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static inline json_t *from_single_quotes(const char *text)
{
	auto_free char *copy = xstrdup(text);
	json_t *j;

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	j = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(j);
	return j;
}

/* Put a value at a path of keys and indexes ("Tags.0.Key"); null removes. */
static inline void put(json_t *root, const char *path, json_t *value)
{
	auto_strlist parts = { 0 };
	json_t *j = root;

	str_split(&parts, path, '.');
	for (size_t i = 0; i < parts.n; i++) {
		const char *part = parts.v[i];
		size_t index = strtoul(part, NULL, 10);
		json_t *next = json_is_array(j) ? json_array_get(j, index) : json_object_get(j, part);

		if (i + 1 < parts.n)
			j = next;
		else if (json_is_null(value))
			json_object_del(j, part);
		else if (json_is_array(j) && index == json_array_size(j))
			json_array_append(j, value);
		else if (json_is_array(j))
			json_array_set(j, index, value);
		else
			json_object_set(j, part, value);
	}
	json_decref(value);
}

#endif
