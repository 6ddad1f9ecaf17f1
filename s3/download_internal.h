#ifndef SMPIPE_S3_DOWNLOAD_INTERNAL_H
#define SMPIPE_S3_DOWNLOAD_INTERNAL_H

/* What s3/download (the loop), s3/download_fetch (an object's steps) and s3/download_file (its file) share. */

#include "base/hashers.h"
#include "s3/download.h"
#include "s3/pump.h"

struct fetcher;

/* One range on its way, then to be hashed. */
struct range {
	struct hash_task hash; /* first */
	struct fetch *of;
	uint32_t i;
	uint64_t n_received;
	struct s3_call call;
	struct range *next, *previous;
};

/* The file beside the target, and which ranges of it are there. */
struct download_file {
	char *target, *temporary, *journal;
	int fd, journal_fd; /* -1: none */
	bool *has_range;    /* NULL: not begun */
	bool has_rest;      /* what a later run may want */
	bool is_gone;       /* renamed or removed */
};

/* One object on its way. */
struct fetch {
	struct fetcher *fetcher;
	struct download_item item;
	struct download_file file;
	struct file_entry entry; /* for the hashing threads */
	char *etag;              /* NULL: not asked for; the answer's is as good */
	struct s3_checksum sha256, crc64;
	uint32_t n_ranges, n_given, n_there, n_hashed;
	struct digest *digests;
	uint64_t *crcs;
	bool is_known; /* size and ranges are known */
	struct s3_call call;
	struct range *ranges;
	struct fetch *next, *previous;
};

struct fetcher {
	struct s3 *s3;
	const struct download *spec;
	struct s3_pump *pump;
	struct hashers *hashers;
	struct fetch *fetches;
	int n_fetches, n_ranges, n_hashing;
	bool has_all, has_failed;
	struct err err;
	uint64_t done_bytes, total_bytes;
	int64_t reported_ms;
	struct download_result result;
};

void fetcher_fail(struct fetcher *f, struct err *err);
void fetcher_count(struct fetcher *f, int64_t bytes, const char *name);

void fetch_begin(struct fetcher *f, struct download_item *item);
bool fetch_has_rest(const struct fetch *x);
void fetch_give_range(struct fetch *x);
void fetch_hashed(struct hash_task *t);
void fetch_free(struct fetch *x);

/*
 * Take the file beside target for this process, until it is finished or released; the lock of a dead process is free by
 * itself. ERR_CONFLICT: another process has it, nothing was touched.
 */
int download_file_lock(struct download_file *f, const char *target, struct err *err);
/* Go on with what is left of the same object, or begin anew; id names the object, NULL: nothing is continued. */
int download_file_begin(struct download_file *f, const struct digest *id, uint32_t n_ranges, struct err *err);
/* A range is there. is_unchecked: no checksum would find what a power cut took of it, so it is synced first. */
int download_file_note(struct download_file *f, uint32_t range, bool is_unchecked, struct err *err);
/* It becomes the target. ERR_CONFLICT: its name is another file's by now. */
int download_file_finish(struct download_file *f, struct err *err);
/* It is worth nothing. */
void download_file_drop(struct download_file *f);
/* Whether a later run can go on with it; then it stays when it is released. */
bool download_file_can_go_on(const struct download_file *f);
void download_file_release(struct download_file *f);

#endif
