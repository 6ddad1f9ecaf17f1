#include "s3/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

/* Sources up to this are read once, and kept until they are packed; larger ones are read again for packing. */
#define KEPT_BYTES ((uint64_t)16 * 1024 * 1024)

/* "./src/" → "src", "./" → "."; ERR_CONFIG when it leads out of the project. */
static int normalise(const char *key, const char *path, char **ret, struct err *err)
{
	auto_free char *p = NULL;
	size_t n;

	while (str_starts(path, "./"))
		path += strspn(path + 1, "/") + 1;
	n = strlen(path);
	while (n && path[n - 1] == '/')
		n--;
	p = n ? xstrndup(path, n) : xstrdup(".");
	if (*path == '/' || (!str_eq(p, ".") && !fs_is_safe_relative(p))) {
		auto_free char *shown = str_printable(path);

		return err_set(err, ERR_CONFIG, "%s '%s' is no path below the project's folder", key, shown);
	}
	*ret = take(p);
	return 0;
}

/* Why something that the configuration names is not in the list, as far as the disk can tell. */
static int hint_absent(const struct pack_spec *spec, const char *path, struct err *err)
{
	auto_free char *disk_path = spec->root ? fs_join(spec->root, path) : xstrdup(path);

	if (fs_exists(disk_path))
		return err_hint(err,
				"it exists, but git does not track it or a rule ignores it: git add it, or name it in "
				"source.include");
	return err_hint(err, "there is no '%s'", path);
}

static int refuse_absent_entry(const struct pack_spec *spec, const char *path, struct err *err)
{
	err_set(err, ERR_CONFIG, "entry_point '%s' is not among the files to pack", path);
	return hint_absent(spec, path, err);
}

static int add_entry_point(const struct pack_spec *spec, struct filelist *l, struct err *err)
{
	const struct file_entry *e;
	auto_free char *path = NULL;

	if (normalise("entry_point", spec->entry_point, &path, err) < 0)
		return -1;
	e = filelist_find(spec->files, path);
	if (!e)
		return refuse_absent_entry(spec, path, err);
	filelist_add_copy(l, e, fs_basename(path));
	return 0;
}

static int add_source_dir(const struct pack_spec *spec, const char *source_dir, struct filelist *l, struct err *err)
{
	auto_free char *path =
		str_eq(source_dir, ".") ? xstrdup(spec->entry_point) : fs_join(source_dir, spec->entry_point);

	if (!*spec->entry_point || strchr(spec->entry_point, '/')) {
		err_set(err, ERR_CONFIG, "entry_point '%s' does not lie at the root of source_dir '%s'",
			spec->entry_point, source_dir);
		return err_hint(err, "write the file's name alone, and as source_dir the folder that holds it");
	}
	filelist_add_below(l, spec->files, source_dir, "");
	return filelist_find(spec->files, path) ? 0 : refuse_absent_entry(spec, path, err);
}

static bool holds(const struct filelist *l, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < l->n; i++) {
		if (str_starts(l->v[i].path, name) && (l->v[i].path[n] == '\0' || l->v[i].path[n] == '/'))
			return true;
	}
	return false;
}

/* Where what is called name in the archive came from; new string. */
static char *origin_of(const struct pack_spec *spec, const char *source_dir, const struct strlist *dependencies,
		       const char *name)
{
	for (size_t i = 0; i < dependencies->n; i++) {
		if (str_eq(fs_basename(dependencies->v[i]), name))
			return xstrdup(dependencies->v[i]);
	}
	if (!source_dir)
		return xstrdup(spec->entry_point);
	return str_eq(source_dir, ".") ? xstrdup(name) : fs_join(source_dir, name);
}

static int add_dependency(const struct pack_spec *spec, const char *dependency, struct filelist *l, struct err *err)
{
	const char *name = fs_basename(dependency);
	const struct file_entry *file = filelist_find(spec->files, dependency);
	size_t before = l->n;

	if (file)
		filelist_add_copy(l, file, name);
	else
		filelist_add_below(l, spec->files, dependency, name);
	if (l->n > before)
		return 0;
	err_set(err, ERR_CONFIG, "there is nothing to pack for the dependency '%s'", dependency);
	return hint_absent(spec, dependency, err);
}

/* Two folders of one name would be mixed silently, and a file would hide the other: refused, unless it is the same
 * thing. */
static int add_dependencies(const struct pack_spec *spec, const char *source_dir, struct filelist *l,
			    struct strlist *added, struct err *err)
{
	for (size_t i = 0; spec->dependencies && spec->dependencies[i]; i++) {
		auto_free char *dependency = NULL;
		const char *name;

		if (normalise("dependency", spec->dependencies[i], &dependency, err) < 0)
			return -1;
		name = fs_basename(dependency);
		if (str_eq(dependency, "."))
			return err_set(err, ERR_CONFIG, "the project's folder cannot be a dependency: it has no name");
		if (holds(l, name)) {
			auto_free char *origin = origin_of(spec, source_dir, added, name);

			if (str_eq(origin, dependency))
				continue;
			return err_set(err, ERR_CONFIG,
				       "'%s' and the dependency '%s' would both be '%s' in the archive", origin,
				       dependency, name);
		}
		if (add_dependency(spec, dependency, l, err) < 0)
			return -1;
		strlist_take(added, take(dependency));
	}
	return 0;
}

/* Where a relative target leads from a link's path, or NULL when that is above the root. "." is the root. New string.
 */
static char *resolve(const char *path, const char *target)
{
	auto_free char *folder = fs_dirname(path);
	auto_free char *joined = xasprintf("%s/%s", folder, target);
	auto_strlist parts = { 0 }, kept = { 0 };
	auto_str out = { 0 };

	str_split(&parts, joined, '/');
	for (size_t i = 0; i < parts.n; i++) {
		if (!*parts.v[i] || str_eq(parts.v[i], "."))
			continue;
		if (!str_eq(parts.v[i], "..")) {
			strlist_add(&kept, parts.v[i]);
			continue;
		}
		if (!kept.n)
			return NULL;
		free(kept.v[--kept.n]);
	}
	for (size_t i = 0; i < kept.n; i++)
		str_addf(&out, "%s%s", i ? "/" : "", kept.v[i]);
	return kept.n ? str_detach(&out) : xstrdup(".");
}

/*
 * A link that leads out of the archive would dangle in the container, and Python's tarfile refuses it: what it leads to
 * in the project takes its place, as the SDK does it. Links that lead nowhere in the project stay what they are.
 */
static void add_link(const struct pack_spec *spec, const struct filelist *packed, const struct file_entry *link,
		     const char *origin, struct filelist *l)
{
	auto_free char *inside = *link->bytes == '/' ? NULL : resolve(link->path, link->bytes);
	auto_free char *path = *link->bytes == '/' ? NULL : resolve(origin, link->bytes);
	const struct file_entry *target = path ? filelist_find(spec->files, path) : NULL;
	size_t before = l->n;

	if (!path || str_eq(path, ".") || (inside && holds(packed, inside))) {
		filelist_add_copy(l, link, link->path);
		return;
	}
	for (int hops = 0; target && target->mode == FILE_MODE_LINK && hops < 8; hops++) {
		auto_free char *next = *target->bytes == '/' ? NULL : resolve(target->path, target->bytes);

		target = next ? filelist_find(spec->files, next) : NULL;
	}
	if (target && target->mode != FILE_MODE_LINK)
		filelist_add_copy(l, target, link->path);
	/* A folder that holds the link itself has no end. */
	else if (!target && !(str_starts(origin, path) && origin[strlen(path)] == '/'))
		filelist_add_below(l, spec->files, path, link->path);
	if (l->n == before)
		filelist_add_copy(l, link, link->path);
}

static void add_all(const struct pack_spec *spec, const char *source_dir, const struct strlist *dependencies,
		    const struct filelist *packed, struct filelist *l)
{
	for (size_t i = 0; i < packed->n; i++) {
		const struct file_entry *e = &packed->v[i];
		size_t n = strcspn(e->path, "/");
		auto_free char *name = xstrndup(e->path, n);
		auto_free char *origin = NULL, *from = NULL;

		if (e->mode != FILE_MODE_LINK) {
			filelist_add_copy(l, e, e->path);
			continue;
		}
		from = origin_of(spec, source_dir, dependencies, name);
		origin = xasprintf("%s%s", from, e->path + n);
		add_link(spec, packed, e, origin, l);
	}
}

/* Data may have such names, but an archive of code is unpacked by other people's tools. */
static int check_names(const struct filelist *l, struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *path = l->v[i].path;
		auto_free char *shown = NULL;

		if (str_is_utf8(path, strlen(path)) && fs_is_safe_relative(path))
			continue;
		shown = str_printable(path);
		err_set(err, ERR_CONFIG, "the name of '%s' is not UTF-8, or has a control character", shown);
		return err_hint(err, "rename it, or leave it out with `source.exclude`");
	}
	return 0;
}

/* Before anything is read: a folder of data or models that came along by mistake would take minutes. */
static int check_size(const struct pack_spec *spec, const struct filelist *l, struct err *err)
{
	const struct file_entry *biggest[3];
	size_t n = filelist_biggest(l, biggest, ARRAY_LEN(biggest));
	uint64_t total = filelist_total_bytes(l);
	auto_free char *size = str_bytes(total), *max = str_bytes(spec->max_bytes);
	auto_str names = { 0 };

	if (!spec->max_bytes || total <= spec->max_bytes)
		return 0;
	for (size_t i = 0; i < n; i++) {
		auto_free char *bytes = str_bytes(biggest[i]->size);

		str_addf(&names, "%s'%s' %s", i ? ", " : "", biggest[i]->path, bytes);
	}
	err_set(err, ERR_CONFIG, "the source archive would hold %s, more than source.max_size (%s); biggest: %s", size,
		max, str_text(&names));
	return err_hint(err, "leave out with `source.exclude` what the job does not need, or raise `source.max_size`; "
			     "data belongs into `inputs`");
}

int pack_list(const struct pack_spec *spec, struct filelist *ret, struct err *err)
{
	auto_filelist packed = { 0 }, list = { 0 };
	auto_strlist dependencies = { 0 };
	auto_free char *source_dir = NULL;
	int rc;

	if (spec->source_dir && normalise("source_dir", spec->source_dir, &source_dir, err) < 0)
		return -1;
	rc = source_dir ? add_source_dir(spec, source_dir, &packed, err) : add_entry_point(spec, &packed, err);
	if (rc < 0 || add_dependencies(spec, source_dir, &packed, &dependencies, err) < 0)
		return -1;
	add_all(spec, source_dir, &dependencies, &packed, &list);
	filelist_sort(&list);
	if (check_names(&list, err) < 0 || filelist_check_unique(&list, "the source archive", err) < 0 ||
	    check_size(spec, &list, err) < 0)
		return -1;
	rc = filelist_total_bytes(&list) <= KEPT_BYTES ? filelist_hash_and_keep(&list, err) : filelist_hash(&list, err);
	if (rc < 0)
		return -1;
	*ret = list;
	list = (struct filelist){ 0 };
	return 0;
}

static int send_archive(struct s3 *s3, const struct filelist *files, const char *bucket, const char *key,
			const struct report *report, struct pack_result *ret, struct err *err)
{
	struct pack_result result = { .has_digest = true };
	auto_close int fd = -1;

	report_text(report, REPORT_STEP, "source", "pack %zu files", files->n);
	if (archive_write_temp(files, true, &fd, &result.digest, &result.bytes, err) < 0)
		return err_wrap(err, "pack the source archive");
	report_text(report, REPORT_STEP, "source", "upload to s3://%s/%s", bucket, key);
	report_progress(report, "source", key, 0, result.bytes);
	if (s3_put_fd(s3, bucket, key, fd, result.bytes, &result.digest, "application/gzip", err) < 0)
		return -1;
	report_progress(report, "source", key, result.bytes, result.bytes);
	*ret = result;
	return 0;
}

int pack_upload(struct s3 *s3, const struct filelist *files, const char *bucket, const char *key,
		const struct report *report, struct pack_result *ret, struct err *err)
{
	auto_s3_head head = { 0 };
	auto_err local = { 0 };

	if (s3_head_object(s3, bucket, key, &head, &local) == 0) {
		*ret = (struct pack_result){ true, head.size, head.has_digest, head.digest };
		return 0;
	}
	if (local.code == ERR_NOT_FOUND)
		return send_archive(s3, files, bucket, key, report, ret, err);
	err_move(err, &local);
	return -1;
}
