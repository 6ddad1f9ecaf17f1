#ifndef SMPIPE_S3_DOWNLOAD_H
#define SMPIPE_S3_DOWNLOAD_H

/*
 * Objects into files: in ranges, many at once, into a temporary file beside the target that becomes the target once it
 * is whole and has the checksum that S3 keeps.
 *
 * The temporary file is ".smpipe-get-" and 16 hexadecimal digits of the SHA-256 of the target's name; beside it, with
 * "-ranges" at the end, is a list of the ranges that are there, under the object's ETag and size. A download that was
 * cut off goes on where it was when the object is still the same; what was left of another version is dropped. The file
 * is locked (flock) while it is fetched.
 */

#include "s3/object.h"

/* No path of an item may have a part that begins so: it could be another's temporary file. */
#define DOWNLOAD_TEMPORARY_PREFIX ".smpipe-get-"

struct download_item {
	char *key;      /* handed over */
	char *path;     /* handed over; its folder exists */
	uint64_t size;  /* as it was listed … */
	bool is_listed; /* … else it is asked for */
};

/* How well an object was checked. */
enum download_check {
	DOWNLOAD_UNCHECKED, /* S3 keeps no checksum that can be computed here */
	DOWNLOAD_CHECKED,
};

struct download {
	const char *bucket;
	/* The next item: 1, 0 at the end, -1 with err. */
	int (*next)(void *ctx, struct download_item *ret, struct err *err);
	/* A file is there; may be NULL. */
	void (*done)(void *ctx, const char *key, const char *path, uint64_t size, enum download_check check);
	void *ctx;
	const struct report *report;
	const char *stage;
	uint64_t total_bytes;
};

struct download_result {
	uint64_t files, bytes;
	uint64_t unchecked;
	uint64_t bytes_kept; /* from a download that was cut off */
};

/*
 * ERR_NOT_FOUND. ERR_CONFLICT: the object changed meanwhile, another process fetches to the same path, or somebody
 * moved the temporary file. ERR_INVALID: it does not have the checksum that S3 keeps; nothing is left then. What is
 * whole when another fails stays; where a part is kept that the next call goes on with, the error's hint says so.
 */
int s3_download(struct s3 *s3, const struct download *d, struct download_result *ret, struct err *err);

#endif
