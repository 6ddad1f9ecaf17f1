#include "ecr/dockerignore.h"

#include <string.h>

#include "base/glob.h"
#include "base/mem.h"

static void drop_last_part(struct str *path)
{
	size_t n = path->len;

	while (n && path->s[n - 1] != '/')
		n--;
	str_truncate(path, n ? n - 1 : 0);
}

static bool ends_in_parent(const struct str *path)
{
	return str_eq(str_text(path), "..") || str_ends(str_text(path), "/..");
}

/*
 * The shortest path that means the same, as Go's path.Clean has it: no empty part, no ".", "a/.." dropped. What climbs
 * out of the root stays as it is and matches nothing; a root's own slash is dropped by the caller.
 */
static char *clean(const char *path)
{
	bool is_absolute = *path == '/';
	auto_strlist parts = { 0 };
	struct str out = { 0 };

	str_split(&parts, path, '/');
	for (size_t i = 0; i < parts.n; i++) {
		const char *part = parts.v[i];

		if (!*part || str_eq(part, "."))
			continue;
		if (str_eq(part, "..") && out.len && !ends_in_parent(&out)) {
			drop_last_part(&out);
			continue;
		}
		if (str_eq(part, "..") && is_absolute)
			continue;
		if (out.len)
			str_add_char(&out, '/');
		str_add(&out, part);
	}
	if (!out.len)
		str_add(&out, is_absolute ? "/" : ".");
	return str_detach(&out);
}

static int add_pattern(const char *line, struct dockerignore *d, struct err *err)
{
	auto_free char *trimmed = str_trim(line), *rest = NULL, *cleaned = NULL;
	bool is_exception = *trimmed == '!';

	if (!*trimmed)
		return 0;
	rest = str_trim(trimmed + is_exception);
	if (!*rest)
		return err_set(err, ERR_CONFIG, "'!' names no pattern");
	if (strlen(rest) > GLOB_MAX_BYTES)
		return err_set(err, ERR_CONFIG, "the pattern is longer than %d bytes", GLOB_MAX_BYTES);
	if (d->patterns.n == DOCKERIGNORE_PATTERNS_MAX)
		return err_set(err, ERR_CONFIG, "there are more than %d patterns", DOCKERIGNORE_PATTERNS_MAX);
	cleaned = clean(rest);
	/* The root itself cannot be excluded, and so needs no exception. */
	if (str_eq(cleaned, "/"))
		return is_exception ? err_set(err, ERR_CONFIG, "'!' names no pattern") : 0;
	if (!glob_is_pattern(cleaned)) {
		auto_free char *shown = str_printable(rest);

		return err_set(err, ERR_CONFIG, "'%s' is no valid pattern", shown);
	}
	strlist_take(&d->patterns, xasprintf("%s%s", is_exception ? "!" : "", cleaned + (*cleaned == '/')));
	return 0;
}

int dockerignore_parse(const char *text, const char *name, struct dockerignore *ret, struct err *err)
{
	auto_dockerignore d = { 0 };
	auto_strlist lines = { 0 };

	str_split(&lines, str_starts(text, "\xef\xbb\xbf") ? text + 3 : text, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		/* A comment begins in the first column; "  #x" is a pattern. */
		if (*lines.v[i] == '#')
			continue;
		if (add_pattern(lines.v[i], &d, err) < 0)
			return err_wrap(err, "%s:%zu", name, i + 1);
	}
	*ret = d;
	d = (struct dockerignore){ 0 };
	return 0;
}

/*
 * One step from a folder to what is in it. has_matched: which patterns matched the folder, and so all that it holds; on
 * return, those that matched path. A pattern that would change nothing is not tried and counts as no match, also for
 * what lies below: an exception that names a folder which nothing excludes does not save a file in it.
 */
static bool match_part(const struct dockerignore *d, const char *path, bool *has_matched)
{
	bool is_excluded = false;

	for (size_t i = 0; i < d->patterns.n; i++) {
		const char *pattern = d->patterns.v[i];
		bool is_exception = *pattern == '!';

		if (!has_matched[i] && is_exception == is_excluded)
			has_matched[i] = glob_match(pattern + is_exception, path);
		if (has_matched[i])
			is_excluded = !is_exception;
	}
	return is_excluded;
}

bool dockerignore_excludes(const struct dockerignore *d, const char *path)
{
	auto_free bool *has_matched = xcalloc(d->patterns.n, sizeof(*has_matched));
	auto_free char *part = xstrdup(path);

	for (char *slash = part; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		match_part(d, part, has_matched);
		*slash = '/';
	}
	return match_part(d, part, has_matched);
}

void dockerignore_release(struct dockerignore *d)
{
	strlist_release(&d->patterns);
}
