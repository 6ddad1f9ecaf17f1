/* base/http.h without a network: URLs, hosts, headers. */

#include "base/http.h"
#include "tests/unit/shell.h"

static void test_url(void **state)
{
	static const struct {
		const char *url, *scheme, *host;
		int port;
		const char *path, *query;
	} rows[] = {
		{ "https://a.example", "https", "a.example", -1, "/", NULL },
		{ "http://a:8080/", "http", "a", 8080, "/", NULL },
		{ "http://a/b/../c?x=1&y=2", "http", "a", -1, "/b/../c", "x=1&y=2" },
		{ "http://a?x", "http", "a", -1, "/", "x" },
		{ "http://a/?", "http", "a", -1, "/", "" },
		{ "http://[::1]:99/x", "http", "::1", 99, "/x", NULL },
		{ "http://[fe80::1]", "http", "fe80::1", -1, "/", NULL },
		{ "http://a/b#frag?no", "http", "a", -1, "/b", NULL },
		{ "http://a?q#frag", "http", "a", -1, "/", "q" },
		{ "http://a/x@y", "http", "a", -1, "/x@y", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_url u = { 0 };
		auto_err err = { 0 };

		if (http_url_parse(rows[i].url, &u, &err) < 0)
			fail_msg("%s", err.msg);
		assert_string_equal(u.scheme, rows[i].scheme);
		assert_string_equal(u.host, rows[i].host);
		assert_int_equal(u.port, rows[i].port);
		assert_string_equal(u.path, rows[i].path);
		assert_true(str_eq(u.query, rows[i].query));
	}
}

static void test_bad_url(void **state)
{
	static const char *const rows[] = {
		"",
		"a.example",
		"ftp://a/",
		"file:///etc/passwd",
		"HTTP://a",
		"http:/a",
		"http://",
		"http:///x",
		"http://:80/",
		"http://[]/",
		"http://[::1",
		"http://[::1]x",
		"http://a:0",
		"http://a:65536",
		"http://a:x",
		"http://a:",
		"http://a b/",
		"http://a\r\nb/",
		"http://a\\b/",
		"http://user@a/",
		"http://user:hunter2@a/",
		"http://a@[::1]:80/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_url u = { 0 };
		auto_err err = { 0 };

		if (http_url_parse(rows[i], &u, &err) == 0)
			fail_msg("'%s' was taken", rows[i]);
		assert_int_equal(err.code, ERR_INVALID);
		/* A password is nobody's business. */
		assert_null(strstr(err.msg, "hunter2"));
	}
}

/* A program that is told to stay on this machine must not leave it over another spelling of the address. */
static void test_loopback(void **state)
{
	static const char *const yes[] = { "localhost", "LocalHost",       "bucket.localhost",
					   "127.0.0.1", "127.255.255.254", "::1" };
	static const char *const no[] = { "",
					  "0177.0.0.1",
					  "127.1",
					  "2130706433",
					  "0x7f.0.0.1",
					  "127.0.0.1.example",
					  "127.0.0.256",
					  "127.0.0",
					  "127.0.0.-0",
					  "128.0.0.1",
					  "10.0.0.1",
					  "localhost.example",
					  "::",
					  "::ffff:127.0.0.1",
					  "0.0.0.0",
					  "127.0.0.1 ",
					  "localhost.",
					  ".localhost",
					  "xlocalhost",
					  "example.com/.localhost",
					  "a b.localhost",
					  "x..localhost",
					  "x.localhost/y" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(http_is_loopback(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(http_is_loopback(no[i]));
}

static void test_headers(void **state)
{
	auto_headers h = { 0 };
	auto_headers copy = { 0 };

	(void)state;
	http_headers_add(&h, "Accept", "a");
	http_headers_add(&h, "X", "1");
	http_headers_addf(&h, "accept", "%d", 2);
	assert_string_equal(http_headers_get(&h, "ACCEPT"), "a");
	/* the new value may be the old one's own bytes */
	http_headers_set(&h, "accept", http_headers_get(&h, "Accept"));
	assert_int_equal(h.n, 2);
	assert_string_equal(http_headers_get(&h, "Accept"), "a");
	http_headers_copy(&copy, &h);
	assert_string_equal(http_headers_get(&copy, "x"), "1");
	assert_null(http_headers_get(&copy, "y"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_bad_url),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
