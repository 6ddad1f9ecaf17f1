#ifndef SMPIPE_S3_PACK_H
#define SMPIPE_S3_PACK_H

/*
 * sourcedir.tar.gz: the content of source_dir at the root of the archive, dependencies beside it, as the SageMaker
 * Python SDK lays them out; reproducible bytes; named by the tree digest.
 */

#include "base/filelist.h"
#include "s3/object.h"

struct pack_spec {
	const struct filelist *files;    /* everything that may be packed, relative to the project's root; sorted */
	const char *source_dir;          /* relative; "." for the root; NULL: the entry point alone, wherever it lies */
	const char *entry_point;         /* must lie at the root of source_dir */
	const char *const *dependencies; /* folders or files, relative; NULL-terminated or NULL */
	const char *root;   /* the project's root, to say what lies there unpacked; NULL: the current folder */
	uint64_t max_bytes; /* of the files together; 0: any number */
};

/*
 * The list of the archive: sorted, hashed. A link that leads to another part of the project, which is not in the
 * archive, is replaced by what it leads to. ERR_CONFIG: entry point not at the root of source_dir or not packed (the
 * hint says whether it exists untracked), a dependency that is absent, the same name twice (also of two folders:
 * nothing is mixed), a path that leads out of the project, more than max_bytes (the message names the biggest files).
 */
int pack_list(const struct pack_spec *spec, struct filelist *ret, struct err *err);

struct pack_result {
	bool existed;   /* nothing was sent */
	uint64_t bytes; /* of the archive */
	bool has_digest;
	struct digest digest; /* of the archive; of one that existed as S3 says */
};

/* Pack and upload to bucket/key unless it is there. */
int pack_upload(struct s3 *s3, const struct filelist *files, const char *bucket, const char *key,
		const struct report *report, struct pack_result *ret, struct err *err);

#endif
