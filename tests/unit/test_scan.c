/* s3/scan.h: each odd thing that a data folder may hold. */

#include "s3/scan.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

/* The paths, with '|' between; new string. */
static char *paths(const struct filelist *l)
{
	struct str out = { 0 };

	for (size_t i = 0; i < l->n; i++)
		str_addf(&out, "%s%s", i ? "|" : "", l->v[i].path);
	return str_detach(&out);
}

static void add_words(struct strlist *l, const char *words)
{
	if (*words)
		str_split(l, words, ' ');
}

static void takes_what_patterns_say(void **state)
{
	static const struct {
		const char *include, *exclude, *want;
	} cases[] = {
		{ "", "", ".hidden|a.csv|a.tmp|img/1.jpg|img/raw/2.jpg|img/raw/x.tmp|none/|sub/none/" },
		{ "", "*.tmp", ".hidden|a.csv|img/1.jpg|img/raw/2.jpg|none/|sub/none/" },
		{ "", "/*.tmp", ".hidden|a.csv|img/1.jpg|img/raw/2.jpg|img/raw/x.tmp|none/|sub/none/" },
		{ "", "img/*", ".hidden|a.csv|a.tmp|none/|sub/none/" },
		{ "", "img/*.jpg", ".hidden|a.csv|a.tmp|img/raw/2.jpg|img/raw/x.tmp|none/|sub/none/" },
		{ "", "raw", ".hidden|a.csv|a.tmp|img/1.jpg|none/|sub/none/" },
		{ "", "none/ a.csv/", ".hidden|a.csv|a.tmp|img/1.jpg|img/raw/2.jpg|img/raw/x.tmp" },
		{ "**/*.jpg", "", "img/1.jpg|img/raw/2.jpg" },
		{ "*.jpg", "img/raw", "img/1.jpg" },
		{ "img/", "**/*.tmp", "img/1.jpg|img/raw/2.jpg" },
		{ "./img/raw a.[cd]sv", "", "a.csv|img/raw/2.jpg|img/raw/x.tmp" },
		{ "a.csv sub/**", "", "a.csv|sub/none/" },
	};
	auto_free char *root = fs_join(*state, "d");

	run(*state, "mkdir -p d/img/raw d/none d/sub/none; cd d; : > a.csv; : > a.tmp; : > .hidden; : > img/1.jpg\n"
		    ": > img/raw/2.jpg; : > img/raw/x.tmp; mkdir .smpipe; : > .smpipe/journal");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_scan_options o = { 0 };
		auto_filelist files = { 0 };
		auto_free char *got = NULL;
		auto_err err = { 0 };

		add_words(&o.include, cases[i].include);
		add_words(&o.exclude, cases[i].exclude);
		if (scan_path(root, &o, &files, &err) < 0)
			fail_msg("%s", err.msg);
		got = paths(&files);
		assert_string_equal(got, cases[i].want);
	}
}

static void refuses_patterns_that_are_none(void **state)
{
	static const char *const wrong[] = { "", "/", "!a", "[a", "a\\", "./" };
	auto_free char *too_long = xcalloc(1, 5001);

	(void)state;
	memset(too_long, 'a', 5000);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_err err = { 0 };

		assert_int_equal(scan_check_pattern(wrong[i], &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
	}
	{
		auto_err err = { 0 };

		assert_int_equal(scan_check_pattern(too_long, &err), -1);
		assert_int_equal(scan_check_pattern("a/[!b]/**", &err), 0);
	}
}

static void takes_names_as_they_are(void **state)
{
	auto_free char *root = fs_join(*state, "d");
	auto_filelist files = { 0 };
	auto_free char *got = NULL;
	auto_err err = { 0 };

	run(*state,
	    "mkdir d; cd d; for n in 'a b' a+b a%20b 'q\"' \"$(printf 'n\\nl')\" \"$(printf 'tab\\t')\" 'b\\' ä -x '*'; do\n"
	    ": > \"./$n\"; done; mkdir a a.d; : > a/z; : > a.d/z");
	assert_int_equal(scan_path(root, NULL, &files, &err), 0);
	got = paths(&files);
	/* In byte order of whole paths, where '.' stands before '/'. */
	assert_string_equal(got, "*|-x|a b|a%20b|a+b|a.d/z|a/z|b\\|n\nl|q\"|tab\t|ä");
}

static void refuses_in_one_line_what_s3_cannot_hold(void **state)
{
	static const struct {
		const char *script, *words;
		enum scan_links links;
	} cases[] = {
		{ "", "d' does not exist", 0 },
		{ "mkdir -p d/sub", "holds no file", 0 },
		{ "ln -s d d", "d': Too many levels of symbolic links", 0 },
		{ "mkfifo d", "neither a file nor a folder", 0 },
		{ "mkdir d; echo > d/a; mkfifo d/pipe", "'pipe' in", 0 },
		{ "mkdir -p d/s; mknod d/s/zero c 1 5", "'s/zero' in", 0 },
		{ "mkdir d; ln -s /etc/passwd d/out", "link 'out' leads out of the data folder", 0 },
		{ "mkdir d dd; echo > dd/x; ln -s ../dd/x d/out", "link 'out' leads out of the data folder", 0 },
		{ "mkdir d dd; echo > dd/x; ln -s ../dd d/sub", "link 'sub' leads out of the data folder", 0 },
		{ "mkdir d; ln -s nowhere d/l", "link 'l' leads nowhere", 0 },
		{ "mkdir d; ln -s m d/l; ln -s l d/m", "link 'l' leads in a circle", 0 },
		{ "mkdir -p d/sub; ln -s .. d/sub/up", "link 'sub/up' leads out", 0 },
		{ "mkdir -p d/sub; ln -s ../sub d/sub/self", "does not lead to a file", 0 },
		{ "mkdir d; : > d/a; ln -s a d/l", "'l' is not wanted (`symlinks: error`)", SCAN_LINKS_ERROR },
		{ "mkdir d; : > \"$(printf 'd/a\\377\\nx')\"", "'a\\xff\\nx' in", 0 },
		{ "mkdir -p d/$(printf %0250d 1)/$(printf %0250d 1)/$(printf %0250d 1)/$(printf %0250d 1); "
		  "cd d/0*/0*/0*/0*; : > a",
		  "too long for S3", 0 },
		{ "p=d; for i in $(seq 130); do p=$p/x; done; mkdir -p $p", "folders deep", 0 },
	};
	auto_free char *root = fs_join(*state, "d");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *script = xasprintf("rm -rf d dd; %s", cases[i].script);
		auto_scan_options o = { .links = cases[i].links };
		auto_filelist files = { 0 };
		auto_err err = { 0 };

		run(*state, script);
		assert_int_equal(scan_path(root, &o, &files, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
		if (!strstr(err.msg, cases[i].words))
			fail_msg("%s", err.msg);
		assert_null(strchr(err.msg, '\n'));
	}
}

static void follows_links_by_policy(void **state)
{
	auto_free char *root = fs_join(*state, "d");
	auto_scan_options skip = { .links = SCAN_LINKS_SKIP };
	auto_filelist inside = { 0 }, skipped = { 0 };
	auto_free char *all = NULL, *some = NULL;
	auto_err err = { 0 };

	run(*state, "mkdir -p d/s; echo abc > d/s/x; ln -s s/x d/rel; ln -s \"$PWD/d/s/x\" d/abs; ln -s rel d/twice");
	assert_int_equal(scan_path(root, NULL, &inside, &err), 0);
	all = paths(&inside);
	assert_string_equal(all, "abs|rel|s/x|twice");
	assert_true(inside.v[3].size == 4 && inside.v[3].stamp.inode == inside.v[2].stamp.inode);
	run(*state, "ln -s /etc d/out; ln -s nowhere d/broken");
	assert_int_equal(scan_path(root, &skip, &skipped, &err), 0);
	some = paths(&skipped);
	assert_string_equal(some, "s/x");
}

static void says_what_a_path_leads_to(void **state)
{
	static const struct {
		const char *path, *words, *hint;
	} cases[] = {
		{ "f/", "/f' is a file, not a folder", NULL },
		{ "f/a/b", "/f' is a file, not a folder", NULL },
		{ "~/data", "~/data' does not exist", "write the path out" },
		{ "none", "none' does not exist", NULL },
	};

	run(*state, "echo 1 > f");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *path = fs_join(*state, cases[i].path);
		auto_filelist files = { 0 };
		auto_err err = { 0 };

		assert_int_equal(scan_path(path, NULL, &files, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
		if (!strstr(err.msg, cases[i].words))
			fail_msg("%s", err.msg);
		assert_true(cases[i].hint ? err.hint && strstr(err.hint, cases[i].hint) : !err.hint);
	}
}

/* A folder that becomes a link between the scan and the reading is noticed by the file's stamp. */
static void swapped_folder_is_noticed(void **state)
{
	auto_free char *root = fs_join(*state, "d");
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	run(*state, "mkdir -p d/s o; echo abc > d/s/x; echo key > o/x");
	assert_int_equal(scan_path(root, NULL, &files, &err), 0);
	run(*state, "rm -r d/s; ln -s ../o d/s");
	assert_int_equal(filelist_hash(&files, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_non_null(strstr(err.msg, "changed while it was read"));
}

static void tells_case_twins(void **state)
{
	auto_free char *root = fs_join(*state, "d");
	auto_strlist twins = { 0 };
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	run(*state, "mkdir -p d/x d/X; : > d/a.csv; : > d/A.CSV; : > d/ä; : > d/Ä; : > d/x/1; : > d/X/1; : > d/b");
	assert_int_equal(scan_path(root, NULL, &files, &err), 0);
	scan_find_case_twins(&files, 10, &twins);
	strlist_sort(&twins);
	assert_int_equal(twins.n, 3);
	assert_true(str_starts(twins.v[0], "'A.CSV' and 'a.csv' differ only in case"));
	assert_true(str_starts(twins.v[1], "'X/1' and 'x/1'"));
	assert_true(str_starts(twins.v[2], "'Ä' and 'ä'"));
}

static void says_what_a_manifest_may_name(void **state)
{
	static const char *const right[] = { "a", "a/b", "a\nb", "a/", "..a/b.", "ä" };
	static const char *const wrong[] = { "", "/", "/a", "a//b", "../a", "a/..", "a/./b", ".", "a//", "a\xff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(right); i++)
		assert_true(scan_is_data_path(right[i]));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(scan_is_data_path(wrong[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_what_patterns_say, set_up, tear_down),
		cmocka_unit_test(refuses_patterns_that_are_none),
		cmocka_unit_test_setup_teardown(takes_names_as_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_in_one_line_what_s3_cannot_hold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(follows_links_by_policy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(swapped_folder_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(says_what_a_path_leads_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_case_twins, set_up, tear_down),
		cmocka_unit_test(says_what_a_manifest_may_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
