#ifndef SMPIPE_S3_REUSE_H
#define SMPIPE_S3_REUSE_H

/*
 * What the last snapshot of a channel has already is copied inside S3 and not sent again: one changed file among many
 * costs that file. Objects are matched by digest and size, so that a renamed file counts as the same.
 *
 * Copying only saves time: whatever goes wrong with it, the file is sent instead.
 */

#include "base/report.h"
#include "s3/object.h"

struct reuse_result {
	uint64_t files, bytes;
	char from[DIGEST_HEX + 1]; /* the snapshot that was copied from; "" for none */
};

/*
 * Copy files of the snapshot <prefix>/<digest>/ from the newest other whole snapshot below prefix. Entries with
 * is_there[i] are left alone; it is set for those that were copied, which S3 says have the right checksum. Only
 * ERR_CANCELLED is an error.
 */
int snapshot_reuse(struct s3 *s3, const struct filelist *files, const char *bucket, const char *prefix,
		   const char *digest, bool *is_there, const struct report *report, struct reuse_result *ret,
		   struct err *err);

#endif
