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

/* The last part of a path directly below parent, or NULL. */
static const char *key_below(const char *path, const char *parent)
{
	size_t n = strlen(parent);

	return n && str_starts(path, parent) && path[n] == '.' && !strpbrk(path + n + 1, ".[") ? path + n + 1 : NULL;
}

/* Which keys of one mapping need or exclude each other. */
static void describe_pairs(json_t *j, const char *parent)
{
	json_t *needs = json_object(), *excludes = json_array();

	for (const struct schema_pair *p = schema_needs; p->key; p++) {
		const char *key = key_below(p->key, parent), *other = key_below(p->other, parent);

		if (key && other)
			json_object_set_new(needs, key, json_pack("[s]", other));
	}
	for (const struct schema_pair *p = schema_excludes; p->key; p++) {
		const char *key = key_below(p->key, parent), *other = key_below(p->other, parent);

		if (key && other)
			json_array_append_new(excludes, json_pack("{s:{s:[ss]}}", "not", "required", key, other));
	}
	if (json_object_size(needs))
		json_object_set(j, "dependentRequired", needs);
	if (json_array_size(excludes))
		json_object_set(j, "allOf", excludes);
	json_decref(needs);
	json_decref(excludes);
}

struct requirement {
	const struct schema_key *parent;
	json_t *names;
};

/* A key whose member the request's structure must have. */
static void add_required(void *ctx, const struct schema_key *row, const char *key)
{
	struct requirement *r = ctx;
	const struct shape *shape = schema_shape(r->parent);
	const char *member = row->request ? row->request + strlen(r->parent->request) + 1 : "";

	for (const struct member *m = shape->members; m->name; m++) {
		if (m->is_required && !strcmp(m->name, member))
			json_array_append_new(r->names, json_string(key));
	}
}

static void describe_required(json_t *j, const char *parent)
{
	const struct schema_key *row = schema_row(parent);
	const struct shape *shape = row ? schema_shape(row) : NULL;
	struct requirement r = { row, json_array() };

	if (shape && shape->kind == SHAPE_STRUCTURE)
		schema_each_child(parent, add_required, &r);
	if (json_array_size(r.names))
		json_object_set(j, "required", r.names);
	json_decref(r.names);
}

static void describe_mapping(json_t *j, const char *parent)
{
	json_t *properties = json_object();

	schema_each_child(parent, add_property, properties);
	json_put_str(j, "type", "object");
	json_object_set_new(j, "properties", properties);
	json_object_set_new(j, "additionalProperties", json_false());
	describe_pairs(j, parent);
	describe_required(j, parent);
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
static void describe_text(json_t *j, const struct shape *shape, int64_t max)
{
	if (!shape || shape->kind < SHAPE_LINE || shape->kind == SHAPE_CHOICE)
		return;
	if (shape->min > 0)
		json_put_int(j, "minLength", shape->min);
	if (max || shape->max != SHAPE_NO_MAX)
		json_put_int(j, "maxLength", max ? max : shape->max);
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

/* What the keys of a map may be: of channels and tags they are members of the list's items. */
static void describe_names(json_t *j, const struct schema_key *row)
{
	const struct shape *shape = schema_shape(row), *list = NULL;
	json_t *names = json_object();

	if (row->request && strstr(row->request, "[]")) {
		auto_free char *list_path = xstrndup(row->request, strcspn(row->request, "["));

		list = sagemaker_shape_at(list_path);
		shape = sagemaker_shape_at(row->request);
	} else if (shape && shape->kind == SHAPE_MAP) {
		shape = shape->key;
	}
	describe_text(names, shape, 0);
	if (json_object_size(names))
		json_object_set(j, "propertyNames", names);
	json_decref(names);
	if (list)
		json_put_int(j, "maxProperties", list->max);
}

static void describe_map(json_t *j, const struct schema_key *row)
{
	json_put_str(j, "type", "object");
	describe_size(j, row, "maxProperties");
	describe_names(j, row);
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
	case SCHEMA_NUMBER:
		json_put_str(j, "type", "number");
		break;
	case SCHEMA_DURATION:
		describe_duration(j, row);
		break;
	case SCHEMA_BOOLEAN:
		json_put_str(j, "type", "boolean");
		break;
	case SCHEMA_SCALAR:
		json_object_set_new(j, "type", json_pack("[sss]", "string", "number", "boolean"));
		describe_text(j, schema_shape(row), row->max);
		break;
	case SCHEMA_STRING:
		json_put_str(j, "type", "string");
		describe_text(j, schema_shape(row), row->max);
		break;
	case SCHEMA_INPUT:
		describe_mapping(j, row->path);
		json_object_set_new(j, "type", json_pack("[ss]", "string", "object"));
		/* Of a mapping: one of them names the data. */
		json_object_set_new(j, "oneOf",
				    json_pack("[{s:s}, {s:s, s:[s]}, {s:s, s:[s]}, {s:s, s:[s]}]", "type", "string",
					      "type", "object", "required", "path", "type", "object", "required",
					      "file_system_id", "type", "object", "required", "dataset_arn"));
		break;
	case SCHEMA_RAW:
		json_put_str(j, "type", "object");
		break;
	case SCHEMA_VALUE:
		describe_text(j, schema_shape(row), 0);
		break;
	}
}

static void describe_choices(json_t *j, const struct schema_key *row)
{
	const char *const *choices = schema_choices(row);
	json_t *list;
	int64_t n;

	if (!choices)
		return;
	list = json_array();
	for (; *choices; choices++) {
		json_array_append_new(list, json_string(*choices));
		/* A scalar's text counts: 1 is as good as "1". */
		if (row->type == SCHEMA_SCALAR && str_parse_i64(*choices, 0, INT64_MAX, &n))
			json_array_append_new(list, json_integer(n));
		/* … and a reader of YAML 1.1 takes Off for false. */
		if (row->type == SCHEMA_SCALAR && !strcmp(*choices, "Off"))
			json_array_append_new(list, json_false());
	}
	json_object_set_new(j, "enum", list);
}

/* "#/properties/tuner/properties/instance_configs" */
static void refer(json_t *j, const char *path)
{
	auto_strlist parts = { 0 };
	auto_str ref = { 0 };

	str_split(&parts, path, '.');
	str_add(&ref, "#");
	for (size_t i = 0; i < parts.n; i++)
		str_addf(&ref, "/properties/%s", parts.v[i]);
	json_put_str(j, "$ref", ref.s);
}

static json_t *describe_row(const struct schema_key *row)
{
	json_t *j = json_object();

	json_put_str(j, "description", row->words);
	if (row->like && *row->like) {
		refer(j, row->like);
		return j;
	}
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
