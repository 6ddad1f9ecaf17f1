#include "pipeline/hyperparameters_yaml.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/hyperparameters.h"

/* Words that YAML reads as themselves, whatever stands around them. */
static bool is_word(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_' && *text != '/')
		return false;
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("_/.+-", *text))
			return false;
	}
	return true;
}

static json_t *parse(const char *text)
{
	return json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
}

/* A number, true, false or null, without blanks: bare in YAML, and bare in the request. */
static bool is_literal(const char *text)
{
	auto_json *j = parse(text);

	return j && !json_is_string(j) && !json_is_array(j) && !json_is_object(j) && !text[strcspn(text, " \t\r\n")];
}

/* Text that is text for smpipe.yaml too. JSON's quotes are YAML's double ones. New string. */
static char *quoted_if_needed(const char *text)
{
	return is_word(text) && !is_literal(text) ? xstrdup(text) : hyperparameters_quote(text);
}

static char *value_of(const char *text, bool is_json)
{
	auto_json *j = is_json ? parse(text) : NULL;

	if (is_literal(text))
		return xstrdup(text);
	if (json_is_string(j))
		return quoted_if_needed(json_string_value(j));
	/* JSON is YAML's flow style. */
	if (j && !strpbrk(text, "\t\r\n"))
		return xstrdup(text);
	return quoted_if_needed(text);
}

char *hyperparameters_yaml(const json_t *parameters, bool is_json, int indent)
{
	auto_str lines = { 0 };
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)parameters, name, value) {
		auto_free char *key = quoted_if_needed(name);
		auto_free char *text = value_of(json_string_value(value), is_json);

		str_addf(&lines, "%*s%s: %s\n", indent, "", key, text);
	}
	return str_detach(&lines);
}
