#include "flat_json.h"

#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *start, *at, *end;
	struct failure *failure;
};

static int refuse(const struct reader *reader, const char *what)
{
	return fail(reader->failure, "%s at byte %zu", what, (size_t)(reader->at - reader->start));
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4))
		reader->at++;
}

/* Is the next token this character? If so it is taken. */
static bool take(struct reader *reader, char wanted)
{
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != wanted)
		return false;
	reader->at++;
	return true;
}

static int read_hex4(struct reader *reader, unsigned *ret_unit)
{
	unsigned unit = 0;

	for (int i = 0; i < 4; i++, reader->at++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *digit = reader->at < reader->end ? memchr(digits, *reader->at, 22) : NULL;

		if (!digit)
			return refuse(reader, "four hexadecimal digits expected");
		unit = unit * 16 + (unsigned)(digit - digits > 15 ? digit - digits - 6 : digit - digits);
	}
	*ret_unit = unit;
	return 0;
}

static char *put_utf8(char *out, unsigned point)
{
	if (point < 0x80) {
		*out++ = (char)point;
	} else if (point < 0x800) {
		*out++ = (char)(0xc0 | point >> 6);
		*out++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*out++ = (char)(0xe0 | point >> 12);
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	} else {
		*out++ = (char)(0xf0 | point >> 18);
		*out++ = (char)(0x80 | (point >> 12 & 0x3f));
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	}
	return out;
}

/* After \u: one code unit, or two that are a surrogate pair. */
static int read_code_point(struct reader *reader, char **out)
{
	unsigned unit, low;

	if (read_hex4(reader, &unit) < 0)
		return -1;
	if (unit >= 0xd800 && unit < 0xdc00) {
		if (reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
			return refuse(reader, "half a surrogate pair");
		reader->at += 2;
		if (read_hex4(reader, &low) < 0)
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return refuse(reader, "half a surrogate pair");
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	} else if (unit >= 0xdc00 && unit < 0xe000) {
		return refuse(reader, "half a surrogate pair");
	}
	if (unit == 0)
		return refuse(reader, "a zero character");
	*out = put_utf8(*out, unit);
	return 0;
}

static int read_escape(struct reader *reader, char **out)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

	if (reader->at == reader->end)
		return refuse(reader, "text without an end");

	char c = *reader->at++;
	const char *name = memchr(names, c, sizeof(names) - 1);

	if (c == 'u')
		return read_code_point(reader, out);
	if (!name)
		return refuse(reader, "unknown escape");
	*(*out)++ = meanings[name - names];
	return 0;
}

/*
 * A text is never longer than what it is written as: room for all that is left will do, and is given
 * back at the end.
 */
static int read_string(struct reader *reader, const char *what, char **ret_text)
{
	if (!take(reader, '"'))
		return refuse(reader, what);

	char *text = memory_zeroed((size_t)(reader->end - reader->at) + 1, 1);
	char *out = text;

	for (;;) {
		if (reader->at == reader->end || (unsigned char)*reader->at < ' ') {
			refuse(reader, "text without an end");
			break;
		}
		char c = *reader->at++;

		if (c == '"') {
			*ret_text = memory_resize(text, (size_t)(out - text) + 1, 1);
			return 0;
		}
		if (c != '\\')
			*out++ = c;
		else if (read_escape(reader, &out) < 0)
			break;
	}
	free(text);
	return -1;
}

static bool has_name(const struct flat_json *json, const char *name)
{
	for (size_t i = 0; i < json->n_pairs; i++)
		if (strcmp(json->pairs[i].name, name) == 0)
			return true;
	return false;
}

static int read_pair(struct reader *reader, struct flat_json *json)
{
	if (json->n_pairs == FLAT_JSON_MAX_PAIRS)
		return refuse(reader, "too many values");

	char *name;

	if (read_string(reader, "a name in quotes expected", &name) < 0)
		return -1;
	if (has_name(json, name)) {
		fail(reader->failure, "'%s' is there twice", name);
		free(name);
		return -1;
	}
	/* From here on the name is released with the object. */
	json->pairs = memory_resize(json->pairs, json->n_pairs + 1, sizeof(*json->pairs));
	json->pairs[json->n_pairs++] = (struct flat_json_pair){ .name = name };
	if (!take(reader, ':'))
		return refuse(reader, "':' expected");
	return read_string(reader, "a value in quotes expected", &json->pairs[json->n_pairs - 1].value);
}

static int read_object(struct reader *reader, struct flat_json *json)
{
	if (!take(reader, '{'))
		return refuse(reader, "'{' expected");
	if (!take(reader, '}')) {
		do {
			if (read_pair(reader, json) < 0)
				return -1;
		} while (take(reader, ','));
		if (!take(reader, '}'))
			return refuse(reader, "',' or '}' expected");
	}
	skip_space(reader);
	return reader->at == reader->end ? 0 : refuse(reader, "more text after the object");
}

int flat_json_parse(struct flat_json *json, const char *text, size_t length, struct failure *failure)
{
	struct reader reader = { .start = text, .at = text, .end = text + length, .failure = failure };
	struct flat_json result = { 0 };

	if (length > FLAT_JSON_MAX_BYTES)
		return fail(failure, "more than %d bytes", FLAT_JSON_MAX_BYTES);
	if (read_object(&reader, &result) < 0) {
		flat_json_release(&result);
		return -1;
	}
	*json = result;
	return 0;
}

void flat_json_release(struct flat_json *json)
{
	for (size_t i = 0; i < json->n_pairs; i++) {
		free(json->pairs[i].name);
		free(json->pairs[i].value);
	}
	free(json->pairs);
	*json = (struct flat_json){ 0 };
}
