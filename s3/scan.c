#include "s3/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/sys.h"
#include "s3/object.h"
#include "s3/parts.h"
#include "s3/scan_pattern.h"

#define MAX_DEPTH 128
/* What a file takes in the manifest besides its path. */
#define MANIFEST_RECORD_BYTES 160

struct scan {
	const char *root;
	int root_fd;
	char *real_root; /* with '/' at its end */
	struct scan_patterns include, exclude;
	enum scan_links links;
	struct filelist files;
	size_t manifest_bytes;
};

void scan_options_release(struct scan_options *o)
{
	strlist_release(&o->include);
	strlist_release(&o->exclude);
}

bool scan_is_data_path(const char *path)
{
	const char *part = path;

	if (!*path || !str_is_utf8(path, strlen(path)))
		return false;
	for (;;) {
		size_t n = strcspn(part, "/");

		if (!n || (n == 1 && *part == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		/* The slash of an empty folder. */
		if (!part[n] || !part[n + 1])
			return true;
		part += n + 1;
	}
}

/* Refuse an entry; words are a format for its name, as shown, and the root. */
#define REFUSE(s, path, words)                                                                                         \
	do {                                                                                                           \
		auto_free char *shown = str_escaped(path);                                                             \
		return err_set(err, ERR_CONFIG, words, shown, (s)->root);                                              \
	} while (0)

/* Another process is at work in the folder: nothing that smpipe.yaml says is wrong. */
static int changed(const struct scan *s, const char *path, struct err *err)
{
	auto_free char *shown = str_escaped(path);

	err_set(err, ERR_FAILED, "'%s' in '%s' changed while it was listed", shown, s->root);
	return err_hint(err, "run it again when nothing writes to the folder");
}

static int check_name(struct scan *s, const char *path, struct err *err)
{
	size_t n = strlen(path);

	if (!str_is_utf8(path, n))
		REFUSE(s, path, "the name '%s' in '%s' is not UTF-8, which S3 needs");
	if (n + DIGEST_HEX + 1 > S3_KEY_MAX_BYTES)
		REFUSE(s, path, "the name '%s' in '%s' is too long for S3");
	s->manifest_bytes += 2 * n + MANIFEST_RECORD_BYTES;
	if (s->manifest_bytes > SCAN_MAX_MANIFEST_BYTES)
		return err_set(err, ERR_CONFIG, "the data folder '%s' holds more files than one snapshot can name",
			       s->root);
	return 0;
}

static int add_file(struct scan *s, const char *path, const char *disk_path, const struct stat *st, struct err *err)
{
	struct file_entry *e;

	if (check_name(s, path, err) < 0)
		return -1;
	if ((uint64_t)st->st_size > S3_MAX_OBJECT_BYTES)
		REFUSE(s, path, "'%s' in '%s' is larger than 48.8 TiB, the most that S3 stores as one object");
	e = filelist_add(&s->files, path, FILE_MODE_PLAIN);
	e->disk_path = xstrdup(disk_path);
	e->size = (uint64_t)st->st_size;
	e->stamp = file_stamp_of(st);
	e->has_stamp = true;
	return 0;
}

static int add_empty_folder(struct scan *s, const char *path, struct err *err)
{
	auto_free char *name = xasprintf("%s/", path);
	struct file_entry *e;

	if (check_name(s, name, err) < 0)
		return -1;
	e = filelist_add(&s->files, name, FILE_MODE_PLAIN);
	e->bytes = xstrdup("");
	e->digest = digest_of("", 0);
	e->has_digest = true;
	return 0;
}

/* What lies at a relative path without any link, reached from the root folder part by part. */
static int stat_beneath(int root_fd, const char *path, struct stat *ret)
{
	auto_close int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
	auto_strlist parts = { 0 };

	str_split(&parts, path, '/');
	for (size_t i = 0; i + 1 < parts.n; i++) {
		int next = openat(fd, parts.v[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (next < 0)
			return -1;
		close(fd);
		fd = next;
	}
	return fstatat(fd, parts.v[parts.n - 1], ret, AT_SYMLINK_NOFOLLOW);
}

static int refuse_link(struct scan *s, const char *path, const char *words, struct err *err)
{
	auto_free char *shown = str_escaped(path);

	err_set(err, ERR_CONFIG, "the link '%s' %s the data folder '%s'", shown, words, s->root);
	return err_hint(err, "`symlinks: skip` leaves links out");
}

static int add_link(struct scan *s, const char *path, struct err *err)
{
	auto_free char *disk_path = fs_join(s->root, path);
	auto_free char *real = NULL;
	struct stat st;

	if (s->links == SCAN_LINKS_SKIP)
		return 0;
	if (s->links == SCAN_LINKS_ERROR)
		return refuse_link(s, path, "is not wanted (`symlinks: error`) in", err);
	real = fs_realpath(disk_path);
	if (!real)
		return refuse_link(s, path, errno == ELOOP ? "leads in a circle in" : "leads nowhere from", err);
	if (!str_starts(real, s->real_root))
		return refuse_link(s, path, "leads out of", err);
	if (stat_beneath(s->root_fd, real + strlen(s->real_root), &st) < 0)
		return changed(s, path, err);
	if (!S_ISREG(st.st_mode))
		return refuse_link(s, path, "does not lead to a file of", err);
	return add_file(s, path, real, &st, err);
}

/* The names in a folder in the order in which the paths stand that begin with them: folders end in '/'. */
static int read_names(struct scan *s, int fd, const char *path, struct strlist *names, struct err *err)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	int rc = 0;

	if (!d) {
		err_errno(err, "open folder '%s/%s'", s->root, path);
		if (copy >= 0)
			close(copy);
		return -1;
	}
	while ((errno = 0, e = readdir(d))) {
		struct stat st;
		bool is_folder = e->d_type == DT_DIR;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (e->d_type == DT_UNKNOWN && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			is_folder = S_ISDIR(st.st_mode);
		strlist_take(names, is_folder ? xasprintf("%s/", e->d_name) : xstrdup(e->d_name));
	}
	/* The end looks like an error: half a folder must not pass for all of it. */
	if (errno)
		rc = err_errno(err, "read folder '%s/%s'", s->root, path);
	closedir(d);
	strlist_sort(names);
	return rc;
}

static int visit_other(struct scan *s, int fd, const char *name, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "stat '%s/%s'", s->root, path);
	if (S_ISLNK(st.st_mode))
		return add_link(s, path, err);
	if (S_ISREG(st.st_mode)) {
		auto_free char *disk_path = fs_join(s->root, path);

		return add_file(s, path, disk_path, &st, err);
	}
	if (S_ISDIR(st.st_mode))
		return changed(s, path, err);
	REFUSE(s, path, "'%s' in '%s' is neither a file nor a folder");
}

static int walk(struct scan *s, int fd, const char *path, bool is_included, int depth, struct err *err);

static int visit_folder(struct scan *s, int parent, const char *name, const char *path, bool is_included, int depth,
			struct err *err)
{
	auto_close int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return changed(s, path, err);
	if (fd < 0)
		return err_errno(err, "open folder '%s/%s'", s->root, path);
	if (depth == MAX_DEPTH)
		return err_set(err, ERR_CONFIG, "'%s/%s' is more than %d folders deep", s->root, path, MAX_DEPTH);
	return walk(s, fd, path, is_included, depth + 1, err);
}

static int visit(struct scan *s, int fd, char *name, const char *folder, bool is_included, int depth, struct err *err)
{
	bool is_folder = str_ends(name, "/");
	auto_free char *path = NULL;

	if (is_folder)
		name[strlen(name) - 1] = '\0';
	path = *folder ? xasprintf("%s/%s", folder, name) : xstrdup(name);
	if (str_eq(path, ".smpipe") || scan_patterns_match(&s->exclude, path, is_folder))
		return 0;
	is_included = is_included || scan_patterns_match(&s->include, path, is_folder);
	if (is_folder)
		return visit_folder(s, fd, name, path, is_included, depth, err);
	return is_included ? visit_other(s, fd, name, path, err) : 0;
}

static int walk(struct scan *s, int fd, const char *path, bool is_included, int depth, struct err *err)
{
	auto_strlist names = { 0 };

	if (sys_check_cancelled(err) < 0 || read_names(s, fd, path, &names, err) < 0)
		return -1;
	if (!names.n && is_included && *path)
		return add_empty_folder(s, path, err);
	for (size_t i = 0; i < names.n; i++) {
		if (visit(s, fd, names.v[i], path, is_included, depth, err) < 0)
			return -1;
	}
	return 0;
}

static int scan_folder(struct scan *s, struct err *err)
{
	auto_free char *real = fs_realpath(s->root);

	if (!real)
		return err_errno(err, "resolve '%s'", s->root);
	s->real_root = xasprintf("%s%s", real, str_ends(real, "/") ? "" : "/");
	s->root_fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0)
		return err_errno(err, "open folder '%s'", s->root);
	return walk(s, s->root_fd, "", !s->include.n, 0, err);
}

/* The path itself may be a link: the user named it. */
static int scan_file(struct scan *s, struct err *err)
{
	auto_free char *real = fs_realpath(s->root);
	struct stat st;

	if (!real || lstat(real, &st) < 0)
		return err_errno(err, "resolve '%s'", s->root);
	return add_file(s, fs_basename(s->root), real, &st, err);
}

/* The path up to a '/' before which there is a file. New string. */
static char *file_before_slash(const char *path)
{
	auto_free char *part = xstrdup(path);
	struct stat st;

	for (char *slash; (slash = strrchr(part, '/')) && slash > part;) {
		*slash = '\0';
		if (stat(part, &st) == 0)
			break;
	}
	return take(part);
}

/* stat() has set errno. */
static int refuse_root(const struct scan *s, struct err *err)
{
	auto_free char *file = errno == ENOTDIR ? file_before_slash(s->root) : NULL;

	if (file)
		return err_set(err, ERR_CONFIG, "the data path '%s': '%s' is a file, not a folder", s->root, file);
	if (errno != ENOENT)
		return err_set(err, ERR_CONFIG, "the data path '%s': %s", s->root, strerror(errno));
	err_set(err, ERR_CONFIG, "the data path '%s' does not exist", s->root);
	/* The project's folder stands before a path of smpipe.yaml. */
	return str_starts(s->root, "~/") || strstr(s->root, "/~/")
		       ? err_hint(err, "only a shell makes the home folder of `~`: write the path out")
		       : -1;
}

static int scan_any(struct scan *s, struct err *err)
{
	bool has_file = false;
	struct stat st;

	if (stat(s->root, &st) < 0)
		return refuse_root(s, err);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "the data path '%s' is neither a file nor a folder", s->root);
	if ((S_ISDIR(st.st_mode) ? scan_folder(s, err) : scan_file(s, err)) < 0)
		return -1;
	for (size_t i = 0; i < s->files.n && !has_file; i++)
		has_file = !file_entry_is_folder(&s->files.v[i]);
	if (!has_file)
		return err_set(err, ERR_CONFIG, "the data folder '%s' holds no file%s", s->root,
			       s->include.n || s->exclude.n ? " that `include` and `exclude` take" : "");
	/* Links' names stand among the others, so this finds nothing to do but a reader may rely on it. */
	filelist_sort(&s->files);
	return 0;
}

int scan_path(const char *path, const struct scan_options *o, struct filelist *ret, struct err *err)
{
	static const struct scan_options none = { 0 };
	struct scan s = { .root = path, .root_fd = -1, .links = o ? o->links : none.links };
	int rc;

	o = o ? o : &none;
	rc = scan_patterns_parse(&o->include, &s.include, err);
	if (rc == 0)
		rc = scan_patterns_parse(&o->exclude, &s.exclude, err);
	if (rc == 0)
		rc = scan_any(&s, err);
	if (rc == 0) {
		*ret = s.files;
		s.files = (struct filelist){ 0 };
	}
	filelist_release(&s.files);
	scan_patterns_release(&s.include);
	scan_patterns_release(&s.exclude);
	free(s.real_root);
	if (s.root_fd >= 0)
		close(s.root_fd);
	return rc;
}
