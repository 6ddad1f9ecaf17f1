#include "pipeline/watch_patience.h"

#include "aws/call_error.h"

#define POLL_MS       5000
#define LOCAL_POLL_MS 100

void watch_patience_init(struct watch_patience *p)
{
	p->quiet = p->s->identity; /* borrowed */
	p->quiet.report = NULL;
	clients_init(&p->c, p->s);
	p->c.aws.id = &p->quiet;
	p->start_ms = p->s->sys->ticks_ms(p->s->sys);
}

void watch_patience_release(struct watch_patience *p)
{
	clients_release(&p->c);
}

static void hint_to_come_back(const struct watch_patience *p, const char *words, struct err *err)
{
	const char *options = session_options(p->s);

	err_hint(err, "%scome back with `smpipe logs -f %s%s`, or look with `smpipe status %s%s`", words, p->job_name,
		 options, p->job_name, options);
}

/* In whatever call the user's ^C was seen. */
static int leave(const struct watch_patience *p, struct err *err)
{
	bool is_cancelled = err->code == ERR_CANCELLED;

	if (is_cancelled) {
		err_release(err);
		err_set(err, ERR_CANCELLED, "cancelled");
	}
	if ((p->is_seen || is_cancelled) && !p->is_over && !err->hint)
		hint_to_come_back(p, "the job goes on; ", err);
	return -1;
}

int watch_patience_survive(struct watch_patience *p, struct err *err)
{
	/* A local cloud that is not there is no network that is away: its process has ended, and with it the job. */
	bool is_gone = p->s->is_local && err_is_service(err, "NotConnected");

	if (!p->follows || is_gone || !aws_is_passing(err))
		return leave(p, err);
	if (!p->is_lost)
		report_text(p->s->report, REPORT_WARNING, "watch", "%s; asking again until there is an answer",
			    err->msg);
	p->is_lost = true;
	err_release(err);
	return 0;
}

void watch_patience_note_answer(struct watch_patience *p)
{
	if (p->is_lost)
		report_text(p->s->report, REPORT_NOTE, "watch", "there is an answer again");
	p->is_lost = false;
}

int64_t watch_patience_left_ms(const struct watch_patience *p)
{
	int64_t used_ms = p->s->sys->ticks_ms(p->s->sys) - p->start_ms;

	if (!p->timeout_ms)
		return INT64_MAX;
	return used_ms < p->timeout_ms ? p->timeout_ms - used_ms : 0;
}

static int wait_for_next(const struct watch_patience *p, struct err *err)
{
	int64_t left_ms = watch_patience_left_ms(p), poll_ms = p->s->is_local ? LOCAL_POLL_MS : POLL_MS;

	if (sys_check_cancelled(err) < 0)
		return leave(p, err);
	if (left_ms == 0) {
		err_set(err, ERR_TIMEOUT, "job '%s' %s", p->job_name,
			p->is_lost ? "cannot be asked about" : "is still running");
		hint_to_come_back(p, "", err);
		return -1;
	}
	p->s->sys->sleep_ms(p->s->sys, poll_ms < left_ms ? poll_ms : left_ms);
	return 0;
}

int watch_patience_run(struct watch_patience *p, watch_look_fn look, void *ctx, struct err *err)
{
	for (;;) {
		if (look(ctx, err) == 0) {
			watch_patience_note_answer(p);
			if (!p->follows || p->is_done)
				return 0;
		} else if (watch_patience_survive(p, err) < 0) {
			return -1;
		}
		if (wait_for_next(p, err) < 0)
			return -1;
	}
}
