#ifndef SMPIPE_BASE_STR_H
#define SMPIPE_BASE_STR_H

/* Growing strings, lists of strings, and the text encodings that the protocols use. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

/* A growing byte string; s is NUL-terminated once something was added. Zeroed memory is an empty string. */
struct str {
	char *s;
	size_t len, cap;
};

#define auto_str __attribute__((cleanup(str_release))) struct str

void str_add(struct str *b, const char *text);
void str_add_mem(struct str *b, const void *p, size_t n);
void str_add_char(struct str *b, char c);
void str_addf(struct str *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void str_truncate(struct str *b, size_t len);

/* The text, never NULL. */
const char *str_text(const struct str *b);

/* Hand over the buffer (never NULL); b is empty afterwards. */
char *str_detach(struct str *b);
void str_release(struct str *b);

/* A list of owned strings; zeroed memory is empty. */
struct strlist {
	char **v;
	size_t n, cap;
};

#define auto_strlist __attribute__((cleanup(strlist_release))) struct strlist

void strlist_add(struct strlist *l, const char *s); /* copies */
void strlist_take(struct strlist *l, char *s);      /* takes over */
void strlist_sort(struct strlist *l);               /* by bytes */
void strlist_sort_unique(struct strlist *l);        /* by bytes, each string once */
bool strlist_has(const struct strlist *l, const char *s);
bool strlist_has_sorted(const struct strlist *l, const char *s); /* of a sorted list */
void strlist_release(struct strlist *l);

/* Split at every occurrence of sep; empty fields are kept. */
void str_split(struct strlist *l, const char *s, char sep);

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
char *str_lower(const char *s); /* ASCII; new string */
bool str_is_utf8(const char *s, size_t n);

/* The part of s without white space at both ends; new string. */
char *str_trim(const char *s);

/* Lower-case hexadecimal; new string of 2n characters. */
char *str_hex(const void *p, size_t n);
/* Decode exactly 2n hexadecimal digits; -1 when s is anything else. */
int str_unhex(const char *s, void *out, size_t n);

char *str_base64(const void *p, size_t n);    /* RFC 4648 section 4, with padding */
char *str_base64url(const void *p, size_t n); /* RFC 4648 section 5, with padding */
/* Decode either alphabet, padding optional. Returns the bytes (NUL added) and their number, or NULL when malformed. */
char *str_unbase64(const char *s, size_t *ret_n);

/* Percent-encode all but RFC 3986 unreserved characters; '/' is kept when keep_slash. New string. */
char *str_uri_encode(const char *s, bool keep_slash);
/* Decode %XX ('+' is left alone). NULL when an escape is malformed or decodes to NUL. */
char *str_uri_decode(const char *s);

/* 20231123T013854Z and 2023-11-23T01:38:54Z, UTC; new strings. */
char *str_time_basic(time_t t);
char *str_time_iso(time_t t);
/* Parse the ISO form (fraction ignored; Z, UTC, +hh:mm or no zone); -1 when malformed. */
int str_parse_time_iso(const char *s, time_t *ret_t);

/* "1.4 MiB", "812 B"; new string. */
char *str_bytes(uint64_t n);
/* "0.4 s", "12 s", "3 min 20 s", "2 h 05 min"; new string. */
char *str_duration_ms(int64_t ms);

/* Whole decimal number within [min, max]; false when s is anything else. */
bool str_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret_n);

/* The entry of names (NULL-terminated) nearest to s by edit distance, or NULL when none is near. */
const char *str_nearest(const char *s, const char *const *names);

/* Replace control characters and invalid UTF-8 by '?', so that text from outside cannot steer a terminal. New string.
 */
char *str_printable(const char *s);
/* The same without loss: they become \n, \t, \r or \xff, and a backslash two. New string. */
char *str_escaped(const char *s);

#endif
