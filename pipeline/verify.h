#ifndef SMPIPE_PIPELINE_VERIFY_H
#define SMPIPE_PIPELINE_VERIFY_H

/* Checking a record against everything that it vouches for. */

#include "pipeline/record.h"

/* Called for each check: what was compared, and the difference or NULL. */
typedef void (*verify_fn)(void *ctx, const char *what, const char *difference);

/*
 * Check the record, git's copy, the job and its request, a tuning job's training jobs, the image, the source archive,
 * the data snapshots and the model. *ret_bad counts the differences. A service that cannot be asked is an error, not a
 * difference.
 */
int verify_record(const struct session *s, struct git *git, const struct record *r, verify_fn fn, void *ctx,
		  int *ret_bad, struct err *err);

#endif
