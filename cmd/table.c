#include "cmd/table.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

void table_release(struct table *t)
{
	strlist_release(&t->cells);
	*t = (struct table){ 0 };
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += begins_character(*s);
	return n;
}

size_t text_bytes(const char *s, size_t n)
{
	const char *p = s;

	while (*p && (n > 0 || !begins_character(*p)))
		n -= begins_character(*p++);
	return (size_t)(p - s);
}

void table_add(struct table *t, const char *text)
{
	auto_free char *cell = str_printable(text ? text : "");

	t->n_in_row++;
	if (text_width(cell) <= t->max_width)
		strlist_add(&t->cells, cell);
	else
		strlist_take(&t->cells, xasprintf("%.*s…", (int)text_bytes(cell, t->max_width - 1), cell));
}

void table_addf(struct table *t, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	table_add(t, text);
}

void table_end_row(struct table *t)
{
	assert(!t->n_columns || t->n_columns == t->n_in_row);
	t->n_columns = t->n_in_row;
	t->n_in_row = 0;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < t->cells.n; i += t->n_columns) {
		size_t n = text_width(t->cells.v[i]);

		width = n > width ? n : width;
	}
	return width;
}

void table_draw(const struct table *t, struct str *out)
{
	for (size_t i = 0; t->n_columns && i < t->cells.n; i++) {
		size_t width = column_width(t, i % t->n_columns), n = text_width(t->cells.v[i]);
		bool is_last = i % t->n_columns == t->n_columns - 1;

		str_add(out, t->cells.v[i]);
		if (is_last)
			while (out->len && out->s[out->len - 1] == ' ')
				str_truncate(out, out->len - 1);
		str_addf(out, "%*s", is_last ? 0 : (int)(width - n + 2), "");
		if (is_last)
			str_add(out, "\n");
	}
}
