/* The temporary file of a download, and the list of its ranges that are there. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/download_internal.h"

#define JOURNAL_SUFFIX "-ranges"

/* What other versions of the object, or downloads that had no id, left beside the target. */
static void remove_others(const struct download_file *f, const char *folder, const char *prefix)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		auto_free char *path = fs_join(folder, e->d_name);

		if (str_starts(e->d_name, prefix) && strcmp(path, f->temporary) != 0 && strcmp(path, f->journal) != 0)
			unlink(path);
	}
	if (d)
		closedir(d);
}

/* Four bytes a range, appended; a torn last one is none. */
static void read_journal(struct download_file *f, uint32_t n_ranges)
{
	uint32_t i;

	while (read(f->journal_fd, &i, sizeof(i)) == (ssize_t)sizeof(i))
		if (i < n_ranges)
			f->has_range[i] = true;
}

static int open_fd(const char *path, int flags, struct err *err)
{
	int fd = open(path, O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0666);

	return fd < 0 ? err_errno(err, "create '%s'", path) : fd;
}

/* A device or a pipe would be gone, and a link is not what it leads to. */
static int check_target(const char *target, struct err *err)
{
	struct stat st;

	if (lstat(target, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	return err_set(err, ERR_CONFIG, "'%s' is no file that could be replaced", target);
}

int download_file_open(struct download_file *f, const char *target, const char *id, uint32_t n_ranges, struct err *err)
{
	auto_free char *folder = fs_dirname(target);
	auto_free char *prefix = xasprintf(".%s.smpipe-", fs_basename(target));
	auto_free char *name = xasprintf("%s%s", prefix, id ? id : "new");

	if (check_target(target, err) < 0)
		return -1;
	f->target = xstrdup(target);
	f->temporary = fs_join(folder, name);
	f->journal = xasprintf("%s" JOURNAL_SUFFIX, f->temporary);
	f->has_range = xcalloc(n_ranges, sizeof(*f->has_range));
	if (id)
		remove_others(f, folder, prefix);
	/* A list without its file is what a kill between the two last steps leaves: it vouches for nothing. */
	if (id && access(f->temporary, F_OK) < 0)
		unlink(f->journal);
	f->fd = open_fd(f->temporary, O_RDWR | (id ? 0 : O_TRUNC), err);
	if (f->fd < 0)
		return -1;
	if (!id)
		return 0;
	f->journal_fd = open_fd(f->journal, O_RDWR | O_APPEND, err);
	if (f->journal_fd < 0)
		return -1;
	read_journal(f, n_ranges);
	return 0;
}

int download_file_note(struct download_file *f, uint32_t range, struct err *err)
{
	return f->journal_fd < 0 ? 0 : fs_write_all(f->journal_fd, &range, sizeof(range), f->journal, err);
}

int download_file_finish(struct download_file *f, struct err *err)
{
	/* Small files are many, and quickly fetched again. */
	if (f->journal_fd >= 0 && fdatasync(f->fd) < 0)
		return err_errno(err, "write '%s'", f->temporary);
	if (rename(f->temporary, f->target) < 0)
		return err_errno(err, "rename '%s' to '%s'", f->temporary, f->target);
	if (f->journal_fd >= 0)
		unlink(f->journal);
	f->is_finished = true;
	return 0;
}

void download_file_drop(struct download_file *f)
{
	unlink(f->temporary);
	unlink(f->journal);
}

void download_file_release(struct download_file *f)
{
	/* Without a list, or with an empty one, nobody can go on with it. */
	if (f->fd >= 0 && !f->is_finished && (f->journal_fd < 0 || lseek(f->journal_fd, 0, SEEK_END) == 0))
		download_file_drop(f);
	if (f->fd >= 0)
		close(f->fd);
	if (f->journal_fd >= 0)
		close(f->journal_fd);
	free(f->target);
	free(f->temporary);
	free(f->journal);
	free(f->has_range);
	*f = (struct download_file){ .fd = -1, .journal_fd = -1 };
}
