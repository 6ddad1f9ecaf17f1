#ifndef SMPIPE_S3_SNAPSHOT_H
#define SMPIPE_S3_SNAPSHOT_H

/*
 * A data snapshot: a channel's local folder as immutable objects below <prefix>/<tree digest>/, and a manifest
 * <prefix>/<tree digest>.json beside them, written last: its presence means that the snapshot is whole (design 3a).
 */

#include <jansson.h>

#include "base/filelist.h"
#include "s3/object.h"

/*
 * List and hash a local file or folder, on all cores: regular files, sorted; links are followed only inside the folder.
 * ERR_CONFIG when it is absent, empty, or holds a name that S3 or a manifest cannot carry (the name is shown).
 */
int snapshot_list(const char *path, struct filelist *ret, struct err *err);
/* The same without digests. */
int snapshot_list_unhashed(const char *path, struct filelist *ret, struct err *err);

struct snapshot_result {
	uint64_t files_sent, bytes_sent;
	int existed; /* the manifest was there: nothing was sent */
};

/*
 * Send what is missing below s3://bucket/<prefix>/<digest>/, then the manifest. files: from snapshot_list.
 */
int snapshot_upload(struct s3 *s3, const struct filelist *files, const char *channel, const char *bucket,
		    const char *prefix, const struct report *report, struct snapshot_result *ret, struct err *err);

/*
 * The bytes of the manifest: RFC 8785 JSON of {"format":1,"channel","digest","files":[{"path","size","sha256"}]}, files
 * sorted by path; sha256 of a file above one part (s3/parts.h) is S3's, "<of its parts' digests>-<their number>". New
 * string.
 */
char *snapshot_manifest(const struct filelist *files, const char *channel);

/*
 * Verify a snapshot in S3 against its manifest: the manifest's own digest, every object there with the size and stored
 * checksum. ERR_FAILED that names the first difference.
 */
int snapshot_verify(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex,
		    struct err *err);

#endif
