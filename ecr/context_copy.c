#include "ecr/context_copy.h"

#include <dirent.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

static bool has_wildcard(const char *s)
{
	return strpbrk(s, "*?[");
}

/* Relative to the context, without "." parts; NULL for the whole context and for what climbs out of it. */
static char *clean_source(const char *source)
{
	auto_strlist parts = { 0 };
	auto_str out = { 0 };

	str_split(&parts, source, '/');
	for (size_t i = 0; i < parts.n; i++) {
		if (str_eq(parts.v[i], ".."))
			return NULL;
		if (*parts.v[i] && !str_eq(parts.v[i], "."))
			str_addf(&out, "%s%s", out.len ? "/" : "", parts.v[i]);
	}
	return out.len ? str_detach(&out) : NULL;
}

/* The first n parts of path, n > 0; new. NULL when it has fewer. */
static char *first_parts(const char *path, size_t n)
{
	const char *end = path + strcspn(path, "/");

	while (--n) {
		if (!*end)
			return NULL;
		end++;
		end += strcspn(end, "/");
	}
	return xstrndup(path, (size_t)(end - path));
}

static size_t count_parts(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* A source names a file, or a folder by what is below it. */
static bool is_in(const struct filelist *list, const char *source)
{
	size_t n = count_parts(source);

	for (size_t i = 0; i < list->n; i++) {
		auto_free char *part = first_parts(list->v[i].path, n);

		if (part && fnmatch(source, part, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

/* What lies behind a symbolic link of the context is the engine's to find. */
static bool is_behind_link(const struct filelist *context, const char *source)
{
	for (size_t n = 1; n < count_parts(source); n++) {
		auto_free char *part = first_parts(source, n);
		const struct file_entry *e = filelist_find(context, part);

		if (e && e->mode == FILE_MODE_LINK)
			return true;
	}
	return false;
}

/* Wildcards are looked for in the last part only: folders with wildcards would mean a walk through all of the disk. */
static bool is_on_disk(const char *disk, const char *source)
{
	auto_free char *path = fs_join(disk, source), *folder = fs_dirname(path), *source_folder = fs_dirname(source);
	bool is_found = false;
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (!has_wildcard(source))
		return lstat(path, &st) == 0;
	d = has_wildcard(source_folder) ? NULL : opendir(folder);
	while (d && !is_found && (e = readdir(d)))
		is_found = fnmatch(fs_basename(source), e->d_name, FNM_PERIOD) == 0;
	if (d)
		closedir(d);
	return is_found;
}

static int missing(const struct context_copy *c, const struct dockerfile_copy *copy, const char *source,
		   const char *why, const char *cure, struct err *err)
{
	auto_free char *shown = str_printable(copy->source);
	auto_free char *name = str_eq(c->folder, ".") ? xstrdup(source) : fs_join(c->folder, source);
	auto_free char *shown_name = str_printable(name);

	err_set(err, ERR_CONFIG, "%s:%d: %s '%s': not in the build context: %s", c->dockerfile, copy->line,
		copy->command, shown, why);
	return err_hint(err, "add '%s' to image.include in smpipe.yaml, or %s", shown_name, cure);
}

static int check_copy(const struct context_copy *c, const struct dockerfile_copy *copy, struct err *err)
{
	auto_free char *source = clean_source(copy->source), *why = NULL;

	if (!source || is_in(c->context, source) || is_behind_link(c->context, source))
		return 0;
	if (is_in(c->known, source)) {
		why = xasprintf("%s excludes it", c->ignore);
		return missing(c, copy, source, why, "take the pattern out", err);
	}
	if (is_on_disk(c->disk, source))
		return missing(c, copy, source, "git does not track it", "git add it", err);
	return 0;
}

int context_copy_check(const struct context_copy *c, const struct dockerfile *d, struct err *err)
{
	for (size_t i = 0; i < d->n_copies; i++) {
		if (check_copy(c, &d->copies[i], err) < 0)
			return -1;
	}
	return 0;
}
