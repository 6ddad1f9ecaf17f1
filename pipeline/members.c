#include "pipeline/members.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

void members_put(json_t *object, const char *path, json_t *value)
{
	auto_strlist parts = { 0 };

	str_split(&parts, path, '.');
	for (size_t i = 0; i + 1 < parts.n; i++) {
		json_t *child = json_object_get(object, parts.v[i]);

		if (!child) {
			child = json_object();
			json_object_set_new(object, parts.v[i], child);
		}
		object = child;
	}
	json_object_set_new(object, parts.v[parts.n - 1], value);
}

struct conversion {
	const struct schema_key *parent;
	const json_t *value;
	json_t *out;
};

/* One key of a mapping: its member relative to the mapping's own. */
static void convert_child(void *ctx, const struct schema_key *row, const char *key)
{
	struct conversion *v = ctx;
	const json_t *value = json_object_get(v->value, key);
	json_t *member = value ? members_convert(row, value) : NULL;

	if (!member)
		return;
	if (row->request)
		members_put(v->out, row->request + strlen(v->parent->request) + 1, member);
	else
		json_decref(member);
}

/* A mapping without a member of its own: its keys are put beside it. */
static void convert_group(void *ctx, const struct schema_key *row, const char *key)
{
	struct conversion *v = ctx;
	struct conversion inner = { v->parent, json_object_get(v->value, key), v->out };

	if (row->type == SCHEMA_MAPPING && !row->request)
		schema_each_child(row->path, convert_child, &inner);
}

static json_t *convert_mapping(const struct schema_key *row, const json_t *value)
{
	struct conversion v = { row, value, json_object() };

	schema_each_child(row->path, convert_child, &v);
	schema_each_child(row->path, convert_group, &v);
	return v.out;
}

static json_t *convert_list(const struct schema_key *row, const json_t *value)
{
	auto_free char *item_path = xasprintf("%s[]", row->path);
	const struct schema_key *item_row = schema_row(item_path);
	json_t *list = json_array();
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		json_array_append_new(list, members_convert(item_row, item));
	return list;
}

json_t *members_convert(const struct schema_key *row, const json_t *value)
{
	switch (row->type) {
	case SCHEMA_MAPPING:
	case SCHEMA_INPUT:
		return row->request ? convert_mapping(row, value) : NULL;
	case SCHEMA_LIST:
		return json_array_size(value) ? convert_list(row, value) : NULL;
	case SCHEMA_MAP:
		return json_object_size(value) ? json_deep_copy(value) : NULL;
	case SCHEMA_BOOLEAN:
		if (row->choices)
			return json_is_true(value) ? json_string(row->choices[0]) : NULL;
		return json_deep_copy(value);
	default:
		return json_deep_copy(value);
	}
}

/* Not: what is encoded, named or numbered on the way (hyperparameters, tags, ranges), items and values. */
static bool is_plain_key(const struct schema_key *row, const char *section)
{
	static const char *const others[] = { "estimator.hyperparameters", "tuner.definitions",
					      "tuner.warm_start_config.parents", "tuner.instance_configs",
					      "tuner.allocation_strategy" };
	size_t n = strlen(section);

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (!strcmp(row->path, others[i]))
			return false;
	}
	return row->request && !row->is_derived && str_starts(row->path, section) && row->path[n] == '.' &&
	       !strpbrk(row->path, "[*");
}

static bool has_section(const struct config *c, const char *path)
{
	const json_t *value = config_value(c, path);

	return json_is_array(value) ? json_array_size(value) > 0 : value != NULL;
}

/* A default that another key makes pointless is not sent. */
static bool uses_default(const struct config *c, const struct schema_key *row)
{
	if (has_section(c, "estimator.serverless_job_config"))
		return false;
	if (!strcmp(row->path, "tuner.max_jobs"))
		return strcmp(config_str(c, "tuner.strategy"), "Grid") != 0;
	if (!strcmp(row->path, "tuner.objective_type"))
		return !has_section(c, "tuner.definitions");
	return strcmp(row->path, "estimator.instance_count") != 0 || !has_section(c, "estimator.instance_groups");
}

static json_t *default_of(const struct config *c, const struct schema_key *row)
{
	if (!row->fallback || !uses_default(c, row))
		return NULL;
	return row->type == SCHEMA_STRING || row->type == SCHEMA_SCALAR ? json_string(row->fallback)
									: json_integer(config_int(c, row->path));
}

void members_put_keys(const struct config *c, const char *section, json_t *request)
{
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		const json_t *value;
		json_t *member;

		if (!is_plain_key(row, section))
			continue;
		value = config_value(c, row->path);
		member = value ? members_convert(row, value) : default_of(c, row);
		if (member)
			members_put(request, row->request, member);
	}
}

/*
 * Match a member ("A.B[2].C") with a row's ("A.B[].C", "A.*"): the number of its characters that the row covers, or 0.
 * An index in the member goes to *ret_indexes, in order; the key of a map too.
 */
static size_t match_member(const char *request, const char *member, struct strlist *ret_indexes)
{
	const char *p = member;

	while (*request) {
		if (!strcmp(request, "*") && *p) {
			strlist_add(ret_indexes, p);
			return strlen(member);
		}
		if (request[0] == '[' && p[0] == '[') {
			size_t n = strcspn(p, "]") + (strchr(p, ']') != NULL);

			strlist_take(ret_indexes, xstrndup(p, n));
			p += n;
			request += 2;
			continue;
		}
		if (*request != *p)
			return 0;
		request++;
		p++;
	}
	return !*p || *p == '.' || *p == '[' ? (size_t)(p - member) : 0;
}

/* What stands for `*` in the rows of channels and tags: the name of the entry that became the item [n]. */
static const char *name_of_item(const json_t *request, const struct schema_key *row, const char *index)
{
	bool is_tag = str_starts(row->request, "Tags[]");
	const json_t *list = json_object_get(request, is_tag ? "Tags" : "InputDataConfig");

	return json_str(json_array_get(list, strtoul(index + 1, NULL, 10)), is_tag ? "Key" : "ChannelName");
}

/* The row's path with indexes and names put in. */
static char *fill_path(const struct schema_key *row, const json_t *request, const struct strlist *indexes)
{
	bool is_named = str_starts(row->request, "Tags[]") || str_starts(row->request, "InputDataConfig[]");
	struct str out = { 0 };
	size_t used = 0;

	for (const char *p = row->path; *p; p++) {
		const char *index = used < indexes->n ? indexes->v[used] : NULL;

		if (p[0] == '[') {
			str_add(&out, index ? index : "");
			used++;
			p++;
		} else if (*p == '*') {
			const char *name = is_named && index ? name_of_item(request, row, index) : index;

			str_add(&out, name ? name : "*");
			used++;
		} else {
			str_add_char(&out, *p);
		}
	}
	/* estimator.tags and inputs say the name itself. */
	if (is_named && indexes->n && !strchr(row->path, '*') && name_of_item(request, row, indexes->v[0]))
		str_addf(&out, ".%s", name_of_item(request, row, indexes->v[0]));
	return str_detach(&out);
}

/* The rows directly below a member without a row of its own: how many, the first, and one that is set. */
struct rows_below {
	const struct schema_key *first, *set;
	size_t n;
};

static struct rows_below find_below(const struct config *c, const char *member)
{
	struct rows_below b = { 0 };
	size_t n = strlen(member);

	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (!row->request || !str_starts(row->request, member) ||
		    (row->request[n] != '.' && row->request[n] != '[') || strpbrk(row->path, "[*"))
			continue;
		b.n++;
		b.first = b.first ? b.first : row;
		if (!b.set && config_value(c, row->path))
			b.set = row;
	}
	return b;
}

/* Of two keys that only make sense together the one that is there is to blame; else the mapping where they stand. */
static char *key_below(const struct config *c, const char *member)
{
	struct rows_below b = find_below(c, member);
	char *key = xstrdup(b.n <= 2 && b.set ? b.set->path : b.first ? b.first->path : "estimator");

	if (!(b.n <= 2 && b.set) && strchr(key, '.'))
		*strrchr(key, '.') = '\0';
	return key;
}

char *members_key_of(const struct config *c, const json_t *request, const char *member)
{
	char *key = NULL;
	size_t best = 0;

	for (const struct schema_key *row = schema_keys; row->path; row++) {
		auto_strlist indexes = { 0 };
		size_t n = row->request ? match_member(row->request, member, &indexes) : 0;

		if (n <= best)
			continue;
		best = n;
		free(key);
		key = fill_path(row, request, &indexes);
	}
	return key ? key : key_below(c, member);
}

/* The row of a member without its indexes. */
static const struct schema_key *row_of_member(const char *member)
{
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (row->request && !strcmp(row->request, member))
			return row;
	}
	return NULL;
}

/* "A.B[2].C" → "A.B[].C". New string. */
static char *without_indexes(const char *member)
{
	struct str out = { 0 };

	for (; *member; member++) {
		str_add_char(&out, *member);
		if (*member == '[')
			member += strcspn(member, "]") - 1;
	}
	return str_detach(&out);
}

/* A word of a complaint about a member: it may name one from the top, one below that member, or one beside it. */
static const struct schema_key *row_of_word(const char *word, const char *member)
{
	auto_free char *scope = without_indexes(member);

	for (;;) {
		auto_free char *path = *scope ? xasprintf("%s.%s", scope, word) : xstrdup(word);
		const struct schema_key *row = row_of_member(path);
		char *end = strrchr(scope, '.');

		if (row || !*scope)
			return row;
		*(end ? end : scope) = '\0';
	}
}

static void add_word(struct str *out, const char *word, const char *member)
{
	const struct schema_key *row = isupper((unsigned char)*word) ? row_of_word(word, member) : NULL;
	const char *last = row ? strrchr(row->path, '.') : NULL;

	if (row && str_ends(row->path, "[]"))
		str_add(out, word);
	else if (row && !str_starts(row->path, "image."))
		str_add(out, last ? last + 1 : row->path);
	else
		str_add(out, row ? row->path : word);
}

char *members_translate(const char *words, const char *member)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.";
	struct str out = { 0 };

	while (*words) {
		size_t n = strspn(words, letters);
		auto_free char *word = xstrndup(words, n);

		if (!n) {
			str_add_char(&out, *words++);
			continue;
		}
		add_word(&out, word, member);
		words += n;
	}
	return str_detach(&out);
}
