#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/mem.h"

static void test_parts(void **state)
{
	static const struct {
		const char *url, *host, *path, *query;
		int port;
	} cases[] = {
		{ "https://a.example", "a.example", "/", NULL, -1 },
		{ "http://a.example:8080/p/q?x=/&y#f", "a.example", "/p/q", "x=/&y", 8080 },
		{ "http://[fd00:ec2::23]:80/v1", "fd00:ec2::23", "/v1", NULL, 80 },
		{ "http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1", "/", NULL, -1 },
		{ "https://a.example?q", "a.example", "/", "q", -1 },
		{ "https://a.example#f", "a.example", "/", NULL, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_url u = { 0 };
		auto_err err = { 0 };

		assert_int_equal(http_url_parse(cases[i].url, &u, &err), 0);
		assert_string_equal(u.host, cases[i].host);
		assert_string_equal(u.path, cases[i].path);
		assert_true(str_eq(u.query, cases[i].query));
		assert_int_equal(u.port, cases[i].port);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"a.example",
		"ftp://a.example/",
		"HTTPS://a.example/",
		"https://",
		"https:///path",
		"https://[]/",
		"https://[",
		"https://[::1",
		"https://[::1]x/",
		"https://[fe80::1%eth0]/",
		"https://[a.example]/",
		"https://:443/",
		"https://user@a.example/",
		"https://a.example:0/",
		"https://a.example:65536/",
		"https://a.example:/",
		"https://a.example:44x/",
		"https://a.example\\.evil.example/",
		"https://a.exa mple/",
		"https://a.example\r\nx: y/",
		"https://a.example\x7f/",
		"https://a{b}/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_url u = { 0 };
		auto_err err = { 0 };

		if (http_url_parse(cases[i], &u, &err) == 0)
			fail_msg("'%s' is taken for a URL", cases[i]);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void test_places(void **state)
{
	static const char *const loopback[] = { "localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "::1" };
	static const char *const link_local[] = { "169.254.169.254", "169.254.170.2", "169.254.170.23",
						  "fd00:ec2::254",   "FD00:EC2::23",  "fd00:0ec2::254" };
	static const char *const elsewhere[] = { "127.0.0.1.evil.example",
						 "127.1",
						 "0x7f.0.0.1",
						 "169.254.1",
						 "169.254.169.254.example",
						 "fd00:ec20::1",
						 "fd00:ec2",
						 "fd00::ec2:1",
						 "10.0.0.1",
						 "localhost.",
						 "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(loopback); i++) {
		assert_true(http_is_loopback(loopback[i]));
		assert_false(http_is_link_local(loopback[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(link_local); i++) {
		assert_true(http_is_link_local(link_local[i]));
		assert_false(http_is_loopback(link_local[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		assert_false(http_is_loopback(elsewhere[i]));
		assert_false(http_is_link_local(elsewhere[i]));
	}
}

/* What is shown of what users wrote, be it an URL or not. */
static void test_shown(void **state)
{
	static const char *const cases[][2] = {
		{ "https://a.example/p", "https://a.example/p" },
		{ "https://u:pw@a.example/p?token=x#y", "https://…@a.example/p" },
		{ "https://u:p@w/@a.example", "https://…@a.example" },
		{ "tcp://u:pw@10.0.0.1:2375", "tcp://…@10.0.0.1:2375" },
		{ "u:pw@a.example", "…@a.example" },
		{ "unix:///run/docker.sock", "unix:///run/docker.sock" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *shown = http_url_shown(cases[i][0]);

		assert_string_equal(shown, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_shown),
	};

	return cmocka_run_group_tests_name("base/http", tests, NULL, NULL);
}
