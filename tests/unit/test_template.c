/* pipeline/template.h with the files that are really embedded. */

#include <sys/stat.h>

#include "pipeline/template.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

static void every_template_is_written_whole(void **state)
{
	auto_strlist names = { 0 };

	template_names(&names);
	assert_true(names.n > 0);
	assert_false(strlist_has(&names, "ci"));
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *dir = fs_join(*state, names.v[i]);
		auto_free char *left = NULL;
		auto_strlist written = { 0 };
		auto_err err = { 0 };

		assert_int_equal(template_write(names.v[i], dir, "my-model", &written, &err), 0);
		assert_true(written.n > 0);
		left = shell(dir, "grep -rl '@NAME@' . || :");
		assert_string_equal(left, "");
		for (const struct template_file *f = template_files; f->path; f++) {
			auto_free char *path = fs_join(*state, f->path);
			struct stat st;

			if (!str_starts(f->path, names.v[i]))
				continue;
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_mode & 0777, f->mode);
		}
	}
}

static void nothing_is_overwritten(void **state)
{
	auto_strlist names = { 0 }, written = { 0 };
	auto_free char *last = NULL, *make = NULL, *after = NULL, *dir = fs_join(*state, "here");
	auto_err err = { 0 };

	template_names(&names);
	for (const struct template_file *f = template_files; f->path; f++) {
		if (str_starts(f->path, names.v[0])) {
			free(last);
			last = xstrdup(f->path + strlen(names.v[0]) + 1);
		}
	}
	make = xasprintf("mkdir here; cd here; mkdir -p \"$(dirname %s)\"; ln -s nowhere %s", last, last);
	run(*state, make);
	assert_int_equal(template_write(names.v[0], dir, "n", &written, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_non_null(strstr(err.msg, last));
	after = shell(dir, "find . -type f | wc -l");
	assert_string_equal(after, "0\n");
	assert_int_equal(written.n, 0);
}

static void unknown_template_lists_the_known(void **state)
{
	auto_strlist names = { 0 }, written = { 0 };
	auto_err err = { 0 };

	template_names(&names);
	assert_int_equal(template_write("nativ", *state, "n", &written, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_non_null(strstr(err.hint, names.v[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_template_is_written_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_overwritten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_template_lists_the_known, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
