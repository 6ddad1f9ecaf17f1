#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

int fs_read(const char *path, size_t max, char **ret_text, size_t *ret_n, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	auto_str text = { 0 };
	struct stat st;
	char buffer[16384];
	ssize_t n;

	if (fd < 0) {
		err_errno(err, "open '%s'", path);
		if (errno == ENOENT)
			err->code = ERR_NOT_FOUND;
		return -1;
	}
	if (fstat(fd, &st) < 0)
		return err_errno(err, "stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is no regular file", path);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		if (text.len + (size_t)n > max)
			return err_set(err, ERR_INVALID, "'%s' is larger than %zu bytes", path, max);
		str_add_mem(&text, buffer, (size_t)n);
	}
	if (n < 0)
		return err_errno(err, "read '%s'", path);
	if (ret_n)
		*ret_n = text.len;
	*ret_text = str_detach(&text);
	return 0;
}

int fs_write_all(int fd, const void *p, size_t n, const char *what, struct err *err)
{
	for (const char *b = p; n;) {
		ssize_t done = write(fd, b, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, "write '%s'", what);
		b += done;
		n -= (size_t)done;
	}
	return 0;
}

static int sync_folder(const char *path, struct err *err)
{
	auto_free char *folder = fs_dirname(path);
	auto_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, "sync folder '%s'", folder);
	return 0;
}

static int write_temporary(int fd, const char *temporary, const void *p, size_t n, mode_t mode, struct err *err)
{
	if (fchmod(fd, mode) < 0)
		return err_errno(err, "set mode of '%s'", temporary);
	if (fs_write_all(fd, p, n, temporary, err) < 0)
		return -1;
	if (fsync(fd) < 0)
		return err_errno(err, "sync '%s'", temporary);
	return 0;
}

int fs_write_atomic(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
	auto_free char *temporary = xasprintf("%s.XXXXXX", path);
	auto_close int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "create '%s'", temporary);
	if (write_temporary(fd, temporary, p, n, mode, err) < 0) {
		unlink(temporary);
		return -1;
	}
	if (rename(temporary, path) < 0) {
		err_errno(err, "rename '%s' to '%s'", temporary, path);
		unlink(temporary);
		return -1;
	}
	return sync_folder(path, err);
}

int fs_mkdir_p(const char *path, mode_t mode, struct err *err)
{
	auto_free char *copy = xstrdup(path);

	for (char *slash = copy + 1; *copy; slash++) {
		char c = *slash;

		if (c && c != '/')
			continue;
		*slash = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return err_errno(err, "create folder '%s'", copy);
		*slash = c;
		if (!c)
			break;
	}
	if (!fs_is_dir(path)) {
		errno = ENOTDIR;
		return err_errno(err, "create folder '%s'", path);
	}
	return 0;
}

static int remove_at(int parent, const char *name, const char *path, struct err *err);

static int remove_children(int fd, const char *path, struct err *err)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int result = 0;

	if (!d) {
		close(fd);
		return err_errno(err, "open folder '%s'", path);
	}
	while (result == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			result = remove_at(dirfd(d), e->d_name, path, err);
	}
	closedir(d);
	return result;
}

static int remove_at(int parent, const char *name, const char *path, struct err *err)
{
	int fd;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(err, "remove '%s' of '%s'", name, path);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open folder '%s' of '%s'", name, path);
	if (remove_children(fd, path, err) < 0)
		return -1;
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0)
		return err_errno(err, "remove folder '%s' of '%s'", name, path);
	return 0;
}

int fs_remove_tree(const char *path, struct err *err)
{
	return remove_at(AT_FDCWD, path, path, err);
}

bool fs_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool fs_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *fs_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	if (*b == '/' || !n)
		return xstrdup(b);
	return xasprintf("%s%s%s", a, a[n - 1] == '/' ? "" : "/", b);
}

char *fs_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

const char *fs_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *fs_realpath(const char *path)
{
	return realpath(path, NULL);
}

bool fs_is_relative(const char *path)
{
	for (const char *part = path;;) {
		size_t n = strcspn(part, "/");

		if (!n || (n == 1 && *part == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (!part[n])
			return true;
		part += n + 1;
	}
}

bool fs_is_safe_relative(const char *path)
{
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return fs_is_relative(path);
}

const char *fs_temp_root(void)
{
	const char *folder = getenv("TMPDIR");

	return folder && *folder == '/' ? folder : "/tmp";
}

static char *temp_path(const char *prefix)
{
	return xasprintf("%s/%s.XXXXXX", fs_temp_root(), prefix);
}

char *fs_temp_dir(const char *prefix, struct err *err)
{
	auto_free char *path = temp_path(prefix);

	if (!mkdtemp(path)) {
		err_errno(err, "create folder '%s'", path);
		return NULL;
	}
	return take(path);
}

int fs_temp_file(struct err *err)
{
	auto_free char *path = temp_path("smpipe");
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "create '%s'", path);
	unlink(path);
	return fd;
}

/* The file stays when the lock is given up: removing it would let two processes lock two files of one name. */
int fs_lock(const char *path, int *ret_fd, struct err *err)
{
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char pid[32] = "";
	int n;

	if (fd < 0)
		return err_errno(err, "open lock '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_errno(err, "lock '%s'", path);
		n = (int)pread(fd, pid, sizeof(pid) - 1, 0);
		pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
		return err_set(err, ERR_CONFLICT, "'%s' is locked by process %s", path, *pid ? pid : "?");
	}
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)n, 0) < 0)
		return err_errno(err, "write lock '%s'", path);
	*ret_fd = take_fd(&fd);
	return 0;
}
