#ifndef SMPIPE_CMD_TABLE_H
#define SMPIPE_CMD_TABLE_H

/* Columns of text. */

#include "base/str.h"

struct table {
	size_t max_width; /* of a cell, in characters: what is longer is cut, and ends in "…" */
	struct strlist cells;
	size_t n_columns; /* of the rows that have ended: all have as many */
	size_t n_in_row;
};

#define auto_table __attribute__((cleanup(table_release))) struct table
void table_release(struct table *t);

/* The next cell of the row, made printable; NULL is empty. */
void table_add(struct table *t, const char *text);
void table_addf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_end_row(struct table *t);

/* Lines whose columns stand below each other, two blanks between them. */
void table_draw(const struct table *t, struct str *out);

/* The characters of printable UTF-8; the bytes of its first n characters. */
size_t text_width(const char *s);
size_t text_bytes(const char *s, size_t n);

#endif
