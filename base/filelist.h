#ifndef SMPIPE_BASE_FILELIST_H
#define SMPIPE_BASE_FILELIST_H

/*
 * A list of files to pack or send: the currency between git, which knows what belongs to a commit, and the packers,
 * which know nothing of git.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

/* Files go into archives with one of these modes and no other (design 3a). */
#define FILE_MODE_PLAIN 0644
#define FILE_MODE_EXEC  0755
#define FILE_MODE_LINK  0120000 /* symbolic link; content is the target */

struct file_entry;

/*
 * A store of contents by the entry's id (git's blobs, say), which decides; its path and size may help to find them. NUL
 * is added. Called from several threads; locks for itself if it must.
 */
struct file_store {
	int (*read)(const struct file_store *store, const struct file_entry *e, char **ret_bytes, size_t *ret_n,
		    struct err *err);
};

/* By what a changed file is noticed. */
struct file_stamp {
	uint64_t device, inode, size;
	int64_t mtime_ns;
	int64_t ctime_ns; /* not compared: a chmod changes it too */
};

struct stat;
struct file_stamp file_stamp_of(const struct stat *st);
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);

struct file_entry {
	char *path;      /* relative, '/' between parts, no "." or ".." */
	char *origin;    /* path in the list that it was copied from, where that differs; else NULL */
	unsigned mode;   /* one of FILE_MODE_* */
	bool is_tracked; /* git tracks it */
	bool has_digest, has_stamp;
	uint64_t size; /* bytes of the content */

	/* Where the content is: exactly one of these three is set. */
	char *disk_path;
	char *bytes;                    /* a link's target, say */
	const struct file_store *store; /* … under id; borrowed: outlives the list */
	char *id;

	struct digest digest; /* SHA-256 of the content, valid when has_digest … */
	/*
	 * … or, of data above one part (s3/parts.h), the SHA-256 of its parts' digests. n_parts is 0 for a plain one;
	 * parts is NULL where only their number is known.
	 */
	uint32_t n_parts;
	struct digest *parts;

	struct file_stamp stamp; /* of disk_path, when it was listed: when has_stamp, a reader holds the file to it */
};

/* An empty folder of data: its path ends in '/', it has no bytes, and S3 gets nothing of it. */
bool file_entry_is_folder(const struct file_entry *e);

/* The error for a file that is not what it was: ERR_FAILED, for something may have been sent. Returns -1. */
int file_entry_changed(const struct file_entry *e, struct err *err);
/* ERR_FAILED when the open file is not the regular file of the entry's size and stamp. *ret_stamp may be NULL. */
int file_entry_check(const struct file_entry *e, int fd, struct file_stamp *ret_stamp, struct err *err);

struct filelist {
	struct file_entry *v;
	size_t n, cap;
};

#define auto_filelist __attribute__((cleanup(filelist_release))) struct filelist

/* Append an empty entry with a copy of path and return it; valid until the next add. */
struct file_entry *filelist_add(struct filelist *l, const char *path, unsigned mode);
/* Append a regular file or link that lies on disk: lstat's it for mode and size. ERR_INVALID for devices, sockets,
 * FIFOs. */
int filelist_add_disk(struct filelist *l, const char *path, const char *disk_path, struct err *err);
/* Append copies of all entries of from whose path lies below dir ("." = all), with dir replaced by to ("" = none). */
void filelist_add_below(struct filelist *l, const struct filelist *from, const char *dir, const char *to);
/* Append a copy of one entry under another path. */
void filelist_add_copy(struct filelist *l, const struct file_entry *e, const char *path);

/* Sort by the bytes of the path. */
void filelist_sort(struct filelist *l);
/* After sorting: the entry with this path, or NULL. */
struct file_entry *filelist_find(const struct filelist *l, const char *path);
/* After sorting: ERR_CONFIG when a path is there twice or is also the folder of another; the message names it. */
int filelist_check_unique(const struct filelist *l, const char *what, struct err *err);
void filelist_remove(struct filelist *l, size_t i);
uint64_t filelist_total_bytes(const struct filelist *l);
/* The biggest entries first, at most max; of the same size the first in the list. Returns how many. */
size_t filelist_biggest(const struct filelist *l, const struct file_entry **ret, size_t max);
void filelist_release(struct filelist *l);
/* What an entry owns; for whoever takes it out of a list. */
void file_entry_release(struct file_entry *e);

/* Where the content of an entry can be read. */
struct file_reader {
	int fd;            /* or -1 */
	const char *bytes; /* when fd < 0 */
	char *owned;       /* bytes, when they came from a store */
	uint64_t left;
};
/* Opens with O_NOFOLLOW; another size or stamp than the entry's is an error that names the file (it changed). */
int file_reader_open(struct file_reader *r, const struct file_entry *e, struct err *err);
/* Read up to n bytes; 0 at the end. A file that is shorter than its size said is an error. */
int64_t file_reader_read(struct file_reader *r, void *p, size_t n, const struct file_entry *e, struct err *err);
void file_reader_close(struct file_reader *r);

/* The whole content of at most max bytes, NUL added; new. ERR_INVALID when it is larger. */
int file_entry_read(const struct file_entry *e, size_t max, char **ret_text, size_t *ret_n, struct err *err);

/*
 * Fill in the missing digests, reading each file once, on all cores. Of several errors that of the first entry.
 * ERR_FAILED names a file that changed meanwhile.
 */
int filelist_hash(struct filelist *l, struct err *err);
/* The same for a small list: the contents are kept in memory and are not read again. */
int filelist_hash_and_keep(struct filelist *l, struct err *err);
/*
 * The same for a list of data, whose files above part_bytes(size) get the digest of their parts' digests. Progress is
 * reported for the stage (base/report.h).
 */
struct report;
int filelist_hash_parts(struct filelist *l, uint64_t (*part_bytes)(uint64_t size), const struct report *report,
			const char *stage, struct err *err);

/*
 * The tree digest (format 1): SHA-256 of the records `mode SP size SP file-digest SP path NUL` in byte order of the
 * path. A file-digest is hexadecimal, with "-<number of parts>" where it is made of theirs. mode is octal (100644,
 * 100755, 120000), or `-` for all when is_data. The list must be sorted and hashed.
 */
struct digest filelist_tree_digest(const struct filelist *l, bool is_data);
/* One record more of it. */
void filelist_tree_add(struct digest_state *state, const struct file_entry *e, bool is_data);

#endif
