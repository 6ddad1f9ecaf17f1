#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "local/s3_names.h"

static void test_bucket_names(void **state)
{
	static const struct {
		const char *name;
		bool is_valid;
	} cases[] = {
		{ "abc", true },
		{ "my.bucket-1", true },
		{ "ab", false },
		{ "Abc", false },
		{ "a_b", false },
		{ "-abc", false },
		{ "abc-", false },
		{ "a..b", false },
		{ "192.168.5.4", false },
		{ "../x", false },
		{ "a/b", false },
		{ "", false },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(s3_name_is_bucket(cases[i].name), cases[i].is_valid);
}

static void test_paths_of_keys(void **state)
{
	static const struct {
		const char *key, *path;
	} cases[] = {
		{ "data/train/iris.csv", "data/train/iris.csv" },
		{ "a b+c", "a b+c" },
		{ "../x", "%2E%2E/x" },
		{ "./.x", "%2E/.x" },
		{ "a/", "a/%e" },
		{ "a//b", "a/%e/b" },
		{ "/", "%e/%e" },
		{ "50%", "50%25" },
		{ "x%f", "x%25f" },
		{ "\x01\n", "%01%0A" },
		{ "\xc3\xa9/\xf0\x9f\x98\x80", "\xc3\xa9/\xf0\x9f\x98\x80" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *path = s3_name_path(cases[i].key);
		auto_free char *aside = xasprintf("%s%%f", cases[i].path);
		auto_free char *key = s3_name_key(cases[i].path);

		assert_string_equal(path, cases[i].path);
		assert_string_equal(key, cases[i].key);
		if (!str_ends(cases[i].path, "%e")) {
			auto_free char *key_aside = s3_name_key(aside);

			assert_string_equal(key_aside, cases[i].key);
		}
	}
}

/* No part of a path may be longer than a file's name can be, whatever the key is made of. */
static void test_long_parts(void **state)
{
	(void)state;
	for (int c = 1; c < 0x80; c += 17) {
		char key[S3_KEY_MAX_BYTES + 1];
		auto_free char *path = NULL, *back = NULL;
		auto_strlist parts = { 0 };

		memset(key, c, S3_KEY_MAX_BYTES);
		key[S3_KEY_MAX_BYTES] = '\0';
		path = s3_name_path(key);
		back = s3_name_key(path);
		str_split(&parts, path, '/');
		for (size_t i = 0; i < parts.n; i++)
			assert_true(strlen(parts.v[i]) < 250);
		assert_string_equal(back, key);
	}
}

static void test_what_is_no_path(void **state)
{
	static const char *const paths[] = { "a%", "a%4", "a%zz", "%00", "a%2Fb" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_null(s3_name_key(paths[i]));
}

static void test_folders_of_prefixes(void **state)
{
	static const struct {
		const char *prefix, *folder;
	} cases[] = { { "", "" },          { "da", "" }, { "data/", "data" }, { "data/tr", "data" },
		      { "../", "%2E%2E" }, { "/", "%e" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *folder = s3_name_folder(cases[i].prefix);

		assert_string_equal(folder, cases[i].folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket_names),        cmocka_unit_test(test_paths_of_keys),
		cmocka_unit_test(test_long_parts),          cmocka_unit_test(test_what_is_no_path),
		cmocka_unit_test(test_folders_of_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
