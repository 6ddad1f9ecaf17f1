/* Values whose shape smpipe.yaml leaves open: hyperparameters, and members of the request in the API's own names. */

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/config_yaml.h"

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
	auto_json *j = reader_is_whole(node) ? json_string(reader_scalar(node)) : NULL;
	auto_free char *text = j ? json_compact(j) : NULL;

	if (!text)
		return reader_complain(r, node, err, "this is no valid text");
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
			return reader_complain(r, key, err, "a key must be a string");
		if (json_object_get(seen, reader_scalar(key)))
			return reader_complain(r, key, err, "this key stands here twice");
		json_object_set_new(seen, reader_scalar(key), json_true());
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
		if (!reader_is_plain(node) || !is_json_literal(reader_scalar(node)))
			return write_text(r, node, out, err);
		str_add(out, reader_scalar(node));
		return 0;
	}
	if (node->type == YAML_MAPPING_NODE) {
		str_add(out, "{");
		result = write_members(r, node, out, err);
		str_add(out, "}");
		return result;
	}
	str_add(out, "[");
	for (yaml_node_item_t *i = node->data.sequence.items.start; result == 0 && i < node->data.sequence.items.top;
	     i++) {
		str_add(out, i == node->data.sequence.items.start ? "" : ",");
		result = write_nested(r, yaml_document_get_node(&r->document, *i), out, err);
	}
	str_add(out, "]");
	return result;
}

int reader_read_value(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	auto_str text = { 0 };

	if (node->type == YAML_SCALAR_NODE && reader_is_plain(node) && !*reader_scalar(node)) {
		reader_complain(r, node, err, "'%s' has no value", path);
		return err_hint(err, "an empty text is written \"\"");
	}
	if (node->type == YAML_SCALAR_NODE && !reader_is_whole(node))
		return reader_complain(r, node, err, "a NUL character cannot stand here");
	if (node->type == YAML_SCALAR_NODE && (!reader_is_plain(node) || !is_json_literal(reader_scalar(node)))) {
		*ret = json_string(reader_scalar(node));
		return *ret ? 0 : reader_complain(r, node, err, "this is no valid text");
	}
	if (write_nested(r, node, &text, err) < 0)
		return -1;
	*ret = json_pack("{ss}", "literal", str_text(&text));
	return 0;
}

static int read_raw_scalar(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	const char *text = reader_scalar(node);
	bool is_literal = reader_is_plain(node) && is_json_literal(text);
	/* CreateTrainingJob has no member that holds one. */
	bool takes_fractions = str_starts(path, "tuner.");

	if (!reader_is_whole(node))
		return reader_complain(r, node, err, "a NUL character cannot stand here");
	*ret = is_literal ? json_loads(text, JSON_DECODE_ANY, NULL) : json_string(text);
	if (*ret && (!json_is_real(*ret) || takes_fractions) && !json_is_null(*ret) &&
	    (*text || !reader_is_plain(node)))
		return 0;
	json_decref(*ret);
	*ret = NULL;
	reader_complain(r, node, err, "'%s' must be a %snumber, true, false or text", path,
			takes_fractions ? "" : "whole ");
	return err_hint(err, "text that looks like another value is written in quotes");
}

static int read_raw_list(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	auto_json *list = json_array();

	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&r->document, *i);
		auto_free char *child = xasprintf("%s[%zu]", path, json_array_size(list));
		json_t *j = NULL;

		config_add_position(r->config, child, (int)item->start_mark.line + 1, (int)item->start_mark.column + 1);
		if (reader_read_raw(r, item, child, &j, err) < 0)
			return -1;
		json_array_append_new(list, j);
	}
	*ret = take(list);
	return 0;
}

static int read_raw_mapping(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	auto_json *object = json_object();

	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&r->document, p->key);
		const yaml_node_t *value = yaml_document_get_node(&r->document, p->value);
		auto_free char *child = NULL;
		json_t *j = NULL;

		if (key->type != YAML_SCALAR_NODE || !reader_is_whole(key))
			return reader_complain(r, key, err, "a key must be a string");
		if (json_object_get(object, reader_scalar(key)))
			return reader_complain(r, key, err, "this key stands here twice");
		child = xasprintf("%s.%s", path, reader_scalar(key));
		config_add_position(r->config, child, (int)value->start_mark.line + 1,
				    (int)value->start_mark.column + 1);
		if (reader_read_raw(r, value, child, &j, err) < 0)
			return -1;
		json_object_set_new(object, reader_scalar(key), j);
	}
	*ret = take(object);
	return 0;
}

int reader_read_raw(struct reader *r, const yaml_node_t *node, const char *path, json_t **ret, struct err *err)
{
	if ((!strcmp(path, "raw") || !strcmp(path, "tuner.raw")) && node->type != YAML_MAPPING_NODE)
		return reader_complain(r, node, err, "'%s' must be a mapping (key: value)", path);
	if (node->type == YAML_SCALAR_NODE)
		return read_raw_scalar(r, node, path, ret, err);
	return node->type == YAML_SEQUENCE_NODE ? read_raw_list(r, node, path, ret, err)
						: read_raw_mapping(r, node, path, ret, err);
}
