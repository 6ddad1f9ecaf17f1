#ifndef SMPIPE_S3_TRANSFER_H
#define SMPIPE_S3_TRANSFER_H

/*
 * The one engine that sends files: hashing on threads, many requests under way on the caller's own client, memory
 * bounded by the requests under way and not by what is sent.
 *
 * Each object or part goes out with its known hash: S3 refuses other bytes. What S3 says that it stored is compared
 * with it. Files above one part (s3/parts.h) go in parts, parts of an upload that was cut off are not sent again. A
 * lost answer is looked up by HeadObject before it is called a failure.
 */

#include "base/filelist.h"
#include "s3/checksum.h"
#include "s3/object.h"

struct transfer_item {
	const struct file_entry *entry; /* borrowed; a disk_path, or content of at most one part in memory or a store */
	char *key;                      /* handed over */
	bool may_exist; /* look first whether the object is there with the entry's known digest: it is not sent then */
};

struct transfer {
	const char *bucket;
	const char *content_type;
	/* What S3 is to keep: S3_SHA256 or S3_CRC64NVME. Digests that entries have sign the bytes with either. */
	enum s3_checksum_kind kind;
	/* The next item: 1, 0 at the end, -1 with err. Called from the caller's thread. */
	int (*next)(void *ctx, struct transfer_item *ret, struct err *err);
	/* An object is there, with this checksum of its whole; may be NULL. */
	void (*done)(void *ctx, const struct file_entry *entry, const char *key, const struct s3_checksum *whole);
	void *ctx;
	/*
	 * Multipart uploads below this prefix that were cut off are continued, unless another encryption is asked for
	 * than they were begun with, or nothing tells (s3/encryption.h); NULL: none are. Where none is asked for, they
	 * keep theirs.
	 */
	const char *resume_prefix;
	const struct report *report; /* may be NULL */
	const char *stage;
	uint64_t total_bytes;
	int max_in_flight, n_hashers; /* 0: the defaults */
};

struct transfer_result {
	uint64_t files_sent, bytes_sent;
	uint64_t files_there;  /* found by may_exist */
	uint64_t parts_reused; /* of uploads that were cut off */
	uint64_t unfinished;   /* uploads whose parts stay there for the next try; set on failure, and only then */
};

/*
 * Send all items. ERR_FAILED names a file that is not what its entry's digest says, or changed before its upload ended.
 * ERR_INVALID: larger than S3_MAX_OBJECT_BYTES, S3 has other bytes than were sent, or nothing proves that it has not: a
 * store that keeps no checksums gets no bytes whose SHA-256 is unknown. ERR_CANCELLED. After an error some objects are
 * there and others not.
 */
int s3_transfer(struct s3 *s3, const struct transfer *t, struct transfer_result *ret, struct err *err);

#endif
