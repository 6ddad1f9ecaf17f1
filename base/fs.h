#ifndef SMPIPE_BASE_FS_H
#define SMPIPE_BASE_FS_H

/* Files: whole reads with a limit, writes that are old or new but never mixed, trees. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* Read a regular file of at most max bytes. ERR_NOT_FOUND, ERR_INVALID (too large). NUL is added; *ret_n may be NULL.
 */
int fs_read(const char *path, size_t max, char **ret_text, size_t *ret_n, struct err *err);

/* Write to a temporary beside path, fsync, rename, fsync the folder. mode as in open(2). */
int fs_write_atomic(const char *path, const void *p, size_t n, mode_t mode, struct err *err);

/* Write all n bytes to fd. */
int fs_write_all(int fd, const void *p, size_t n, const char *what, struct err *err);

/* Create path and its parents. */
int fs_mkdir_p(const char *path, mode_t mode, struct err *err);

/* Remove a tree; symbolic links are not followed; absent is fine. */
int fs_remove_tree(const char *path, struct err *err);

bool fs_exists(const char *path);
bool fs_is_dir(const char *path);

/* "a/b"; b absolute wins; "." parts of a are kept. New string. */
char *fs_join(const char *a, const char *b);
/* The part before the last '/', "." if none. New string. */
char *fs_dirname(const char *path);
/* The part after the last '/'. Borrowed. */
const char *fs_basename(const char *path);
/* Absolute path of an existing thing, links resolved; NULL with errno. */
char *fs_realpath(const char *path);

/*
 * Whether a relative path stays below its root by its words alone: not empty, not absolute, no "..", no "." or empty
 * part. fs_is_safe_relative: and has no control character.
 */
bool fs_is_relative(const char *path);
bool fs_is_safe_relative(const char *path);

/* Where temporary files go: $TMPDIR when it is absolute, else /tmp. */
const char *fs_temp_root(void);
/* A new private folder (mode 0700) there. New string. */
char *fs_temp_dir(const char *prefix, struct err *err);

/* An unlinked temporary file for reading and writing; -1 on error. */
int fs_temp_file(struct err *err);

/*
 * Take the lock file path (created if need be) for this process with flock(2): a lock of a dead process is free by
 * itself. ERR_CONFLICT when another process has it; its pid, read from the file, is in the message. Keep *ret_fd open
 * to hold it.
 */
int fs_lock(const char *path, int *ret_fd, struct err *err);

/*
 * Called for each entry below root, parents first, in byte order of the names; path is relative. Return -1 with err to
 * stop, 1 to leave out what is in this folder.
 */
struct stat;
typedef int (*fs_walk_fn)(void *ctx, const char *path, const struct stat *st, struct err *err);
int fs_walk(const char *root, fs_walk_fn fn, void *ctx, struct err *err);

/* Add the names in a folder that do not begin with a dot, in byte order. ERR_NOT_FOUND: there is no such folder. */
int fs_list(const char *folder, struct strlist *ret, struct err *err);

#endif
