#include "base/gzip.h"

#include <assert.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip_piece.h"
#include "base/mem.h"
#include "base/sys.h"

enum piece_state { PIECE_EMPTY, PIECE_READY, PIECE_DONE };

struct piece {
	unsigned char *in, *out;
	size_t n, out_n;
	enum piece_state state;
};

/*
 * Pieces stand in a ring: [written, next) are done or being compressed, [next, filling) are ready, `filling` takes
 * input. The numbers only grow. Two for each thread: one in work, one to go on with.
 */
struct gzip {
	gzip_sink_fn sink;
	void *ctx;
	unsigned wanted; /* threads */
	struct gzip_deflater *own;
	struct piece *ring;
	size_t n_ring;
	size_t filling, written; /* the writer's alone */
	bool has_header;
	uint32_t crc;
	uint32_t size; /* modulo 2^32, as the trailer has it */

	pthread_t threads[GZIP_MAX_THREADS];
	unsigned n_threads;
	bool could_start;
	pthread_mutex_t lock; /* of what follows, and of the pieces' states */
	pthread_cond_t is_ready, is_done;
	size_t next, ready_end;
	bool is_over;
};

struct gzip *gzip_new(unsigned threads, gzip_sink_fn sink, void *ctx)
{
	struct gzip *g = xcalloc(1, sizeof(*g));

	g->sink = sink;
	g->ctx = ctx;
	g->wanted = threads ? threads : sys_cpus();
	if (g->wanted > GZIP_MAX_THREADS)
		g->wanted = GZIP_MAX_THREADS;
	g->n_ring = 2 * g->wanted;
	g->ring = xcalloc(g->n_ring, sizeof(*g->ring));
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->is_ready, NULL);
	pthread_cond_init(&g->is_done, NULL);
	return g;
}

static struct piece *at(const struct gzip *g, size_t number)
{
	return &g->ring[number % g->n_ring];
}

static void *compress_pieces(void *arg)
{
	struct gzip *g = arg;
	struct gzip_deflater *d = gzip_deflater_new();

	pthread_mutex_lock(&g->lock);
	for (;;) {
		struct piece *p;

		while (g->next == g->ready_end && !g->is_over)
			pthread_cond_wait(&g->is_ready, &g->lock);
		if (g->is_over)
			break;
		p = at(g, g->next++);
		pthread_mutex_unlock(&g->lock);
		p->out_n = gzip_piece(d, p->in, p->n, p->out);
		pthread_mutex_lock(&g->lock);
		p->state = PIECE_DONE;
		pthread_cond_signal(&g->is_done);
	}
	pthread_mutex_unlock(&g->lock);
	gzip_deflater_free(d);
	return NULL;
}

/* Where none can be started, the writer compresses by itself. */
static void start_threads(struct gzip *g)
{
	g->could_start = true;
	while (g->wanted > 1 && g->n_threads < g->wanted &&
	       pthread_create(&g->threads[g->n_threads], NULL, compress_pieces, g) == 0)
		g->n_threads++;
}

static void compress_here(struct gzip *g, struct piece *p)
{
	if (!g->own)
		g->own = gzip_deflater_new();
	p->out_n = gzip_piece(g->own, p->in, p->n, p->out);
	p->state = PIECE_DONE;
}

static void hand_over(struct gzip *g, struct piece *p)
{
	g->crc = libdeflate_crc32(g->crc, p->in, p->n);
	g->size += (uint32_t)p->n;
	g->filling++;
	if (!g->n_threads) {
		compress_here(g, p);
		return;
	}
	pthread_mutex_lock(&g->lock);
	p->state = PIECE_READY;
	g->ready_end = g->filling;
	pthread_cond_signal(&g->is_ready);
	pthread_mutex_unlock(&g->lock);
}

static bool is_done(struct gzip *g, const struct piece *p, bool may_wait)
{
	bool done;

	pthread_mutex_lock(&g->lock);
	while (may_wait && p->state != PIECE_DONE)
		pthread_cond_wait(&g->is_done, &g->lock);
	done = p->state == PIECE_DONE;
	pthread_mutex_unlock(&g->lock);
	return done;
}

static int write_header(struct gzip *g, struct err *err)
{
	static const unsigned char header[GZIP_HEADER_BYTES] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };

	if (g->has_header)
		return 0;
	g->has_header = true;
	return g->sink(g->ctx, header, sizeof(header), err);
}

/* Write what is done, in order; wait until at most max_left pieces are left. */
static int drain(struct gzip *g, size_t max_left, struct err *err)
{
	if (write_header(g, err) < 0)
		return -1;
	while (g->written < g->filling) {
		struct piece *p = at(g, g->written);

		if (!is_done(g, p, g->filling - g->written > max_left))
			break;
		if (g->sink(g->ctx, p->out, p->out_n, err) < 0)
			return -1;
		p->state = PIECE_EMPTY;
		p->n = 0;
		g->written++;
	}
	return 0;
}

static struct piece *open_piece(struct gzip *g)
{
	struct piece *p = at(g, g->filling);

	assert(p->state == PIECE_EMPTY);
	if (!p->in) {
		p->in = xmalloc(GZIP_PIECE_BYTES);
		p->out = xmalloc(gzip_piece_bound(GZIP_PIECE_BYTES));
	}
	return p;
}

int gzip_write(struct gzip *g, const void *bytes, size_t n, struct err *err)
{
	const unsigned char *from = bytes;

	while (n) {
		struct piece *p = open_piece(g);
		size_t room = GZIP_PIECE_BYTES - p->n, take_n = n < room ? n : room;

		memcpy(p->in + p->n, from, take_n);
		p->n += take_n;
		from += take_n;
		n -= take_n;
		if (p->n < GZIP_PIECE_BYTES)
			continue;
		if (!g->could_start)
			start_threads(g);
		hand_over(g, p);
		if (drain(g, g->n_ring - 1, err) < 0)
			return -1;
	}
	return 0;
}

static void put_le32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

int gzip_finish(struct gzip *g, struct err *err)
{
	unsigned char trailer[sizeof(gzip_end) + GZIP_TRAILER_BYTES];
	struct piece *p = open_piece(g);

	if (p->n)
		hand_over(g, p);
	if (drain(g, 0, err) < 0)
		return -1;
	memcpy(trailer, gzip_end, sizeof(gzip_end));
	put_le32(trailer + sizeof(gzip_end), g->crc);
	put_le32(trailer + sizeof(gzip_end) + 4, g->size);
	return g->sink(g->ctx, trailer, sizeof(trailer), err);
}

void gzip_free(struct gzip *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->is_over = true;
	pthread_cond_broadcast(&g->is_ready);
	pthread_mutex_unlock(&g->lock);
	for (unsigned i = 0; i < g->n_threads; i++)
		pthread_join(g->threads[i], NULL);
	for (size_t i = 0; i < g->n_ring; i++) {
		free(g->ring[i].in);
		free(g->ring[i].out);
	}
	free(g->ring);
	gzip_deflater_free(g->own);
	pthread_cond_destroy(&g->is_done);
	pthread_cond_destroy(&g->is_ready);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

void gzip_free_p(struct gzip **g)
{
	gzip_free(*g);
}

const char *gzip_library(void)
{
	return "libdeflate " LIBDEFLATE_VERSION_STRING;
}
