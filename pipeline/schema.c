#include "pipeline/schema.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_SIBLINGS 128

/* Whether row is directly below parent; *ret_key is its last part. */
static bool is_child(const struct schema_key *row, const char *parent, const char **ret_key)
{
	size_t n = strlen(parent);

	if (strncmp(row->path, parent, n) != 0)
		return false;
	if (n) {
		if (row->path[n] != '.')
			return false;
		n++;
	}
	*ret_key = row->path + n;
	return !strpbrk(*ret_key, ".[");
}

const struct schema_key *schema_row(const char *path)
{
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (!strcmp(row->path, path))
			return row;
	}
	return NULL;
}

const struct schema_key *schema_find(const char *parent, const char *key)
{
	const struct schema_key *any = NULL;
	const char *name;

	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (!is_child(row, parent, &name))
			continue;
		if (!strcmp(name, key))
			return row;
		if (!strcmp(name, "*"))
			any = row;
	}
	return any;
}

const char *schema_parent(const struct schema_key *row)
{
	return row->like ? row->like : row->path;
}

void schema_each_child(const char *parent, schema_child_fn fn, void *ctx)
{
	const char *name;

	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (is_child(row, parent, &name))
			fn(ctx, row, name);
	}
}

const char *schema_nearest(const char *parent, const char *key)
{
	const char *names[MAX_SIBLINGS];
	size_t n = 0;

	for (const struct schema_alias *a = schema_aliases; a->parent; a++) {
		if (!strcmp(a->parent, parent) && !strcmp(a->name, key))
			return a->right;
	}
	for (const struct schema_key *row = schema_keys; row->path && n + 1 < ARRAY_LEN(names); row++) {
		if (is_child(row, parent, &names[n]))
			n++;
	}
	names[n] = NULL;
	return str_nearest(key, names);
}

const struct shape *schema_shape(const struct schema_key *row)
{
	return row->request && !row->is_derived ? sagemaker_shape_at(row->request) : NULL;
}

const struct shape *schema_key_shape(const struct schema_key *row)
{
	bool is_map = row->type == SCHEMA_MAP || row->type == SCHEMA_INPUTS;

	return is_map && row->request && strstr(row->request, "[]") ? schema_shape(row) : NULL;
}

const char *const *schema_choices(const struct schema_key *row)
{
	const struct shape *shape = schema_shape(row);

	if (row->type == SCHEMA_BOOLEAN)
		return NULL;
	if (row->choices)
		return row->choices;
	return shape && shape->kind == SHAPE_CHOICE ? shape->choices : NULL;
}

void schema_range(const struct schema_key *row, int64_t *ret_min, int64_t *ret_max)
{
	const struct shape *shape = schema_shape(row);
	bool is_limited = shape && shape->kind == SHAPE_INTEGER;

	*ret_min = row->min ? row->min : is_limited && shape->min != SHAPE_NO_MIN ? shape->min : 0;
	*ret_max = row->max ? row->max : is_limited ? shape->max : SHAPE_NO_MAX;
}

char *schema_example(const struct schema_key *row)
{
	int64_t min, max;

	if (row->example)
		return xstrdup(row->example);
	switch (row->type) {
	case SCHEMA_BOOLEAN:
		return xstrdup("true");
	case SCHEMA_INTEGER:
	case SCHEMA_DURATION:
		schema_range(row, &min, &max);
		return row->fallback ? xstrdup(row->fallback) : xasprintf("%lld", (long long)(min > 0 ? min : 1));
	case SCHEMA_STRING:
	case SCHEMA_SCALAR:
		if (row->fallback)
			return xstrdup(row->fallback);
		return schema_choices(row) ? xstrdup(schema_choices(row)[0]) : NULL;
	default:
		return NULL;
	}
}
