#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "aws/sigv4.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/auth.h"

#define NOW_S     1700703534 /* 2023-11-23T01:38:54Z */
#define BODY_HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const struct auth_key key = { "AKIALOCAL", "the-secret", false };

/* How a request differs from a right one. */
struct spoil {
	const char *id, *secret, *service;
	int64_t age_s;
	const char *method, *path, *query, *hash; /* as received, where it differs from what was signed */
	const char *add_name, *add_value;         /* a header that comes in on the way */
	const char *drop;                         /* and one that gets lost */
	const char *token;
};

static void drop_header(struct http_headers *h, const char *name)
{
	auto_headers rest = { 0 };

	for (size_t i = 0; i < h->n; i++)
		if (strcasecmp(h->v[i].name, name))
			http_headers_add(&rest, h->v[i].name, h->v[i].value);
	http_headers_release(h);
	*h = rest;
	rest = (struct http_headers){ 0 };
}

static void make_request(const struct spoil *s, struct local_request *req)
{
	const char *service = s->service ? s->service : "s3";
	struct sigv4_scope scope = {
		.region = "eu-west-1", .service = service, .time = NOW_S - s->age_s, .is_s3 = !strcmp(service, "s3")
	};
	struct creds creds = { .access_key_id = xstrdup(s->id ? s->id : key.access_key_id) };

	*req = (struct local_request){ .body_fd = -1 };
	secret_set(&creds.secret_access_key, s->secret ? s->secret : key.secret_access_key);
	secret_set(&creds.session_token, s->token);
	sigv4_sign("PUT", "127.0.0.1:4566", "/b/a%20b", "x=1&y", &req->headers, BODY_HASH, &scope, &creds);
	creds_release(&creds);
	req->method = xstrdup(s->method ? s->method : "PUT");
	req->path = xstrdup(s->path ? s->path : "/b/a%20b");
	req->query = xstrdup(s->query ? s->query : "x=1&y");
	if (s->hash)
		http_headers_set(&req->headers, "x-amz-content-sha256", s->hash);
	if (s->add_name)
		http_headers_add(&req->headers, s->add_name, s->add_value);
	if (s->drop)
		drop_header(&req->headers, s->drop);
}

static void test_verdicts(void **state)
{
	static const struct {
		struct spoil spoil;
		enum auth_verdict verdict;
	} cases[] = {
		{ { 0 }, AUTH_ACCEPTED },
		{ { .service = "sagemaker" }, AUTH_ACCEPTED },
		{ { .add_name = "user-agent", .add_value = "x" }, AUTH_ACCEPTED },
		{ { .age_s = 899 }, AUTH_ACCEPTED },
		{ { .age_s = -899 }, AUTH_ACCEPTED },
		{ { .age_s = 901 }, AUTH_SKEWED },
		{ { .age_s = -901 }, AUTH_SKEWED },
		{ { .service = "ecr", .age_s = 299 }, AUTH_ACCEPTED },
		{ { .service = "ecr", .age_s = 301 }, AUTH_SKEWED },
		{ { .id = "AKIAOTHER" }, AUTH_UNKNOWN_KEY },
		{ { .secret = "another" }, AUTH_MISMATCH },
		{ { .token = "t" }, AUTH_UNKNOWN_TOKEN },
		{ { .method = "GET" }, AUTH_MISMATCH },
		{ { .path = "/b/a%20c" }, AUTH_MISMATCH },
		{ { .query = "x=2&y" }, AUTH_MISMATCH },
		{ { .hash = "UNSIGNED-PAYLOAD" }, AUTH_MISMATCH },
		{ { .add_name = "x-amz-acl", .add_value = "public-read" }, AUTH_MISMATCH },
		{ { .add_name = "host", .add_value = "elsewhere" }, AUTH_MISMATCH },
		{ { .drop = "host" }, AUTH_MISMATCH },
		{ { .drop = "x-amz-date" }, AUTH_MALFORMED },
		{ { .drop = "authorization" }, AUTH_MISSING },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *words = NULL;
		struct local_request req;
		enum auth_verdict v;

		make_request(&cases[i].spoil, &req);
		v = auth_verify(&key, NOW_S * 1000LL, &req, BODY_HASH, &words);
		if (v != cases[i].verdict)
			fail_msg("case %zu: %d instead of %d (%s)", i, (int)v, (int)cases[i].verdict,
				 words ? words : "");
		assert_int_equal(v == AUTH_ACCEPTED, !words);
		local_request_release(&req);
	}
}

/* What an attacker writes into the header is refused in peace. */
static void test_malformed_headers(void **state)
{
	static const char *const headers[] = {
		"Basic QVdTOng=",
		"AWS4-HMAC-SHA256",
		"AWS4-HMAC-SHA256 ",
		"AWS4-HMAC-SHA256 Credential=AKIALOCAL, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 Credential=AKIALOCAL/20231123/eu-west-1/s3/aws4_request, SignedHeaders=host",
		"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request/f, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 Credential=AKIALOCAL//eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 Credential=AKIALOCAL/20231122/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 Credential=AKIALOCAL/20231123/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00, Signature=11",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		auto_free char *words = NULL;
		struct local_request req;

		make_request(&(struct spoil){ 0 }, &req);
		http_headers_set(&req.headers, "authorization", headers[i]);
		assert_int_equal(auth_verify(&key, NOW_S * 1000LL, &req, BODY_HASH, &words), AUTH_MALFORMED);
		local_request_release(&req);
	}
}

static void test_scope_is_claimed(void **state)
{
	struct local_request req;

	(void)state;
	make_request(&(struct spoil){ .service = "logs" }, &req);
	assert_true(auth_claim(&req));
	assert_string_equal(req.service, "logs");
	assert_string_equal(req.region, "eu-west-1");
	local_request_release(&req);
}

/* A presigned URL: signed by hand with the same steps, its query sorted already. */
static void make_presigned(struct local_request *req, const char *expires)
{
	struct sigv4_scope scope = { .region = "eu-west-1", .service = "s3", .time = NOW_S, .is_s3 = true };
	auto_free char *query =
		xasprintf("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIALOCAL%%2F20231123%%2Feu-west-1%%2Fs3"
			  "%%2Faws4_request&X-Amz-Date=20231123T013854Z&X-Amz-Expires=%s&X-Amz-SignedHeaders=host",
			  expires);
	auto_headers headers = { 0 };
	auto_free char *canonical = NULL, *to_sign = NULL, *signature = NULL;

	http_headers_add(&headers, "host", "127.0.0.1:4566");
	canonical =
		sigv4_canonical_request(&(struct sigv4_request){ "GET", "/b/k", query, &headers, "UNSIGNED-PAYLOAD" },
					&scope);
	to_sign = sigv4_string_to_sign(canonical, &scope);
	signature = sigv4_signature(to_sign, &scope, key.secret_access_key);
	*req = (struct local_request){ .body_fd = -1,
				       .method = xstrdup("GET"),
				       .path = xstrdup("/b/k"),
				       .query = xasprintf("%s&X-Amz-Signature=%s", query, signature) };
	http_headers_copy(&req->headers, &headers);
}

static void test_presigned(void **state)
{
	static const struct {
		const char *expires;
		int64_t later_s;
		enum auth_verdict verdict;
	} cases[] = {
		{ "3600", 0, AUTH_ACCEPTED }, { "3600", 3600, AUTH_ACCEPTED }, { "3600", 3601, AUTH_EXPIRED },
		{ "0", 0, AUTH_MALFORMED },   { "604801", 0, AUTH_MALFORMED }, { "3600", -1000, AUTH_SKEWED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *words = NULL;
		struct local_request req;

		make_presigned(&req, cases[i].expires);
		assert_int_equal(auth_verify(&key, (NOW_S + cases[i].later_s) * 1000LL, &req, NULL, &words),
				 cases[i].verdict);
		local_request_release(&req);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_malformed_headers),
		cmocka_unit_test(test_scope_is_claimed),
		cmocka_unit_test(test_presigned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
