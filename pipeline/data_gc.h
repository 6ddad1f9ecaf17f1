#ifndef SMPIPE_PIPELINE_DATA_GC_H
#define SMPIPE_PIPELINE_DATA_GC_H

/*
 * What lies below a project's data prefix and is of no use any more.
 *
 * A snapshot is used when a record names it: those in the bucket of smpipe.yaml and of each of its environments that
 * share the data, and git's copies. Each of them must be readable, or nothing is called useless. The newest snapshot of
 * a channel is kept without a record, and so is everything that is younger than DATA_GC_MIN_AGE_S: a release may just
 * be sending it. What has no name of ours is not looked at.
 *
 * Somebody else's release may adopt an old snapshot without a record in the very moment in which it is deleted: it then
 * lacks its manifest, `smpipe verify` says so, and releasing again sends it.
 */

#include "pipeline/git.h"
#include "pipeline/session.h"

#define DATA_GC_MIN_AGE_S (24 * 60 * 60)

enum data_gc_reason {
	DATA_GC_UNUSED,     /* a whole snapshot that no record names */
	DATA_GC_UNFINISHED, /* objects without a manifest */
	DATA_GC_STRAY,      /* objects in a snapshot that its manifest does not name */
	DATA_GC_UPLOAD,     /* a multipart upload that was never completed */
};

struct data_gc_item {
	enum data_gc_reason reason;
	char *uri;           /* for people */
	struct strlist keys; /* to delete, the manifest first: what is half gone vouches for nothing */
	uint64_t bytes;
	char *upload_key, *upload_id;
};

struct data_gc {
	struct data_gc_item *v;
	size_t n, cap;
	size_t n_snapshots, n_used; /* that were looked at */
};
void data_gc_release(struct data_gc *gc);
#define auto_data_gc __attribute__((cleanup(data_gc_release))) struct data_gc

/* "unused", "unfinished", "stray", "upload" */
const char *data_gc_reason_name(enum data_gc_reason reason);

/* Find it all; changes nothing. plan: of plan_make_data. */
int data_gc_find(const struct session *s, const struct project *p, const struct target *target, const struct plan *plan,
		 struct data_gc *ret, struct err *err);
/* Delete it. */
int data_gc_delete(const struct session *s, const struct plan *plan, const struct data_gc *gc, struct err *err);

/*
 * The manifests (s3:// URIs, sorted) that records name: all that data_gc_find goes by.
 */
int data_gc_used(const struct session *s, const struct project *p, const struct target *target, const struct plan *plan,
		 struct strlist *ret, struct err *err);

#endif
