#include "s3/pump.h"

#include "base/mem.h"
#include "s3/pace.h"

struct call_list {
	struct s3_call *first, *last;
};

struct s3_pump {
	struct s3 *s3;
	struct pace pace;
	struct call_list ready, delayed, under_way, ended;
	int n_under_way, n_pending;
};

static void append(struct call_list *l, struct s3_call *c)
{
	c->next = NULL;
	c->previous = l->last;
	*(l->last ? &l->last->next : &l->first) = c;
	l->last = c;
}

static void unlink_call(struct call_list *l, struct s3_call *c)
{
	*(c->previous ? &c->previous->next : &l->first) = c->next;
	*(c->next ? &c->next->previous : &l->last) = c->previous;
	c->next = c->previous = NULL;
}

void s3_call_release(struct s3_call *c)
{
	aws_call_free(c->aws);
	c->aws = NULL;
	s3_request_release(&c->req);
	http_response_release(&c->resp);
	err_release(&c->err);
}

struct s3_pump *s3_pump_new(struct s3 *s3, int max_in_flight)
{
	struct s3_pump *p = xcalloc(1, sizeof(*p));

	p->s3 = s3;
	p->pace = pace_start(max_in_flight ? max_in_flight : S3_MAX_IN_FLIGHT);
	return p;
}

void s3_pump_free(struct s3_pump *p)
{
	if (!p)
		return;
	for (struct s3_call *c = p->under_way.first; c; c = c->next)
		http_abandon(p->s3->aws->http, &c->exchange);
	free(p);
}

static void end_call(struct s3_pump *p, struct s3_call *c, int result)
{
	c->result = result;
	append(&p->ended, c);
}

static void on_exchanged(struct http_exchange *x)
{
	struct s3_call *c = x->ctx;
	struct s3_pump *p = c->pump;
	enum aws_outcome outcome;
	int64_t wait_ms;

	unlink_call(&p->under_way, c);
	p->n_under_way--;
	outcome = aws_call_judge(c->aws, x->result, &c->err, &wait_ms);
	if (aws_call_is_throttled(c->aws))
		pace_throttled(&p->pace, c->serial);
	if (outcome == AWS_AGAIN) {
		const struct sys *sys = p->s3->aws->id->sys;

		c->due_ms = sys->ticks_ms(sys) + wait_ms;
		append(&p->delayed, c);
		return;
	}
	if (outcome == AWS_FAILED && s3_request_redirect(p->s3, &c->req, &c->resp)) {
		aws_call_free(take(c->aws));
		err_release(&c->err);
		append(&p->ready, c);
		return;
	}
	if (outcome == AWS_SUCCESS)
		pace_succeeded(&p->pace);
	else
		s3_request_explain(p->s3, &c->req, &c->resp, &c->err);
	end_call(p, c, outcome == AWS_SUCCESS ? 0 : -1);
}

static void send_call(struct s3_pump *p, struct s3_call *c)
{
	const struct http_request *out;

	if (!c->aws) {
		s3_request_prepare(p->s3, &c->req);
		c->aws = aws_call_new(p->s3->aws->id, c->req.what, &c->req.aws, &c->resp, &c->err);
	}
	if (!c->aws || aws_call_prepare(c->aws, &out, &c->err) < 0) {
		end_call(p, c, -1);
		return;
	}
	c->exchange =
		(struct http_exchange){ .req = out, .resp = &c->resp, .err = &c->err, .done = on_exchanged, .ctx = c };
	c->serial = pace_begin(&p->pace);
	append(&p->under_way, c);
	p->n_under_way++;
	http_submit(p->s3->aws->http, &c->exchange);
}

void s3_pump_start(struct s3_pump *p, struct s3_call *c)
{
	c->pump = p;
	p->n_pending++;
	append(&p->ready, c);
}

/* What waited long enough. Returns when the next one is due; -1 for none. */
static int64_t take_due(struct s3_pump *p, int64_t now_ms)
{
	int64_t next_ms = -1;
	struct s3_call *next;

	for (struct s3_call *c = p->delayed.first; c; c = next) {
		next = c->next;
		if (c->due_ms <= now_ms) {
			unlink_call(&p->delayed, c);
			append(&p->ready, c);
		} else if (next_ms < 0 || c->due_ms < next_ms) {
			next_ms = c->due_ms;
		}
	}
	return next_ms;
}

static void send_ready(struct s3_pump *p)
{
	while (p->ready.first && p->n_under_way < pace_limit(&p->pace)) {
		struct s3_call *c = p->ready.first;

		unlink_call(&p->ready, c);
		send_call(p, c);
	}
}

static int call_ended(struct s3_pump *p)
{
	int n = 0;

	while (p->ended.first) {
		struct s3_call *c = p->ended.first;

		unlink_call(&p->ended, c);
		p->n_pending--;
		n++;
		c->done(c, c->result);
	}
	return n;
}

int s3_pump_turn(struct s3_pump *p, int64_t timeout_ms, struct err *err)
{
	const struct sys *sys = p->s3->aws->id->sys;
	int64_t now_ms = sys->ticks_ms(sys), due_ms = take_due(p, now_ms);

	send_ready(p);
	if (call_ended(p))
		timeout_ms = 0;
	if (due_ms >= 0 && due_ms - now_ms < timeout_ms)
		timeout_ms = due_ms - now_ms;
	if (!p->n_under_way && !p->ready.first && due_ms >= 0 && timeout_ms > 0) {
		/* Nothing but a wait: by the clock that the wait was made with. */
		sys->sleep_ms(sys, timeout_ms);
		take_due(p, now_ms + timeout_ms);
		timeout_ms = 0;
	}
	if (http_perform(p->s3->aws->http, timeout_ms, err) < 0 || sys_check_cancelled(err) < 0)
		return -1;
	call_ended(p);
	return 0;
}

void s3_pump_wake(struct s3_pump *p)
{
	http_wake(p->s3->aws->http);
}

int s3_pump_pending(const struct s3_pump *p)
{
	return p->n_pending;
}

int s3_pump_limit(const struct s3_pump *p)
{
	return pace_limit(&p->pace);
}
