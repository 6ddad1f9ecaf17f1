#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/glob.h"
#include "base/mem.h"
#include "base/sys.h"
#include "ecr/dockerignore.h"

static const struct {
	const char *text, *path;
	bool is_excluded;
} cases[] = {
	{ "", "a", false },
	{ "a", "a", true },
	{ "a", "ab", false },
	{ "a", "b/a", false },
	/* A folder covers what is below it. */
	{ "a", "a/b/c", true },
	{ "a/b", "a/b/c", true },
	{ "a/b", "a/c", false },
	/* Slashes around a pattern, and dots in it, say nothing. */
	{ "/a/", "a", true },
	{ "./a//b/../c", "a/c", true },
	{ "../a", "a", false },
	{ "/../a", "a", true },
	{ "  a b \t\r\n", "a b", true },
	{ "\xef\xbb\xbf#c\na", "a", true },
	/* Comments begin in the first column. */
	{ "#a", "#a", false },
	{ " #a", "#a", true },
	/* One star stays inside of a folder. */
	{ "*", "a", true },
	{ "*", "a/b", true },
	{ "*.py", "x.py", true },
	{ "*.py", "a/x.py", false },
	{ "*/x", "a/x", true },
	{ "*/x", "a/b/x", false },
	{ "*/*.c", "a/b.c", true },
	{ "a*c", "abc", true },
	{ "a*c", "a/c", false },
	{ "a*b*c", "aXbYbZc", true },
	{ "a*b*c", "aXbYbZ", false },
	{ "*.pyc*", "x.pyc", true },
	/* Two span folders. */
	{ "**/x", "x", true },
	{ "**/x", "a/b/x", true },
	{ "**/x", "a/bx", false },
	{ "**x", "abx", true },
	{ "**/*.py", "x.py", true },
	{ "**/*.py", "a/b/x.py", true },
	{ "**/*.py", "a/b/x.pyc", false },
	{ "a/**", "a/b", true },
	{ "a/**", "a/b/c", true },
	{ "a/**", "b/a", false },
	{ "a/**/z", "a/z", true },
	{ "a/**/z", "a/b/c/z", true },
	{ "a/**/z", "a/bz", false },
	{ "a/**/z*/y", "a/q/r/z1/y", true },
	{ "**", "a/b", true },
	{ "a**b/c", "axb/c", false },
	{ "a**b/c", "ax/b/c", true },
	{ "a**b/c", "ab/c", true },
	{ "**/a/**/b*", "q/a/r/s/bb", true },
	/* Single characters, classes, escapes. */
	{ "?", "a", true },
	{ "?", "\xc3\xa4", true },
	{ "a?b", "a/b", false },
	{ "[ab]c", "bc", true },
	{ "[^ab]c", "bc", false },
	{ "[^ab]c", "cc", true },
	{ "[a-c]x", "bx", true },
	{ "[a-c]x", "dx", false },
	{ "[\xc3\xa0-\xc3\xbc]", "\xc3\xa4", true },
	{ "[\\]]", "]", true },
	{ "[\\-x]", "-", true },
	{ "\\*", "*", true },
	{ "\\*", "a", false },
	{ "a\\?b", "a?b", true },
	{ "x.y+(z)|{1}$^", "x.y+(z)|{1}$^", true },
	{ "x.y", "xzy", false },
	/* The last match wins. */
	{ "*.md\n!README.md", "README.md", false },
	{ "*.md\n!README.md", "a.md", true },
	{ "*.md\n!README.md\nREADME*", "README.md", true },
	{ "!a\na", "a", true },
	{ "a\n! a/b", "a/b", false },
	{ "a\n!a/b\na/b/c", "a/b/c", true },
	{ "**\n!**/*.py", "a/x.py", false },
	{ "**\n!**/*.py", "a/x.txt", true },
	{ "a\n!/a/b/", "a/b/c", false },
	/* An exception counts where something is excluded, not above. */
	{ "**/c\n!a", "a/b/c", true },
	{ "a/b\n!*b*", "a/b", true },
	{ "a\n!a", "a/b", false },
	{ ".", "a", false },
	{ "/", "a", false },
};

static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_dockerignore d = { 0 };
		auto_err err = { 0 };

		if (dockerignore_parse(cases[i].text, ".dockerignore", &d, &err) < 0)
			fail_msg("'%s': %s", cases[i].text, err.msg);
		if (dockerignore_excludes(&d, cases[i].path) != cases[i].is_excluded)
			fail_msg("'%s' on '%s' is not %d", cases[i].text, cases[i].path, cases[i].is_excluded);
	}
}

static void test_malformed(void **state)
{
	static const char *const texts[] = { "a\n[",   "a\n[]", "a\n[]a]", "a\n[a", "a\n[a-]", "a\n[-a]",
					     "a\nb\\", "a\n!",  "a\n! ",   "a\n!/", "a\n[a\\" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_dockerignore d = { 0 };
		auto_err err = { 0 };

		if (dockerignore_parse(texts[i], "x/.dockerignore", &d, &err) == 0)
			fail_msg("'%s' is taken", texts[i]);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_memory_equal(err.msg, "x/.dockerignore:2: ", 19);
	}
}

/* What takes other matchers minutes must not take a second. */
static void test_no_explosion(void **state)
{
	auto_str pattern = { 0 }, path = { 0 };
	auto_dockerignore d = { 0 };
	auto_err err = { 0 };
	int64_t begun_ms = sys_real.ticks_ms(&sys_real);

	(void)state;
	for (int i = 0; i < 200; i++)
		str_add(&pattern, i % 2 ? "a*" : "**/");
	str_add_char(&pattern, 'b');
	for (int i = 0; i < 500; i++)
		str_add(&path, "aaaa");
	assert_int_equal(dockerignore_parse(str_text(&pattern), "x", &d, &err), 0);
	assert_false(dockerignore_excludes(&d, str_text(&path)));
	assert_true(sys_real.ticks_ms(&sys_real) - begun_ms < 5000);
}

static void test_limits(void **state)
{
	auto_free char *pattern = xcalloc(1, GLOB_MAX_BYTES + 2);
	auto_dockerignore d = { 0 };
	auto_err err = { 0 };

	(void)state;
	memset(pattern, '?', GLOB_MAX_BYTES + 1);
	assert_int_equal(dockerignore_parse(pattern, "x", &d, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	pattern[GLOB_MAX_BYTES] = '\0';
	assert_int_equal(dockerignore_parse(pattern, "x", &d, &err), 0);
	assert_false(dockerignore_excludes(&d, "abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_no_explosion),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("ecr/dockerignore", tests, NULL, NULL);
}
