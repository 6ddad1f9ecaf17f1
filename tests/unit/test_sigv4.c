#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"

#define A_TIME 1700703534 /* 2023-11-23T01:38:54Z */

/* The second line of a canonical request is the path, the third the query. */
static char *canonical_line(const char *path, const char *query, struct sigv4_scope scope, size_t i)
{
	struct http_headers none = { 0 };
	auto_strlist lines = { 0 };
	auto_free char *canonical = NULL;

	scope.region = "eu-west-1";
	scope.service = "s";
	canonical = sigv4_canonical_request(&(struct sigv4_request){ "GET", path, query, &none, "x" }, &scope);
	str_split(&lines, canonical, '\n');
	return xstrdup(lines.v[i]);
}

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		const char *normal, *kept, *s3;
	} cases[] = {
		{ "/", "/", "/", "/" },
		{ "", "/", "/", "/" },
		{ "/a/b/.", "/a/b", "/a/b/.", "/a/b/." },
		{ "/a/../..//b/./", "/b/", "/a/../..//b/./", "/a/../..//b/./" },
		{ "/a/b/..", "/a", "/a/b/..", "/a/b/.." },
		{ "/..", "/", "/..", "/.." },
		{ "/a%20b/c+d", "/a%2520b/c%2Bd", "/a%2520b/c%2Bd", "/a%20b/c+d" },
		{ "//x", "/x", "//x", "//x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *normal = canonical_line(cases[i].path, NULL, (struct sigv4_scope){ 0 }, 1);
		auto_free char *kept =
			canonical_line(cases[i].path, NULL, (struct sigv4_scope){ .is_path_kept = true }, 1);
		auto_free char *s3 = canonical_line(cases[i].path, NULL, (struct sigv4_scope){ .is_s3 = true }, 1);

		assert_string_equal(normal, cases[i].normal);
		assert_string_equal(kept, cases[i].kept);
		assert_string_equal(s3, cases[i].s3);
	}
}

static void test_queries(void **state)
{
	static const char *const cases[][2] = {
		{ NULL, "" },
		{ "uploads", "uploads=" },
		{ "b=2&a=1", "a=1&b=2" },
		{ "a=2&a=1", "a=1&a=2" },
		{ "a-b=1&a=2", "a=2&a-b=1" },
		{ "prefix=a/b c&list-type=2", "list-type=2&prefix=a%2Fb%20c" },
		{ "k=%2f%7e", "k=%2F~" },
		{ "k=100%", "k=100%25" },
		{ "k=%00", "k=%00" },
		{ "k=a=b", "k=a%3Db" },
		{ "&&a=1&", "a=1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *query = canonical_line("/", cases[i][0], (struct sigv4_scope){ 0 }, 2);

		assert_string_equal(query, cases[i][1]);
	}
}

static void sign(const char *token, bool is_s3, struct http_headers *headers)
{
	auto_creds creds = { .access_key_id = xstrdup("AKIDEXAMPLE") };
	struct sigv4_scope scope = { .region = "eu-west-1", .service = "s3", .time = A_TIME, .is_s3 = is_s3 };

	secret_set(&creds.secret_access_key, "not-a-secret");
	secret_set(&creds.session_token, token);
	sigv4_sign("PUT", "b.example", "/k", NULL, headers, "UNSIGNED-PAYLOAD", &scope, &creds);
}

static void test_sign_adds_headers(void **state)
{
	auto_headers s3 = { 0 }, other = { 0 };
	const char *authorization;

	(void)state;
	http_headers_add(&s3, "X-Amz-Meta-A", "1");
	sign("a-token", true, &s3);
	assert_string_equal(http_headers_get(&s3, "host"), "b.example");
	assert_string_equal(http_headers_get(&s3, "x-amz-date"), "20231123T013854Z");
	assert_string_equal(http_headers_get(&s3, "x-amz-security-token"), "a-token");
	assert_string_equal(http_headers_get(&s3, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
	authorization = http_headers_get(&s3, "authorization");
	assert_true(
		str_starts(authorization,
			   "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231123/eu-west-1/s3/aws4_request, SignedHeaders="
			   "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token, Signature="));

	sign(NULL, false, &other);
	assert_null(http_headers_get(&other, "x-amz-security-token"));
	assert_null(http_headers_get(&other, "x-amz-content-sha256"));
}

/* The example of S3's own manual, "Authenticating Requests: Using Query Parameters". */
static void test_presign(void **state)
{
	struct sigv4_scope scope = { .region = "us-east-1", .service = "s3", .is_s3 = true, .time = 1369353600 };
	auto_creds creds = { .access_key_id = xstrdup("AKIAIOSFODNN7EXAMPLE") };
	auto_headers headers = { 0 };
	auto_free char *query = NULL;

	(void)state;
	secret_set(&creds.secret_access_key, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
	query = sigv4_presign("GET", "examplebucket.s3.amazonaws.com", "/test.txt", NULL, &headers,
			      SIGV4_UNSIGNED_PAYLOAD, 86400, &scope, &creds);
	assert_string_equal(query, "X-Amz-Algorithm=AWS4-HMAC-SHA256"
				   "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
				   "&X-Amz-Date=20130524T000000Z&X-Amz-SignedHeaders=host&X-Amz-Expires=86400"
				   "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

/* A token is signed, or added after signing where the service wants it so. */
static void test_presign_token(void **state)
{
	struct sigv4_scope scope = { .region = "us-east-1", .service = "s", .time = A_TIME };
	auto_creds creds = { .access_key_id = xstrdup("AKIDEXAMPLE") };
	auto_headers headers = { 0 };
	auto_free char *with = NULL, *after = NULL, *without = NULL;
	const char *token;

	(void)state;
	secret_set(&creds.secret_access_key, "not-a-secret");
	without = sigv4_presign("GET", "h", "/", "a=1", &headers, "x", 60, &scope, &creds);
	secret_set(&creds.session_token, "t/k");
	with = sigv4_presign("GET", "h", "/", "a=1", &headers, "x", 60, &scope, &creds);
	scope.is_token_unsigned = true;
	after = sigv4_presign("GET", "h", "/", "a=1", &headers, "x", 60, &scope, &creds);
	assert_true(str_starts(with, "a=1&X-Amz-Algorithm="));
	token = strstr(with, "&X-Amz-Security-Token=t%2Fk&X-Amz-Signature=");
	assert_non_null(token);
	assert_non_null(strstr(after, "&X-Amz-Security-Token=t%2Fk&X-Amz-Signature="));
	assert_string_equal(strstr(after, "&X-Amz-Signature="), strstr(without, "&X-Amz-Signature="));
	assert_string_not_equal(strstr(with, "&X-Amz-Signature="), strstr(without, "&X-Amz-Signature="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_sign_adds_headers),
		cmocka_unit_test(test_presign),
		cmocka_unit_test(test_presign_token),
	};

	return cmocka_run_group_tests_name("aws/sigv4", tests, NULL, NULL);
}
