#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "ecr/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *host, *repository, *tag, *digest;
} good[] = {
	{ "name", NULL, "name", NULL, NULL },
	{ "name:1.0_x-Y", NULL, "name", "1.0_x-Y", NULL },
	{ "library/name", NULL, "library/name", NULL, NULL },
	{ "a.b/c", "a.b", "c", NULL, NULL },
	{ "localhost/c", "localhost", "c", NULL, NULL },
	{ "localhost:5000/c/d:t", "localhost:5000", "c/d", "t", NULL },
	{ "127.0.0.1:5000/c", "127.0.0.1:5000", "c", NULL, NULL },
	{ "[::1]:5000/c", "[::1]:5000", "c", NULL, NULL },
	{ "HOST/c", "HOST", "c", NULL, NULL },
	{ "a__b/c-d--e.f/g:t@sha256:" HEX, NULL, "a__b/c-d--e.f/g", "t", "sha256:" HEX },
	{ "h.x/r@sha256:" HEX, "h.x", "r", NULL, "sha256:" HEX },
	{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris:1", "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "iris",
	  "1", NULL },
	/* The look-alike belongs to the host that it begins with. */
	{ "attacker.com/123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris", "attacker.com",
	  "123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris", NULL, NULL },
};

static void assert_same(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		auto_reference r = { 0 };
		auto_err err = { 0 };
		auto_free char *again = NULL;

		if (reference_parse(good[i].text, &r, &err) < 0)
			fail_msg("%s", err.msg);
		assert_same(r.host, good[i].host);
		assert_same(r.repository, good[i].repository);
		assert_same(r.tag, good[i].tag);
		assert_same(r.digest, good[i].digest);
		again = reference_format(r.host, r.repository, r.tag, r.digest);
		assert_string_equal(again, good[i].text);
	}
}

/* The caret stands under the character with this number, from 0. */
static const struct {
	const char *text;
	int column;
} bad[] = {
	{ "name::latest", 5 },
	{ "Name", 0 },
	{ "naMe:x", 2 },
	{ "a/b/C", 4 },
	{ "a//b", 2 },
	{ "/a", 0 },
	{ "a/", 2 },
	{ "a:", 2 },
	{ "a:-x", 2 },
	{ "a:x y", 3 },
	{ "a b", 1 },
	{ "a_", 2 },
	{ "a___b", 3 },
	{ "a..b/c", 2 },
	{ "x.-y/c", 2 },
	{ "host.x:/a", 7 },
	{ "host.x:80x/a", 9 },
	{ "user@host.x/a", 4 },
	{ "https://host.x/a", 6 },
	{ "a@md5:00", 2 },
	{ "a@sha256:00", 11 },
	{ "a@sha256:" HEX "0", 74 },
	{ "\xc3\xa4\xc3\xb6/a", 0 },
	{ "a:\xc3\xa4", 2 },
	{ "a\nb", 1 },
	{ "a:t\033[2J", 3 },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_reference r = { 0 };
		auto_err err = { 0 };
		const char *last;

		if (reference_parse(bad[i].text, &r, &err) == 0)
			fail_msg("'%s' is taken", bad[i].text);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_null(strchr(err.msg, '\033'));
		last = strrchr(err.msg, '\n') + 1;
		if (last[strspn(last, " ")] != '^' || strlen(last) != (size_t)bad[i].column + 3)
			fail_msg("'%s': caret at %zu\n%s", bad[i].text, strlen(last) - 3, err.msg);
	}
}

static void test_lengths(void **state)
{
	auto_str text = { 0 };
	auto_reference r = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(reference_parse("", &r, &err), -1);
	for (int i = 0; i < 256; i++)
		str_add_char(&text, 'a');
	assert_int_equal(reference_parse(str_text(&text), &r, &err), -1);
	str_truncate(&text, 255);
	assert_int_equal(reference_parse(str_text(&text), &r, &err), 0);
	for (int i = 0; i < 100000; i++)
		str_add_char(&text, 'a');
	assert_int_equal(reference_parse(str_text(&text), &r, &err), -1);
	assert_true(strlen(err.msg) < 200);
}

static void test_ecr_names(void **state)
{
	static const struct {
		const char *name;
		int result;
	} names[] = {
		{ "ab", 0 },    { "a/b-c.d_e/9", 0 }, { "a", -1 },   { "", -1 },     { "A/b", -1 }, { "a--b", -1 },
		{ "a__b", -1 }, { "-a", -1 },         { "ab-", -1 }, { "a//b", -1 }, { "a:b", -1 }, { "a/../b", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_err err = { 0 };

		if (reference_check_repository(names[i].name, &err) != names[i].result)
			fail_msg("'%s' is not %d", names[i].name, names[i].result);
		assert_int_equal(err.code, names[i].result ? ERR_CONFIG : ERR_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_ecr_names),
	};

	return cmocka_run_group_tests_name("ecr/reference", tests, NULL, NULL);
}
