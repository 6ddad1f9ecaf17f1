/* Asking the machine's own services for credentials: container agents, instance metadata, the CI runner. */

#include "aws/call_error.h"
#include "aws/creds_source.h"
#include "aws/settings.h"
#include "base/retry.h"

struct fetch {
	struct creds_context *c;
	const struct creds_fetch *f;
	struct http_request request;
	struct http_response *resp;
};

/* Whether silence may end by itself. */
static bool is_passing(const struct err *err)
{
	return err->code == ERR_NETWORK && !http_loss_is_final(err);
}

static int attempt_fetch(void *ctx, int attempt, struct retry_verdict *ret_verdict, struct err *err)
{
	struct fetch *x = ctx;
	const struct sys *sys = x->c->options->sys;

	http_response_release(x->resp);
	if (http_send(x->c->http(x->c->http_ctx), &x->request, x->resp, err) < 0) {
		if (is_passing(err) && attempt < x->f->lost_attempts)
			*ret_verdict =
				(struct retry_verdict){ .retry_class = RETRY_TRANSIENT, .hint_ms = x->f->pause_ms };
		return err_wrap(err, "%s", x->f->what);
	}
	if (x->resp->status >= 200 && x->resp->status <= 299)
		return 0;
	aws_error_from_response(x->resp, x->f->what, sys, err);
	*ret_verdict = aws_retry_verdict(x->resp, err);
	if (ret_verdict->retry_class != RETRY_NO && !ret_verdict->hint_ms)
		ret_verdict->hint_ms = x->f->pause_ms;
	return -1;
}

int creds_fetch(struct creds_context *c, const struct creds_fetch *f, struct http_response *ret_resp, struct err *err)
{
	const struct aws_settings settings = { .env = c->options->env, .profiles = c->profiles, .profile = c->profile };
	auto_free char *ca_file = settings_ca_file(&settings);
	struct fetch x = { c, f, f->request, ret_resp };
	const struct retry_policy policy = {
		.max_attempts = f->lost_attempts > RETRY_MAX_ATTEMPTS ? f->lost_attempts : RETRY_MAX_ATTEMPTS,
	};

	x.request.ca_file = ca_file;
	return retry_run(c->options->sys, c->options->report, f->what, &policy, attempt_fetch, &x, err);
}
