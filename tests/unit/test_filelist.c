/* base/filelist.h. */

#include <sys/stat.h>

#include "base/filelist.h"
#include "base/sys.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

static void add(struct filelist *l, const char *folder, const char *path)
{
	auto_free char *disk_path = fs_join(folder, path);
	auto_err err = { 0 };

	if (filelist_add_disk(l, path, disk_path, &err) < 0)
		fail_msg("%s", err.msg);
}

static char *tree_hex(const struct filelist *l, bool is_data)
{
	struct digest d = filelist_tree_digest(l, is_data);

	return digest_hex(&d);
}

/* The digest that design 3a describes, by sha256sum. */
#define RECIPE                                                                                                         \
	"record() { printf '%s %s %s %s\\0' \"$1\" \"$(wc -c < \"$3\")\" \"$2\" \"$3\"; }\n"                           \
	"sum() { sha256sum < \"$1\" | cut -c1-64; }\n"

static void test_tree_digest(void **state)
{
	auto_filelist l = { 0 };
	auto_err err = { 0 };
	auto_free char *files = NULL;
	auto_free char *expected_data = NULL;
	auto_free char *actual = NULL;
	auto_free char *actual_data = NULL;

	run(*state,
	    "umask 077; mkdir -p a; printf one > a.c; printf two > a/b; : > a/empty; printf '#!' > B; chmod 700 B; "
	    "ln -s a/b link; printf x > \"$(printf '\\303\\244 b')\"");
	add(&l, *state, "link");
	add(&l, *state, "a/empty");
	add(&l, *state, "a/b");
	add(&l, *state, "\xc3\xa4 b");
	add(&l, *state, "a.c");
	add(&l, *state, "B");
	filelist_sort(&l);
	assert_int_equal(filelist_hash(&l, &err), 0);
	assert_int_equal(filelist_check_unique(&l, "the archive", &err), 0);
	assert_int_equal(filelist_total_bytes(&l), 2 + 3 + 3 + 0 + 3 + 1);
	/* '.' stands before '/': the order is that of the bytes, not of folders. */
	files = shell(*state,
		      RECIPE "u=$(printf '\\303\\244 b')\n"
			     "{ record 100755 $(sum B) B; record 100644 $(sum a.c) a.c; record 100644 $(sum a/b) a/b; "
			     "record 100644 $(sum a/empty) a/empty; "
			     "printf '120000 3 %s link\\0' $(printf a/b | sha256sum | cut -c1-64); "
			     "record 100644 $(sum \"$u\") \"$u\"; } | sha256sum | cut -c1-64 | tr -d '\\n'");
	actual = tree_hex(&l, false);
	assert_string_equal(actual, files);
	expected_data = shell(*state, RECIPE "u=$(printf '\\303\\244 b')\n"
					     "{ for f in B a.c a/b a/empty; do record - $(sum $f) $f; done; "
					     "printf -- '- 3 %s link\\0' $(printf a/b | sha256sum | cut -c1-64); "
					     "record - $(sum \"$u\") \"$u\"; } | sha256sum | cut -c1-64 | tr -d '\\n'");
	actual_data = tree_hex(&l, true);
	assert_string_equal(actual_data, expected_data);
}

static void test_empty_tree(void **state)
{
	struct filelist l = { 0 };
	auto_free char *hex = tree_hex(&l, false);

	(void)state;
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_null(filelist_find(&l, "a"));
}

static void test_special_files(void **state)
{
	auto_filelist l = { 0 };
	auto_err err = { 0 };
	auto_free char *fifo = fs_join(*state, "fifo");
	auto_free char *none = fs_join(*state, "none");

	run(*state, "mkfifo fifo");
	assert_int_equal(filelist_add_disk(&l, "fifo", fifo, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(filelist_add_disk(&l, "dir", *state, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(filelist_add_disk(&l, "none", none, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(l.n, 0);
}

static void assert_changed(void *folder, const char *change)
{
	auto_filelist l = { 0 };
	auto_err err = { 0 };

	run(folder, "rm -rf f g; printf 12345 > f; printf 12345 > g");
	add(&l, folder, "f");
	run(folder, change);
	assert_int_equal(filelist_hash(&l, &err), -1);
	assert_non_null(strstr(err.msg, "/f'"));
}

static void test_changed_before_reading(void **state)
{
	assert_changed(*state, "printf 1234 > f");
	assert_changed(*state, "printf 123456 > f");
	assert_changed(*state, "ln -sf g f");
	assert_changed(*state, "rm f; mkfifo f");
	assert_changed(*state, "rm f; mkdir f");
	assert_changed(*state, "rm f");
}

static void test_cut_while_reading(void **state)
{
	auto_filelist l = { 0 };
	auto_err err = { 0 };
	struct file_reader r;
	char buffer[100];

	run(*state, "printf 1234567890 > f");
	add(&l, *state, "f");
	assert_int_equal(file_reader_open(&r, &l.v[0], &err), 0);
	assert_int_equal(file_reader_read(&r, buffer, 4, &l.v[0], &err), 4);
	run(*state, "printf 123456 > f");
	assert_int_equal(file_reader_read(&r, buffer, 100, &l.v[0], &err), 2);
	assert_int_equal(file_reader_read(&r, buffer, 100, &l.v[0], &err), -1);
	file_reader_close(&r);
	assert_int_equal(err.code, ERR_FAILED);
	assert_non_null(strstr(err.msg, "changed while it was read"));
	assert_non_null(err.hint);
}

static int read_fake(const struct file_store *store, const struct file_entry *e, char **ret_bytes, size_t *ret_n,
		     struct err *err)
{
	(void)store;
	if (e->id)
		return err_set(err, ERR_IO, "no blob");
	*ret_bytes = xstrdup("blob");
	*ret_n = 4;
	return 0;
}

static void test_store(void **state)
{
	const struct file_store store = { read_fake };
	auto_filelist l = { 0 };
	auto_err err = { 0 };
	auto_free char *text = NULL;
	struct file_entry *e = filelist_add(&l, "f", FILE_MODE_PLAIN);
	size_t n;

	(void)state;
	e->store = &store;
	e->size = 4;
	assert_int_equal(file_entry_read(e, 4, &text, &n, &err), 0);
	assert_string_equal(text, "blob");
	assert_int_equal(file_entry_read(e, 3, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	e->size = 5;
	assert_int_equal(filelist_hash(&l, &err), -1);
	e->id = xstrdup("missing");
	assert_int_equal(filelist_hash(&l, &err), -1);
	assert_string_equal(err.msg, "read 'f': no blob");
}

static void test_unique(void **state)
{
	static const struct {
		const char *paths, *words;
	} rows[] = {
		{ "a,b,c/d", NULL },
		{ "a,a.b,ab,b/a", NULL },
		{ "b,a,b", "the archive would hold 'b' twice" },
		{ "a,a.b,a/b", "the archive would hold 'a' as a file and as a folder" },
		{ "x/y/z/f,x/y", "the archive would hold 'x/y' as a file and as a folder" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_strlist paths = { 0 };
		auto_filelist l = { 0 };
		auto_err err = { 0 };

		str_split(&paths, rows[i].paths, ',');
		for (size_t j = 0; j < paths.n; j++)
			filelist_add(&l, paths.v[j], FILE_MODE_PLAIN);
		filelist_sort(&l);
		assert_int_equal(filelist_check_unique(&l, "the archive", &err), rows[i].words ? -1 : 0);
		if (rows[i].words)
			assert_string_equal(err.msg, rows[i].words);
	}
}

static char *paths_of(const struct filelist *l)
{
	struct str out = { 0 };

	for (size_t i = 0; i < l->n; i++)
		str_addf(&out, "%s ", l->v[i].path);
	return str_detach(&out);
}

static void test_below(void **state)
{
	static const char *const rows[][3] = {
		{ ".", "", "src/a src/b/c srcs/d t " },
		{ "src", "", "a b/c " },
		{ "src", "lib", "lib/a lib/b/c " },
		{ "t", "", "" },
	};
	auto_filelist from = { 0 };

	(void)state;
	filelist_add(&from, "src/a", FILE_MODE_PLAIN);
	filelist_add(&from, "src/b/c", FILE_MODE_EXEC);
	filelist_add(&from, "srcs/d", FILE_MODE_PLAIN);
	filelist_add(&from, "t", FILE_MODE_LINK)->bytes = xstrdup("src/a");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_filelist to = { 0 };
		auto_free char *paths = NULL;

		filelist_add_below(&to, &from, rows[i][0], rows[i][1]);
		paths = paths_of(&to);
		assert_string_equal(paths, rows[i][2]);
	}
	filelist_remove(&from, 1);
	assert_null(filelist_find(&from, "src/b/c"));
	assert_non_null(filelist_find(&from, "t"));
}

static void test_biggest(void **state)
{
	static const uint64_t sizes[] = { 5, 9, 1, 9, 7, 0, 9 };
	static const size_t want[] = { 1, 3, 6, 4, 0, 2, 5 };
	const struct file_entry *biggest[ARRAY_LEN(sizes) + 1];
	auto_filelist l = { 0 };

	(void)state;
	assert_int_equal(filelist_biggest(&l, biggest, 3), 0);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		filelist_add(&l, "f", FILE_MODE_PLAIN)->size = sizes[i];
	for (size_t max = 0; max <= ARRAY_LEN(biggest); max++) {
		size_t n = filelist_biggest(&l, biggest, max);

		assert_int_equal(n, max < ARRAY_LEN(sizes) ? max : ARRAY_LEN(sizes));
		for (size_t i = 0; i < n; i++)
			assert_ptr_equal(biggest[i], &l.v[want[i]]);
	}
}

/* Of 64 KiB as many letters as the path says. */
static int read_large(const struct file_store *store, const struct file_entry *e, char **ret_bytes, size_t *ret_n,
		      struct err *err)
{
	(void)store;
	if (str_starts(e->path, "missing"))
		return err_set(err, ERR_IO, "no blob for '%s'", e->path);
	*ret_bytes = xcalloc(1, 65537);
	memset(*ret_bytes, 'x', (size_t)strtoul(e->path, NULL, 10));
	*ret_n = 65536;
	return 0;
}

/* Whatever the threads do, the digests are those of the contents, and the error is the first file's. */
static void test_hash_on_all_cores(void **state)
{
	const struct file_store store = { read_large };

	(void)state;
	for (int keeps = 0; keeps < 2; keeps++) {
		auto_filelist l = { 0 };
		auto_err err = { 0 };

		for (unsigned i = 0; i < 200; i++) {
			auto_free char *path = xasprintf("%u", i);
			struct file_entry *e = filelist_add(&l, path, FILE_MODE_PLAIN);

			e->store = &store;
			e->size = 65536;
		}
		assert_int_equal((keeps ? filelist_hash_and_keep : filelist_hash)(&l, &err), 0);
		for (unsigned i = 0; i < 200; i++) {
			auto_free char *want = xcalloc(1, 65536);
			struct digest digest;

			memset(want, 'x', i);
			digest = digest_of(want, 65536);
			assert_true(l.v[i].has_digest && digest_equal(&l.v[i].digest, &digest));
			assert_int_equal(keeps, l.v[i].bytes != NULL && !l.v[i].store);
			l.v[i].has_digest = false;
		}
		for (unsigned i = 20; i < 200; i += 3) {
			free(l.v[i].path);
			free(l.v[i].bytes);
			l.v[i].bytes = NULL;
			l.v[i].store = &store;
			l.v[i].path = xasprintf("missing %u", i);
		}
		assert_int_equal((keeps ? filelist_hash_and_keep : filelist_hash)(&l, &err), -1);
		assert_non_null(strstr(err.msg, "'missing 20'"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tree_digest, set_up, tear_down),
		cmocka_unit_test(test_empty_tree),
		cmocka_unit_test_setup_teardown(test_special_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_before_reading, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut_while_reading, set_up, tear_down),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_unique),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_biggest),
		cmocka_unit_test(test_hash_on_all_cores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
