#include "base/hashers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/crc64.h"
#include "base/digest_lanes.h"
#include "base/mem.h"
#include "base/sys.h"

/* Of a thread, for all its lanes: stays in a core's second cache between reading and hashing. */
#define BUFFER_BYTES ((size_t)512 * 1024)
#define MAX_THREADS  16
/* What the kernel reads ahead by itself, and what it is asked for at most. */
#define MIN_READ_AHEAD (128 * 1024)
#define MAX_READ_AHEAD (16 * 1024 * 1024)
/* What is hashed in the time that it takes to start a thread, and to open a file. */
#define BYTES_PER_THREAD ((uint64_t)256 * 1024)
#define BYTES_PER_TASK   ((uint64_t)16 * 1024)
/* Larger contents of a store (base/filelist.h) are not hashed many together. */
#define MAX_HELD_BYTES ((uint64_t)256 * 1024)

struct task_list {
	struct hash_task *first, *last;
};

struct hashers {
	pthread_mutex_t mutex;
	pthread_cond_t has_work, has_finished;
	struct task_list waiting, finished;
	int n_waiting;
	bool has_first; /* something is finished */
	uint64_t given; /* bytes, and what else tasks cost in bytes */
	atomic_bool is_ending;
	_Atomic uint64_t n_bytes;
	void (*wake)(void *ctx);
	void *ctx;
	int max_threads, n_threads;
	pthread_t threads[MAX_THREADS];
};

/* A task on its way. */
struct lane {
	struct hash_task *task;    /* NULL: the lane is free */
	struct file_reader reader; /* when the task has no open file */
	int fd;                    /* -1: it is in memory */
	bool is_begun;
	uint64_t done;
	const char *at; /* what was read in this round */
	size_t n;
};

/* What one thread does. */
struct worker {
	struct hashers *h;
	struct digest_lanes *digests; /* of the same numbers */
	struct lane lanes[DIGEST_LANES];
	int n;
	char *buffer;
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

static void keep_bytes(struct lane *l)
{
	struct hash_task *t = l->task;
	bool is_all = t->size == t->entry->size;

	t->bytes = l->reader.owned && is_all ? take(l->reader.owned) : xmalloc(t->size + 1);
	if (l->fd < 0 && t->size && t->bytes != l->reader.bytes)
		memcpy(t->bytes, l->reader.bytes + t->offset, t->size);
	t->bytes[t->size] = '\0';
}

static int begin(struct lane *l, struct err *err)
{
	struct hash_task *t = l->task;

	l->is_begun = true;
	if (t->fd < 0 && file_reader_open(&l->reader, t->entry, err) < 0)
		return -1;
	l->fd = t->fd < 0 ? l->reader.fd : t->fd;
	/* Many ranges that are read in turn are many small reads for the disk, unless each is asked for as a whole. */
	if (l->fd >= 0 && t->size > MIN_READ_AHEAD)
		posix_fadvise(l->fd, (off_t)t->offset, t->size < MAX_READ_AHEAD ? (off_t)t->size : MAX_READ_AHEAD,
			      POSIX_FADV_WILLNEED);
	if (t->wants_bytes)
		keep_bytes(l);
	return 0;
}

static int read_range(const struct lane *l, char *p, size_t n, struct err *err)
{
	const struct hash_task *t = l->task;
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(l->fd, p + done, n - done, (off_t)(t->offset + l->done + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "read '%s'", t->entry->disk_path);
		if (!got)
			return file_entry_changed(t->entry, err);
		done += (size_t)got;
	}
	return 0;
}

/* The next bytes of a lane, up to n; buffer is theirs. */
static int advance(struct lane *l, char *buffer, size_t n, struct err *err)
{
	struct hash_task *t = l->task;

	if (sys_check_cancelled(err) < 0 || (!l->is_begun && begin(l, err) < 0))
		return -1;
	l->n = t->size - l->done < n ? t->size - l->done : n;
	if (!l->n)
		return 0;
	if (l->fd < 0) {
		l->at = l->reader.bytes + t->offset + l->done;
	} else {
		char *to = t->bytes ? t->bytes + l->done : buffer;

		if (read_range(l, to, l->n, err) < 0)
			return -1;
		l->at = to;
	}
	l->done += l->n;
	if (t->wants_crc64)
		t->crc64 = crc64nvme(t->crc64, l->at, l->n);
	return 0;
}

static void hand_back(struct hashers *h, struct hash_task *t)
{
	bool is_news;

	pthread_mutex_lock(&h->mutex);
	is_news = !h->finished.first;
	h->has_first = true;
	append(&h->finished, t);
	if (is_news)
		pthread_cond_signal(&h->has_finished);
	pthread_mutex_unlock(&h->mutex);
	if (is_news && h->wake)
		h->wake(h->ctx);
}

static void leave(struct worker *w, struct lane *l)
{
	file_reader_close(&l->reader);
	l->task = NULL;
	w->n--;
}

static void finish(struct worker *w, struct lane *l)
{
	struct hash_task *t = l->task;

	/* A file that is opened for the task alone is looked at afterwards too; the others are by who opened them. */
	if (t->result == 0 && l->reader.fd >= 0)
		t->result = file_entry_check(t->entry, l->reader.fd, NULL, &t->err);
	if (t->wants_sha256)
		t->sha256 = digest_lanes_final(w->digests, (int)(l - w->lanes));
	leave(w, l);
	hand_back(w->h, t);
}

/* A piece of every task that the thread has, read one after the other and hashed together. */
static void run_round(struct worker *w)
{
	size_t room = BUFFER_BYTES / (size_t)w->n / 4096 * 4096;
	struct digest_feed feeds[DIGEST_LANES];
	char *buffer = w->buffer;
	uint64_t n_bytes = 0;
	int n = 0;

	for (int i = 0; i < DIGEST_LANES; i++) {
		struct lane *l = &w->lanes[i];

		if (!l->task)
			continue;
		l->n = 0;
		l->task->result = advance(l, buffer, room, &l->task->err);
		buffer += room;
		n_bytes += l->n;
		if (l->task->result == 0 && l->task->wants_sha256)
			feeds[n++] = (struct digest_feed){ i, l->at, l->n };
	}
	digest_lanes_update(w->digests, feeds, n);
	atomic_fetch_add(&w->h->n_bytes, n_bytes);
	for (int i = 0; i < DIGEST_LANES; i++) {
		struct lane *l = &w->lanes[i];

		if (l->task && (l->task->result < 0 || l->done == l->task->size))
			finish(w, l);
	}
}

static void adopt(struct worker *w, struct hash_task *t)
{
	int i = 0;

	while (w->lanes[i].task)
		i++;
	w->lanes[i] = (struct lane){ .task = t, .reader = { .fd = -1 } };
	digest_lanes_begin(w->digests, i);
	w->n++;
}

/* What comes out of a store is in memory as long as it is hashed. */
static bool is_heavy(const struct hash_task *t)
{
	return t->entry->store && t->size > MAX_HELD_BYTES;
}

/* What a thread has together leaves the others their share; the first is of two at most, for who waits to send it. */
static void adopt_more(struct worker *w)
{
	struct hashers *h = w->h;
	int share = w->n + h->n_waiting / (h->n_threads ? h->n_threads : 1);
	int most = digest_lanes_useful(w->digests, h->has_first || share < 2 ? share : 2);

	for (struct hash_task *t; (t = h->waiting.first);) {
		if (w->n && (w->n >= most || !t->wants_sha256 || is_heavy(t)))
			break;
		adopt(w, take_first(&h->waiting));
		h->n_waiting--;
	}
}

static void worker_init(struct worker *w, struct hashers *h)
{
	*w = (struct worker){ .h = h, .digests = digest_lanes_new(0), .buffer = xmalloc(BUFFER_BYTES) };
}

static void worker_release(struct worker *w)
{
	for (int i = 0; i < DIGEST_LANES; i++)
		if (w->lanes[i].task)
			leave(w, &w->lanes[i]);
	digest_lanes_free(w->digests);
	free(w->buffer);
}

static bool wait_for_work(struct worker *w)
{
	struct hashers *h = w->h;
	bool is_ending;

	pthread_mutex_lock(&h->mutex);
	while (!(is_ending = atomic_load(&h->is_ending)) && !w->n && !h->waiting.first)
		pthread_cond_wait(&h->has_work, &h->mutex);
	if (!is_ending)
		adopt_more(w);
	pthread_mutex_unlock(&h->mutex);
	return !is_ending;
}

static void *work(void *arg)
{
	struct worker w;

	worker_init(&w, arg);
	while (wait_for_work(&w))
		run_round(&w);
	worker_release(&w);
	return NULL;
}

/* Without threads nobody else touches the lists. */
static void work_here(struct hashers *h)
{
	struct worker w;

	worker_init(&w, h);
	while (adopt_more(&w), w.n)
		run_round(&w);
	worker_release(&w);
}

struct hashers *hashers_new(int n, void (*wake)(void *ctx), void *ctx)
{
	struct hashers *h = xcalloc(1, sizeof(*h));
	int wanted = n ? n : (int)sys_cpus();
	pthread_condattr_t monotonic;

	h->wake = wake;
	h->ctx = ctx;
	h->max_threads = wanted < MAX_THREADS ? wanted : MAX_THREADS;
	pthread_mutex_init(&h->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&h->has_work, NULL);
	pthread_cond_init(&h->has_finished, &monotonic);
	pthread_condattr_destroy(&monotonic);
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
	for (int i = 0; i < h->n_threads; i++)
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

int hashers_room(const struct hashers *h)
{
	return 2 * DIGEST_LANES * h->max_threads;
}

/* One more at most, when there is work for it; the others do what the system has no thread for. */
static void start_thread(struct hashers *h)
{
	if (h->n_threads < h->max_threads && (uint64_t)h->n_threads < h->given / BYTES_PER_THREAD &&
	    pthread_create(&h->threads[h->n_threads], NULL, work, h) == 0)
		h->n_threads++;
}

void hashers_add(struct hashers *h, struct hash_task *t)
{
	pthread_mutex_lock(&h->mutex);
	append(&h->waiting, t);
	h->n_waiting++;
	h->given += t->size + BYTES_PER_TASK;
	start_thread(h);
	pthread_cond_signal(&h->has_work);
	pthread_mutex_unlock(&h->mutex);
}

static struct timespec after_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

struct hash_task *hashers_take(struct hashers *h, int64_t timeout_ms)
{
	const struct timespec until = after_ms(timeout_ms);
	struct hash_task *t;

	if (!h->n_threads && h->waiting.first)
		work_here(h);
	pthread_mutex_lock(&h->mutex);
	while (timeout_ms > 0 && !h->finished.first)
		if (pthread_cond_timedwait(&h->has_finished, &h->mutex, &until) != 0)
			break;
	t = take_first(&h->finished);
	pthread_mutex_unlock(&h->mutex);
	return t;
}

struct hash_task *hashers_take_back(struct hashers *h)
{
	struct hash_task *t;

	pthread_mutex_lock(&h->mutex);
	t = take_first(&h->waiting);
	h->n_waiting -= t != NULL;
	pthread_mutex_unlock(&h->mutex);
	return t;
}

uint64_t hashers_bytes(const struct hashers *h)
{
	return atomic_load(&h->n_bytes);
}
