/* Files whose names differ only in case. */

#include <locale.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/mem.h"
#include "s3/scan.h"

struct folded {
	uint64_t hash; /* of the path without case */
	const char *path;
};

/* The next character of UTF-8 text without case; *p moves behind it. */
static wint_t next_folded(const char **p, locale_t locale)
{
	static const unsigned char masks[] = { 0x7f, 0x7f, 0x1f, 0x0f, 0x07 };
	unsigned char c = (unsigned char)**p;
	int n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	wint_t w = c & masks[n];

	for (int i = 1; i < n; i++)
		w = w << 6 | ((unsigned char)(*p)[i] & 0x3f);
	*p += n;
	return towlower_l(w, locale);
}

/* FNV-1a. */
static uint64_t hash_folded(const char *path, locale_t locale)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	while (*path)
		hash = (hash ^ next_folded(&path, locale)) * UINT64_C(0x100000001b3);
	return hash;
}

static bool equal_folded(const char *a, const char *b, locale_t locale)
{
	while (*a && *b) {
		if (next_folded(&a, locale) != next_folded(&b, locale))
			return false;
	}
	return !*a && !*b;
}

static int compare(const void *a, const void *b)
{
	const struct folded *x = a, *y = b;

	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : strcmp(x->path, y->path);
}

static void note(const char *a, const char *b, struct strlist *ret)
{
	auto_free char *x = str_escaped(a);
	auto_free char *y = str_escaped(b);

	strlist_take(ret, xasprintf("'%s' and '%s' differ only in case: on some machines they are one file", x, y));
}

void scan_find_case_twins(const struct filelist *l, size_t max, struct strlist *ret)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	auto_free struct folded *v = xcalloc(l->n, sizeof(*v));
	size_t found = 0;

	if (!locale)
		return;
	for (size_t i = 0; i < l->n; i++)
		v[i] = (struct folded){ hash_folded(l->v[i].path, locale), l->v[i].path };
	if (l->n > 1)
		qsort(v, l->n, sizeof(*v), compare);
	for (size_t i = 1; i < l->n && found < max; i++) {
		if (v[i].hash != v[i - 1].hash || !equal_folded(v[i].path, v[i - 1].path, locale))
			continue;
		note(v[i - 1].path, v[i].path, ret);
		found++;
	}
	freelocale(locale);
}
