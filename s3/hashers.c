#include "s3/hashers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/crc64.h"
#include "base/mem.h"
#include "base/sys.h"

/* Stays in a core's second cache between reading and hashing. */
#define BUFFER_BYTES ((size_t)256 * 1024)
#define MAX_THREADS  32

struct task_list {
	struct hash_task *first, *last;
};

struct hashers {
	pthread_mutex_t mutex;
	pthread_cond_t has_work, has_finished;
	struct task_list waiting, finished;
	atomic_bool is_ending;
	void (*wake)(void *ctx);
	void *ctx;
	int n;
	pthread_t threads[MAX_THREADS];
};

static void append(struct task_list *l, struct hash_task *t)
{
	t->next = NULL;
	*(l->last ? &l->last->next : &l->first) = t;
	l->last = t;
}

static struct hash_task *take_first(struct task_list *l)
{
	struct hash_task *t = l->first;

	if (t)
		l->first = t->next;
	if (!l->first)
		l->last = NULL;
	return t;
}

/* Where the bytes of a task come from. */
struct source {
	struct hash_task *task;
	struct file_reader reader; /* when the task has no open file */
	uint64_t done;
};

static int64_t read_source(struct source *s, void *p, size_t n, struct err *err)
{
	struct hash_task *t = s->task;
	ssize_t got;

	if (t->fd < 0)
		return file_reader_read(&s->reader, p, n, t->entry, err);
	if (n > t->size - s->done)
		n = t->size - s->done;
	do
		got = n ? pread(t->fd, p, n, (off_t)(t->offset + s->done)) : 0;
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(err, "read '%s'", t->entry->disk_path);
	if (n && !got)
		return file_entry_changed(t->entry, err);
	return got;
}

static void update(struct hash_task *t, struct digest_state *state, const void *p, size_t n)
{
	if (t->kind == S3_SHA256)
		digest_update(state, p, n);
	else if (t->kind == S3_CRC64NVME)
		t->crc64 = crc64nvme(t->crc64, p, n);
}

static int read_all(struct hashers *h, struct source *s, struct digest_state *state, void *buffer, struct err *err)
{
	struct hash_task *t = s->task;
	int64_t n;

	while (s->done < t->size) {
		char *p = t->bytes ? t->bytes + s->done : buffer;
		size_t room = t->size - s->done < BUFFER_BYTES ? t->size - s->done : BUFFER_BYTES;

		if (atomic_load(&h->is_ending))
			return err_set(err, ERR_CANCELLED, "cancelled");
		if (sys_check_cancelled(err) < 0)
			return -1;
		n = read_source(s, p, room, err);
		if (n <= 0)
			return n < 0 ? -1 : file_entry_changed(t->entry, err);
		update(t, state, p, (size_t)n);
		s->done += (uint64_t)n;
	}
	return 0;
}

/* A file that is opened for the task alone is looked at afterwards too; the others are by who opened them. */
static int check_end(const struct source *s, struct err *err)
{
	return s->reader.fd < 0 ? 0 : file_entry_check(s->task->entry, s->reader.fd, NULL, err);
}

static int run_opened(struct hashers *h, struct source *s, void *buffer, struct err *err)
{
	struct hash_task *t = s->task;
	auto_digest *state = t->kind == S3_SHA256 ? digest_new() : NULL;

	if (t->wants_bytes)
		t->bytes = xmalloc(t->size + 1);
	if (read_all(h, s, state, buffer, err) < 0 || check_end(s, err) < 0)
		return -1;
	if (state)
		t->sha256 = digest_final(state);
	return 0;
}

static void run_task(struct hashers *h, struct hash_task *t, void *buffer)
{
	struct source s = { .task = t, .reader = { .fd = -1 } };

	if (t->fd < 0 && file_reader_open(&s.reader, t->entry, &t->err) < 0) {
		t->result = -1;
		return;
	}
	t->result = run_opened(h, &s, buffer, &t->err);
	if (t->fd < 0)
		file_reader_close(&s.reader);
}

static struct hash_task *wait_for_task(struct hashers *h)
{
	struct hash_task *t = NULL;

	pthread_mutex_lock(&h->mutex);
	while (!atomic_load(&h->is_ending) && !h->waiting.first)
		pthread_cond_wait(&h->has_work, &h->mutex);
	if (!atomic_load(&h->is_ending))
		t = take_first(&h->waiting);
	pthread_mutex_unlock(&h->mutex);
	return t;
}

static void hand_back(struct hashers *h, struct hash_task *t)
{
	bool is_news;

	pthread_mutex_lock(&h->mutex);
	is_news = !h->finished.first;
	append(&h->finished, t);
	if (is_news)
		pthread_cond_signal(&h->has_finished);
	pthread_mutex_unlock(&h->mutex);
	if (is_news && h->wake)
		h->wake(h->ctx);
}

static void *work(void *arg)
{
	struct hashers *h = arg;
	auto_free void *buffer = xmalloc(BUFFER_BYTES);
	struct hash_task *t;

	while ((t = wait_for_task(h))) {
		run_task(h, t, buffer);
		hand_back(h, t);
	}
	return NULL;
}

static int core_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}

struct hashers *hashers_new(int n, void (*wake)(void *ctx), void *ctx)
{
	struct hashers *h = xcalloc(1, sizeof(*h));
	pthread_condattr_t monotonic;

	*h = (struct hashers){ .wake = wake, .ctx = ctx, .n = n ? n : core_count() };
	pthread_mutex_init(&h->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&h->has_work, NULL);
	pthread_cond_init(&h->has_finished, &monotonic);
	pthread_condattr_destroy(&monotonic);
	for (int i = 0; i < h->n; i++)
		if (pthread_create(&h->threads[i], NULL, work, h) != 0)
			abort();
	return h;
}

void hashers_free(struct hashers *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->mutex);
	atomic_store(&h->is_ending, true);
	pthread_cond_broadcast(&h->has_work);
	pthread_mutex_unlock(&h->mutex);
	for (int i = 0; i < h->n; i++)
		pthread_join(h->threads[i], NULL);
	pthread_cond_destroy(&h->has_work);
	pthread_cond_destroy(&h->has_finished);
	pthread_mutex_destroy(&h->mutex);
	free(h);
}

void hashers_free_p(struct hashers **h)
{
	hashers_free(*h);
}

int hashers_count(const struct hashers *h)
{
	return h->n;
}

void hashers_add(struct hashers *h, struct hash_task *t)
{
	pthread_mutex_lock(&h->mutex);
	append(&h->waiting, t);
	pthread_cond_signal(&h->has_work);
	pthread_mutex_unlock(&h->mutex);
}

struct hash_task *hashers_take(struct hashers *h, int64_t timeout_ms)
{
	struct hash_task *t;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&h->mutex);
	while (timeout_ms > 0 && !h->finished.first)
		if (pthread_cond_timedwait(&h->has_finished, &h->mutex, &until) != 0)
			break;
	t = take_first(&h->finished);
	pthread_mutex_unlock(&h->mutex);
	return t;
}
