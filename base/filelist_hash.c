/* Hashing many files on all cores. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/filelist.h"
#include "base/mem.h"
#include "base/sys.h"

#define BUFFER_BYTES ((size_t)256 * 1024)
#define MAX_THREADS  8
/* What one thread hashes in the time that it takes to start another. */
#define BYTES_PER_THREAD ((uint64_t)256 * 1024)

struct hashing {
	struct filelist *l;
	bool keeps;
	atomic_size_t next;
	atomic_bool has_failed;
	pthread_mutex_t lock; /* of what follows */
	size_t failed;        /* the entry */
	struct err err;
};

static int hash_entry(struct file_entry *e, void *buffer, struct err *err)
{
	auto_digest *state = digest_new();
	struct file_reader r;
	int64_t n;

	if (file_reader_open(&r, e, err) < 0)
		return -1;
	while ((n = sys_check_cancelled(err)) == 0 && (n = file_reader_read(&r, buffer, BUFFER_BYTES, e, err)) > 0)
		digest_update(state, buffer, (size_t)n);
	file_reader_close(&r);
	if (n < 0)
		return -1;
	e->digest = digest_final(state);
	e->has_digest = true;
	return 0;
}

/* Read whole and kept: what is packed later is what was hashed. */
static int hash_and_keep(struct file_entry *e, struct err *err)
{
	auto_free char *text = NULL;
	size_t n;

	if (sys_check_cancelled(err) < 0 || file_entry_read(e, e->size, &text, &n, err) < 0)
		return -1;
	e->digest = digest_of(text, n);
	e->has_digest = true;
	e->bytes = take(text);
	free(e->disk_path);
	e->disk_path = NULL;
	e->store = NULL;
	return 0;
}

/* Entries are taken in order, so those before a failed one are finished: the first failure is the same each time. */
static void keep_first(struct hashing *h, size_t i, struct err *err)
{
	pthread_mutex_lock(&h->lock);
	if (!h->err.code || i < h->failed) {
		err_release(&h->err);
		err_move(&h->err, err);
		h->failed = i;
	}
	pthread_mutex_unlock(&h->lock);
	atomic_store(&h->has_failed, true);
}

static void *hash_entries(void *arg)
{
	struct hashing *h = arg;
	auto_free void *buffer = xmalloc(BUFFER_BYTES);
	size_t i;

	while (!atomic_load(&h->has_failed) && (i = atomic_fetch_add(&h->next, 1)) < h->l->n) {
		struct file_entry *e = &h->l->v[i];
		auto_err err = { 0 };

		if (e->has_digest)
			continue;
		if ((h->keeps && !e->bytes ? hash_and_keep(e, &err) : hash_entry(e, buffer, &err)) < 0)
			keep_first(h, i, &err);
	}
	return NULL;
}

static unsigned helpers_for(const struct filelist *l)
{
	uint64_t useful = filelist_total_bytes(l) / BYTES_PER_THREAD;
	unsigned cpus = sys_cpus();

	if (useful > l->n)
		useful = l->n;
	if (useful > cpus)
		useful = cpus;
	if (useful > MAX_THREADS)
		useful = MAX_THREADS;
	return useful ? (unsigned)useful - 1 : 0;
}

static int hash_all(struct filelist *l, bool keeps, struct err *err)
{
	struct hashing h = { .l = l, .keeps = keeps };
	unsigned wanted = helpers_for(l), n = 0;
	pthread_t threads[MAX_THREADS];

	pthread_mutex_init(&h.lock, NULL);
	while (n < wanted && pthread_create(&threads[n], NULL, hash_entries, &h) == 0)
		n++;
	hash_entries(&h);
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&h.lock);
	if (!h.err.code)
		return 0;
	err_move(err, &h.err);
	return -1;
}

int filelist_hash(struct filelist *l, struct err *err)
{
	return hash_all(l, false, err);
}

int filelist_hash_and_keep(struct filelist *l, struct err *err)
{
	return hash_all(l, true, err);
}
