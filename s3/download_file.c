/* The temporary file of a download, and the list of its ranges that are there. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/download_internal.h"

/* Of a fixed length: a name beside one of 255 bytes must not be longer than that. */
#define TEMPORARY_DIGITS 16
#define JOURNAL_SUFFIX   "-ranges"
/* Others that finish between our open and our lock; each turn but the last is one that did. */
#define LOCK_TURNS 100

/* A device or a pipe would be gone, and a link is not what it leads to. */
static int check_target(const char *target, struct err *err)
{
	struct stat st;

	if (lstat(target, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	return err_set(err, ERR_CONFIG, "'%s' exists, and is no file that could be replaced", target);
}

static void name_files(struct download_file *f, const char *target)
{
	auto_free char *folder = fs_dirname(target);
	struct digest digest = digest_of_text(fs_basename(target));
	auto_free char *hex = digest_hex(&digest);
	auto_free char *name = xasprintf(DOWNLOAD_TEMPORARY_PREFIX "%.*s", TEMPORARY_DIGITS, hex);

	f->target = xstrdup(target);
	f->temporary = fs_join(folder, name);
	f->journal = xasprintf("%s" JOURNAL_SUFFIX, f->temporary);
}

static int open_fd(const struct download_file *f, const char *path, int flags, struct err *err)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0666);

	return fd < 0 ? err_errno(err, "create '%s' for '%s'", path, f->target) : fd;
}

/* 1: ours, 0: another has it. */
static int lock_fd(const struct download_file *f, int fd, struct err *err)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 1;
	if (errno == EWOULDBLOCK)
		return 0;
	/* A file system without locks: as good as it can be there. */
	if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP)
		return 1;
	return err_errno(err, "lock '%s' for '%s'", f->temporary, f->target);
}

/* Whether the file that is locked still has the name: its holder may have renamed or removed it after our open. */
static bool has_name(const struct download_file *f, int fd, struct stat *ret_st)
{
	struct stat named;

	return fstat(fd, ret_st) == 0 && lstat(f->temporary, &named) == 0 && named.st_dev == ret_st->st_dev &&
	       named.st_ino == ret_st->st_ino;
}

int download_file_lock(struct download_file *f, const char *target, struct err *err)
{
	if (check_target(target, err) < 0)
		return -1;
	name_files(f, target);
	for (int i = 0; i < LOCK_TURNS; i++) {
		auto_close int fd = open_fd(f, f->temporary, 0, err);
		struct stat st;
		int is_ours = fd < 0 ? -1 : lock_fd(f, fd, err);

		if (is_ours < 0)
			return -1;
		if (!is_ours)
			break;
		if (!has_name(f, fd, &st))
			continue;
		if (!S_ISREG(st.st_mode))
			return err_set(err, ERR_CONFIG, "'%s' is no file", f->temporary);
		f->has_rest = st.st_size > 0;
		f->fd = take_fd(&fd);
		return 0;
	}
	return err_set(err, ERR_CONFLICT, "'%s' is being fetched by another process", target);
}

/* Of nothing, or of another object: the list goes first, so that it never vouches for what is not there. */
static int begin_anew(struct download_file *f, const struct digest *id, struct err *err)
{
	if (!id)
		unlink(f->journal);
	if ((id && ftruncate(f->journal_fd, 0) < 0) || (f->has_rest && ftruncate(f->fd, 0) < 0))
		return err_errno(err, "empty what is left of '%s'", f->target);
	f->has_rest = false;
	return id ? fs_write_all(f->journal_fd, id->b, sizeof(id->b), f->journal, err) : 0;
}

/* The object's id, then four bytes a range, appended; a torn last one is cut off. False: it is of another object. */
static bool read_journal(struct download_file *f, const struct digest *id, uint32_t n_ranges)
{
	struct digest of;
	uint32_t i, n = 0;

	if (read(f->journal_fd, of.b, sizeof(of.b)) != (ssize_t)sizeof(of.b) || !digest_equal(&of, id))
		return false;
	for (; read(f->journal_fd, &i, sizeof(i)) == (ssize_t)sizeof(i); n++)
		if (i < n_ranges)
			f->has_range[i] = true;
	f->has_rest = n > 0;
	return ftruncate(f->journal_fd, (off_t)(sizeof(of.b) + n * sizeof(i))) == 0;
}

int download_file_begin(struct download_file *f, const struct digest *id, uint32_t n_ranges, struct err *err)
{
	f->has_range = xcalloc(n_ranges, sizeof(*f->has_range));
	if (!id)
		return begin_anew(f, NULL, err);
	f->journal_fd = open_fd(f, f->journal, O_APPEND, err);
	if (f->journal_fd < 0)
		return -1;
	/* A list without its file is what a kill between the two last steps leaves: it vouches for nothing. */
	if (f->has_rest && read_journal(f, id, n_ranges))
		return 0;
	return begin_anew(f, id, err);
}

int download_file_note(struct download_file *f, uint32_t range, bool is_unchecked, struct err *err)
{
	if (f->journal_fd < 0)
		return 0;
	if (is_unchecked && fdatasync(f->fd) < 0)
		return err_errno(err, "write '%s'", f->target);
	if (fs_write_all(f->journal_fd, &range, sizeof(range), f->journal, err) < 0)
		return -1;
	f->has_rest = true;
	return 0;
}

int download_file_finish(struct download_file *f, struct err *err)
{
	struct stat st;

	/* Otherwise another file would become the target, and what has the name is not ours to remove. */
	if (!has_name(f, f->fd, &st)) {
		unlink(f->journal);
		f->is_gone = true;
		return err_set(err, ERR_CONFLICT, "'%s' was taken away while '%s' was fetched to it", f->temporary,
			       f->target);
	}
	/* Small files are many, and quickly fetched again. */
	if (f->journal_fd >= 0 && fdatasync(f->fd) < 0)
		return err_errno(err, "write '%s'", f->target);
	if (rename(f->temporary, f->target) < 0)
		return err_errno(err, "rename '%s' to '%s'", f->temporary, f->target);
	/* The name is free for another process now: at worst it loses its list, and begins anew when it is cut off. */
	if (f->journal_fd >= 0)
		unlink(f->journal);
	f->is_gone = true;
	return 0;
}

void download_file_drop(struct download_file *f)
{
	unlink(f->journal);
	unlink(f->temporary);
	f->is_gone = true;
}

bool download_file_can_go_on(const struct download_file *f)
{
	return f->fd >= 0 && f->has_rest && !f->is_gone;
}

void download_file_release(struct download_file *f)
{
	if (f->fd >= 0 && !f->is_gone && !download_file_can_go_on(f))
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
