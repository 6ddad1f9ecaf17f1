#include "pipeline/doctor.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "ecr/engine.h"

#define CLOCK_TIMEOUT_MS 10000
/* From here on services refuse signatures. */
#define MAX_SKEW_S 300

const char *doctor_status_word(enum doctor_status status)
{
	static const char *const words[] = { "ok", "warn", "--", "BAD" };

	return words[status];
}

void doctor_tell(struct doctor *d, enum doctor_status status, const char *what, const char *hint, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	d->fn(d->ctx, &(struct doctor_check){ status, what, text, hint });
}

void doctor_tell_error(struct doctor *d, const char *what, const struct err *err)
{
	auto_free char *line = xstrndup(err->msg, strcspn(err->msg, "\n"));
	auto_free char *hint = err->hint ? xstrndup(err->hint, strcspn(err->hint, "\n")) : NULL;

	if (d->n_bad++ == 0)
		d->first = err->code;
	doctor_tell(d, DOCTOR_BAD, what, hint, "%s", line);
}

static void tell_state(struct doctor *d, const struct git_state *s)
{
	auto_free char *on = s->branch ? xasprintf(" on %s", s->branch) : xstrdup("");

	if (s->changes.n)
		doctor_tell(d, DOCTOR_WARNING, "git", "commit what feeds the release, or release with --allow-dirty",
			    "commit %.12s%s, %zu changed file%s", s->commit, on, s->changes.n,
			    s->changes.n == 1 ? "" : "s");
	else
		doctor_tell(d, DOCTOR_OK, "git", NULL, "commit %.12s%s, clean", s->commit, on);
}

void doctor_git(struct doctor *d, const char *folder)
{
	struct git_state state = { 0 };
	auto_git *git = NULL;
	auto_err err = { 0 };

	if (git_open(folder, &git, &err) < 0 || git_read_state(git, &state, &err) < 0) {
		if (d->config)
			doctor_tell_error(d, "git", &err);
		else
			doctor_tell(d, DOCTOR_SKIPPED, "git", NULL, "%s", err.msg);
	} else {
		tell_state(d, &state);
	}
	git_state_release(&state);
}

void doctor_engine(struct doctor *d, bool is_needed)
{
	auto_engine engine = { 0 };
	auto_err err = { 0 };

	if (engine_connect(d->session->http, d->session->docker_host, &engine, &err) == 0)
		doctor_tell(d, DOCTOR_OK, "engine", NULL, "Docker Engine %s, API %s, %s", engine.engine_version,
			    engine.api_version, engine.os_arch);
	else if (is_needed)
		doctor_tell_error(d, "engine", &err);
	else
		doctor_tell(d, DOCTOR_SKIPPED, "engine", NULL,
			    "none answers; none is needed, for nothing is built here");
}

void doctor_endpoints(struct doctor *d)
{
	const struct aws_identity *id = &d->session->identity;

	for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
		const struct endpoint *e = &id->endpoints[i];

		/* Asked by the credentials of a sign-in only, which have told theirs. */
		if ((i == AWS_SSO || i == AWS_SSO_OIDC) && (!e->is_override || d->session->is_local))
			continue;
		doctor_tell(d, DOCTOR_OK, "endpoint", NULL, "%s %s%s", aws_service_signing_name((enum aws_service)i),
			    e->url, e->is_override ? " (not AWS's own)" : "");
	}
}

/* The service's time in milliseconds, from an answer to nothing in particular. */
static int ask_time(struct doctor *d, int64_t *ret_ms, struct err *err)
{
	auto_free char *url = xasprintf("%s/", d->session->identity.endpoints[AWS_STS].url);
	struct http_request req = {
		.method = "GET", .url = url, .timeout_ms = CLOCK_TIMEOUT_MS, .ca_file = d->session->identity.ca_file
	};
	auto_response resp = { 0 };
	struct tm tm = { 0 };
	const char *date;

	if (http_send(d->session->http, &req, &resp, err) < 0)
		return err_wrap(err, "ask '%s' for the time", url);
	date = http_headers_get(&resp.headers, "date");
	if (!date || !strptime(date, "%a, %d %b %Y %H:%M:%S", &tm))
		return err_set(err, ERR_INVALID, "the answer of '%s' has no date", url);
	*ret_ms = (int64_t)timegm(&tm) * 1000;
	return 0;
}

void doctor_clock(struct doctor *d)
{
	const struct sys *sys = d->session->sys;
	auto_free char *by = NULL;
	auto_err err = { 0 };
	int64_t theirs_ms = 0, ahead_ms;

	if (ask_time(d, &theirs_ms, &err) < 0) {
		if (err.code == ERR_NETWORK)
			err_hint(&err, "check the network, HTTPS_PROXY and AWS_CA_BUNDLE");
		doctor_tell_error(d, "clock", &err);
		return;
	}
	/* A date has whole seconds. */
	ahead_ms = sys->now_ms(sys) / 1000 * 1000 - theirs_ms;
	by = str_duration_ms(ahead_ms < 0 ? -ahead_ms : ahead_ms);
	if (ahead_ms >= -1000 && ahead_ms <= 1000)
		doctor_tell(d, DOCTOR_OK, "clock", NULL, "as the service's");
	else if (ahead_ms > MAX_SKEW_S * 1000LL || ahead_ms < -MAX_SKEW_S * 1000LL)
		doctor_tell(d, DOCTOR_WARNING, "clock",
			    "set this machine's clock right: smpipe makes up for it, other clients are refused",
			    "%s %s the service's", by, ahead_ms > 0 ? "ahead of" : "behind");
	else
		doctor_tell(d, DOCTOR_OK, "clock", NULL, "%s %s the service's", by,
			    ahead_ms > 0 ? "ahead of" : "behind");
}
