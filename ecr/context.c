#include "ecr/context.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "ecr/context_copy.h"
#include "ecr/dockerfile.h"
#include "ecr/dockerignore.h"

#define IGNORE_NAME ".dockerignore"
#define TEXT_MAX    (1024 * 1024)

struct context {
	const struct context_spec *spec;
	char *folder;           /* of the context, relative to root; "." */
	char *disk;             /* … on disk */
	char *dockerfile;       /* relative to root */
	char *inner_dockerfile; /* relative to the context folder; NULL when it lies outside */
	struct strlist include; /* relative to the context folder; "." is all of it */
	struct filelist known;  /* spec->files below folder */
	struct dockerignore ignore;
	char *ignore_name; /* relative to root, or NULL when there is none */
	struct filelist list;
};

static void context_release(struct context *c)
{
	free(c->folder);
	free(c->disk);
	free(c->dockerfile);
	free(c->inner_dockerfile);
	strlist_release(&c->include);
	filelist_release(&c->known);
	dockerignore_release(&c->ignore);
	free(c->ignore_name);
	filelist_release(&c->list);
}

/* "./a/b/" → "a/b", "" and "./" → "."; what leaves the project is refused. */
static int clean_path(const char *key, const char *path, char **ret, struct err *err)
{
	const char *start = path;
	auto_free char *p = NULL;
	size_t n;

	while (str_starts(start, "./"))
		start += 2 + strspn(start + 2, "/");
	n = strlen(start);
	while (n > 1 && start[n - 1] == '/')
		n--;
	p = n ? xstrndup(start, n) : xstrdup(".");
	if (!str_eq(p, ".") && !fs_is_safe_relative(p))
		return err_set(err, ERR_CONFIG, "%s '%s': it is no path inside of the project", key, path);
	*ret = take(p);
	return 0;
}

/* path relative to folder: "." for the folder itself; NULL when it is not in there. Borrowed. */
static const char *below(const char *folder, const char *path)
{
	size_t n = strlen(folder);

	if (str_eq(folder, "."))
		return path;
	if (!str_starts(path, folder))
		return NULL;
	return !path[n] ? "." : path[n] == '/' ? path + n + 1 : NULL;
}

static bool is_at_or_below(const char *folder, const char *path)
{
	return below(folder, path);
}

/* git's own folder and ours, wherever they are (submodules have a .git of their own). */
static bool is_forbidden(const char *path)
{
	auto_strlist parts = { 0 };

	str_split(&parts, path, '/');
	return strlist_has(&parts, ".git") || strlist_has(&parts, ".smpipe");
}

static int clean_include(struct context *c, const char *path, struct err *err)
{
	auto_free char *cleaned = NULL;
	const char *inner;

	if (clean_path("image.include", path, &cleaned, err) < 0)
		return -1;
	inner = below(c->folder, cleaned);
	if (!inner)
		return err_set(err, ERR_CONFIG, "image.include '%s': it is not in the build context '%s'", path,
			       c->folder);
	if (is_forbidden(cleaned))
		return err_set(err, ERR_CONFIG, "image.include '%s': .git and .smpipe are never packed", path);
	/* Of two that overlap, the outer one says it all. */
	for (size_t i = 0; i < c->include.n; i++) {
		if (is_at_or_below(c->include.v[i], inner))
			return 0;
	}
	for (size_t i = c->include.n; i-- > 0;) {
		if (is_at_or_below(inner, c->include.v[i])) {
			free(c->include.v[i]);
			c->include.v[i] = c->include.v[--c->include.n];
		}
	}
	strlist_add(&c->include, inner);
	return 0;
}

static int clean_paths(struct context *c, struct err *err)
{
	const struct context_spec *spec = c->spec;
	const char *inner;

	if (clean_path("image.context", spec->context, &c->folder, err) < 0 ||
	    clean_path("image.dockerfile", spec->dockerfile, &c->dockerfile, err) < 0)
		return -1;
	c->disk = str_eq(c->folder, ".") ? xstrdup(spec->root) : fs_join(spec->root, c->folder);
	if (!fs_is_dir(c->disk))
		return err_set(err, ERR_CONFIG, "image.context '%s': there is no such folder", spec->context);
	inner = below(c->folder, c->dockerfile);
	c->inner_dockerfile = xstrdup_or_null(inner);
	for (size_t i = 0; spec->include && spec->include[i]; i++) {
		if (clean_include(c, spec->include[i], err) < 0)
			return -1;
	}
	return 0;
}

static bool is_included(const struct context *c, const char *path)
{
	for (size_t i = 0; i < c->include.n; i++) {
		if (is_at_or_below(c->include.v[i], path))
			return true;
	}
	return false;
}

static int read_text(const struct file_entry *e, const char *name, char **ret_text, struct err *err)
{
	auto_free char *text = NULL;
	struct file_reader r;
	size_t n = 0;
	int64_t got;

	if (e->mode == FILE_MODE_LINK)
		return err_set(err, ERR_CONFIG, "'%s' is a symbolic link: the file itself is needed", name);
	if (e->size > TEXT_MAX)
		return err_set(err, ERR_CONFIG, "'%s' is larger than 1 MiB", name);
	if (file_reader_open(&r, e, err) < 0)
		return -1;
	text = xcalloc(e->size + 1, 1);
	while ((got = file_reader_read(&r, text + n, e->size - n, e, err)) > 0)
		n += (size_t)got;
	file_reader_close(&r);
	if (got < 0)
		return -1;
	if (strlen(text) != n)
		return err_set(err, ERR_CONFIG, "'%s' is no text", name);
	*ret_text = take(text);
	return 0;
}

/*
 * Read a file that steers the build: 1 = read, 0 = there is none. Both git and docker must see the same one, so a file
 * that is only on disk is refused.
 */
static int read_steering_file(const struct context *c, const char *path, char **ret_text, struct err *err)
{
	const struct file_entry *e = filelist_find(c->spec->files, path);
	auto_free char *disk = fs_join(c->spec->root, path);
	const char *inner = below(c->folder, path);
	auto_filelist one = { 0 };

	if (!e && !fs_exists(disk))
		return 0;
	if (!e && !(inner && is_included(c, inner))) {
		err_set(err, ERR_CONFIG, "'%s': git does not track it", path);
		return err_hint(err, "git add it, or add it to image.include in smpipe.yaml");
	}
	if (!e) {
		if (filelist_add_disk(&one, path, disk, err) < 0)
			return -1;
		e = &one.v[0];
	}
	return read_text(e, path, ret_text, err) < 0 ? -1 : 1;
}

static int read_ignore(struct context *c, struct err *err)
{
	auto_free char *own = xasprintf("%s" IGNORE_NAME, c->dockerfile), *text = NULL;
	auto_free char *shared = str_eq(c->folder, ".") ? xstrdup(IGNORE_NAME) : fs_join(c->folder, IGNORE_NAME);
	const char *name = own;
	int found = read_steering_file(c, own, &text, err);

	if (found == 0) {
		name = shared;
		found = read_steering_file(c, shared, &text, err);
	}
	if (found <= 0)
		return found;
	c->ignore_name = xstrdup(name);
	return dockerignore_parse(text, name, &c->ignore, err);
}

static bool is_kept(const struct context *c, const char *path)
{
	return str_eq(path, IGNORE_NAME) || str_eq(path, c->inner_dockerfile) || is_included(c, path) ||
	       !dockerignore_excludes(&c->ignore, path);
}

static void list_known(struct context *c)
{
	filelist_add_below(&c->known, c->spec->files, c->folder, "");
	for (size_t i = 0; i < c->known.n; i++) {
		const struct file_entry *e = &c->known.v[i];

		if (!is_forbidden(e->path) && is_kept(c, e->path))
			filelist_add_copy(&c->list, e, e->path);
	}
}

/* A file that an include names and git's list does not have. */
static int add_included(struct context *c, const char *path, struct err *err)
{
	auto_free char *disk = fs_join(c->disk, path);

	if (is_forbidden(path) || filelist_find(&c->known, path))
		return 0;
	return filelist_add_disk(&c->list, path, disk, err);
}

struct include_walk {
	struct context *c;
	const char *include;
};

static int add_walked(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	const struct include_walk *w = ctx;
	auto_free char *inner = str_eq(w->include, ".") ? xstrdup(path) : fs_join(w->include, path);

	return S_ISDIR(st->st_mode) ? 0 : add_included(w->c, inner, err);
}

/* Its folder may be reached through a link that leaves the project; the words of the path do not show that. */
static int check_real_place(const struct context *c, const char *include, const char *disk, struct err *err)
{
	auto_free char *folder = fs_dirname(disk), *real_folder = fs_realpath(folder),
		       *real_root = fs_realpath(c->spec->root);
	size_t n = real_root ? strlen(real_root) : 0;

	if (!real_folder || !real_root)
		return err_errno(err, "find '%s'", folder);
	if (str_starts(real_folder, real_root) && (!real_folder[n] || real_folder[n] == '/' || str_eq(real_root, "/")))
		return 0;
	return err_set(err, ERR_CONFIG, "image.include '%s': a symbolic link leads out of the project", include);
}

static int add_include(struct context *c, const char *include, struct err *err)
{
	auto_free char *disk = str_eq(include, ".") ? xstrdup(c->disk) : fs_join(c->disk, include);
	struct include_walk walk = { c, include };
	struct stat st;

	if (lstat(disk, &st) < 0) {
		if (filelist_find(&c->known, include))
			return 0;
		return err_set(err, ERR_CONFIG, "image.include '%s': there is no such file or folder in '%s'", include,
			       c->disk);
	}
	if (!str_eq(include, ".") && check_real_place(c, include, disk, err) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return add_included(c, include, err);
	if (fs_walk(disk, add_walked, &walk, err) < 0)
		return err_wrap(err, "image.include '%s'", include);
	return 0;
}

static void set_bytes(struct filelist *l, const char *path, const char *text)
{
	struct file_entry *e = filelist_add(l, path, FILE_MODE_PLAIN);

	e->bytes = xstrdup(text);
	e->size = strlen(text);
}

/*
 * docker's way with a Dockerfile from elsewhere: it travels in the context under a name that .dockerignore then keeps
 * out of every COPY.
 */
static int add_outer_dockerfile(struct context *c, const char *text, struct err *err)
{
	auto_free char *ignored = NULL, *changed = NULL;

	for (size_t i = 0; i < c->list.n; i++) {
		if (!str_eq(c->list.v[i].path, IGNORE_NAME))
			continue;
		if (read_text(&c->list.v[i], IGNORE_NAME, &ignored, err) < 0)
			return -1;
		filelist_remove(&c->list, i);
		break;
	}
	changed = ignored ? xasprintf("%s\n" CONTEXT_DOCKERFILE "\n", ignored)
			  : xstrdup(IGNORE_NAME "\n" CONTEXT_DOCKERFILE "\n");
	set_bytes(&c->list, IGNORE_NAME, changed);
	set_bytes(&c->list, CONTEXT_DOCKERFILE, text);
	return 0;
}

static int list_all(struct context *c, const char *dockerfile_text, struct err *err)
{
	list_known(c);
	for (size_t i = 0; i < c->include.n; i++) {
		if (add_include(c, c->include.v[i], err) < 0)
			return -1;
	}
	if (!c->inner_dockerfile && add_outer_dockerfile(c, dockerfile_text, err) < 0)
		return -1;
	filelist_sort(&c->list);
	return filelist_check_unique(&c->list, "the build context", err);
}

static int check_copies(const struct context *c, const char *dockerfile_text, struct err *err)
{
	const struct context_copy check = {
		.dockerfile = c->dockerfile,
		.context = &c->list,
		.known = &c->known,
		.disk = c->disk,
		.folder = c->folder,
		.ignore = c->ignore_name,
	};
	auto_dockerfile d = { 0 };

	if (dockerfile_parse(dockerfile_text, c->dockerfile, NULL, &d, err) < 0)
		return -1;
	return context_copy_check(&check, &d, err);
}

int context_list(const struct context_spec *spec, struct filelist *ret, char **ret_dockerfile, struct err *err)
{
	__attribute__((cleanup(context_release))) struct context c = { .spec = spec };
	auto_free char *text = NULL;
	int found;

	if (clean_paths(&c, err) < 0)
		return -1;
	found = read_steering_file(&c, c.dockerfile, &text, err);
	if (found == 0) {
		err_set(err, ERR_CONFIG, "'%s': there is no such Dockerfile", c.dockerfile);
		return err_hint(err, "image.dockerfile in smpipe.yaml names it, relative to the project");
	}
	if (found < 0 || read_ignore(&c, err) < 0 || list_all(&c, text, err) < 0 || check_copies(&c, text, err) < 0)
		return -1;
	if (filelist_hash(&c.list, err) < 0)
		return err_wrap(err, "hash the build context");
	*ret_dockerfile = c.inner_dockerfile ? take(c.inner_dockerfile) : xstrdup(CONTEXT_DOCKERFILE);
	*ret = c.list;
	c.list = (struct filelist){ 0 };
	return 0;
}
