#include "aws/call.h"

#include <assert.h>
#include <string.h>

#include "aws/call_error.h"
#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/retry.h"
#include "base/str.h"

/* One call over its attempts. */
struct aws_call {
	const struct aws_identity *id;
	const char *what;
	const struct aws_request *req;
	struct http_response *resp;
	char *url, *path, *host; /* path and host as they are signed */
	char *payload_hash;
	char *invocation_id;
	struct retry retry;
	struct creds creds; /* of this attempt */
	struct http_request out;
	struct http_body body;
	int64_t clock_offset_ms; /* with which this attempt was signed */
	int n_clock_mended;
	bool is_creds_mended;
	bool is_throttled;
};

/* A random UUID, RFC 9562 section 5.4. */
static char *new_uuid(const struct sys *sys)
{
	unsigned char b[16];
	auto_free char *hex = NULL;

	sys->random(sys, b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	hex = str_hex(b, sizeof(b));
	return xasprintf("%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* What goes into the Host header: a port only where it is not the scheme's own. */
static char *wire_host(const char *authority, size_t n, bool is_https)
{
	auto_free char *host = xstrndup(authority, n);
	const char *port = is_https ? ":443" : ":80";

	if (str_ends(host, port))
		host[strlen(host) - strlen(port)] = '\0';
	return take(host);
}

static int no_endpoint(const struct aws_call *c, struct err *err)
{
	const struct aws_identity *id = c->id;

	err_set(err, ERR_CONFIG, "%s: the host of '%s' in partition '%s' is not known", c->what,
		aws_service_signing_name(c->req->service), id->partition->id);
	return err_hint(err, "%s",
			c->req->service == AWS_IAM ? "give the role by its ARN, or set AWS_ENDPOINT_URL_IAM"
						   : "set AWS_ENDPOINT_URL_<SERVICE>");
}

static int locate(struct aws_call *c, struct err *err)
{
	const char *base = c->id->endpoints[c->req->service].url;
	const char *query = c->req->query && *c->req->query ? c->req->query : NULL;
	const char *path = c->req->path ? c->req->path : "/";
	const char *authority;
	size_t n;

	if (!base)
		return no_endpoint(c, err);
	authority = strstr(base, "://") + 3;
	n = strcspn(authority, "/");
	c->path = xasprintf("%s%s", authority + n, path);
	if (c->req->host)
		c->host = wire_host(c->req->host, strlen(c->req->host), str_starts(base, "https:"));
	else
		c->host = wire_host(authority, n, str_starts(base, "https:"));
	c->url = xasprintf("%.*s%s%s%s%s", (int)(authority - base), base, c->host, c->path, query ? "?" : "",
			   query ? query : "");
	return 0;
}

static void sign(const struct aws_call *c, struct http_headers *headers)
{
	const struct aws_identity *id = c->id;
	const char *signing_region = c->req->region ? c->req->region : id->endpoints[c->req->service].signing_region;
	const struct sigv4_scope scope = {
		.region = signing_region ? signing_region : id->region,
		.service = aws_service_signing_name(c->req->service),
		.time = (time_t)((id->sys->now_ms(id->sys) + c->clock_offset_ms) / 1000),
		.keys = id->signing_keys,
		.is_s3 = c->req->service == AWS_S3,
	};

	sigv4_sign(c->req->method, c->host, c->path, c->req->query, headers, c->payload_hash, &scope, &c->creds);
}

static void add_headers(const struct aws_call *c, struct http_headers *headers)
{
	if (c->req->headers)
		http_headers_copy(headers, c->req->headers);
	http_headers_set(headers, "amz-sdk-invocation-id", c->invocation_id);
	http_headers_addf(headers, "amz-sdk-request", "attempt=%d; max=%d", c->retry.attempt, c->retry.max_attempts);
	if (!c->req->no_auth)
		sign(c, headers);
	/* Unsigned: proxies may add to it. */
	http_headers_set(headers, "user-agent", "smpipe/" SMPIPE_VERSION);
}

/* The credentials for the next attempt; expired: those which the service does not take any more, or NULL. */
static int get_creds(struct aws_call *c, const struct creds *expired, struct err *err)
{
	if (c->req->no_auth)
		return 0;
	return aws_identity_credentials(c->id, expired, &c->creds, err);
}

/*
 * Without an answer nobody knows whether the service acted, unless nothing was sent at all (base/http.h).
 */
static enum retry_class class_of_loss(const struct aws_request *req, const struct err *err)
{
	if (err->code != ERR_NETWORK || http_loss_is_final(err))
		return RETRY_NO;
	return req->is_idempotent || err_is_service(err, "NotConnected") ? RETRY_TRANSIENT : RETRY_NO;
}

/* A refusal of HEAD has no body to say what it is for. */
static bool is_silent_head(const struct aws_call *c, int status, const struct err *why)
{
	return !why->service_code && c->resp->status == status && str_eq(c->req->method, "HEAD");
}

/* Twice: what one host of many with a wrong clock has taught is taken back by the next. */
static bool mend_clock(struct aws_call *c, const struct err *why)
{
	if (c->n_clock_mended == 2 || !c->id->clock || !aws_is_clock_refusal(c->resp, why) ||
	    !aws_clock_was_wrong(c->id, c->clock_offset_ms, c->resp))
		return false;
	aws_clock_learn(c->id, c->req->service, c->resp);
	c->n_clock_mended++;
	return true;
}

/* What cannot be refreshed, or comes back the same, would be refused again. */
static bool mend_creds(struct aws_call *c, const struct err *why)
{
	auto_creds old = { 0 };
	auto_err ignored = { 0 };

	if (c->is_creds_mended || !(aws_is_expired(why) || is_silent_head(c, 400, why)))
		return false;
	creds_copy(&old, &c->creds);
	if (get_creds(c, &old, &ignored) < 0)
		return false;
	c->is_creds_mended = !creds_equal(&old, &c->creds);
	return c->is_creds_mended;
}

/* What a refusal of HEAD is for, its Date may tell. */
static void name_clock(const struct aws_call *c, struct err *why)
{
	auto_free char *by = NULL;
	int64_t skew_s = 0;

	if (c->req->no_auth || !is_silent_head(c, 403, why) || !aws_clock_was_wrong(c->id, c->clock_offset_ms, c->resp))
		return;
	aws_clock_skew(c->resp, c->id->sys, &skew_s);
	by = str_duration_ms(llabs(skew_s) * 1000);
	err_set(why, ERR_AUTH, "%s: 403: the clocks do not agree: by this answer, this machine's is %s %s", c->what, by,
		skew_s > 0 ? "behind" : "ahead");
	err_hint(why, "set this machine's clock right");
	err_service(why, "RequestTimeTooSkewed");
}

/* The service refused and did not act: a refusal whose cause is ours to mend is sent again whatever the request. */
static bool mend(struct aws_call *c, const struct err *why, struct retry_verdict *ret)
{
	if (c->req->no_auth)
		return false;
	if (mend_clock(c, why))
		*ret = (struct retry_verdict){ RETRY_MENDED,
					       .remedy = "this machine's clock is wrong, the service's is used" };
	else if (mend_creds(c, why))
		*ret = (struct retry_verdict){ RETRY_MENDED, .remedy = "with new credentials" };
	else
		return false;
	return true;
}

static struct retry_verdict verdict_of(struct aws_call *c, const struct err *why)
{
	struct retry_verdict verdict = { RETRY_NO, 0, NULL };

	if (!mend(c, why, &verdict)) {
		verdict = aws_retry_verdict(c->resp, why);
		c->is_throttled = verdict.retry_class == RETRY_THROTTLED || c->resp->status == 503;
		if (verdict.retry_class == RETRY_TRANSIENT && !c->req->is_idempotent)
			verdict.retry_class = RETRY_NO;
	}
	return verdict;
}

static void begin_attempts(struct aws_call *c)
{
	struct retry_policy policy = c->id->retry;

	/* The pace of the whole falls at once: that is what ends a storm, not giving up single calls. */
	if (c->req->is_patient) {
		policy.quota = NULL;
		if (policy.max_attempts < AWS_PATIENT_ATTEMPTS)
			policy.max_attempts = AWS_PATIENT_ATTEMPTS;
	}
	retry_begin(&c->retry, c->id->sys, c->id->report, c->what, &policy);
}

struct aws_call *aws_call_new(const struct aws_identity *id, const char *what, const struct aws_request *req,
			      struct http_response *resp, struct err *err)
{
	struct aws_call *c = xcalloc(1, sizeof(*c));

	assert(!req->open_body || req->payload_hash);
	*c = (struct aws_call){ .id = id, .what = what, .req = req, .resp = resp };
	if (locate(c, err) < 0) {
		aws_call_free(c);
		return NULL;
	}
	c->invocation_id = new_uuid(id->sys);
	begin_attempts(c);
	if (req->payload_hash) {
		c->payload_hash = xstrdup(req->payload_hash);
	} else {
		struct digest digest = digest_of(req->bytes ? req->bytes : "", req->n);

		c->payload_hash = digest_hex(&digest);
	}
	return c;
}

void aws_call_free(struct aws_call *c)
{
	if (!c)
		return;
	http_headers_release(&c->out.headers);
	free(c->url);
	free(c->path);
	free(c->host);
	free(c->payload_hash);
	free(c->invocation_id);
	creds_release(&c->creds);
	free(c);
}

int aws_call_prepare(struct aws_call *c, const struct http_request **ret, struct err *err)
{
	const struct aws_request *req = c->req;

	http_response_release(c->resp);
	if (req->ret_attempts)
		*req->ret_attempts = c->retry.attempt;
	if (c->retry.attempt > 1 && req->sink_reset)
		req->sink_reset(req->sink_ctx);
	if (get_creds(c, NULL, err) < 0)
		return err_wrap(err, "%s", c->what);
	c->out = (struct http_request){
		.method = req->method,
		.url = c->url,
		.bytes = req->bytes,
		.n = req->n,
		.sink = req->sink,
		.sink_ctx = req->sink_ctx,
		.max_body_bytes = req->max_body_bytes,
		.ca_file = c->id->ca_file,
	};
	if (req->open_body) {
		c->body = (struct http_body){ 0 };
		if (req->open_body(req->body_ctx, &c->body, err) < 0)
			return err_wrap(err, "%s", c->what);
		c->out.body = &c->body;
	}
	c->clock_offset_ms = aws_clock_offset_ms(c->id, req->service);
	add_headers(c, &c->out.headers);
	*ret = &c->out;
	return 0;
}

/* Gives a hidden refusal the status that it should have had. */
static void judge_body(struct aws_call *c, int *result, struct err *why)
{
	int status;

	if (*result < 0 || c->resp->status / 100 != 2 || !c->req->judge_body)
		return;
	status = c->req->judge_body(c->resp);
	if (status > 0)
		c->resp->status = status;
	if (status < 0)
		*result = err_set(why, ERR_NETWORK, "the answer is cut off");
}

enum aws_outcome aws_call_judge(struct aws_call *c, int result, struct err *why, int64_t *ret_wait_ms)
{
	struct retry_verdict verdict = { RETRY_NO, 0, NULL };

	http_headers_release(&c->out.headers);
	c->is_throttled = false;
	*ret_wait_ms = 0;
	judge_body(c, &result, why);
	if (result == 0 && c->resp->status >= 200 && c->resp->status <= 299) {
		retry_succeeded(&c->retry);
		return AWS_SUCCESS;
	}
	if (result < 0) {
		verdict.retry_class = class_of_loss(c->req, why);
		err_wrap(why, "%s", c->what);
	} else {
		aws_error_from_response(c->resp, c->what, c->id->sys, why);
		name_clock(c, why);
		verdict = verdict_of(c, why);
	}
	if (!retry_again(&c->retry, &verdict, why, ret_wait_ms))
		return AWS_FAILED;
	err_release(why);
	return AWS_AGAIN;
}

bool aws_call_is_throttled(const struct aws_call *c)
{
	return c->is_throttled;
}

static int run_call(struct aws_call *c, struct http *http, struct err *err)
{
	for (;;) {
		const struct http_request *out;
		auto_err why = { 0 };
		enum aws_outcome outcome;
		int64_t wait_ms;

		if (aws_call_prepare(c, &out, err) < 0)
			return -1;
		outcome = aws_call_judge(c, http_send(http, out, c->resp, &why), &why, &wait_ms);
		if (outcome == AWS_SUCCESS)
			return 0;
		if (outcome == AWS_FAILED) {
			err_move(err, &why);
			return -1;
		}
		if (wait_ms > 0)
			c->id->sys->sleep_ms(c->id->sys, wait_ms);
		if (sys_check_cancelled(err) < 0)
			return -1;
	}
}

int aws_send(struct aws *aws, const char *what, const struct aws_request *req, struct http_response *ret_resp,
	     struct err *err)
{
	struct aws_call *c = aws_call_new(aws->id, what, req, ret_resp, err);
	int result = c ? run_call(c, aws->http, err) : -1;

	aws_call_free(c);
	return result;
}
