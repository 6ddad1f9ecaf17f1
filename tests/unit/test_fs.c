/* base/fs.h on a real file system. */

#include <signal.h>
#include <sys/stat.h>

#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

static void test_read(void **state)
{
	auto_err err = { 0 };
	auto_free char *path = fs_join(*state, "f");
	auto_free char *missing = fs_join(*state, "none");
	auto_free char *fifo = fs_join(*state, "fifo");
	auto_free char *text = NULL;
	size_t n;

	run(*state, "printf 'a\\0b' > f; mkfifo fifo");
	assert_int_equal(fs_read(path, 3, &text, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(text, "a\0b\0", 4);
	assert_int_equal(fs_read(path, 2, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "larger than 2 bytes"));
	assert_int_equal(fs_read(missing, 2, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	/* Neither waits for a writer nor reads a folder. */
	assert_int_equal(fs_read(fifo, 2, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(fs_read(*state, 2, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void test_write_atomic(void **state)
{
	auto_err err = { 0 };
	auto_free char *path = fs_join(*state, "f");
	auto_free char *nowhere = fs_join(*state, "no/f");
	auto_free char *folder = fs_join(*state, "d");
	auto_free char *listing = NULL;

	run(*state, "echo old > f; ln f link; mkdir d; touch d/x");
	assert_int_equal(fs_write_atomic(path, "new\n", 4, 0640, &err), 0);
	/* The old bytes were not written over: another name still has them. */
	listing = shell(*state, "cat f link; stat -c %a f");
	assert_string_equal(listing, "new\nold\n640\n");
	assert_int_equal(fs_write_atomic(nowhere, "x", 1, 0644, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(fs_write_atomic(folder, "x", 1, 0644, &err), -1);
	free(listing);
	listing = shell(*state, "ls");
	assert_string_equal(listing, "d\nf\nlink\n");
}

static void test_mkdir_p(void **state)
{
	auto_err err = { 0 };
	auto_free char *deep = fs_join(*state, "a//b/c/");
	auto_free char *file = fs_join(*state, "f");
	auto_free char *below_file = fs_join(*state, "f/x");

	assert_int_equal(fs_mkdir_p(deep, 0755, &err), 0);
	assert_int_equal(fs_mkdir_p(deep, 0755, &err), 0);
	assert_true(fs_is_dir(deep));
	assert_int_equal(fs_mkdir_p("/", 0755, &err), 0);
	run(*state, "touch f");
	assert_int_equal(fs_mkdir_p(file, 0755, &err), -1);
	assert_int_equal(fs_mkdir_p(below_file, 0755, &err), -1);
	assert_int_equal(fs_mkdir_p("", 0755, &err), -1);
}

static void test_remove_tree(void **state)
{
	auto_err err = { 0 };
	auto_free char *tree = fs_join(*state, "tree");
	auto_free char *link = fs_join(*state, "link");
	auto_free char *left = NULL;

	run(*state,
	    "mkdir -p tree/a/b keep; touch tree/a/f keep/f; ln -s ../../keep tree/a/out; ln -s \"$PWD/keep\" tree/b; "
	    "ln -s nowhere tree/dead; mkfifo tree/fifo; ln -s keep link");
	assert_int_equal(fs_remove_tree(tree, &err), 0);
	assert_int_equal(fs_remove_tree(tree, &err), 0);
	assert_int_equal(fs_remove_tree(link, &err), 0);
	left = shell(*state, "find . | LC_ALL=C sort");
	assert_string_equal(left, ".\n./keep\n./keep/f\n");
}

static void test_safe_relative(void **state)
{
	static const struct {
		const char *path;
		bool is_safe;
	} rows[] = {
		{ "a", true },       { "a/b.c", true },        { "..a/b..", true }, { ".a", true },
		{ "...", true },     { "a b/\xc3\xa4", true }, { "", false },       { "/", false },
		{ "/a", false },     { "a/", false },          { "a//b", false },   { ".", false },
		{ "./a", false },    { "a/./b", false },       { "..", false },     { "../a", false },
		{ "a/../b", false }, { "a/..", false },        { "a\nb", false },   { "a\x7f", false },
		{ "\x1b[m", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool has_control = strpbrk(rows[i].path, "\n\x7f\x1b");

		assert_int_equal(fs_is_safe_relative(rows[i].path), rows[i].is_safe);
		assert_int_equal(fs_is_relative(rows[i].path), rows[i].is_safe || has_control);
	}
}

static void test_paths(void **state)
{
	static const char *const joined[][3] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "a", "/b", "/b" }, { "", "b", "b" }, { "/", "b", "/b" },
	};
	static const char *const parts[][3] = {
		{ "a/b", "a", "b" },
		{ "b", ".", "b" },
		{ "/b", "/", "b" },
		{ "/a/b/c", "/a/b", "c" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(joined); i++) {
		auto_free char *path = fs_join(joined[i][0], joined[i][1]);

		assert_string_equal(path, joined[i][2]);
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		auto_free char *folder = fs_dirname(parts[i][0]);

		assert_string_equal(folder, parts[i][1]);
		assert_string_equal(fs_basename(parts[i][0]), parts[i][2]);
	}
}

/* The lock's holder is another process; it says so by a byte, and is killed without a chance to clean up. */
static void test_lock(void **state)
{
	auto_err err = { 0 };
	auto_free char *path = fs_join(*state, "lock");
	auto_free char *words = NULL;
	int ready[2], fd = -1, status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (fs_lock(path, &fd, &err) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(fs_lock(path, &fd, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	words = xasprintf("locked by process %ld", (long)pid);
	assert_non_null(strstr(err.msg, words));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(fs_lock(path, &fd, &err), 0);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

struct seen {
	struct str text;
	const char *pruned;
};

static int note(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	struct seen *s = ctx;

	(void)err;
	str_addf(&s->text, "%s%s ", path, S_ISDIR(st->st_mode) ? "/" : S_ISLNK(st->st_mode) ? "@" : "");
	return s->pruned && !strcmp(path, s->pruned);
}

static void test_walk(void **state)
{
	auto_err err = { 0 };
	struct seen all = { 0 }, some = { .pruned = "b" };

	run(*state, "mkdir -p b/c a; touch b/c/f b/z a.x a/f; ln -s ../b a/l");
	assert_int_equal(fs_walk(*state, note, &all, &err), 0);
	assert_string_equal(all.text.s, "a/ a/f a/l@ a.x b/ b/c/ b/c/f b/z ");
	assert_int_equal(fs_walk(*state, note, &some, &err), 0);
	assert_string_equal(some.text.s, "a/ a/f a/l@ a.x b/ ");
	str_release(&all.text);
	str_release(&some.text);
	assert_int_equal(fs_walk("/no/such/folder", note, &all, &err), -1);
}

static void test_list(void **state)
{
	auto_err err = { 0 };
	auto_strlist names = { 0 };
	auto_free char *none = fs_join(*state, "none"), *file = fs_join(*state, "b");

	run(*state, "mkdir B .hidden; touch b a .x");
	assert_int_equal(fs_list(*state, &names, &err), 0);
	assert_int_equal(names.n, 3);
	assert_string_equal(names.v[0], "B");
	assert_string_equal(names.v[2], "b");
	assert_int_equal(fs_list(none, &names, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(fs_list(file, &names, &err), -1);
	assert_int_equal(err.code, ERR_IO);
}

static void test_walk_depth(void **state)
{
	auto_err err = { 0 };
	struct seen s = { 0 };

	run(*state, "i=0; p=.; while [ $i -lt 140 ]; do p=$p/d; i=$((i+1)); done; mkdir -p $p");
	assert_int_equal(fs_walk(*state, note, &s, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	str_release(&s.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write_atomic, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mkdir_p, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_remove_tree, set_up, tear_down),
		cmocka_unit_test(test_safe_relative),
		cmocka_unit_test(test_paths),
		cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_walk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_walk_depth, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
