#include "ecr/dockerfile_expand.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
#define MAX_DEPTH       16
/* Values may hold each other's values: a short text must not grow without end. */
#define MAX_BYTES 4096

struct expansion {
	char escape;
	const json_t *values;
	int depth;
	struct str *out;
};

static int expand(struct expansion *x, const char *p, const char *end, struct err *err);

/* The "}" that closes what begins at p, or NULL. */
static const char *closing_brace(const char *p, const char *end)
{
	int depth = 1;

	for (; p < end; p++) {
		if (*p == '{')
			depth++;
		else if (*p == '}' && !--depth)
			return p;
	}
	return NULL;
}

/* What stands between the braces of ${…}. */
static int expand_braced(struct expansion *x, const char *p, const char *end, struct err *err)
{
	size_t n = strspn(p, NAME_CHARACTERS);
	auto_free char *name = xstrndup(p, n);
	const char *value = json_str(x->values, name), *rest = p + n;
	bool blank_counts = *rest == ':', is_set;

	if (n && rest == end) {
		str_add(x->out, value ? value : "");
		return 0;
	}
	rest += blank_counts;
	is_set = value && (*value || !blank_counts);
	if (!n || rest >= end || (*rest != '-' && *rest != '+'))
		return err_set(err, ERR_CONFIG, "'${%.*s}' is no variable that can be expanded here", (int)(end - p),
			       p);
	if (*rest == '-' && is_set) {
		str_add(x->out, value);
		return 0;
	}
	return *rest == '-' || is_set ? expand(x, rest + 1, end, err) : 0;
}

/* The variable at p ("$"); *ret_p moves behind it. */
static int expand_variable(struct expansion *x, const char *p, const char *end, const char **ret_p, struct err *err)
{
	size_t n = strspn(p + 1, NAME_CHARACTERS);

	if (p[1] == '{') {
		const char *close = closing_brace(p + 2, end);

		if (!close)
			return err_set(err, ERR_CONFIG, "a '${' is not closed");
		*ret_p = close + 1;
		return expand_braced(x, p + 2, close, err);
	}
	if (n) {
		auto_free char *name = xstrndup(p + 1, n);
		const char *value = json_str(x->values, name);

		str_add(x->out, value ? value : "");
	} else {
		str_add_char(x->out, '$');
	}
	*ret_p = p + 1 + n;
	return 0;
}

static int expand_all(struct expansion *x, const char *p, const char *end, struct err *err)
{
	char quote = '\0';

	while (p < end) {
		if (x->out->len > MAX_BYTES)
			return err_set(err, ERR_CONFIG, "the value is longer than %d bytes", MAX_BYTES);
		if (*p == '$' && quote != '\'') {
			if (expand_variable(x, p, end, &p, err) < 0)
				return -1;
		} else if (*p == quote) {
			quote = '\0';
			p++;
		} else if (!quote && (*p == '"' || *p == '\'')) {
			quote = *p++;
		} else {
			if (*p == x->escape && quote != '\'' && p + 1 < end)
				p++;
			str_add_char(x->out, *p++);
		}
	}
	return 0;
}

static int expand(struct expansion *x, const char *p, const char *end, struct err *err)
{
	int result;

	if (++x->depth > MAX_DEPTH)
		return err_set(err, ERR_CONFIG, "variables are nested more than %d deep", MAX_DEPTH);
	result = expand_all(x, p, end, err);
	x->depth--;
	return result;
}

char *dockerfile_expand(const char *text, char escape, const json_t *values, struct err *err)
{
	auto_str out = { 0 };
	struct expansion x = { .escape = escape, .values = values, .out = &out };

	if (expand(&x, text, text + strlen(text), err) < 0)
		return NULL;
	return str_detach(&out);
}
