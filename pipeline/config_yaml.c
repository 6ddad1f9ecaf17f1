/* YAML to the document of pipeline/config.h. libyaml keeps duplicate keys and shares alias nodes: both are refused here. */

#include <string.h>
#include <yaml.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/config.h"
#include "pipeline/schema.h"

#define MAX_DEPTH 32

struct reader {
	yaml_document_t document;
	struct config *config;
};

static int read_node(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		     json_t **ret, struct err *err);

static int complain(const struct reader *r, const yaml_node_t *node, struct err *err, const char *words)
{
	return config_error_at(r->config, err, (int)node->start_mark.line + 1, (int)node->start_mark.column + 1, "%s", words);
}

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static int is_plain(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static int is_null(const yaml_node_t *node)
{
	const char *s = scalar(node);

	return is_plain(node) && (!*s || !strcmp(s, "~") || !strcmp(s, "null"));
}

static int is_whole(const yaml_node_t *node)
{
	/* The length says more than strlen when the text holds NUL. */
	return strlen(scalar(node)) == node->data.scalar.length;
}

static int need_scalar(const struct reader *r, const yaml_node_t *node, const char *path, const char *type, struct err *err)
{
	auto_free char *words = xasprintf("'%s' must be %s", path, type);

	if (node->type != YAML_SCALAR_NODE || is_null(node))
		return complain(r, node, err, words);
	if (!is_whole(node))
		return complain(r, node, err, "a NUL character cannot stand here");
	return 0;
}

static int check_choice(const struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
			struct err *err)
{
	auto_str words = { 0 };

	for (const char *const *c = row->choices; *c; c++) {
		if (!strcmp(*c, scalar(node)))
			return 0;
		str_addf(&words, "%s'%s'", words.len ? ", " : "", *c);
	}
	return config_error_at(r->config, err, (int)node->start_mark.line + 1, (int)node->start_mark.column + 1,
			       "'%s' is '%s'; it must be %s%s", path, scalar(node), row->choices[1] ? "one of " : "",
			       str_text(&words));
}

static int read_string(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		       json_t **ret, struct err *err)
{
	if (need_scalar(r, node, path, "a string", err) < 0)
		return -1;
	if (row->choices && check_choice(r, node, row, path, err) < 0)
		return -1;
	/* `account: 012345678901` is a number to YAML's eyes; its text is what counts. */
	*ret = json_string(scalar(node));
	return 0;
}

static int64_t unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 24 * 3600;
	default:
		return 0;
	}
}

static int parse_number(const char *text, const struct schema_key *row, int64_t *ret)
{
	auto_free char *digits = xstrdup(text);
	size_t n = strlen(digits);
	int64_t unit = 1, max = row->max ? row->max : INT64_MAX / 100000;

	if (row->type == SCHEMA_DURATION && n > 1 && unit_seconds(digits[n - 1])) {
		unit = unit_seconds(digits[n - 1]);
		digits[n - 1] = '\0';
	}
	if (!str_parse_i64(digits, 0, max, ret))
		return -1;
	*ret *= unit;
	return *ret < row->min || *ret > max ? -1 : 0;
}

static int read_number(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		       json_t **ret, struct err *err)
{
	auto_str words = { 0 };
	int64_t value;

	str_add(&words, row->type == SCHEMA_DURATION ? "a time like 90s, 30m, 4h or 4d" : "a whole number");
	if (row->max && row->type == SCHEMA_INTEGER)
		str_addf(&words, " from %lld to %lld", (long long)row->min, (long long)row->max);
	if (need_scalar(r, node, path, str_text(&words), err) < 0)
		return -1;
	if (parse_number(scalar(node), row, &value) < 0)
		return config_error_at(r->config, err, (int)node->start_mark.line + 1, (int)node->start_mark.column + 1,
				       "'%s' is '%s'; it must be %s", path, scalar(node), str_text(&words));
	*ret = json_integer(value);
	return 0;
}

static int read_boolean(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	if (need_scalar(r, node, path, "true or false", err) < 0)
		return -1;
	if (!is_plain(node) || (strcmp(scalar(node), "true") != 0 && strcmp(scalar(node), "false") != 0)) {
		auto_free char *words = xasprintf("'%s' must be true or false", path);

		return complain(r, node, err, words);
	}
	*ret = json_boolean(!strcmp(scalar(node), "true"));
	return 0;
}

/* Whether a plain scalar is a JSON literal: then it reaches the container bare, else as a string. */
static int is_json_literal(const char *text)
{
	json_t *j = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
	int yes = j && !json_is_string(j) && !json_is_object(j) && !json_is_array(j);

	json_decref(j);
	return yes;
}

static int write_text(const struct reader *r, const yaml_node_t *node, struct str *out, struct err *err)
{
	auto_json *j = is_whole(node) ? json_string(scalar(node)) : NULL;
	auto_free char *text = j ? json_compact(j) : NULL;

	if (!text)
		return complain(r, node, err, "this is no valid text");
	str_add(out, text);
	return 0;
}

static int write_nested(struct reader *r, const yaml_node_t *node, struct str *out, struct err *err);

static int write_members(struct reader *r, const yaml_node_t *node, struct str *out, struct err *err)
{
	auto_json *seen = json_object();

	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&r->document, p->key);

		if (key->type != YAML_SCALAR_NODE)
			return complain(r, key, err, "a key must be a string");
		if (json_object_get(seen, scalar(key)))
			return complain(r, key, err, "this key stands here twice");
		json_object_set_new(seen, scalar(key), json_true());
		str_add(out, p == node->data.mapping.pairs.start ? "" : ",");
		if (write_text(r, key, out, err) < 0)
			return -1;
		str_add(out, ":");
		if (write_nested(r, yaml_document_get_node(&r->document, p->value), out, err) < 0)
			return -1;
	}
	return 0;
}

/* A nested YAML value as JSON text, numbers exactly as written. Its depth is limited by check_events. */
static int write_nested(struct reader *r, const yaml_node_t *node, struct str *out, struct err *err)
{
	int result = 0;

	if (node->type == YAML_SCALAR_NODE) {
		if (!is_plain(node) || !is_json_literal(scalar(node)))
			return write_text(r, node, out, err);
		str_add(out, scalar(node));
		return 0;
	}
	if (node->type == YAML_MAPPING_NODE) {
		str_add(out, "{");
		result = write_members(r, node, out, err);
		str_add(out, "}");
		return result;
	}
	str_add(out, "[");
	for (yaml_node_item_t *i = node->data.sequence.items.start; result == 0 && i < node->data.sequence.items.top; i++) {
		str_add(out, i == node->data.sequence.items.start ? "" : ",");
		result = write_nested(r, yaml_document_get_node(&r->document, *i), out, err);
	}
	str_add(out, "]");
	return result;
}

static int read_value(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	auto_str text = { 0 };

	if (node->type == YAML_SCALAR_NODE && is_plain(node) && !*scalar(node)) {
		auto_free char *words = xasprintf("'%s' has no value", path);

		return complain(r, node, err, words);
	}
	if (node->type == YAML_SCALAR_NODE && !is_whole(node))
		return complain(r, node, err, "a NUL character cannot stand here");
	if (node->type == YAML_SCALAR_NODE && (!is_plain(node) || !is_json_literal(scalar(node)))) {
		*ret = json_string(scalar(node));
		return *ret ? 0 : complain(r, node, err, "this is no valid text");
	}
	if (write_nested(r, node, &text, err) < 0)
		return -1;
	*ret = json_pack("{ss}", "literal", str_text(&text));
	return 0;
}

static int unknown_key(const struct reader *r, const yaml_node_t *key, const char *parent, struct err *err)
{
	const char *nearest = schema_nearest(parent, scalar(key));
	auto_free char *name = str_printable(scalar(key));
	auto_free char *words = nearest ? xasprintf("unknown key '%s'; did you mean '%s'?", name, nearest) :
					  xasprintf("unknown key '%s'", name);

	return complain(r, key, err, words);
}

/* One `key: value` of a mapping whose rows stand below parent. */
static int read_pair(struct reader *r, const yaml_node_pair_t *pair, const char *parent, const char *path, json_t *object,
		     struct err *err)
{
	const yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
	const yaml_node_t *value = yaml_document_get_node(&r->document, pair->value);
	const struct schema_key *row;
	auto_free char *child = NULL;
	json_t *j = NULL;

	if (key->type != YAML_SCALAR_NODE)
		return complain(r, key, err, "a key must be a string");
	if (!str_is_utf8(scalar(key), key->data.scalar.length) || strlen(scalar(key)) != key->data.scalar.length)
		return complain(r, key, err, "this key is no valid text");
	row = schema_find(parent, scalar(key));
	if (!row)
		return unknown_key(r, key, parent, err);
	child = *path ? xasprintf("%s.%s", path, scalar(key)) : xstrdup(scalar(key));
	if (json_object_get(object, scalar(key))) {
		auto_free char *words = xasprintf("'%s' stands here twice", child);

		return complain(r, key, err, words);
	}
	config_add_position(r->config, child, (int)value->start_mark.line + 1, (int)value->start_mark.column + 1);
	if (read_node(r, value, row, child, &j, err) < 0)
		return -1;
	json_object_set_new(object, scalar(key), j);
	return 0;
}

static int read_mapping(struct reader *r, const yaml_node_t *node, const char *parent, const char *path, json_t **ret,
			struct err *err)
{
	auto_json *object = json_object();

	if (node->type != YAML_MAPPING_NODE) {
		auto_free char *words = xasprintf("'%s' must be a mapping (key: value)", path);

		return complain(r, node, err, *path ? words : "the file must be a mapping (key: value)");
	}
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		if (read_pair(r, p, parent, path, object, err) < 0)
			return -1;
	}
	*ret = take(object);
	return 0;
}

static int read_list(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path, json_t **ret,
		     struct err *err)
{
	auto_free char *item_path = xasprintf("%s[]", row->path);
	const struct schema_key *item_row = schema_keys;
	auto_json *array = json_array();

	while (strcmp(item_row->path, item_path) != 0)
		item_row++;
	if (node->type != YAML_SEQUENCE_NODE) {
		auto_free char *words = xasprintf("'%s' must be a list", path);

		return complain(r, node, err, words);
	}
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&r->document, *i);
		auto_free char *child = xasprintf("%s[%zu]", path, json_array_size(array));
		json_t *j = NULL;

		config_add_position(r->config, child, (int)item->start_mark.line + 1, (int)item->start_mark.column + 1);
		if (read_node(r, item, item_row, child, &j, err) < 0)
			return -1;
		json_array_append_new(array, j);
	}
	*ret = take(array);
	return 0;
}

/* `train: data/train` is short for `train: {path: data/train}`. */
static int read_input(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		      json_t **ret, struct err *err)
{
	if (node->type != YAML_SCALAR_NODE)
		return read_mapping(r, node, row->path, path, ret, err);
	if (need_scalar(r, node, path, "a path or a mapping", err) < 0)
		return -1;
	*ret = json_pack("{ss}", "path", scalar(node));
	return *ret ? 0 : complain(r, node, err, "this is no valid UTF-8");
}

static int read_environment(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	static const char *const fixed[] = { "version", "name", "environments" };

	if (read_mapping(r, node, "", path, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		if (json_object_get(*ret, fixed[i])) {
			auto_free char *words = xasprintf("'%s' cannot stand in an environment", fixed[i]);

			json_decref(take(*ret));
			return complain(r, node, err, words);
		}
	}
	return 0;
}

static int read_node(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		     json_t **ret, struct err *err)
{
	switch (row->type) {
	case SCHEMA_MAPPING:
		return !strcmp(row->path, "environments.*") ? read_environment(r, node, path, ret, err) :
							      read_mapping(r, node, row->path, path, ret, err);
	case SCHEMA_MAP:
		return read_mapping(r, node, row->path, path, ret, err);
	case SCHEMA_LIST:
		return read_list(r, node, row, path, ret, err);
	case SCHEMA_INTEGER:
	case SCHEMA_DURATION:
		return read_number(r, node, row, path, ret, err);
	case SCHEMA_BOOLEAN:
		return read_boolean(r, node, path, ret, err);
	case SCHEMA_INPUT:
		return read_input(r, node, row, path, ret, err);
	case SCHEMA_VALUE:
		return read_value(r, node, path, ret, err);
	case SCHEMA_STRING:
	case SCHEMA_SCALAR:
		break;
	}
	return read_string(r, node, row, path, ret, err);
}

static int parser_error(const struct config *c, const yaml_parser_t *p, struct err *err)
{
	int line = (int)p->problem_mark.line + 1, column = (int)p->problem_mark.column + 1;
	const char *problem = p->problem ? p->problem : "malformed";

	if (p->error == YAML_READER_ERROR)
		return err_set(err, ERR_CONFIG, "%s: %s at byte %zu", c->file, problem, p->problem_offset);
	if (strstr(problem, "cannot start any token") && (size_t)line <= c->lines.n && strchr(c->lines.v[line - 1], '\t'))
		return config_error_at(c, err, line, column, "a tab cannot indent YAML; use spaces");
	return config_error_at(c, err, line, column, "%s", problem);
}

/*
 * One pass over the events before the document is built: an alias makes one node stand in many places, and a few lines of
 * them grow without bound when they are walked.
 */
static int check_events(const char *text, size_t n, const struct config *c, struct err *err)
{
	yaml_parser_t parser;
	yaml_event_t event;
	int depth = 0, documents = 0, result = 0;
	yaml_event_type_t type = YAML_NO_EVENT;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	while (result == 0 && type != YAML_STREAM_END_EVENT) {
		if (!yaml_parser_parse(&parser, &event)) {
			result = parser_error(c, &parser, err);
			break;
		}
		type = event.type;
		depth += type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
		depth -= type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT;
		documents += type == YAML_DOCUMENT_START_EVENT;
		if (type == YAML_ALIAS_EVENT || depth > MAX_DEPTH || documents > 1)
			result = config_error_at(c, err, (int)event.start_mark.line + 1, (int)event.start_mark.column + 1, "%s",
						 type == YAML_ALIAS_EVENT ? "YAML aliases are not used here; write the value out" :
						 documents > 1		  ? "only one YAML document may stand in the file" :
									    "nested too deeply");
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return result;
}

static int read_document(struct reader *r, struct err *err)
{
	const yaml_node_t *root = yaml_document_get_root_node(&r->document);

	if (!root)
		return err_set(err, ERR_CONFIG, "%s is empty", r->config->file);
	return read_mapping(r, root, "", "", &r->config->values, err);
}

int config_yaml_parse(const char *text, size_t n, struct config *c, struct err *err)
{
	struct reader r = { .config = c };
	yaml_parser_t parser;
	int result;

	if (check_events(text, n, c, err) < 0)
		return -1;
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	if (!yaml_parser_load(&parser, &r.document)) {
		result = parser_error(c, &parser, err);
		yaml_parser_delete(&parser);
		return result;
	}
	result = read_document(&r, err);
	yaml_document_delete(&r.document);
	yaml_parser_delete(&parser);
	return result;
}
