/* base/archive.h: the same bytes everywhere, which tar can read. */

#include <locale.h>
#include <sys/stat.h>
#include <time.h>

#include "base/archive.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

#define LONG_NAME                                                                                                      \
	"deep/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define UTF8_NAME "\xc3\xa4\xe2\x82\xac.txt"

static int set_up_files(void **state)
{
	if (set_up(state) < 0)
		return -1;
	run(*state,
	    "printf one > a; printf '#!/bin/sh\\n' > run; chmod 777 run; mkdir -p \"$(dirname " LONG_NAME ")\"; "
	    "printf deep > " LONG_NAME "; printf utf8 > \"$(printf '\\303\\244\\342\\202\\254').txt\"");
	return 0;
}

static void list_files(const char *folder, struct filelist *l)
{
	static const char *const paths[] = { "a", "run", LONG_NAME, UTF8_NAME };
	auto_err err = { 0 };
	struct file_entry *link;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_free char *disk_path = fs_join(folder, paths[i]);

		if (filelist_add_disk(l, paths[i], disk_path, &err) < 0)
			fail_msg("%s", err.msg);
	}
	link = filelist_add(l, "link-" UTF8_NAME, FILE_MODE_LINK);
	link->bytes = xstrdup(UTF8_NAME);
	link->size = strlen(UTF8_NAME);
	filelist_sort(l);
	assert_int_equal(filelist_hash(l, &err), 0);
}

static int add_bytes(void *ctx, const void *p, size_t n, struct err *err)
{
	(void)err;
	str_add_mem(ctx, p, n);
	return 0;
}

static void pack(const char *folder, bool gzip, struct str *ret)
{
	auto_filelist l = { 0 };
	auto_err err = { 0 };

	list_files(folder, &l);
	if (archive_write(&l, gzip, add_bytes, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static void assert_same(const struct str *a, const struct str *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->s, b->s, a->len);
}

static void test_same_bytes(void **state)
{
	auto_str first = { 0 };
	auto_str again = { 0 };
	auto_str elsewhere = { 0 };

	pack(*state, true, &first);
	run(*state, "touch -d 2020-01-01 a run; chmod 700 run; chmod 600 a");
	pack(*state, true, &again);
	assert_same(&first, &again);
	setenv("TZ", "Asia/Kolkata", 1);
	tzset();
	umask(077);
	setlocale(LC_ALL, "C.UTF-8");
	pack(*state, true, &elsewhere);
	setlocale(LC_ALL, "C");
	unsetenv("TZ");
	tzset();
	umask(022);
	assert_same(&first, &elsewhere);
}

/* RFC 1952: no name, no time. */
static void test_gzip_header(void **state)
{
	auto_str bytes = { 0 };

	pack(*state, true, &bytes);
	assert_true(bytes.len > 18);
	assert_memory_equal(bytes.s, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8);
}

/* The bare stream is whole records, as tar writes them: the Engine takes it as it is. */
static void test_plain_tar(void **state)
{
	auto_str bytes = { 0 };

	pack(*state, false, &bytes);
	assert_int_equal(bytes.len % 512, 0);
	assert_memory_equal(bytes.s + 257, "ustar", 5);
}

static void test_tar_reads_it(void **state)
{
	auto_filelist l = { 0 };
	auto_err err = { 0 };
	auto_close int fd = -1;
	struct digest d;
	uint64_t size;
	auto_free char *copy = NULL;
	auto_free char *listing = NULL;
	auto_free char *sum = NULL;
	auto_free char *hex = NULL;
	auto_free char *names = NULL;

	list_files(*state, &l);
	assert_int_equal(archive_write_temp(&l, true, &fd, &d, &size, &err), 0);
	copy = xasprintf("cat < /proc/%ld/fd/%d > packed", (long)getpid(), fd);
	run(*state, copy);
	hex = digest_hex(&d);
	sum = shell(*state, "sha256sum < packed | cut -c1-64 | tr -d '\\n'");
	assert_string_equal(hex, sum);
	listing = shell(
		*state,
		"TZ=UTC LC_ALL=C.UTF-8 tar --numeric-owner --full-time -tvzf packed | awk '{print $1, $2, $4, $5}' | sort | uniq -c "
		"| sed 's/^ *//'");
	assert_string_equal(listing, "3 -rw-r--r-- 0/0 2000-01-01 00:00:00\n1 -rwxr-xr-x 0/0 2000-01-01 00:00:00\n"
				     "1 lrwxrwxrwx 0/0 2000-01-01 00:00:00\n");
	names = shell(*state, "mkdir out; LC_ALL=C tar -xzf packed -C out; cat out/link-*; cat out/" LONG_NAME
			      "; cat out/a; cat \"out/$(printf "
			      "'\\303\\244\\342\\202\\254').txt\"");
	assert_string_equal(names, "utf8deeponeutf8");
}

static void test_changed_file(void **state)
{
	auto_filelist l = { 0 };
	auto_str bytes = { 0 };
	auto_err err = { 0 };

	list_files(*state, &l);
	run(*state, "printf two > a");
	assert_int_equal(archive_write(&l, true, add_bytes, &bytes, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_non_null(strstr(err.msg, "/a' changed") ? err.msg : strstr(err.msg, "'a' changed"));
}

static int refuse(void *ctx, const void *p, size_t n, struct err *err)
{
	(void)ctx;
	(void)p;
	(void)n;
	return err_set(err, ERR_NETWORK, "the peer is gone");
}

static void test_sink_refuses(void **state)
{
	auto_filelist l = { 0 };
	auto_err err = { 0 };

	list_files(*state, &l);
	assert_int_equal(archive_write(&l, true, refuse, NULL, &err), -1);
	assert_int_equal(err.code, ERR_NETWORK);
	assert_string_equal(err.msg, "the peer is gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_bytes, set_up_files, tear_down),
		cmocka_unit_test_setup_teardown(test_gzip_header, set_up_files, tear_down),
		cmocka_unit_test_setup_teardown(test_plain_tar, set_up_files, tear_down),
		cmocka_unit_test_setup_teardown(test_tar_reads_it, set_up_files, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_file, set_up_files, tear_down),
		cmocka_unit_test_setup_teardown(test_sink_refuses, set_up_files, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
