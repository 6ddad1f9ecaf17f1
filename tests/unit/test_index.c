/* s3/index.h: what is trusted, and what is not. */

#include "s3/index.h"

#include <sys/stat.h>
#include <time.h>

#include "s3/snapshot.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

#define SECOND_NS INT64_C(1000000000)
/* A wall clock, long after everything that a test makes. */
#define LATER_NS (INT64_C(4000000000) * SECOND_NS)

static int set_up_data(void **state)
{
	if (set_up(state) < 0)
		return -1;
	run(*state, "mkdir -p d/sub d/none; echo one > d/a; echo two > d/b; echo three > d/sub/c");
	return 0;
}

static void scan(const char *folder, struct filelist *l)
{
	auto_free char *root = fs_join(folder, "d");
	auto_err err = { 0 };

	assert_int_equal(scan_path(root, NULL, l, &err), 0);
}

/* An index of the folder as it is, whose digests are not the real ones: so it shows where they come from. */
static void keep(const char *folder, int64_t scanned_ns)
{
	auto_free char *file = fs_join(folder, "index");
	auto_filelist l = { 0 };
	auto_err err = { 0 };

	scan(folder, &l);
	for (size_t i = 0; i < l.n; i++) {
		if (file_entry_is_folder(&l.v[i]))
			continue;
		l.v[i].digest = digest_of_text(l.v[i].path);
		l.v[i].has_digest = true;
	}
	assert_int_equal(index_save(file, "root", scanned_ns, &l, &err), 0);
}

/* How many of the files the index vouches for; what it says of them must be what was put in. */
static size_t vouched(const char *folder, char **note)
{
	auto_free char *file = fs_join(folder, "index");
	auto_filelist l = { 0 };
	size_t n;

	scan(folder, &l);
	n = index_apply(file, "root", &l, note);
	for (size_t i = 0; i < l.n; i++) {
		struct digest digest = digest_of_text(l.v[i].path);

		if (l.v[i].has_digest && !file_entry_is_folder(&l.v[i]))
			assert_true(digest_equal(&l.v[i].digest, &digest));
	}
	return n;
}

static void trusts_what_did_not_change(void **state)
{
	auto_free char *note = NULL;

	assert_int_equal(vouched(*state, &note), 0);
	assert_null(note);
	keep(*state, LATER_NS);
	assert_int_equal(vouched(*state, &note), 3);
	assert_null(note);
}

static void notices_every_change(void **state)
{
	/* The last four hide it as well as a user can: only ctime tells. */
	static const char *const changes[] = {
		"echo more >> d/a",
		"echo ONE > d/a",
		"mv d/a d/old; echo one > d/a; rm d/old",
		"truncate -s 3 d/a",
		"touch d/a",
		"touch -r d/a ref; echo ONE > d/a; touch -r ref d/a",
		"cp -p d/a x; echo ONE > x; touch -r d/a x; mv x d/a",
		"touch -d 2001-01-01 d/a",
		"chmod 600 d/a",
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		auto_free char *note = NULL;

		run(*state, "rm -rf d/*; mkdir d/sub; echo one > d/a; echo two > d/b; echo three > d/sub/c");
		keep(*state, LATER_NS);
		/* The kernel's clock ticks a few times a second: a change in the same tick is the racy case. */
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		run(*state, changes[i]);
		assert_int_equal(vouched(*state, &note), 2);
	}
}

/* The newest stamp of the files. */
static int64_t newest_ns(const char *folder)
{
	auto_filelist l = { 0 };
	int64_t newest = 0;

	scan(folder, &l);
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].stamp.ctime_ns > newest)
			newest = l.v[i].stamp.ctime_ns;
	}
	return newest;
}

static void distrusts_what_may_have_changed_unseen(void **state)
{
	int64_t newest = newest_ns(*state);
	auto_free char *note = NULL;

	/* The scan's own clock decides: within two seconds of a file's stamps, it could still be written unseen. */
	keep(*state, newest + INDEX_RACY_NS);
	assert_true(vouched(*state, &note) < 3);
	keep(*state, newest);
	assert_int_equal(vouched(*state, &note), 0);
	keep(*state, newest - 10 * SECOND_NS);
	assert_int_equal(vouched(*state, &note), 0);
	keep(*state, newest + INDEX_RACY_NS + 1);
	assert_int_equal(vouched(*state, &note), 3);
	/* A file from the future is read each time. */
	run(*state, "touch -d 2099-01-01 d/a");
	keep(*state, newest_ns(*state) + 10 * SECOND_NS);
	assert_int_equal(vouched(*state, &note), 2);
	assert_null(note);
}

static void goes_on_after_files_came_and_went(void **state)
{
	auto_free char *note = NULL;

	keep(*state, LATER_NS);
	run(*state, "rm d/b; : > d/0; : > d/aa; mkdir d/z; : > d/z/z; rmdir d/none");
	assert_int_equal(vouched(*state, &note), 2);
}

/* One byte changed, anywhere, or any end cut off: no digest is taken, and it is said. */
static void damaged_index_is_ignored(void **state)
{
	auto_free char *file = fs_join(*state, "index"), *bytes = NULL;
	auto_err err = { 0 };
	size_t n;

	keep(*state, LATER_NS);
	assert_int_equal(fs_read(file, 100000, &bytes, &n, &err), 0);
	for (size_t i = 0; i < n; i++) {
		auto_free char *note = NULL;

		bytes[i] ^= 0x41;
		assert_int_equal(fs_write_atomic(file, bytes, n, 0644, &err), 0);
		bytes[i] ^= 0x41;
		assert_int_equal(vouched(*state, &note), 0);
		assert_non_null(note);
	}
	for (size_t i = 0; i < n; i++) {
		auto_free char *note = NULL;

		assert_int_equal(fs_write_atomic(file, bytes, i, 0644, &err), 0);
		assert_int_equal(vouched(*state, &note), 0);
		assert_non_null(note);
	}
}

/* Whoever writes the file can also write its sum: then nothing is read beyond it, whatever it says. */
static void hostile_index_does_no_harm(void **state)
{
	auto_free char *file = fs_join(*state, "index"), *bytes = NULL;
	auto_err err = { 0 };
	size_t n;

	keep(*state, LATER_NS);
	assert_int_equal(fs_read(file, 100000, &bytes, &n, &err), 0);
	for (size_t i = 0; i + DIGEST_BYTES < n; i++) {
		auto_free char *note = NULL;
		auto_filelist l = { 0 };
		struct digest digest;

		bytes[i] ^= 0xff;
		digest = digest_of(bytes, n - DIGEST_BYTES);
		memcpy(bytes + n - DIGEST_BYTES, digest.b, sizeof(digest.b));
		assert_int_equal(fs_write_atomic(file, bytes, n, 0644, &err), 0);
		bytes[i] ^= 0xff;
		scan(*state, &l);
		assert_true(index_apply(file, "root", &l, &note) <= 3);
	}
}

static void index_of_another_folder_is_none(void **state)
{
	auto_free char *file = fs_join(*state, "index"), *note = NULL;
	auto_filelist l = { 0 };

	keep(*state, LATER_NS);
	scan(*state, &l);
	assert_int_equal(index_apply(file, "elsewhere", &l, &note), 0);
	assert_non_null(strstr(note, "another folder"));
}

static int64_t scripted_now_ms(const struct sys *sys)
{
	return *(const int64_t *)sys->ctx;
}

/* The whole of it: the second reading of what did not change reads nothing, with parts and all. */
static void snapshot_reads_only_what_changed(void **state)
{
	int64_t now_ms = (int64_t)time(NULL) * 1000 + 60000;
	struct sys sys = { .now_ms = scripted_now_ms, .ctx = &now_ms };
	auto_free char *root = fs_join(*state, "d"), *file = fs_join(*state, "x/index");
	struct snapshot_source src = { .path = root, .index_file = file, .sys = &sys };
	struct {
		const char *script;
		size_t n_hashed;
	} steps[] = {
		{ "truncate -s 40000000 d/big", 4 },
		{ ":", 0 },
		{ "echo 2 > d/b", 1 },
		{ ":", 0 },
	};
	struct digest first = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		auto_filelist files = { 0 };
		struct snapshot_facts facts;
		struct digest tree;
		auto_err err = { 0 };

		run(*state, steps[i].script);
		now_ms += 1000000;
		assert_int_equal(snapshot_read(&src, &files, &facts, &err), 0);
		assert_null(facts.note);
		assert_int_equal(facts.n_hashed, steps[i].n_hashed);
		tree = filelist_tree_digest(&files, true);
		if (i == 1)
			assert_true(digest_equal(&tree, &first));
		first = tree;
		assert_int_equal(snapshot_keep_index(&src, &facts, &files, &err), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trusts_what_did_not_change, set_up_data, tear_down),
		cmocka_unit_test_setup_teardown(notices_every_change, set_up_data, tear_down),
		cmocka_unit_test_setup_teardown(distrusts_what_may_have_changed_unseen, set_up_data, tear_down),
		cmocka_unit_test_setup_teardown(goes_on_after_files_came_and_went, set_up_data, tear_down),
		cmocka_unit_test_setup_teardown(damaged_index_is_ignored, set_up_data, tear_down),
		cmocka_unit_test_setup_teardown(hostile_index_does_no_harm, set_up_data, tear_down),
		cmocka_unit_test_setup_teardown(index_of_another_folder_is_none, set_up_data, tear_down),
		cmocka_unit_test_setup_teardown(snapshot_reads_only_what_changed, set_up_data, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
