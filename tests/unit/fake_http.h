#ifndef SMPIPE_TESTS_UNIT_FAKE_HTTP_H
#define SMPIPE_TESTS_UNIT_FAKE_HTTP_H

/* An HTTP client that answers from a script and keeps what was sent; a machine whose clock stands and whose sleeps are
 * free. */

#include <assert.h>
#include <string.h>

#include "aws/call.h"
#include "base/mem.h"
#include "base/str.h"

/* status 0: no answer came; -1: no connection was made. Each header is "name: value". */
struct fake_answer {
	int status;
	const char *body;
	const char *headers[4];
};

struct fake_sent {
	char *method, *url, *body;
	struct http_headers headers;
};

struct fake_http {
	struct http http;
	const struct fake_answer *answers;
	size_t n_answers;
	struct fake_sent sent[16];
	size_t n_sent;
};

static inline void fake_read_body(const struct http_request *req, struct fake_sent *sent)
{
	auto_str body = { 0 };
	auto_err err = { 0 };
	char buffer[1000];
	int64_t n;

	if (req->body)
		while ((n = req->body->read(req->body->ctx, buffer, sizeof(buffer), &err)) > 0)
			str_add_mem(&body, buffer, (size_t)n);
	else
		str_add_mem(&body, req->bytes, req->n);
	sent->body = str_detach(&body);
}

static inline int fake_send(struct http *http, const struct http_request *req, struct http_response *resp,
			    struct err *err)
{
	struct fake_http *f = (struct fake_http *)http;
	const struct fake_answer *a = &f->answers[f->n_sent];
	struct fake_sent *sent = &f->sent[f->n_sent++];

	assert(f->n_sent <= f->n_answers && f->n_sent <= ARRAY_LEN(f->sent));
	sent->method = xstrdup(req->method);
	sent->url = xstrdup(req->url);
	http_headers_copy(&sent->headers, &req->headers);
	if (a->status < 0) {
		err_set(err, ERR_NETWORK, "connection refused");
		return err_service(err, "NotConnected");
	}
	fake_read_body(req, sent);
	if (a->status == 0)
		return err_set(err, ERR_NETWORK, "connection lost");
	resp->status = a->status;
	for (size_t i = 0; i < ARRAY_LEN(a->headers) && a->headers[i]; i++) {
		auto_free char *name = xstrndup(a->headers[i], strcspn(a->headers[i], ":"));

		http_headers_add(&resp->headers, name, a->headers[i] + strlen(name) + 2);
	}
	if (req->sink && a->status / 100 == 2)
		return req->sink(req->sink_ctx, a->body, strlen(a->body), err);
	str_add(&resp->body, a->body ? a->body : "");
	return 0;
}

static inline struct fake_http fake_http_of(const struct fake_answer *answers, size_t n)
{
	static const struct http_ops ops = { .send = fake_send };

	return (struct fake_http){ .http = { &ops }, .answers = answers, .n_answers = n };
}

static inline void fake_http_release(struct fake_http *f)
{
	for (size_t i = 0; i < f->n_sent; i++) {
		free(f->sent[i].method);
		free(f->sent[i].url);
		free(f->sent[i].body);
		http_headers_release(&f->sent[i].headers);
	}
}

#define auto_fake_http __attribute__((cleanup(fake_http_release))) struct fake_http

#define FAKE_NOW_MS INT64_C(1700703534000) /* 2023-11-23T01:38:54Z */

static inline int64_t fake_now_ms(const struct sys *sys)
{
	(void)sys;
	return FAKE_NOW_MS;
}

/* ctx: an int64_t that adds up what was slept. */
static inline void fake_sleep_ms(const struct sys *sys, int64_t ms)
{
	if (sys->ctx)
		*(int64_t *)sys->ctx += ms;
}

static inline void fake_random(const struct sys *sys, void *p, size_t n)
{
	(void)sys;
	memset(p, 0x5a, n);
}

static const struct sys fake_sys = { fake_now_ms, fake_now_ms, fake_sleep_ms, fake_random, NULL };

static inline const char *fake_no_env(const char *name)
{
	(void)name;
	return NULL;
}

/* An identity with example keys in eu-west-1. */
static inline void fake_identity(struct aws_identity *id)
{
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	id->sys = &fake_sys;
	if (aws_identity_locate(id, "eu-west-1", NULL, fake_no_env, &err) < 0 ||
	    creds_set(&creds, "AKIDEXAMPLE", "not-a-secret", NULL, "test", &err) < 0)
		abort();
	id->credentials = creds_provider_static(&creds);
}

/* One answer of a script. */
#define ANSWER(text)                                                                                                   \
	{                                                                                                              \
		.status = 200, .body = (text)                                                                          \
	}
#define REFUSAL(text)                                                                                                  \
	{                                                                                                              \
		.status = 400, .body = (text)                                                                          \
	}

/* A client of a scripted service, on the stack of the test. */
#define SERVICE(...)                                                                                                   \
	static const struct fake_answer answers[] = { __VA_ARGS__ };                                                   \
	auto_fake_http f = fake_http_of(answers, ARRAY_LEN(answers));                                                  \
	auto_aws_identity id = { 0 };                                                                                  \
	auto_err err = { 0 };                                                                                          \
	struct aws aws = { &id, &f.http };                                                                             \
	(void)state;                                                                                                   \
	fake_identity(&id)

#endif
