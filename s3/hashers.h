#ifndef SMPIPE_S3_HASHERS_H
#define SMPIPE_S3_HASHERS_H

/*
 * Threads that read and hash files or ranges of them, so that what is sent has its name before it leaves. Tasks are
 * given and taken by one thread.
 */

#include "base/filelist.h"
#include "s3/checksum.h"

struct hash_task {
	const struct file_entry *entry;
	int fd; /* of the entry, to be read at any place; -1: the thread opens it, and the range is all of it */
	uint64_t offset, size;
	enum s3_checksum_kind kind; /* S3_CHECKSUM_NONE: it is known already, the file is only read */
	bool wants_bytes;           /* keep what is read */
	void *ctx;

	/* Of a finished task. */
	struct digest sha256;
	uint64_t crc64;
	char *bytes; /* to be freed; NULL unless wanted */
	int result;
	struct err err;

	struct hash_task *next;
};

struct hashers;

/*
 * n threads, 0 for one a core. wake is called, from any of them, when there is a finished task where there was none;
 * NULL: nobody is to be told.
 */
struct hashers *hashers_new(int n, void (*wake)(void *ctx), void *ctx);
/* Ends the threads; tasks that are not finished are forgotten. */
void hashers_free(struct hashers *h);
void hashers_free_p(struct hashers **h);
#define auto_hashers __attribute__((cleanup(hashers_free_p))) struct hashers

int hashers_count(const struct hashers *h);
void hashers_add(struct hashers *h, struct hash_task *t);
/* A finished task, or NULL after timeout_ms without one. */
struct hash_task *hashers_take(struct hashers *h, int64_t timeout_ms);

/*
 * Fill in the digests that a list of data lacks, on all cores: SHA-256 of files of one part, else of the parts and of
 * their digests in turn (s3/parts.h). ERR_CONFIG names a file that changed meanwhile.
 */
int s3_hash_files(struct filelist *l, struct err *err);

#endif
