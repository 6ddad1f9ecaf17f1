#ifndef SMPIPE_PIPELINE_VERIFY_H
#define SMPIPE_PIPELINE_VERIFY_H

/* Checking a record against everything that it vouches for. */

#include "pipeline/record.h"

enum verified {
	VERIFIED_OK,
	VERIFIED_BAD,
	VERIFIED_UNPROVEN, /* what is there is not told apart from what should be */
};

/* Called for each check: what was compared, and in words the difference or why there is no proof, else NULL. */
typedef void (*verify_fn)(void *ctx, const char *what, enum verified verified, const char *words);

struct verify_result {
	int bad, unproven; /* checks */
};

/*
 * Check the record, git's copy, the job and its request, a tuning job's training jobs, the image, the source archive,
 * the data snapshots (is_deep: every byte of them, see s3/snapshot.h) and the model. A service that cannot be asked is
 * an error, not a difference.
 */
int verify_record(const struct session *s, struct git *git, const struct record *r, bool is_deep, verify_fn fn,
		  void *ctx, struct verify_result *ret, struct err *err);

#endif
