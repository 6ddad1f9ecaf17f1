#ifndef SMPIPE_PIPELINE_GC_H
#define SMPIPE_PIPELINE_GC_H

/*
 * What of a project's lies in S3 and is of no use any more: snapshots of data, and uploads that were cut off.
 *
 * A snapshot is used when a record names it: those in the bucket of smpipe.yaml and of each of its environments that
 * share the data, and git's copies. Each of them must be readable, or nothing is called useless. The newest snapshot of
 * a channel is kept without a record, and so is everything that is younger than GC_MIN_AGE_S: a release may just
 * be sending it. What has no name of ours is not looked at.
 *
 * Somebody else's release may adopt an old snapshot without a record in the very moment in which it is deleted: it then
 * lacks its manifest, `smpipe verify` says so, and releasing again sends it.
 *
 * A push of the same content may meet objects that are being deleted. It looks for all of them again before it writes
 * the manifest, and gc_delete for a manifest before each thousand objects; whoever finds the other at work ends with an
 * error. S3 has no transactions: in the moment between a look and the request after it both can pass, and there is a
 * manifest without some of its objects. `smpipe data verify` finds that; no push mends it before the manifest is
 * deleted.
 */

#include "pipeline/git.h"
#include "pipeline/session.h"

#define GC_MIN_AGE_S (24 * 60 * 60)

enum gc_reason {
	GC_UNUSED,     /* a whole snapshot that no record names */
	GC_UNFINISHED, /* objects without a manifest */
	GC_STRAY,      /* objects in a snapshot that its manifest does not name */
	GC_UPLOAD,     /* a multipart upload that was never completed */
};

struct gc_item {
	enum gc_reason reason;
	char *bucket;
	char *uri;           /* for people */
	struct strlist keys; /* to delete, the manifest first: what is half gone vouches for nothing */
	char *manifest;      /* key; of a whole folder: it goes only while this is not there; else NULL */
	uint64_t bytes;
	char *upload_key, *upload_id, *initiated;
};

struct gc {
	struct gc_item *v;
	size_t n, cap;
	size_t n_snapshots, n_used; /* that were looked at */
	size_t n_young;             /* uploads that may be under way */
};
void gc_release(struct gc *gc);
#define auto_gc __attribute__((cleanup(gc_release))) struct gc

/* "unused", "unfinished", "stray", "upload" */
const char *gc_reason_name(enum gc_reason reason);

/* Find it all; changes nothing. plan: of plan_make_data. */
int gc_find(const struct session *s, const struct project *p, const struct target *target, const struct plan *plan,
	    struct gc *ret, struct err *err);
/* The same of the uploads to any place in S3, as `put` leaves them: to the key `prefix`, and below "<prefix>/". */
int gc_find_uploads(const struct session *s, const char *bucket, const char *prefix, struct gc *ret, struct err *err);
/* Delete it all; owner is the account that must own the buckets. ERR_FAILED: a snapshot was sent again meanwhile. */
int gc_delete(const struct session *s, const char *owner, const struct gc *gc, struct err *err);

/*
 * The manifests (s3:// URIs, sorted) that records name: all that gc_find goes by.
 */
int gc_used(const struct session *s, const struct project *p, const struct target *target, const struct plan *plan,
	    struct strlist *ret, struct err *err);

#endif
