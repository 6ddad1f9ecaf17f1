/* YAML to the document of pipeline/config.h. libyaml keeps duplicate keys and shares alias nodes: both are refused
 * here. */

#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/config_yaml.h"
#include "pipeline/schema.h"

#define MAX_NAMED_KEYS 12

static int read_node(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		     json_t **ret, struct err *err);

int reader_complain(const struct reader *r, const yaml_node_t *node, struct err *err, const char *fmt, ...)
{
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return config_error_at(r->config, err, (int)node->start_mark.line + 1, (int)node->start_mark.column + 1, "%s",
			       words);
}

const char *reader_scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

bool reader_is_plain(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool reader_is_whole(const yaml_node_t *node)
{
	/* The length says more than strlen when the text holds NUL. */
	return strlen(reader_scalar(node)) == node->data.scalar.length;
}

static int is_null(const yaml_node_t *node)
{
	const char *s = reader_scalar(node);

	return reader_is_plain(node) && (!*s || !strcmp(s, "~") || !strcmp(s, "null"));
}

static int need_scalar(const struct reader *r, const yaml_node_t *node, const char *path, const char *type,
		       struct err *err)
{
	if (node->type != YAML_SCALAR_NODE || is_null(node))
		return reader_complain(r, node, err, "'%s' must be %s", path, type);
	if (!reader_is_whole(node))
		return reader_complain(r, node, err, "a NUL character cannot stand here");
	return 0;
}

static int check_choice(const struct reader *r, const yaml_node_t *node, const char *const *choices, const char *path,
			struct err *err)
{
	const char *nearest = str_nearest(reader_scalar(node), choices);
	auto_str words = { 0 };

	for (const char *const *c = choices; *c; c++) {
		if (!strcmp(*c, reader_scalar(node)))
			return 0;
		str_addf(&words, "%s'%s'", words.len ? ", " : "", *c);
	}
	reader_complain(r, node, err, "'%s' is '%s'; it must be %s%s", path, reader_scalar(node),
			choices[1] ? "one of " : "", str_text(&words));
	return nearest ? err_hint(err, "did you mean '%s'?", nearest) : -1;
}

static int read_string(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		       json_t **ret, struct err *err)
{
	if (need_scalar(r, node, path, "a string", err) < 0)
		return -1;
	if (schema_choices(row) && check_choice(r, node, schema_choices(row), path, err) < 0)
		return -1;
	/* `account: 012345678901` is a number to YAML's eyes; its text is what counts. */
	*ret = json_string(reader_scalar(node));
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

static int parse_number(const char *text, const struct schema_key *row, int64_t min, int64_t max, int64_t *ret)
{
	auto_free char *digits = xstrdup(text);
	size_t n = strlen(digits);
	int64_t unit = 1;

	if (row->type == SCHEMA_DURATION && n > 1 && unit_seconds(digits[n - 1])) {
		unit = unit_seconds(digits[n - 1]);
		digits[n - 1] = '\0';
	}
	if (!str_parse_i64(digits, min < 0 ? min : 0, max / unit, ret))
		return -1;
	*ret *= unit;
	return *ret < min || *ret > max ? -1 : 0;
}

static char *number_words(const struct schema_key *row, int64_t min, int64_t max)
{
	bool is_time = row->type == SCHEMA_DURATION;

	if (row->unit)
		return xasprintf("a whole number of %s, without a unit, from %lld to %lld", row->unit, (long long)min,
				 (long long)max);
	if (max > INT32_MAX && !is_time && min >= 0)
		return xasprintf("a whole number of at least %lld", (long long)min);
	if (max > INT32_MAX || (is_time && row->max))
		return xstrdup(is_time ? "a time like 90s, 30m, 4h or 4d" : "a whole number");
	return xasprintf("%s from %lld to %lld%s", is_time ? "a time" : "a whole number", (long long)min,
			 (long long)max, is_time ? " seconds (90s, 30m, 4h, 4d)" : "");
}

static int read_number(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		       json_t **ret, struct err *err)
{
	auto_free char *words = NULL;
	int64_t value, min, max;

	schema_range(row, &min, &max);
	words = number_words(row, min, max);
	if (need_scalar(r, node, path, words, err) < 0)
		return -1;
	if (parse_number(reader_scalar(node), row, min, max < INT64_MAX / 1000 ? max : INT64_MAX / 1000, &value) < 0)
		return reader_complain(r, node, err, "'%s' is '%s'; it must be %s", path, reader_scalar(node), words);
	*ret = json_integer(value);
	return 0;
}

static int read_fraction(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	json_t *j;

	if (need_scalar(r, node, path, "a number", err) < 0)
		return -1;
	j = json_loads(reader_scalar(node), JSON_DECODE_ANY, NULL);
	if (reader_is_plain(node) && json_is_number(j)) {
		*ret = j;
		return 0;
	}
	json_decref(j);
	return reader_complain(r, node, err, "'%s' is '%s'; it must be a number", path, reader_scalar(node));
}

static int read_boolean(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	if (need_scalar(r, node, path, "true or false", err) < 0)
		return -1;
	if (!reader_is_plain(node) ||
	    (strcmp(reader_scalar(node), "true") != 0 && strcmp(reader_scalar(node), "false") != 0))
		return reader_complain(r, node, err, "'%s' must be true or false", path);
	*ret = json_boolean(!strcmp(reader_scalar(node), "true"));
	return 0;
}

struct key_names {
	struct str text;
	size_t n;
};

static void add_key_name(void *ctx, const struct schema_key *row, const char *key)
{
	struct key_names *names = ctx;

	(void)row;
	str_addf(&names->text, "%s%s", names->n++ ? ", " : "", key);
}

/* What may stand below parent, where that is a line to read. */
static int hint_at_keys(const char *parent, struct err *err)
{
	struct key_names names = { 0 };

	schema_each_child(parent, add_key_name, &names);
	if (names.n > 0 && names.n <= MAX_NAMED_KEYS)
		err_hint(err, "the keys here are %s", str_text(&names.text));
	str_release(&names.text);
	return -1;
}

static int unknown_key(const struct reader *r, const yaml_node_t *key, const char *parent, struct err *err)
{
	const char *nearest = schema_nearest(parent, reader_scalar(key));
	auto_free char *name = str_printable(reader_scalar(key));
	bool is_above = nearest && *parent && !strchr(nearest, '.') && !schema_find(parent, nearest) &&
			schema_find("", nearest);

	if (!nearest) {
		reader_complain(r, key, err, "unknown key '%s'", name);
		return hint_at_keys(parent, err);
	}
	if (is_above && !strcmp(nearest, name))
		return reader_complain(r, key, err, "'%s' stands at the top level of the file, not in '%s'", name,
				       parent);
	return reader_complain(r, key, err, "unknown key '%s'; did you mean '%s'%s?", name, nearest,
			       is_above ? ", which stands at the top level" : "");
}

/* Channels and the like are names of the request: what sends data only would never see them refused there. */
static int check_key(const struct reader *r, const yaml_node_t *key, const char *parent, const char *path,
		     struct err *err)
{
	const struct schema_key *row = schema_row(parent);
	const struct shape *shape = row ? schema_key_shape(row) : NULL;
	auto_free char *shown = str_printable(path);
	auto_err why = { 0 };

	if (!shape || sagemaker_check_string(shape, shown, reader_scalar(key), &why) == 0)
		return 0;
	return reader_complain(r, key, err, "%s", why.msg);
}

/* One `key: value` of a mapping whose rows stand below parent. */
static int read_pair(struct reader *r, const yaml_node_pair_t *pair, const char *parent, const char *path,
		     json_t *object, struct err *err)
{
	const yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
	const yaml_node_t *value = yaml_document_get_node(&r->document, pair->value);
	const struct schema_key *row;
	auto_free char *child = NULL;
	json_t *j = NULL;

	if (key->type != YAML_SCALAR_NODE)
		return reader_complain(r, key, err, "a key must be a string");
	if (!str_is_utf8(reader_scalar(key), key->data.scalar.length) ||
	    strlen(reader_scalar(key)) != key->data.scalar.length)
		return reader_complain(r, key, err, "this key is no valid text");
	row = schema_find(parent, reader_scalar(key));
	if (!row)
		return unknown_key(r, key, parent, err);
	child = *path ? xasprintf("%s.%s", path, reader_scalar(key)) : xstrdup(reader_scalar(key));
	if (check_key(r, key, parent, child, err) < 0)
		return -1;
	if (json_object_get(object, reader_scalar(key)))
		return reader_complain(r, key, err, "'%s' stands here twice", child);
	config_add_position(r->config, child, (int)value->start_mark.line + 1, (int)value->start_mark.column + 1);
	if (read_node(r, value, row, child, &j, err) < 0)
		return -1;
	json_object_set_new(object, reader_scalar(key), j);
	return 0;
}

static int read_mapping(struct reader *r, const yaml_node_t *node, const char *parent, const char *path, json_t **ret,
			struct err *err)
{
	auto_json *object = json_object();

	if (node->type != YAML_MAPPING_NODE && !*path)
		return reader_complain(r, node, err, "the file must be a mapping (key: value)");
	if (node->type != YAML_MAPPING_NODE)
		return reader_complain(r, node, err, "'%s' must be a mapping (key: value)", path);
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		if (read_pair(r, p, parent, path, object, err) < 0)
			return -1;
	}
	*ret = take(object);
	return 0;
}

static int read_list(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		     json_t **ret, struct err *err)
{
	auto_free char *item_path = xasprintf("%s[]", schema_parent(row));
	const struct schema_key *item_row = schema_row(item_path);
	auto_json *array = json_array();

	if (node->type != YAML_SEQUENCE_NODE) {
		reader_complain(r, node, err, "'%s' must be a list", path);
		return node->type == YAML_SCALAR_NODE && *reader_scalar(node)
			       ? err_hint(err, "a list of one is written with brackets: [%s]", reader_scalar(node))
			       : -1;
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
	*ret = json_pack("{ss}", "path", reader_scalar(node));
	return *ret ? 0 : reader_complain(r, node, err, "this is no valid UTF-8");
}

/* `inputs: data` is short for `inputs: {training: data}`, as fit("…") is. */
static int read_inputs(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		       json_t **ret, struct err *err)
{
	auto_json *inputs = json_object();
	json_t *channel = NULL;

	if (node->type != YAML_SCALAR_NODE)
		return read_mapping(r, node, row->path, path, ret, err);
	if (read_input(r, node, schema_row("inputs.*"), path, &channel, err) < 0)
		return -1;
	json_object_set_new(inputs, "training", channel);
	*ret = take(inputs);
	return 0;
}

static int read_environment(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	static const char *const fixed[] = { "version", "name", "environments" };

	if (read_mapping(r, node, "", path, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		if (json_object_get(*ret, fixed[i])) {
			json_decref(take(*ret));
			return reader_complain(r, node, err, "'%s' cannot stand in an environment", fixed[i]);
		}
	}
	return 0;
}

static int read_node(struct reader *r, const yaml_node_t *node, const struct schema_key *row, const char *path,
		     json_t **ret, struct err *err)
{
	switch (row->type) {
	case SCHEMA_MAPPING:
		return !strcmp(row->path, "environments.*") ? read_environment(r, node, path, ret, err)
							    : read_mapping(r, node, schema_parent(row), path, ret, err);
	case SCHEMA_MAP:
		return read_mapping(r, node, schema_parent(row), path, ret, err);
	case SCHEMA_LIST:
		return read_list(r, node, row, path, ret, err);
	case SCHEMA_INTEGER:
	case SCHEMA_DURATION:
		return read_number(r, node, row, path, ret, err);
	case SCHEMA_NUMBER:
		return read_fraction(r, node, path, ret, err);
	case SCHEMA_BOOLEAN:
		return read_boolean(r, node, path, ret, err);
	case SCHEMA_INPUT:
		return read_input(r, node, row, path, ret, err);
	case SCHEMA_INPUTS:
		return read_inputs(r, node, row, path, ret, err);
	case SCHEMA_VALUE:
		return reader_read_value(r, node, path, ret, err);
	case SCHEMA_RAW:
		return reader_read_raw(r, node, path, ret, err);
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
	if (strstr(problem, "cannot start any token") && (size_t)line <= c->lines.n &&
	    strchr(c->lines.v[line - 1], '\t'))
		return config_error_at(c, err, line, column, "a tab cannot indent YAML; use spaces");
	return config_error_at(c, err, line, column, "%s", problem);
}

/*
 * One pass over the events before the document is built: an alias makes one node stand in many places, and a few lines
 * of them grow without bound when they are walked.
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
		if (type == YAML_ALIAS_EVENT || depth > CONFIG_MAX_DEPTH || documents > 1)
			result = config_error_at(c, err, (int)event.start_mark.line + 1,
						 (int)event.start_mark.column + 1, "%s",
						 type == YAML_ALIAS_EVENT
							 ? "YAML aliases are not used here; write the value out"
						 : documents > 1 ? "only one YAML document may stand in the file"
								 : "nested too deeply");
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

static int load_document(const char *text, size_t n, struct reader *r, struct err *err)
{
	yaml_parser_t parser;
	int result = 0;

	if (check_events(text, n, r->config, err) < 0)
		return -1;
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	if (!yaml_parser_load(&parser, &r->document))
		result = parser_error(r->config, &parser, err);
	yaml_parser_delete(&parser);
	return result;
}

int config_yaml_parse(const char *text, size_t n, struct config *c, struct err *err)
{
	struct reader r = { .config = c };
	int result;

	if (load_document(text, n, &r, err) < 0)
		return -1;
	result = read_document(&r, err);
	yaml_document_delete(&r.document);
	return result;
}

int config_yaml_value(const char *text, size_t n, struct config *c, json_t **ret, struct err *err)
{
	struct reader r = { .config = c };
	const yaml_node_t *root;
	int result;

	if (load_document(text, n, &r, err) < 0)
		return -1;
	root = yaml_document_get_root_node(&r.document);
	result = root ? reader_read_value(&r, root, c->file, ret, err)
		      : err_set(err, ERR_CONFIG, "%s has no value", c->file);
	yaml_document_delete(&r.document);
	return result;
}
