#ifndef SMPIPE_S3_MANIFEST_H
#define SMPIPE_S3_MANIFEST_H

/*
 * The manifest of a snapshot (format 1): RFC 8785 JSON of
 *
 *   {"channel": "train", "digest": "<tree digest>", "files": [
 *      {"path": "a.csv", "sha256": "<64 hex>", "size": 12},
 *      {"composite": "<64 hex>-3", "path": "big.bin", "size": 40000000},
 *      {"path": "empty/", "sha256": "<of nothing>", "size": 0}], "format": 1}
 *
 * files sorted by the bytes of the path. `composite` stands where a file is above one part (s3/parts.h): it is what S3
 * itself keeps as x-amz-checksum-sha256 of the object, in hexadecimal. A path that ends in '/' is an empty folder; S3
 * has no object for it. The tree digest is that of base/filelist.h with mode `-`.
 *
 * Without smpipe, jq and coreutils check local files against it (README has the recipes, tests/e2e/data.t runs them).
 */

#include "base/filelist.h"
#include "s3/object.h"

/* The bytes; new string. */
char *manifest_text(const struct filelist *files, const char *channel);

/*
 * Hand a manifest's files to fn one by one, in order; they are borrowed, and as long as nothing else is known of them
 * no more than claims: they must give tree_digest_hex, which is seen at the end. ERR_FAILED.
 */
typedef void (*manifest_file_fn)(void *ctx, const struct file_entry *e);
int manifest_read(const char *text, size_t n, const char *tree_digest_hex, manifest_file_fn fn, void *ctx,
		  struct err *err);

/* Get <prefix>/<digest>.json. ERR_NOT_FOUND when there is none, ERR_FAILED when it is not what its name says. */
int manifest_each(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex,
		  manifest_file_fn fn, void *ctx, struct err *err);
/* The same as a list. */
int manifest_load(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex,
		  struct filelist *ret, struct err *err);

/* Hexadecimal, with "-<number of parts>" where it is made of theirs; new string. */
char *manifest_digest_text(const struct file_entry *e);

#endif
