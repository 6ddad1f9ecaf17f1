#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static void reserve(struct str *b, size_t more)
{
	size_t need = b->len + more + 1;

	if (need <= b->cap)
		return;
	b->cap = b->cap * 2 > need ? b->cap * 2 : need;
	b->s = xreallocarray(b->s, b->cap, 1);
}

void str_add_mem(struct str *b, const void *p, size_t n)
{
	reserve(b, n);
	if (n)
		memcpy(b->s + b->len, p, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void str_add(struct str *b, const char *text)
{
	str_add_mem(b, text, strlen(text));
}

void str_add_char(struct str *b, char c)
{
	str_add_mem(b, &c, 1);
}

void str_vaddf(struct str *b, const char *fmt, va_list ap)
{
	auto_free char *s = xvasprintf(fmt, ap);

	str_add(b, s);
}

void str_addf(struct str *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(b, fmt, ap);
	va_end(ap);
}

void str_truncate(struct str *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->s[len] = '\0';
}

const char *str_text(const struct str *b)
{
	return b->s ? b->s : "";
}

char *str_detach(struct str *b)
{
	char *s = b->s ? b->s : xstrdup("");

	*b = (struct str){ 0 };
	return s;
}

void str_release(struct str *b)
{
	free(b->s);
	*b = (struct str){ 0 };
}

void strlist_take(struct strlist *l, char *s)
{
	array_grow(l->v, l->n, l->cap);
	l->v[l->n++] = s;
}

void strlist_add(struct strlist *l, const char *s)
{
	strlist_take(l, xstrdup(s));
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare_strings);
}

void strlist_sort_unique(struct strlist *l)
{
	size_t kept = 0;

	strlist_sort(l);
	for (size_t i = 0; i < l->n; i++) {
		if (kept && !strcmp(l->v[kept - 1], l->v[i]))
			free(l->v[i]);
		else
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
}

bool strlist_has_sorted(const struct strlist *l, const char *s)
{
	return l->n && bsearch(&s, l->v, l->n, sizeof(*l->v), compare_strings);
}

bool strlist_has(const struct strlist *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->v[i], s))
			return true;
	}
	return false;
}

void strlist_release(struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strlist){ 0 };
}

void str_split(struct strlist *l, const char *s, char sep)
{
	const char *end;

	while ((end = strchr(s, sep))) {
		strlist_take(l, xstrndup(s, (size_t)(end - s)));
		s = end + 1;
	}
	strlist_add(l, s);
}

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

char *str_lower(const char *s)
{
	char *out = xstrdup(s);

	for (char *p = out; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return out;
}

char *str_trim(const char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	n = strlen(s);
	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	return xstrndup(s, n);
}

/* Length of the valid UTF-8 sequence at s (at most n bytes), 0 when there is none. Overlong forms and surrogates are
 * none. */
static size_t utf8_sequence(const unsigned char *s, size_t n)
{
	static const unsigned min[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	unsigned c;

	if (len < 2 || len > n)
		return len <= n ? len : 0;
	c = s[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < min[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

bool str_is_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	while (n) {
		size_t len = utf8_sequence(p, n);

		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

/* Bytes of the character at p that a terminal may be shown; 0 for a control character or what is no UTF-8. */
static size_t printable_bytes(const unsigned char *p, size_t n)
{
	size_t len = utf8_sequence(p, n);
	/* C1 controls (U+0080 to U+009F) steer terminals as C0 do. */
	bool is_control = len == 1   ? (*p < 0x20 && *p != '\t') || *p == 0x7f
			  : len == 2 ? p[0] == 0xc2 && p[1] < 0xa0
				     : false;

	return is_control ? 0 : len;
}

char *str_printable(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = strlen(s);
	struct str out = { 0 };

	while (n) {
		size_t len = printable_bytes(p, n), used = len;

		if (len)
			str_add_mem(&out, p, len);
		else
			str_add_char(&out, '?');
		if (!used)
			used = utf8_sequence(p, n);
		p += used ? used : 1;
		n -= used ? used : 1;
	}
	return str_detach(&out);
}

static void add_escape(struct str *out, unsigned char c)
{
	static const char plain[] = "\\\n\r\t", letters[] = "\\nrt";
	const char *at = c ? strchr(plain, c) : NULL;

	if (at)
		str_addf(out, "\\%c", letters[at - plain]);
	else
		str_addf(out, "\\x%02x", c);
}

char *str_escaped(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = strlen(s);
	struct str out = { 0 };

	while (n) {
		size_t len = *p == '\\' || *p == '\t' ? 0 : printable_bytes(p, n);

		if (len)
			str_add_mem(&out, p, len);
		else
			add_escape(&out, *p);
		p += len ? len : 1;
		n -= len ? len : 1;
	}
	return str_detach(&out);
}

bool str_parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret_n)
{
	char *end;
	long long n;

	if (!s || !(isdigit((unsigned char)*s) || (*s == '-' && isdigit((unsigned char)s[1]))))
		return false;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno || *end || n < min || n > max)
		return false;
	*ret_n = n;
	return true;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein distance without case, with one row of the table. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t n = strlen(b), diagonal, above;
	auto_free size_t *row = xcalloc(n + 1, sizeof(*row));

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			above = row[j];
			row[j] = smaller(smaller(above, row[j - 1]) + 1, diagonal + (tolower((unsigned char)a[i - 1]) !=
										     tolower((unsigned char)b[j - 1])));
			diagonal = above;
		}
	}
	return row[n];
}

const char *str_nearest(const char *s, const char *const *names)
{
	size_t best = strlen(s) / 3 + 2;
	const char *nearest = NULL;

	if (strlen(s) > 100)
		return NULL;
	for (; *names; names++) {
		size_t d = edit_distance(s, *names);

		if (d < best && d < strlen(*names)) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}
