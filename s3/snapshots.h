#ifndef SMPIPE_S3_SNAPSHOTS_H
#define SMPIPE_S3_SNAPSHOTS_H

/* The snapshots of a channel that lie in S3, below <prefix>/, and how two lists of files differ. */

#include <time.h>

#include "base/filelist.h"
#include "s3/object.h"

/* A digest that people type: this many of its digits at least. */
#define SNAPSHOT_MIN_DIGITS 4
#define SNAPSHOTS_MAX       100000

struct snapshot_info {
	char digest[DIGEST_HEX + 1];
	bool is_whole;     /* its manifest is there */
	time_t modified_s; /* of the manifest; 0 without one */
};

struct snapshots {
	struct snapshot_info *v; /* the whole ones first, the newest first */
	size_t n, cap;
};
void snapshots_release(struct snapshots *l);
#define auto_snapshots __attribute__((cleanup(snapshots_release))) struct snapshots

/* What is there; other names below the prefix are not looked at. */
int snapshots_list(struct s3 *s3, const char *bucket, const char *prefix, struct snapshots *ret, struct err *err);

/*
 * The whole snapshot that begins with these hexadecimal digits. ERR_USAGE when they are none or too few, ERR_NOT_FOUND,
 * ERR_CONFLICT when several do.
 */
int snapshots_find(const struct snapshots *l, const char *digits, const struct snapshot_info **ret, struct err *err);

/* Exactly one of before and after is NULL when a file came or went. */
typedef void (*snapshot_diff_fn)(void *ctx, const struct file_entry *before, const struct file_entry *after);
/* Call fn for each path that only one of two sorted, hashed lists has, or that has other content. Their number. */
size_t snapshot_diff(const struct filelist *before, const struct filelist *after, snapshot_diff_fn fn, void *ctx);

#endif
