/* The JSON Schema that `smpipe config --schema` prints. */

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "pipeline/schema.h"

static json_t *describe_row(const struct schema_key *row);

static void add_property(void *ctx, const struct schema_key *row, const char *key)
{
	if (strcmp(key, "*") != 0)
		json_object_set_new(ctx, key, describe_row(row));
}

static void describe_mapping(json_t *j, const char *parent)
{
	json_t *properties = json_object();

	schema_each_child(parent, add_property, properties);
	json_put_str(j, "type", "object");
	json_object_set_new(j, "properties", properties);
	json_object_set_new(j, "additionalProperties", json_false());
}

static json_t *describe_at(const char *parent, const char *suffix)
{
	auto_free char *path = xasprintf("%s%s", parent, suffix);

	return describe_row(schema_row(path));
}

static void describe_number(json_t *j, const struct schema_key *row)
{
	int64_t min, max;

	schema_range(row, &min, &max);
	json_put_str(j, "type", "integer");
	json_put_int(j, "minimum", min);
	if (max != SHAPE_NO_MAX)
		json_put_int(j, "maximum", max);
}

static void describe_duration(json_t *j, const struct schema_key *row)
{
	describe_number(j, row);
	json_object_set_new(j, "type", json_pack("[ss]", "integer", "string"));
	json_put_str(j, "pattern", "^[0-9]+[smhd]?$");
}

/* POSIX to ECMA-262, for what the table of limits uses. */
static char *ecma_pattern(const char *posix)
{
	struct str out = { 0 };
	const char *space;

	str_add(&out, "^(");
	while ((space = strstr(posix, "[^[:space:]]"))) {
		str_add_mem(&out, posix, (size_t)(space - posix));
		str_add(&out, "\\S");
		posix = space + strlen("[^[:space:]]");
	}
	str_addf(&out, "%s)$", posix);
	return str_detach(&out);
}

/* Lengths and pattern of strings. They say nothing of numbers, whose text is taken as it stands. */
static void describe_text(json_t *j, const struct shape *shape)
{
	if (!shape || shape->kind < SHAPE_LINE || shape->kind == SHAPE_CHOICE)
		return;
	if (shape->min > 0)
		json_put_int(j, "minLength", shape->min);
	if (shape->max != SHAPE_NO_MAX)
		json_put_int(j, "maxLength", shape->max);
	if (shape->pattern) {
		auto_free char *pattern = ecma_pattern(shape->pattern);

		json_put_str(j, "pattern", pattern);
	}
}

/* Lengths of lists and maps; an empty one is not sent, so it may be written. */
static void describe_size(json_t *j, const struct schema_key *row, const char *max_name)
{
	const struct shape *shape = schema_shape(row);

	if (shape && (shape->kind == SHAPE_LIST || shape->kind == SHAPE_MAP) && shape->max != SHAPE_NO_MAX)
		json_put_int(j, max_name, shape->max);
}

static void describe_map(json_t *j, const struct schema_key *row)
{
	json_put_str(j, "type", "object");
	describe_size(j, row, "maxProperties");
	/* Drawn out, the environments would hold the whole file again and again. */
	json_object_set_new(j, "additionalProperties",
			    !strcmp(row->path, "environments") ? json_pack("{ss}", "type", "object")
							       : describe_at(row->path, ".*"));
}

static void describe_type(json_t *j, const struct schema_key *row)
{
	switch (row->type) {
	case SCHEMA_MAPPING:
		describe_mapping(j, row->path);
		break;
	case SCHEMA_MAP:
		describe_map(j, row);
		break;
	case SCHEMA_INPUTS:
		describe_map(j, row);
		json_object_set_new(j, "type", json_pack("[ss]", "string", "object"));
		break;
	case SCHEMA_LIST:
		json_put_str(j, "type", "array");
		describe_size(j, row, "maxItems");
		json_object_set_new(j, "items", describe_at(row->path, "[]"));
		break;
	case SCHEMA_INTEGER:
		describe_number(j, row);
		break;
	case SCHEMA_DURATION:
		describe_duration(j, row);
		break;
	case SCHEMA_BOOLEAN:
		json_put_str(j, "type", "boolean");
		break;
	case SCHEMA_SCALAR:
		json_object_set_new(j, "type", json_pack("[sss]", "string", "number", "boolean"));
		describe_text(j, schema_shape(row));
		break;
	case SCHEMA_STRING:
		json_put_str(j, "type", "string");
		describe_text(j, schema_shape(row));
		break;
	case SCHEMA_INPUT:
		describe_mapping(j, row->path);
		json_object_set_new(j, "type", json_pack("[ss]", "string", "object"));
		break;
	case SCHEMA_RAW:
		json_put_str(j, "type", "object");
		break;
	case SCHEMA_VALUE:
		break;
	}
}

static void describe_choices(json_t *j, const struct schema_key *row)
{
	const char *const *choices = row->type == SCHEMA_STRING ? schema_choices(row) : NULL;
	json_t *list;

	if (!choices)
		return;
	list = json_array();
	for (; *choices; choices++)
		json_array_append_new(list, json_string(*choices));
	json_object_set_new(j, "enum", list);
}

static json_t *describe_row(const struct schema_key *row)
{
	json_t *j = json_object();

	json_put_str(j, "description", row->words);
	describe_type(j, row);
	json_put_str(j, "default", row->fallback);
	describe_choices(j, row);
	return j;
}

json_t *schema_json(void)
{
	json_t *j = json_object();

	json_put_str(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_put_str(j, "title", "smpipe.yaml");
	describe_mapping(j, "");
	json_object_set_new(j, "required", json_pack("[ss]", "version", "name"));
	return j;
}
