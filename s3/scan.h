#ifndef SMPIPE_S3_SCAN_H
#define SMPIPE_S3_SCAN_H

/*
 * What a local data path holds, as a snapshot sees it.
 *
 * A folder is read recursively through open folders (openat), never by its path again: one that is swapped for a link
 * meanwhile cannot lead out. Entries come in byte order of their paths. A folder that holds nothing at all is an entry
 * too, its path ending in '/' (S3 has no folders: it stands in the manifest only). Our own state, `.smpipe` at the top,
 * is left out.
 *
 * Names may hold anything that is UTF-8: spaces, '+', '%', newlines. S3's keys carry them, and JSON does.
 */

#include "base/filelist.h"
#include "base/str.h"

/* Files of one snapshot are limited by the bytes that its manifest takes. */
#define SCAN_MAX_MANIFEST_BYTES ((size_t)256 * 1024 * 1024)
#define SCAN_MAX_PATTERNS       1000

/* S3 has no links: what a link leads to is sent, or nothing. */
enum scan_links {
	SCAN_LINKS_INSIDE, /* links to files inside the folder are followed, all others refused */
	SCAN_LINKS_SKIP,   /* links are left out */
	SCAN_LINKS_ERROR,  /* links are refused */
};

/*
 * include and exclude hold patterns as in .gitignore: `*` and `?` stop at a slash, `**` does not; a pattern without a
 * slash matches at any depth, one with a slash from the top of the folder; a slash at the end means folders; what
 * matches a folder holds for all below it. With include patterns only what matches one is taken; exclude wins over
 * include. There is no `!`.
 */
struct scan_options {
	struct strlist include, exclude;
	enum scan_links links;
};
void scan_options_release(struct scan_options *o);
#define auto_scan_options __attribute__((cleanup(scan_options_release))) struct scan_options

/* ERR_CONFIG that says why it is none. */
int scan_check_pattern(const char *pattern, struct err *err);

/*
 * List a file or folder: regular files with size and stamp, not hashed; o NULL for none. ERR_CONFIG, in one line that
 * names it, when path is absent, holds no file (that the patterns take), a FIFO, socket or device, a link that leads
 * nowhere, in a circle, out of the folder or to a folder, or a name that is not UTF-8 (shown escaped) or too long.
 * ERR_FAILED names what another process changes meanwhile.
 */
int scan_path(const char *path, const struct scan_options *o, struct filelist *ret, struct err *err);

/* Whether a manifest may say it: UTF-8, relative, no empty, "." or ".." part; a '/' at the end for an empty folder. */
bool scan_is_data_path(const char *path);

/*
 * For each group of files whose names differ only in case: a sentence that names two of them. They are one file on
 * machines that do not tell case apart. At most max are added. l is sorted.
 */
void scan_find_case_twins(const struct filelist *l, size_t max, struct strlist *ret);

#endif
