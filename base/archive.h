#ifndef SMPIPE_BASE_ARCHIVE_H
#define SMPIPE_BASE_ARCHIVE_H

/*
 * Reproducible tar archives by libarchive: entries in the order of the list, uid and gid 0, no names, mode 0755 or
 * 0644, mtime 2000-01-01T00:00:00Z; pax headers only where ustar cannot say it (design 3a).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/filelist.h"

#define ARCHIVE_MTIME 946684800

/* "libarchive 3.6.2 …", for records. */
const char *archive_library(void);

/* Receives the archive's bytes in order. Return -1 with err to stop. */
typedef int (*archive_sink_fn)(void *ctx, const void *p, size_t n, struct err *err);

/*
 * Write the files as a tar stream, compressed by base/gzip when gzip. Contents whose digest is known
 * are checked while they are read: ERR_FAILED names a file that changed since it was hashed.
 */
int archive_write(const struct filelist *files, bool gzip, archive_sink_fn sink, void *ctx, struct err *err);

/* The same to fd, which `what` names in messages; *ret_digest and *ret_size describe what was written. */
int archive_write_fd(const struct filelist *files, bool gzip, int fd, const char *what, struct digest *ret_digest,
		     uint64_t *ret_size, struct err *err);

/* The same into an unlinked temporary file, positioned at its start. */
int archive_write_temp(const struct filelist *files, bool gzip, int *ret_fd, struct digest *ret_digest,
		       uint64_t *ret_size, struct err *err);

#endif
