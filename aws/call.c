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
struct call {
	struct aws *aws;
	const char *what;
	const struct aws_request *req;
	struct http_response *resp;
	char *url, *path, *host; /* path and host as they are signed */
	char *payload_hash;
	char *invocation_id;
	struct creds creds; /* of this attempt */
	bool is_clock_mended, is_creds_mended;
};

static void call_release(struct call *c)
{
	free(c->url);
	free(c->path);
	free(c->host);
	free(c->payload_hash);
	free(c->invocation_id);
	creds_release(&c->creds);
}

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

static int no_endpoint(const struct call *c, struct err *err)
{
	const struct aws_identity *id = c->aws->id;

	err_set(err, ERR_CONFIG, "%s: the host of '%s' in partition '%s' is not known", c->what,
		aws_service_signing_name(c->req->service), id->partition->id);
	return err_hint(err, "%s",
			c->req->service == AWS_IAM ? "give the role by its ARN, or set AWS_ENDPOINT_URL_IAM"
						   : "set AWS_ENDPOINT_URL_<SERVICE>");
}

static int locate(struct call *c, struct err *err)
{
	const char *base = c->aws->id->endpoints[c->req->service].url;
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

static void add_headers(const struct call *c, int attempt, struct http_headers *headers)
{
	const struct aws_request *req = c->req;
	const struct aws_identity *id = c->aws->id;
	const char *signing_region = id->endpoints[req->service].signing_region;
	int max_attempts = id->retry.max_attempts ? id->retry.max_attempts : RETRY_MAX_ATTEMPTS;

	if (req->headers)
		http_headers_copy(headers, req->headers);
	http_headers_set(headers, "amz-sdk-invocation-id", c->invocation_id);
	http_headers_addf(headers, "amz-sdk-request", "attempt=%d; max=%d", attempt,
			  max_attempts + c->is_clock_mended + c->is_creds_mended);
	if (!req->no_auth) {
		const struct sigv4_scope scope = {
			.region = signing_region ? signing_region : id->region,
			.service = aws_service_signing_name(req->service),
			.time = (time_t)(aws_clock_now_ms(id, req->service) / 1000),
			.is_s3 = req->service == AWS_S3,
		};

		sigv4_sign(req->method, c->host, c->path, req->query, headers, c->payload_hash, &scope, &c->creds);
	}
	/* Unsigned: proxies may add to it. */
	http_headers_set(headers, "user-agent", "smpipe/" SMPIPE_VERSION);
}

static int exchange(const struct call *c, int attempt, struct err *err)
{
	const struct aws_request *req = c->req;
	struct http_body body = { 0 };
	auto_headers headers = { 0 };
	struct http_request out = {
		.method = req->method,
		.url = c->url,
		.bytes = req->bytes,
		.n = req->n,
		.sink = req->sink,
		.sink_ctx = req->sink_ctx,
		.max_body_bytes = req->max_body_bytes,
		.ca_file = c->aws->id->ca_file,
	};
	int result;

	add_headers(c, attempt, &headers);
	out.headers = headers;
	if (req->open_body) {
		if (req->open_body(req->body_ctx, &body, err) < 0)
			return -1;
		out.body = &body;
	}
	result = http_send(c->aws->http, &out, c->resp, err);
	if (req->close_body)
		req->close_body(req->body_ctx, &body);
	return result;
}

/* The credentials for the next attempt; expired: those which the service does not take any more, or NULL. */
static int get_creds(struct call *c, const struct creds *expired, struct err *err)
{
	if (c->req->no_auth)
		return 0;
	return aws_identity_credentials(c->aws->id, expired, &c->creds, err);
}

/*
 * Without an answer nobody knows whether the service acted, unless nothing was sent at all (base/http.h). A certificate
 * or a proxy's rule does not change by itself.
 */
static enum retry_class class_of_loss(const struct aws_request *req, const struct err *err)
{
	if (err->code != ERR_NETWORK || err_is_service(err, "NotTrusted") || err_is_service(err, "ProxyRefused"))
		return RETRY_NO;
	return req->is_idempotent || err_is_service(err, "NotConnected") ? RETRY_TRANSIENT : RETRY_NO;
}

static bool mend_clock(struct call *c, const struct err *why)
{
	if (c->is_clock_mended || !aws_is_clock_refusal(c->resp, why))
		return false;
	c->is_clock_mended = aws_clock_learn(c->aws->id, c->req->service, c->resp);
	return c->is_clock_mended;
}

/* What cannot be refreshed, or comes back the same, would be refused again. */
static bool mend_creds(struct call *c, const struct err *why)
{
	auto_creds old = { 0 };
	auto_err ignored = { 0 };

	if (c->is_creds_mended || !aws_is_expired(why))
		return false;
	creds_copy(&old, &c->creds);
	if (get_creds(c, &old, &ignored) < 0)
		return false;
	c->is_creds_mended = !creds_equal(&old, &c->creds);
	return c->is_creds_mended;
}

/* The service refused and did not act: a refusal whose cause is ours to mend is sent again whatever the request. */
static bool mend(struct call *c, const struct err *why, struct retry_verdict *ret)
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

static int attempt_call(void *ctx, int attempt, struct retry_verdict *ret_verdict, struct err *err)
{
	struct call *c = ctx;

	http_response_release(c->resp);
	if (attempt > 1 && c->req->sink_reset)
		c->req->sink_reset(c->req->sink_ctx);
	if (get_creds(c, NULL, err) < 0)
		return err_wrap(err, "%s", c->what);
	if (exchange(c, attempt, err) < 0) {
		ret_verdict->retry_class = class_of_loss(c->req, err);
		return err_wrap(err, "%s", c->what);
	}
	if (c->resp->status >= 200 && c->resp->status <= 299)
		return 0;
	aws_error_from_response(c->resp, c->what, c->aws->id->sys, err);
	if (mend(c, err, ret_verdict))
		return -1;
	*ret_verdict = aws_retry_verdict(c->resp, err);
	if (ret_verdict->retry_class == RETRY_TRANSIENT && !c->req->is_idempotent)
		ret_verdict->retry_class = RETRY_NO;
	return -1;
}

int aws_send(struct aws *aws, const char *what, const struct aws_request *req, struct http_response *ret_resp,
	     struct err *err)
{
	__attribute__((cleanup(call_release))) struct call c = {
		.aws = aws,
		.what = what,
		.req = req,
		.resp = ret_resp,
		.invocation_id = new_uuid(aws->id->sys),
	};

	assert(!req->open_body || req->payload_hash);
	if (locate(&c, err) < 0)
		return -1;
	if (req->payload_hash) {
		c.payload_hash = xstrdup(req->payload_hash);
	} else {
		struct digest digest = digest_of(req->bytes ? req->bytes : "", req->n);

		c.payload_hash = digest_hex(&digest);
	}
	return retry_run(aws->id->sys, aws->id->report, what, &aws->id->retry, attempt_call, &c, err);
}
