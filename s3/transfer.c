#include "s3/transfer.h"

#include "base/mem.h"
#include "s3/transfer_internal.h"

/* The longest wait for something to happen. */
#define TURN_MS   100
#define REPORT_MS 100
/* More bodies are not hashed ahead of those that are sent, on however many cores. */
#define MAX_HASHED 64

void engine_fail(struct engine *e, struct err *err)
{
	if (e->has_failed) {
		err_release(err);
		return;
	}
	e->has_failed = true;
	err_move(&e->err, err);
}

void engine_count(struct engine *e, int64_t bytes, const char *name)
{
	const struct sys *sys = e->s3->aws->id->sys;
	int64_t now_ms;

	e->done_bytes += (uint64_t)bytes;
	if (!e->spec->report)
		return;
	now_ms = sys->ticks_ms(sys);
	if (now_ms - e->reported_ms < REPORT_MS && e->done_bytes != e->spec->total_bytes)
		return;
	e->reported_ms = now_ms;
	report_progress(e->spec->report, e->spec->stage, name, e->done_bytes, e->spec->total_bytes);
}

/* Bodies that are hashed or sent at once: enough that neither side waits for the other; each may be an open file. */
static int room(const struct engine *e)
{
	int hashed = hashers_room(e->hashers);

	return s3_pump_limit(e->pump) + (hashed < MAX_HASHED ? hashed : MAX_HASHED);
}

static void begin_next(struct engine *e)
{
	struct transfer_item item = { 0 };
	auto_err err = { 0 };
	int more = e->spec->next(e->spec->ctx, &item, &err);

	if (more < 0)
		engine_fail(e, &err);
	else if (more == 0)
		e->has_all = true;
	else
		upload_begin(e, &item);
}

/* Parts of what is begun come before what is not: few files are open, few uploads half done. */
static void feed(struct engine *e)
{
	while (!e->has_failed && e->n_pieces < room(e)) {
		if (e->planned_first)
			upload_give_part(e->planned_first);
		else if (!e->has_all && e->n_uploads < room(e))
			begin_next(e);
		else
			break;
	}
}

static void take_hashed(struct engine *e, int64_t timeout_ms)
{
	struct hash_task *t;

	while (!e->has_failed && e->n_hashing && (t = hashers_take(e->hashers, timeout_ms))) {
		e->n_hashing--;
		timeout_ms = 0;
		piece_hashed((struct piece *)t);
	}
}

static int drive(struct engine *e, struct err *err)
{
	while (!e->has_failed && (!e->has_all || e->n_uploads)) {
		feed(e);
		/* With nothing on the network, only the threads can bring news. */
		take_hashed(e, s3_pump_pending(e->pump) ? 0 : TURN_MS);
		if (!e->has_failed && s3_pump_turn(e->pump, s3_pump_pending(e->pump) ? TURN_MS : 0, err) < 0)
			return -1;
	}
	if (!e->has_failed)
		return 0;
	err_move(err, &e->err);
	return -1;
}

static uint64_t count_unfinished(const struct engine *e)
{
	uint64_t n = 0;

	for (const struct upload *u = e->uploads; u; u = u->next)
		n += u->m.upload_id != NULL;
	return n;
}

static void release(struct engine *e)
{
	/* First whoever might still touch the pieces. */
	hashers_free(e->hashers);
	s3_pump_free(e->pump);
	while (e->pieces)
		piece_free(e->pieces);
	while (e->uploads)
		upload_free(e->uploads);
	s3_uploads_release(&e->cut_off);
	err_release(&e->err);
}

static void wake(void *ctx)
{
	struct engine *e = ctx;

	s3_pump_wake(e->pump);
}

int s3_transfer(struct s3 *s3, const struct transfer *t, struct transfer_result *ret, struct err *err)
{
	struct engine e = { .s3 = s3, .spec = t };
	int rc;

	e.pump = s3_pump_new(s3, t->max_in_flight);
	e.hashers = hashers_new(t->n_hashers, wake, &e);
	rc = drive(&e, err);
	if (rc == 0)
		*ret = e.result;
	else
		ret->unfinished = count_unfinished(&e);
	release(&e);
	return rc;
}
