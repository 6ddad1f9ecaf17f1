#ifndef SMPIPE_TESTS_UNIT_FAKE_S3_H
#define SMPIPE_TESTS_UNIT_FAKE_S3_H

/* A bucket in memory behind the http seam, with canned answers for what a test wants to go wrong. For tests only. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/object.h"

struct fake_object {
	char *path; /* "/bucket/key" */
	char *bytes;
	size_t n;
	char *checksum; /* base64, or NULL */
};

struct fake_answer {
	int status;
	const char *header, *value; /* one header, or NULL */
	const char *body;
};

struct fake_s3 {
	struct http http; /* first */
	struct fake_object objects[64];
	size_t n;
	const struct fake_answer *canned; /* taken one by one, before the bucket answers; ended by status 0 */
	struct strlist log;               /* "PUT https://…" */
	struct http_headers last;         /* headers of the last request */
	struct str body;                  /* body of the last request */
	struct sys sys;
	int64_t slept_ms;
	struct aws_identity id;
	struct aws aws;
	struct s3 s3;
	void *user;                  /* of what stands on top */
	const char *checksum_header; /* of objects; NULL: x-amz-checksum-sha256 */
};

static inline struct fake_object *fake_find(struct fake_s3 *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++) {
		if (str_eq(f->objects[i].path, path))
			return &f->objects[i];
	}
	return NULL;
}

static inline void fake_drop(struct fake_object *o)
{
	free(o->path);
	free(o->bytes);
	free(o->checksum);
	*o = (struct fake_object){ 0 };
}

static inline void fake_store(struct fake_s3 *f, const char *path, const void *p, size_t n, const char *checksum)
{
	struct fake_object *o = fake_find(f, path);

	if (!o) {
		assert_true(f->n < ARRAY_LEN(f->objects));
		o = &f->objects[f->n++];
	}
	fake_drop(o);
	*o = (struct fake_object){ xstrdup(path), xmemdup(p, n), n, xstrdup_or_null(checksum) };
}

static inline int fake_answer(struct http_response *resp, int status, const char *body)
{
	resp->status = status;
	str_add(&resp->body, body);
	return 0;
}

static inline int fake_put(struct fake_s3 *f, const char *path, struct http_response *resp)
{
	struct digest digest = digest_of(str_text(&f->body), f->body.len);
	auto_free char *hex = digest_hex(&digest);
	auto_free char *checksum = str_base64(digest.b, sizeof(digest.b));

	if (!str_eq(hex, http_headers_get(&f->last, "x-amz-content-sha256")))
		return fake_answer(resp, 400,
				   "<Error><Code>XAmzContentSHA256Mismatch</Code><Message>m</Message></Error>");
	if (!str_eq(checksum, http_headers_get(&f->last, "x-amz-checksum-sha256")))
		return fake_answer(resp, 400, "<Error><Code>BadDigest</Code><Message>m</Message></Error>");
	fake_store(f, path, str_text(&f->body), f->body.len, checksum);
	http_headers_add(&resp->headers, "x-amz-checksum-sha256", checksum);
	return fake_answer(resp, 200, "");
}

/* Copies with its checksum, unless there is none to copy. */
static inline int fake_copy_object(struct fake_s3 *f, const char *path, const char *source, struct http_response *resp)
{
	auto_free char *decoded = str_uri_decode(source);
	auto_free char *from_path = xasprintf("/%s", decoded);
	const struct fake_object *from = fake_find(f, from_path);

	if (!from)
		return fake_answer(resp, 404, "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>");
	fake_store(f, path, from->bytes, from->n, from->checksum);
	str_addf(&resp->body, "<CopyObjectResult><ChecksumSHA256>%s</ChecksumSHA256></CopyObjectResult>",
		 fake_find(f, path)->checksum ? fake_find(f, path)->checksum : "");
	resp->status = 200;
	return 0;
}

static inline int fake_list(struct fake_s3 *f, const char *path, const char *query, struct http_response *resp)
{
	const char *encoded = strstr(query, "prefix=") + strlen("prefix=");
	auto_free char *prefix = str_uri_decode(encoded);
	auto_free char *wanted = xasprintf("%s/%s", path, prefix);

	str_add(&resp->body, "<ListBucketResult><IsTruncated>false</IsTruncated>");
	for (size_t i = 0; i < f->n; i++) {
		if (f->objects[i].path && str_starts(f->objects[i].path, wanted))
			str_addf(&resp->body,
				 "<Contents><Key>%s</Key><LastModified>2023-11-%02zuT00:00:00.000Z</LastModified>"
				 "<Size>%zu</Size></Contents>",
				 f->objects[i].path + strlen(path) + 1, 1 + i % 28, f->objects[i].n);
	}
	return fake_answer(resp, 200, "</ListBucketResult>");
}

static inline int fake_get_as(const struct fake_object *o, const char *checksum_header, const struct http_request *req,
			      struct http_response *resp, struct err *err)
{
	if (!o)
		return fake_answer(resp, 404,
				   str_eq(req->method, "GET") ? "<Error><Code>NoSuchKey</Code></Error>" : "");
	resp->status = 200;
	http_headers_addf(&resp->headers, "Content-Length", "%zu", o->n);
	http_headers_add(&resp->headers, "ETag", "\"e\"");
	if (o->checksum)
		http_headers_add(&resp->headers, checksum_header ? checksum_header : "x-amz-checksum-sha256",
				 o->checksum);
	if (str_eq(req->method, "HEAD"))
		return 0;
	if (req->sink)
		return req->sink(req->sink_ctx, o->bytes, o->n, err);
	str_add_mem(&resp->body, o->bytes, o->n);
	return 0;
}

static inline int fake_get(const struct fake_object *o, const struct http_request *req, struct http_response *resp,
			   struct err *err)
{
	return fake_get_as(o, NULL, req, resp, err);
}

static inline int fake_read_body(struct fake_s3 *f, const struct http_request *req, struct err *err)
{
	char buffer[1000];
	int64_t n = 0;

	str_release(&f->body);
	if (req->n)
		str_add_mem(&f->body, req->bytes, req->n);
	while (req->body && (n = req->body->read(req->body->ctx, buffer, sizeof(buffer), err)) > 0)
		str_add_mem(&f->body, buffer, (size_t)n);
	return n < 0 ? -1 : 0;
}

static inline int fake_send(struct http *http, const struct http_request *req, struct http_response *resp,
			    struct err *err)
{
	struct fake_s3 *f = (struct fake_s3 *)http;
	auto_url url = { 0 };
	auto_free char *path = NULL;

	strlist_take(&f->log, xasprintf("%s %s", req->method, req->url));
	http_headers_release(&f->last);
	http_headers_copy(&f->last, &req->headers);
	if (fake_read_body(f, req, err) < 0)
		return -1;
	if (f->canned && f->canned->status) {
		const struct fake_answer *a = f->canned++;

		if (a->header)
			http_headers_add(&resp->headers, a->header, a->value);
		if (req->sink && a->status == 200) {
			/* Breaks off in the middle of the object. */
			if (req->sink(req->sink_ctx, a->body, strlen(a->body), err) < 0)
				return -1;
			return err_set(err, ERR_NETWORK, "connection lost");
		}
		return fake_answer(resp, a->status, a->body ? a->body : "");
	}
	assert_int_equal(http_url_parse(req->url, &url, err), 0);
	path = str_uri_decode(url.path);
	if (str_eq(req->method, "PUT") && http_headers_get(&req->headers, "x-amz-copy-source"))
		return fake_copy_object(f, path, http_headers_get(&req->headers, "x-amz-copy-source"), resp);
	if (str_eq(req->method, "PUT"))
		return fake_put(f, path, resp);
	if (url.query)
		return fake_list(f, path, url.query, resp);
	return fake_get(fake_find(f, path), req, resp, err);
}

static const struct http_ops fake_ops = { .send = fake_send };

static inline int64_t fake_now_ms(const struct sys *sys)
{
	return INT64_C(1700000000000) + ((struct fake_s3 *)sys->ctx)->slept_ms;
}

static inline void fake_sleep_ms(const struct sys *sys, int64_t ms)
{
	((struct fake_s3 *)sys->ctx)->slept_ms += ms;
}

static inline void fake_random(const struct sys *sys, void *p, size_t n)
{
	(void)sys;
	memset(p, 7, n);
}

/* A client of account 123456789012 in a region, of AWS itself (endpoint NULL) or of an override. */
static inline struct fake_s3 *fake_s3_new(const char *region, const char *endpoint)
{
	struct fake_s3 *f = xcalloc(1, sizeof(*f));
	auto_creds creds = { 0 };

	f->http.ops = &fake_ops;
	f->sys = (struct sys){ fake_now_ms, fake_now_ms, fake_sleep_ms, fake_random, f };
	creds.access_key_id = xstrdup("AKIDEXAMPLE");
	secret_set(&creds.secret_access_key, "secret");
	f->id.credentials = creds_provider_static(&creds);
	f->id.region = xstrdup(region);
	f->id.partition = partition_of_region(region);
	f->id.endpoints[AWS_S3].url = endpoint ? xstrdup(endpoint) : xasprintf("https://s3.%s.amazonaws.com", region);
	f->id.endpoints[AWS_S3].is_override = endpoint != NULL;
	f->id.sys = &f->sys;
	f->aws = (struct aws){ .id = &f->id, .http = &f->http };
	f->s3 = (struct s3){ .aws = &f->aws, .bucket_owner = "123456789012" };
	return f;
}

static inline void fake_s3_free(struct fake_s3 **p)
{
	struct fake_s3 *f = *p;

	for (size_t i = 0; i < f->n; i++)
		fake_drop(&f->objects[i]);
	strlist_release(&f->log);
	http_headers_release(&f->last);
	str_release(&f->body);
	aws_identity_release(&f->id);
	free(f);
}
#define auto_fake_s3 __attribute__((cleanup(fake_s3_free))) struct fake_s3

/* How many requests of a method were sent. */
static inline size_t fake_count(const struct fake_s3 *f, const char *method)
{
	size_t n = 0;

	for (size_t i = 0; i < f->log.n; i++)
		n += str_starts(f->log.v[i], method);
	return n;
}

#endif
