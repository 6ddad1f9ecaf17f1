/* What lies in folders: fs_walk and fs_list of base/fs.h. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

#define MAX_DEPTH 128

static int read_names(int fd, const char *path, struct strlist *names, struct err *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!d) {
		if (copy >= 0)
			close(copy);
		return err_errno(err, "open folder '%s'", path);
	}
	while ((errno = 0, e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			strlist_add(names, e->d_name);
	}
	/* The end looks like an error: half a folder must not pass for all of it. */
	if (errno) {
		err_errno(err, "read folder '%s'", path);
		closedir(d);
		return -1;
	}
	closedir(d);
	strlist_sort(names);
	return 0;
}

static int walk(int fd, const char *path, int depth, fs_walk_fn fn, void *ctx, struct err *err)
{
	auto_strlist names = { 0 };

	if (depth > MAX_DEPTH)
		return err_set(err, ERR_INVALID, "'%s' is more than %d folders deep", path, MAX_DEPTH);
	if (read_names(fd, path, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *child = fs_join(path, names.v[i]);
		auto_close int child_fd = -1;
		struct stat st;
		int answer;

		if (fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_errno(err, "stat '%s'", child);
		answer = fn(ctx, child, &st, err);
		if (answer < 0)
			return -1;
		if (answer > 0 || !S_ISDIR(st.st_mode))
			continue;
		child_fd = openat(fd, names.v[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child_fd < 0)
			return err_errno(err, "open folder '%s'", child);
		if (walk(child_fd, child, depth + 1, fn, ctx, err) < 0)
			return -1;
	}
	return 0;
}

int fs_walk(const char *root, fs_walk_fn fn, void *ctx, struct err *err)
{
	auto_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "open folder '%s'", root);
	return walk(fd, "", 0, fn, ctx, err);
}

int fs_list(const char *folder, struct strlist *ret, struct err *err)
{
	auto_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_strlist names = { 0 };

	if (fd < 0) {
		err_errno(err, "open folder '%s'", folder);
		if (errno == ENOENT)
			err->code = ERR_NOT_FOUND;
		return -1;
	}
	if (read_names(fd, folder, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.')
			strlist_add(ret, names.v[i]);
	return 0;
}
