#ifndef SMPIPE_S3_SNAPSHOT_H
#define SMPIPE_S3_SNAPSHOT_H

/*
 * A data snapshot: a channel's local folder as immutable objects below <prefix>/<tree digest>/, and a manifest
 * <prefix>/<tree digest>.json beside them, written last: its presence means that the snapshot is whole (s3/manifest.h).
 */

#include "base/filelist.h"
#include "s3/object.h"
#include "s3/scan.h"

/* Where a channel's data lies on this machine. */
struct snapshot_source {
	const char *path;
	const struct scan_options *options; /* or NULL */
	const char *index_file;             /* or NULL: all is read (s3/index.h) */
	const struct sys *sys;              /* for the index; may be NULL without one */
	const struct report *report;        /* for the stage "data"; or NULL */
};

/* What reading it took. */
struct snapshot_facts {
	int64_t scanned_ns; /* wall clock before the first file was looked at */
	size_t n_hashed;    /* files that were read; 0: the index has them all */
	uint64_t bytes_hashed;
	char *note; /* why an index was ignored, or NULL; the caller's to free */
};

/* List and hash a local file or folder: s3/scan.h and base/filelist.h say what they refuse. */
int snapshot_read(const struct snapshot_source *src, struct filelist *ret, struct snapshot_facts *ret_facts,
		  struct err *err);
/* Write src->index_file, making its folder. */
int snapshot_keep_index(const struct snapshot_source *src, const struct snapshot_facts *facts,
			const struct filelist *files, struct err *err);

/* Where it goes. */
struct snapshot_target {
	const char *channel, *bucket, *prefix;
	/* What S3 keeps of objects that are sent: S3_SHA256 or S3_CRC64NVME. Names and manifest rest on SHA-256. */
	enum s3_checksum_kind kind;
};

struct snapshot_result {
	uint64_t files_sent, bytes_sent;
	uint64_t files_copied, bytes_copied; /* inside S3, from another snapshot (s3/reuse.h) */
	int existed;                         /* the manifest was there: nothing was sent */
};

/*
 * Send what is missing below s3://bucket/<prefix>/<digest>/, then the manifest. files: from snapshot_read. ERR_FAILED:
 * what an earlier run left there went away meanwhile (pipeline/gc.h).
 */
int snapshot_upload(struct s3 *s3, const struct filelist *files, const struct snapshot_target *to,
		    const struct report *report, struct snapshot_result *ret, struct err *err);

/*
 * Verify a snapshot in S3 against its manifest: the manifest's own digest, no object there that it does not name, every
 * one that it names with its size and with the checksum that S3 keeps; when is_deep, with the SHA-256 of its bytes,
 * which are read. ERR_FAILED that names a difference. ERR_UNPROVEN: there is none, but S3 keeps no SHA-256 of some
 * objects (they were sent with another checksum, or the store keeps none): only is_deep can tell. report may be NULL.
 */
int snapshot_verify(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex, bool is_deep,
		    const struct report *report, struct err *err);

#endif
