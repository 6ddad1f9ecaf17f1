#ifndef SMPIPE_BASE_HASHERS_H
#define SMPIPE_BASE_HASHERS_H

/*
 * Threads that read and hash files or ranges of them, each thread as many at once as goes quickest
 * (base/digest_lanes.h). Tasks are given and taken by one thread. Others start when there is work for them: what is
 * not worth one is done in hashers_take.
 */

#include "base/filelist.h"

struct hash_task {
	const struct file_entry *entry;
	int fd; /* of the entry, to be read at any place; -1: it is opened, and held to its size and stamp */
	uint64_t offset, size;          /* the range of it */
	bool wants_sha256, wants_crc64; /* neither: it is known already, the file is only read */
	bool wants_bytes;               /* keep what is read */

	/* Of a finished task. */
	struct digest sha256;
	uint64_t crc64; /* CRC-64/NVME */
	char *bytes;    /* with NUL behind; to be freed; NULL unless wanted */
	int result;
	struct err err;

	struct hash_task *next;
};

struct hashers;

/*
 * Up to n threads, 0 for one a core. wake is called, from any of them, when there is a finished task where there was
 * none; NULL: nobody is to be told.
 */
struct hashers *hashers_new(int n, void (*wake)(void *ctx), void *ctx);
/* Ends the threads; tasks that are not finished are forgotten. */
void hashers_free(struct hashers *h);
void hashers_free_p(struct hashers **h);
#define auto_hashers __attribute__((cleanup(hashers_free_p))) struct hashers

/* Tasks under way at once that keep all threads busy. */
int hashers_room(const struct hashers *h);
void hashers_add(struct hashers *h, struct hash_task *t);
/* A finished task, or NULL after timeout_ms without one. */
struct hash_task *hashers_take(struct hashers *h, int64_t timeout_ms);
/* The first task that is not begun, or NULL: they are begun in the order in which they were added. */
struct hash_task *hashers_take_back(struct hashers *h);
/* Bytes that were read so far. */
uint64_t hashers_bytes(const struct hashers *h);

#endif
