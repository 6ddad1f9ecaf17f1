#include "s3/download.h"

#include "s3/download_internal.h"

#define TURN_MS   100
#define REPORT_MS 100
/* Files that are open at once. */
#define MAX_FETCHES 32

void fetcher_fail(struct fetcher *f, struct err *err)
{
	if (f->has_failed) {
		err_release(err);
		return;
	}
	f->has_failed = true;
	err_move(&f->err, err);
}

void fetcher_count(struct fetcher *f, int64_t bytes, const char *name)
{
	const struct sys *sys = f->s3->aws->id->sys;
	int64_t now_ms;

	f->done_bytes += (uint64_t)bytes;
	if (!f->spec->report)
		return;
	now_ms = sys->ticks_ms(sys);
	if (now_ms - f->reported_ms < REPORT_MS && f->done_bytes != f->total_bytes)
		return;
	f->reported_ms = now_ms;
	report_progress(f->spec->report, f->spec->stage, name, f->done_bytes, f->total_bytes);
}

static void begin_next(struct fetcher *f)
{
	struct download_item item = { 0 };
	auto_err err = { 0 };
	int more = f->spec->next(f->spec->ctx, &item, &err);

	if (more < 0)
		fetcher_fail(f, &err);
	else if (more == 0)
		f->has_all = true;
	else
		fetch_begin(f, &item);
}

static void feed(struct fetcher *f)
{
	int room = 2 * s3_pump_limit(f->pump);

	while (!f->has_failed && f->n_ranges < room) {
		struct fetch *with_rest = f->fetches;

		while (with_rest && !fetch_has_rest(with_rest))
			with_rest = with_rest->next;
		if (with_rest)
			fetch_give_range(with_rest);
		else if (!f->has_all && f->n_fetches < MAX_FETCHES)
			begin_next(f);
		else
			break;
	}
}

static void take_hashed(struct fetcher *f, int64_t timeout_ms)
{
	struct hash_task *t;

	while (!f->has_failed && f->n_hashing && (t = hashers_take(f->hashers, timeout_ms))) {
		f->n_hashing--;
		timeout_ms = 0;
		fetch_hashed(t);
	}
}

static int drive(struct fetcher *f, struct err *err)
{
	while (!f->has_failed && (!f->has_all || f->n_fetches)) {
		feed(f);
		take_hashed(f, s3_pump_pending(f->pump) ? 0 : TURN_MS);
		if (!f->has_failed && s3_pump_turn(f->pump, s3_pump_pending(f->pump) ? TURN_MS : 0, err) < 0)
			return -1;
	}
	if (!f->has_failed)
		return 0;
	err_move(err, &f->err);
	return -1;
}

static void wake(void *ctx)
{
	struct fetcher *f = ctx;

	s3_pump_wake(f->pump);
}

/* What stays is hidden: somebody who lacks the room for it must know where it lies. */
static void hint_rest(const struct fetcher *f, struct err *err)
{
	const struct download_file *first = NULL;
	int n = 0;

	/* Of an object that changed nothing is of use. */
	if (err->hint || err->code == ERR_CONFLICT)
		return;
	for (const struct fetch *x = f->fetches; x; x = x->next)
		if (x->is_known && download_file_can_go_on(&x->file) && !n++)
			first = &x->file;
	if (n == 1)
		err_hint(err, "what came of '%s' is kept in '%s'; the next get goes on from there", first->target,
			 first->temporary);
	else if (n)
		err_hint(err, "what came of %d files is kept beside them, as in '%s'; the next get goes on from there",
			 n, first->temporary);
}

int s3_download(struct s3 *s3, const struct download *d, struct download_result *ret, struct err *err)
{
	struct fetcher f = { .s3 = s3, .spec = d, .total_bytes = d->total_bytes };
	int rc;

	f.pump = s3_pump_new(s3, 0);
	f.hashers = hashers_new(0, wake, &f);
	rc = drive(&f, err);
	if (rc == 0)
		*ret = f.result;
	else
		hint_rest(&f, err);
	hashers_free(f.hashers);
	s3_pump_free(f.pump);
	while (f.fetches)
		fetch_free(f.fetches);
	err_release(&f.err);
	return rc;
}
