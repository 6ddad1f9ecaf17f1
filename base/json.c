#include "base/json.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void json_decref_p(json_t **j)
{
	json_decref(*j);
}

json_t *json_parse(const char *text, size_t n, const char *what, struct err *err)
{
	json_error_t why;
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (!j)
		err_set(err, ERR_INVALID, "%s is no valid JSON: %s (line %d, column %d)", what, why.text, why.line,
			why.column);
	return j;
}

const char *json_str(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

const char *json_need_str(const json_t *object, const char *key, const char *what, struct err *err)
{
	const char *s = json_str(object, key);

	if (!s)
		err_set(err, ERR_INVALID, "%s has no '%s'", what, key);
	return s;
}

const json_t *json_at(const json_t *j, ...)
{
	va_list ap;
	const char *key;

	va_start(ap, j);
	while (j && (key = va_arg(ap, const char *)))
		j = json_object_get(j, key);
	va_end(ap);
	return j;
}

void json_put_str(json_t *object, const char *key, const char *value)
{
	if (value)
		json_object_set_new(object, key, json_string(value));
}

void json_put_int(json_t *object, const char *key, json_int_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

/* UTF-16 code units of a UTF-8 string in turn; RFC 8785 sorts keys by them. */
struct utf16 {
	const unsigned char *p;
	unsigned low; /* pending low surrogate, or 0 */
};

static unsigned next_unit(struct utf16 *u)
{
	unsigned c, extra;

	if (u->low) {
		c = u->low;
		u->low = 0;
		return c;
	}
	c = *u->p;
	if (!c)
		return 0;
	u->p++;
	extra = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	c = extra ? c & (0x3fU >> extra) : c;
	while (extra-- && *u->p)
		c = c << 6 | (*u->p++ & 0x3f);
	if (c < 0x10000)
		return c;
	u->low = 0xdc00 + ((c - 0x10000) & 0x3ff);
	return 0xd800 + ((c - 0x10000) >> 10);
}

static int compare_keys(const void *a, const void *b)
{
	struct utf16 x = { *(const unsigned char *const *)a, 0 }, y = { *(const unsigned char *const *)b, 0 };
	unsigned cx, cy;

	do {
		cx = next_unit(&x);
		cy = next_unit(&y);
	} while (cx == cy && cx);
	return (cx > cy) - (cx < cy);
}

static void write_string(struct str *out, const char *s, size_t n)
{
	static const char *const escapes = "\b\t\n\f\r";
	static const char *const letters = "btnfr";

	str_add_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		const char *special = c ? strchr(escapes, c) : NULL;

		if (c == '"' || c == '\\')
			str_addf(out, "\\%c", c);
		else if (special)
			str_addf(out, "\\%c", letters[special - escapes]);
		else if (c < 0x20)
			str_addf(out, "\\u%04x", c);
		else
			str_add_char(out, (char)c);
	}
	str_add_char(out, '"');
}

static void write_canonical(struct str *out, const json_t *j);

static void write_object(struct str *out, const json_t *j)
{
	size_t n = json_object_size(j), i = 0;
	auto_free const char **keys = xcalloc(n, sizeof(*keys));
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)j, key, value)
		keys[i++] = key;
	if (n > 1)
		qsort(keys, n, sizeof(*keys), compare_keys);
	str_add_char(out, '{');
	for (i = 0; i < n; i++) {
		if (i)
			str_add_char(out, ',');
		write_string(out, keys[i], strlen(keys[i]));
		str_add_char(out, ':');
		write_canonical(out, json_object_get(j, keys[i]));
	}
	str_add_char(out, '}');
}

static void write_array(struct str *out, const json_t *j)
{
	str_add_char(out, '[');
	for (size_t i = 0; i < json_array_size(j); i++) {
		if (i)
			str_add_char(out, ',');
		write_canonical(out, json_array_get(j, i));
	}
	str_add_char(out, ']');
}

/* The shortest decimal that is read back as this number, as ECMAScript writes it (RFC 8785, 3.2.2.3). */
static void write_real(struct str *out, double v)
{
	char text[32], digits[32];
	int precision = 0, k, n;

	do {
		snprintf(text, sizeof(text), "%.*e", precision, v < 0 ? -v : v);
	} while (strtod(text, NULL) != (v < 0 ? -v : v) && ++precision < 17);
	n = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
	snprintf(digits, sizeof(digits), "%c%.*s", text[0], precision, text + 2);
	for (k = (int)strlen(digits); k > 1 && digits[k - 1] == '0'; k--)
		;
	str_add(out, v < 0 ? "-" : "");
	if (v == 0)
		str_add(out, "0");
	else if (n >= k && n <= 21)
		str_addf(out, "%.*s%.*s", k, digits, n - k, "00000000000000000000");
	else if (n > 0 && n <= 21)
		str_addf(out, "%.*s.%.*s", n, digits, k - n, digits + n);
	else if (n > -6 && n <= 0)
		str_addf(out, "0.%.*s%.*s", -n, "000000", k, digits);
	else
		str_addf(out, "%c%s%.*se%+d", digits[0], k > 1 ? "." : "", k - 1, digits + 1, n - 1);
}

static void write_canonical(struct str *out, const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		write_object(out, j);
		break;
	case JSON_ARRAY:
		write_array(out, j);
		break;
	case JSON_STRING:
		write_string(out, json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		str_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
		break;
	case JSON_REAL:
		write_real(out, json_real_value(j));
		break;
	default:
		str_add(out, json_is_true(j) ? "true" : json_is_false(j) ? "false" : "null");
	}
}

char *json_canonical(const json_t *j)
{
	struct str out = { 0 };

	write_canonical(&out, j);
	return str_detach(&out);
}

static char *dump(const json_t *j, size_t flags)
{
	/* With 17 digits 0.95 would be 0.94999999999999996. */
	auto_free char *s = json_dumps(j, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	/* Only memory and invalid UTF-8 make jansson refuse; json_t cannot hold the latter. */
	assert(s);
	return take(s);
}

char *json_pretty(const json_t *j)
{
	auto_free char *s = dump(j, JSON_INDENT(2));

	return xasprintf("%s\n", s);
}

char *json_compact(const json_t *j)
{
	return dump(j, JSON_COMPACT);
}
