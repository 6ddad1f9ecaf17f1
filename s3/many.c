#include "s3/many.h"

#include "base/mem.h"

/* Queued beyond those under way: the pump never waits for the next. */
#define AHEAD 8

#define TURN_MS 1000

struct run {
	const struct s3_many *many;
	struct s3_pump *pump;
	struct s3_many_call *calls[S3_MAX_IN_FLIGHT + AHEAD]; /* NULL: free */
	struct err *err;
	bool has_failed, is_at_end;
};

static void free_call(struct s3_many_call *c)
{
	s3_call_release(&c->call);
	free(c->key);
	free(c);
}

static void ended(struct s3_call *call, int result)
{
	struct s3_many_call *c = (struct s3_many_call *)call;
	struct run *r = call->ctx;

	for (size_t i = 0; i < ARRAY_LEN(r->calls); i++) {
		if (r->calls[i] == c)
			r->calls[i] = NULL;
	}
	if (r->has_failed) {
		if (r->many->drop)
			r->many->drop(r->many->ctx, c);
	} else if (r->many->done(r->many->ctx, c, result, r->err) < 0) {
		r->has_failed = true;
	}
	free_call(c);
}

/* Take the next one into a free place: 1; 0 when there is none. */
static int start_next(struct run *r, size_t place)
{
	struct s3_many_call *c = xcalloc(1, sizeof(*c));
	int more = r->many->next(r->many->ctx, c, r->err);

	if (more <= 0) {
		free(c);
		r->is_at_end = true;
		r->has_failed = more < 0;
		return 0;
	}
	c->call.req.key = c->key;
	c->call.done = ended;
	c->call.ctx = r;
	r->calls[place] = c;
	s3_pump_start(r->pump, &c->call);
	return 1;
}

static void feed(struct run *r)
{
	for (size_t i = 0; i < ARRAY_LEN(r->calls) && !r->is_at_end && !r->has_failed; i++) {
		if (!r->calls[i])
			start_next(r, i);
	}
}

int s3_many(struct s3 *s3, const struct s3_many *m, struct err *err)
{
	struct run r = { .many = m, .pump = s3_pump_new(s3, 0), .err = err };

	feed(&r);
	while (!r.has_failed && s3_pump_pending(r.pump)) {
		if (s3_pump_turn(r.pump, TURN_MS, err) < 0)
			r.has_failed = true;
		feed(&r);
	}
	s3_pump_free(r.pump);
	for (size_t i = 0; i < ARRAY_LEN(r.calls); i++) {
		if (!r.calls[i])
			continue;
		if (m->drop)
			m->drop(m->ctx, r.calls[i]);
		free_call(r.calls[i]);
	}
	return r.has_failed ? -1 : 0;
}
