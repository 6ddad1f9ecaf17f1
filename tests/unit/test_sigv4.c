#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/vectors.h"

#define A_TIME 1700703534 /* 2023-11-23T01:38:54Z */

/* A request in the text form of the official suite. */
struct request {
	char *method, *path, *query, *body;
	struct http_headers headers;
};

static void request_release(struct request *r)
{
	free(r->method);
	free(r->path);
	free(r->query);
	free(r->body);
	http_headers_release(&r->headers);
}

static void parse_request_line(const char *line, struct request *r)
{
	const char *path = strchr(line, ' ') + 1;
	const char *end = strrchr(line, ' ');
	const char *query = memchr(path, '?', (size_t)(end - path));

	r->method = xstrndup(line, (size_t)(path - line - 1));
	r->path = xstrndup(path, (size_t)((query ? query : end) - path));
	r->query = query ? xstrndup(query + 1, (size_t)(end - query - 1)) : NULL;
}

static void add_header_line(const char *line, struct http_headers *headers)
{
	if (*line == ' ') {
		struct http_header *last = &headers->v[headers->n - 1];
		char *joined = xasprintf("%s\n%s", last->value, line);

		free(last->value);
		last->value = joined;
	} else {
		auto_free char *name = xstrndup(line, strcspn(line, ":"));

		http_headers_add(headers, name, line + strlen(name) + 1);
	}
}

static void parse_request(const char *text, struct request *r)
{
	auto_strlist lines = { 0 };
	size_t i;

	str_split(&lines, text, '\n');
	parse_request_line(lines.v[0], r);
	for (i = 1; i < lines.n && *lines.v[i]; i++)
		add_header_line(lines.v[i], &r->headers);
	r->body = xstrdup(i + 1 < lines.n ? lines.v[i + 1] : "");
}

static void check_file(const char *folder, const char *name, const char *actual)
{
	auto_free char *expected = vectors_read(folder, name);

	if (strcmp(expected, actual) != 0)
		fail_msg("%s/%s:\nexpected:\n%s\nactual:\n%s", folder, name, expected, actual);
}

static void check_case(const char *folder)
{
	auto_free char *text = vectors_read(folder, "request.txt");
	auto_free char *context_path = fs_join(folder, "context.json");
	auto_json *context = vectors_json(context_path);
	const json_t *keys = json_object_get(context, "credentials");
	const char *token = json_str(keys, "token");
	__attribute__((cleanup(request_release))) struct request r = { 0 };
	struct sigv4_scope scope = {
		.region = json_str(context, "region"),
		.service = json_str(context, "service"),
		.is_path_kept = json_is_false(json_object_get(context, "normalize")),
	};
	auto_free char *hash = NULL, *date = NULL, *canonical = NULL, *to_sign = NULL, *signature = NULL;
	struct digest digest;

	parse_request(text, &r);
	assert_int_equal(str_parse_time_iso(json_str(context, "timestamp"), &scope.time), 0);
	date = str_time_basic(scope.time);
	digest = digest_of_text(r.body);
	hash = digest_hex(&digest);
	http_headers_set(&r.headers, "X-Amz-Date", date);
	if (json_is_true(json_object_get(context, "sign_body")))
		http_headers_set(&r.headers, "x-amz-content-sha256", hash);
	if (token && !json_is_true(json_object_get(context, "omit_session_token")))
		http_headers_set(&r.headers, "X-Amz-Security-Token", token);
	canonical =
		sigv4_canonical_request(&(struct sigv4_request){ r.method, r.path, r.query, &r.headers, hash }, &scope);
	check_file(folder, "header-canonical-request.txt", canonical);
	to_sign = sigv4_string_to_sign(canonical, &scope);
	check_file(folder, "header-string-to-sign.txt", to_sign);
	signature = sigv4_signature(to_sign, &scope, json_str(keys, "secret_access_key"));
	check_file(folder, "header-signature.txt", signature);
}

static void test_official_suite(void **state)
{
	auto_free char *root = vectors_path("sigv4");
	struct dirent *entry;
	int n = 0;
	DIR *dir;

	(void)state;
	if (!root)
		skip();
	dir = opendir(root);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		auto_free char *folder = fs_join(root, entry->d_name);

		if (entry->d_name[0] != '.' && fs_is_dir(folder)) {
			check_case(folder);
			n++;
		}
	}
	closedir(dir);
	assert_int_equal(n, 38);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_official_suite),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_sign_adds_headers),
	};

	return cmocka_run_group_tests_name("aws/sigv4", tests, NULL, NULL);
}
