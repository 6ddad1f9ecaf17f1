/* pipeline/journal.h and pipeline/lockfile.h: what survives a release that was cut off. */

#include <signal.h>

#include "base/json.h"
#include "pipeline/journal.h"
#include "pipeline/lockfile.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

static int64_t now_ms(const struct sys *sys)
{
	(void)sys;
	return INT64_C(1700703534000);
}

static const struct sys fake_sys = { .now_ms = now_ms };

static struct journal *open_journal(const char *dir)
{
	auto_err err = { 0 };
	struct journal *j = NULL;

	if (journal_open(dir, &fake_sys, &j, &err) < 0)
		fail_msg("%s", err.msg);
	return j;
}

static void add(struct journal *j, const char *event, const char *request_key, const char *attempt)
{
	auto_json *members = json_pack("{ss ss*}", "request_key", request_key, "attempt", attempt);
	auto_err err = { 0 };

	assert_int_equal(journal_add(j, event, members, &err), 0);
}

static void test_open_attempt(void **state)
{
	auto_journal *j = open_journal(*state);

	assert_null(journal_open_attempt(j, "k1"));
	add(j, "launch", "k1", "1");
	add(j, "launch", "k2", "ci7");
	assert_string_equal(journal_open_attempt(j, "k1"), "1");
	journal_close(take(j));
	j = open_journal(*state);
	assert_string_equal(journal_open_attempt(j, "k1"), "1");
	add(j, "recorded", "k1", NULL);
	assert_null(journal_open_attempt(j, "k1"));
	assert_string_equal(journal_open_attempt(j, "k2"), "ci7");
	add(j, "launch", "k1", "2");
	journal_close(take(j));
	j = open_journal(*state);
	assert_string_equal(journal_open_attempt(j, "k1"), "2");
}

static void test_lines(void **state)
{
	auto_journal *j = open_journal(*state);
	auto_free char *text = NULL;

	add(j, "launch", "k", "1");
	text = shell(*state, "cat journal");
	assert_string_equal(
		text,
		"{\"time\":\"2023-11-23T01:38:54Z\",\"event\":\"launch\",\"request_key\":\"k\",\"attempt\":\"1\"}\n");
}

/* However the last write was cut, the lines before and after it stand. */
static void test_torn_end(void **state)
{
	static const char *const ends[] = {
		"printf '{\"event\":\"recorded\",\"requ' >> journal",
		"printf '{\"event\":\"recorded\",\"request_key\":\"k\"}' >> journal",
		"printf '\\0\\0\\0\\0' >> journal",
		"printf '{\"event\"\\0\\0\\0' >> journal",
		"printf 'garbage\\n[1]\\n\\n' >> journal",
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		auto_journal *j = NULL;

		run(*state, "rm -f journal");
		j = open_journal(*state);
		add(j, "launch", "k", "1");
		journal_close(take(j));
		run(*state, ends[i]);
		j = open_journal(*state);
		assert_string_equal(journal_open_attempt(j, "k"), "1");
		add(j, "recorded", "k", NULL);
		journal_close(take(j));
		j = open_journal(*state);
		assert_null(journal_open_attempt(j, "k"));
	}
}

static void test_one_at_a_time(void **state)
{
	auto_journal *j = open_journal(*state);
	struct journal *other = NULL;
	auto_free char *pid = xasprintf("process %ld", (long)getpid());
	auto_err err = { 0 };

	assert_int_equal(journal_open(*state, &fake_sys, &other, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_non_null(strstr(err.msg, pid));
	assert_non_null(err.hint);
	journal_close(take(j));
	j = open_journal(*state);
}

static void test_not_writable(void **state)
{
	struct journal *j = NULL;
	auto_err err = { 0 };

	run(*state, "mkdir journal");
	assert_int_equal(journal_open(*state, &fake_sys, &j, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	run(*state, "rmdir journal; head -c 17000000 /dev/zero > journal");
	assert_int_equal(journal_open(*state, &fake_sys, &j, &err), -1);
	assert_non_null(err.hint);
}

#define DIGEST "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_lockfile(void **state)
{
	auto_json *none = NULL;
	auto_json *empty = json_object();
	auto_json *bases = json_pack("{ss}", "debian:12", DIGEST);
	auto_json *read = NULL;
	auto_free char *files = NULL;
	auto_free char *text = NULL;
	auto_free char *inode = NULL;
	auto_free char *inode_after = NULL;
	auto_err err = { 0 };

	assert_int_equal(lockfile_read(*state, &none, &err), 0);
	assert_int_equal(json_object_size(none), 0);
	assert_int_equal(lockfile_write(*state, empty, &err), 0);
	files = shell(*state, "ls");
	assert_string_equal(files, "");
	assert_int_equal(lockfile_write(*state, bases, &err), 0);
	text = shell(*state, "tr -d ' \\n' < smpipe.lock");
	assert_string_equal(text, "{\"version\":1,\"bases\":{\"debian:12\":\"" DIGEST "\"}}");
	assert_int_equal(lockfile_read(*state, &read, &err), 0);
	assert_true(json_equal(read, bases));
	/* What is there already is not written again. */
	inode = shell(*state, "stat -c %i smpipe.lock");
	assert_int_equal(lockfile_write(*state, bases, &err), 0);
	inode_after = shell(*state, "stat -c %i smpipe.lock");
	assert_string_equal(inode, inode_after);
}

static void test_bad_lockfiles(void **state)
{
	static const char *const rows[] = {
		"",
		"{",
		"[]",
		"1",
		"{\"version\":2,\"bases\":{}}",
		"{\"version\":1}",
		"{\"version\":1,\"bases\":[]}",
		"{\"version\":1,\"bases\":{\"a\":1}}",
		"{\"version\":1,\"bases\":{\"a\":\"sha256:12\"}}",
		"{\"version\":1,\"bases\":{\"a\":\"" DIGEST "\",\"a\":\"" DIGEST "\"}}",
	};
	auto_free char *path = fs_join(*state, LOCKFILE_NAME);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json *bases = NULL;
		auto_err err = { 0 };

		assert_int_equal(fs_write_atomic(path, rows[i], strlen(rows[i]), 0644, &err), 0);
		if (lockfile_read(*state, &bases, &err) == 0)
			fail_msg("taken: %s", rows[i]);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.msg, LOCKFILE_NAME));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open_attempt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_torn_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_writable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lockfile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_lockfiles, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
