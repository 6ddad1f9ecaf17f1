#ifndef SMPIPE_TESTS_UNIT_SERVICE_MODEL_H
#define SMPIPE_TESTS_UNIT_SERVICE_MODEL_H

/* Judge a request by the service's own model, as far from the table of aws/sagemaker_limits_table.c as can be. */

#include <regex.h>

#include "aws/metrics_regex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

struct model_judge {
	const json_t *shapes;
	struct str path;
	struct str faults;
	size_t n_values, n_patterns;
};

static inline void model_fault(struct model_judge *m, const char *what)
{
	str_addf(&m->faults, "%s: %s\n", str_text(&m->path), what);
}

static inline bool model_lists(const json_t *list, const char *s)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (str_eq(json_string_value(item), s))
			return true;
	}
	return false;
}

static inline void model_check_range(struct model_judge *m, const json_t *shape, json_int_t n)
{
	const json_t *min = json_object_get(shape, "min"), *max = json_object_get(shape, "max");

	if ((min && n < json_integer_value(min)) || (max && n > json_integer_value(max)))
		model_fault(m, "out of range");
}

/* Java's regexes, as far as they are also a metric's; the others are left to the test with botocore. */
static inline void model_check_pattern(struct model_judge *m, const char *pattern, const char *value)
{
	struct metrics_regex __attribute__((cleanup(metrics_regex_release))) r = { 0 };
	auto_err err = { 0 };
	auto_free char *anchored = NULL;
	regex_t regex;

	if (strstr(pattern, "\\p{") || strstr(pattern, "(?<!") || metrics_regex_translate(pattern, &r, &err) < 0)
		return;
	anchored = xasprintf("^(%s)$", r.posix.s);
	if (regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB) != 0)
		return;
	m->n_patterns++;
	if (regexec(&regex, value, 0, NULL, 0) != 0)
		model_fault(m, "does not match the pattern");
	regfree(&regex);
}

static inline size_t model_characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static inline void model_check(struct model_judge *m, const char *shape_name, const json_t *value);

static inline void model_check_part(struct model_judge *m, const char *part, const char *shape_name,
				    const json_t *value)
{
	size_t n = m->path.len;

	str_addf(&m->path, "/%s", part);
	model_check(m, shape_name, value);
	str_truncate(&m->path, n);
}

static inline void model_check_structure(struct model_judge *m, const json_t *shape, const json_t *value)
{
	const json_t *members = json_object_get(shape, "members");
	const char *name;
	json_t *part;
	size_t i;

	json_object_foreach((json_t *)value, name, part) {
		const char *inner = json_str(json_object_get(members, name), "shape");

		if (inner)
			model_check_part(m, name, inner, part);
		else
			model_fault(m, name);
	}
	json_array_foreach(json_object_get(shape, "required"), i, part) {
		if (!json_object_get(value, json_string_value(part)))
			model_fault(m, "a required member is missing");
	}
}

static inline void model_check_text(struct model_judge *m, const char *shape_name, const json_t *shape,
				    const json_t *value)
{
	const char *text = json_string_value(value), *pattern = json_str(shape, "pattern");
	const json_t *choices = json_object_get(shape, "enum");

	(void)shape_name;
	if (!text)
		model_fault(m, "is no string");
	if (text && choices && !model_lists(choices, text))
		model_fault(m, "is none of the enum");
	if (text && !choices)
		model_check_range(m, shape, (json_int_t)model_characters(text));
	if (text && pattern)
		model_check_pattern(m, pattern, text);
}

static inline void model_check_map(struct model_judge *m, const json_t *shape, const json_t *value)
{
	const char *key;
	json_t *part;

	model_check_range(m, shape, (json_int_t)json_object_size(value));
	json_object_foreach((json_t *)value, key, part) {
		auto_json *text = json_string(key);

		model_check_part(m, key, json_str(json_object_get(shape, "key"), "shape"), text);
		model_check_part(m, key, json_str(json_object_get(shape, "value"), "shape"), part);
	}
}

static inline void model_check_list(struct model_judge *m, const json_t *shape, const json_t *value)
{
	json_t *part;
	size_t i;

	model_check_range(m, shape, (json_int_t)json_array_size(value));
	json_array_foreach(value, i, part)
		model_check_part(m, "[]", json_str(json_object_get(shape, "member"), "shape"), part);
}

static inline void model_check(struct model_judge *m, const char *shape_name, const json_t *value)
{
	const json_t *shape = json_object_get(m->shapes, shape_name);
	const char *type = json_str(shape, "type");

	m->n_values++;
	if (str_eq(type, "structure") && json_is_object(value))
		model_check_structure(m, shape, value);
	else if (str_eq(type, "map") && json_is_object(value))
		model_check_map(m, shape, value);
	else if (str_eq(type, "list") && json_is_array(value))
		model_check_list(m, shape, value);
	else if (str_eq(type, "string"))
		model_check_text(m, shape_name, shape, value);
	else if ((str_eq(type, "integer") || str_eq(type, "long")) && json_is_integer(value))
		model_check_range(m, shape, json_integer_value(value));
	else if (!(str_eq(type, "boolean") && json_is_boolean(value)) &&
		 !((str_eq(type, "float") || str_eq(type, "timestamp")) && json_is_number(value)))
		model_fault(m, "has another type");
}

#endif
