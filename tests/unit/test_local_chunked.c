#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "local/chunked.h"

static const struct auth_key example_key = { .access_key_id = "AKIAIOSFODNN7EXAMPLE",
					     .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };

/* A body in pieces of step bytes; the code of the refusal, "?" for one without, "" when it was taken. */
static char *decode(const struct local_request *req, const char *p, size_t n, size_t step, struct str *ret_body,
		    struct http_headers *ret_trailer)
{
	struct server_body body;
	struct chunked *c = NULL;
	auto_err err = { 0 };
	int r = chunked_new(req, &example_key, &c, &err);

	server_body_init(&body, fs_temp_root(), SERVER_BODY_MAX_BYTES);
	for (size_t at = 0; r == 0 && at < n; at += step)
		r = chunked_add(c, p + at, n - at < step ? n - at : step, &body, &err);
	if (r == 0)
		r = chunked_finish(c, &body, ret_trailer, &err);
	if (r == 0)
		str_add_mem(ret_body, str_text(&body.memory), body.memory.len);
	server_body_release(&body);
	chunked_free(c);
	return xstrdup(r == 0 ? "" : err.service_code ? err.service_code : "?");
}

/* The example of the service's own manual ("Signature Calculations for the Authorization Header: Transferring Payload
 * in Multiple Chunks"): 65 KiB of 'a' in chunks of 64 KiB. */
static char *example_body(void)
{
	auto_str body = { 0 };
	auto_free char *a = xmalloc(65536);

	memset(a, 'a', 65536);
	str_add(&body, "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n");
	str_add_mem(&body, a, 65536);
	str_add(&body, "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n");
	str_add_mem(&body, a, 1024);
	str_add(&body,
		"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n");
	return str_detach(&body);
}

static void example_request(struct local_request *req)
{
	*req = (struct local_request){ .body_fd = -1, .query = xstrdup("") };
	http_headers_add(&req->headers, "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
	http_headers_add(&req->headers, "x-amz-decoded-content-length", "66560");
	http_headers_add(&req->headers, "x-amz-date", "20130524T000000Z");
	http_headers_add(&req->headers, "Authorization",
			 "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
			 "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date,"
			 "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
}

static void test_signed_chunks_of_the_manual(void **state)
{
	static const size_t steps[] = { 1, 7, 1000, 65536, 1 << 20 };
	auto_free char *body = example_body();
	struct local_request req;

	(void)state;
	example_request(&req);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		auto_str got = { 0 };
		auto_headers trailer = { 0 };
		auto_free char *code = decode(&req, body, strlen(body), steps[i], &got, &trailer);

		assert_string_equal(code, "");
		assert_int_equal(got.len, 66560);
		assert_int_equal(strspn(got.s, "a"), 66560);
	}
	local_request_release(&req);
}

static void test_signed_chunks_that_were_changed(void **state)
{
	static const struct {
		size_t at, cut; /* change this byte; leave out so many of the end */
		const char *code;
	} cases[] = {
		{ 100, 0, "SignatureDoesNotMatch" },   /* content */
		{ 30, 0, "SignatureDoesNotMatch" },    /* signature */
		{ 65800, 0, "SignatureDoesNotMatch" }, /* content of the second */
		{ 0, 0, "SignatureDoesNotMatch" },     /* size: "b0000" */
		{ 2, 0, "SignatureDoesNotMatch" },     { SIZE_MAX, 2000, "IncompleteBody" },
		{ SIZE_MAX, 90, "IncompleteBody" },
	};
	struct local_request req;

	(void)state;
	example_request(&req);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *body = example_body(), *code = NULL;
		auto_headers trailer = { 0 };
		auto_str got = { 0 };
		size_t n = strlen(body) - cases[i].cut;

		if (cases[i].at < n)
			body[cases[i].at] = body[cases[i].at] == 'b' ? 'c' : 'b';
		code = decode(&req, body, n, 4096, &got, &trailer);
		/* A size that grew swallows what follows it. */
		if (strcmp(code, cases[i].code) && !(cases[i].at <= 2 && !strcmp(code, "IncompleteBody")))
			fail_msg("case %zu: '%s'", i, code);
	}
	local_request_release(&req);
}

static void test_unsigned_chunks_and_trailer(void **state)
{
	static const struct {
		const char *announced, *length, *body, *code;
	} cases[] = {
		{ "x-amz-checksum-crc32", "5", "3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:hYfYZQ==\r\n\r\n",
		  "" },
		{ "x-amz-checksum-crc32", "5", "5\r\nabcde\r\n0\r\nx-amz-checksum-crc32:hYfYZQ==\r\n", "" },
		{ NULL, "5", "5\r\nabcde\r\n0\r\n\r\n", "" },
		{ NULL, "0", "0\r\n\r\n", "" },
		{ "x-amz-checksum-crc32", "5", "5\r\nabcde\r\n0\r\n\r\n", "MalformedTrailerError" },
		{ NULL, "5", "5\r\nabcde\r\n0\r\nx-amz-checksum-crc32:hYfYZQ==\r\n\r\n", "MalformedTrailerError" },
		{ "x-amz-acl", "5", "5\r\nabcde\r\n0\r\nx-amz-acl:public-read\r\n\r\n", "MalformedTrailerError" },
		{ NULL, "6", "5\r\nabcde\r\n0\r\n\r\n", "IncompleteBody" },
		{ NULL, "4", "5\r\nabcde\r\n0\r\n\r\n", "IncompleteBody" },
		{ NULL, "5", "5\r\nabcde\r\n", "IncompleteBody" },
		{ NULL, "5", "5\r\nabc", "IncompleteBody" },
		{ NULL, "5", "4\r\nabcde\r\n0\r\n\r\n", "InvalidRequest" },
		{ NULL, "5", "hello", "InvalidRequest" },
		{ NULL, "5", "-1\r\nabcde\r\n", "InvalidRequest" },
		{ NULL, "5", "ffffffffffffffff\r\nabcde\r\n", "InvalidRequest" },
		{ NULL, "5", "fffffffffff\r\nabcde\r\n", "InvalidRequest" },
		{ NULL, "x", "5\r\nabcde\r\n0\r\n\r\n", "MissingContentLength" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct local_request req = { .body_fd = -1 };
		auto_headers trailer = { 0 };
		auto_free char *code = NULL;
		auto_str got = { 0 };

		http_headers_add(&req.headers, "x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
		http_headers_add(&req.headers, "x-amz-decoded-content-length", cases[i].length);
		if (cases[i].announced)
			http_headers_add(&req.headers, "x-amz-trailer", cases[i].announced);
		code = decode(&req, cases[i].body, strlen(cases[i].body), 2, &got, &trailer);
		if (strcmp(code, cases[i].code))
			fail_msg("case %zu: '%s'", i, code);
		if (!*code && *cases[i].length == '5')
			assert_string_equal(str_text(&got), "abcde");
		if (!*code && cases[i].announced)
			assert_string_equal(http_headers_get(&trailer, cases[i].announced), "hYfYZQ==");
		local_request_release(&req);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_chunks_of_the_manual),
		cmocka_unit_test(test_signed_chunks_that_were_changed),
		cmocka_unit_test(test_unsigned_chunks_and_trailer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
