/* Which objects of a channel a host gets, and what checkpoints leave in S3. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/channel.h"
#include "local/checkpoints.h"
#include "local/runner_artifacts.h"
#include "local/s3_store.h"

struct fixture {
	char *dir, *out;
	struct cloud cloud;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err err = { 0 };

	f->dir = fs_temp_dir("smpipe-test", &err);
	f->out = fs_join(f->dir, "out");
	f->cloud.sys = &sys_real;
	assert_int_equal(store_s3_new(f->dir, &f->cloud.s3, &err), 0);
	assert_int_equal(store_s3_create_bucket(f->cloud.s3, "bkt", "eu-west-1", &err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	store_s3_free(f->cloud.s3);
	fs_remove_tree(f->dir, &err);
	free(f->dir);
	free(f->out);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *key, const char *text)
{
	struct s3_put put = { .bucket = "bkt", .key = key, .bytes = { .p = text, .size = strlen(text) } };
	auto_err err = { 0 };

	assert_int_equal(store_s3_put(f->cloud.s3, &put, &err), 0);
}

static void write_file(const char *dir, const char *path, const char *text)
{
	auto_free char *full = fs_join(dir, path);
	auto_free char *folder = fs_dirname(full);
	auto_err err = { 0 };

	assert_int_equal(fs_mkdir_p(folder, 0755, &err), 0);
	assert_int_equal(fs_write_atomic(full, text, strlen(text), 0644, &err), 0);
}

static char *joined(const struct strlist *l)
{
	struct str out = { 0 };

	for (size_t i = 0; i < l->n; i++)
		str_addf(&out, "%s%s", i ? " " : "", l->v[i]);
	return str_detach(&out);
}

static char *keys_below(struct fixture *f, const char *prefix)
{
	auto_strlist keys = { 0 };
	auto_err err = { 0 };

	assert_int_equal(store_s3_keys(f->cloud.s3, "bkt", prefix, &keys, &err), 0);
	return joined(&keys);
}

static void test_shards_are_disjoint_and_complete(void **state)
{
	(void)state;
	for (size_t n_hosts = 1; n_hosts <= HOSTS_MAX; n_hosts++) {
		for (size_t n = 0; n < 20; n++) {
			int seen[20] = { 0 };

			for (size_t host = 0; host < n_hosts; host++) {
				auto_strlist keys = { 0 };

				for (size_t i = 0; i < n; i++)
					strlist_take(&keys, xasprintf("%c", (char)('a' + i)));
				channel_shard(&keys, host, n_hosts);
				assert_in_range(keys.n, n / n_hosts, n / n_hosts + 1);
				for (size_t i = 0; i < keys.n; i++)
					seen[keys.v[i][0] - 'a']++;
			}
			for (size_t i = 0; i < n; i++)
				assert_int_equal(seen[i], 1);
		}
	}
}

static void test_a_manifest_names_keys_behind_its_prefix(void **state)
{
	static const char text[] = "[{\"prefix\":\"s3://bkt/some/\"},\"b/2\",\"a\",\"a\"]";
	auto_channel_objects o = { 0 };
	auto_free char *keys = NULL;
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(channel_parse_manifest(text, strlen(text), &o, &err), 0);
	keys = joined(&o.keys);
	assert_string_equal(o.bucket, "bkt");
	assert_string_equal(o.prefix, "some/");
	assert_string_equal(keys, "some/a some/b/2");
}

static void test_other_manifests_are_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "manifest" },
		{ "{}", "a manifest is [" },
		{ "[]", "a manifest is [" },
		{ "[\"a\"]", "a manifest is [" },
		{ "[{\"prefix\":1}]", "a manifest is [" },
		{ "[{\"prefix\":\"s3://bkt/\",\"x\":1}]", "a manifest is [" },
		{ "[{\"prefix\":\"/some/folder\"},\"a\"]", "prefix of the manifest" },
		{ "[{\"prefix\":\"s3://bkt/\"},\"a\",7]", "element 3 of the manifest is no key" },
		{ "[{\"prefix\":\"s3://bkt/\"},\"\"]", "element 2 of the manifest is no key" },
		/* The lines of an augmented manifest. */
		{ "{\"source-ref\":\"s3://bkt/a\"}\n{\"source-ref\":\"s3://bkt/b\"}\n", "manifest" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_channel_objects o = { 0 };
		auto_err err = { 0 };

		assert_int_equal(channel_parse_manifest(rows[i].text, strlen(rows[i].text), &o, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		if (!strstr(err.msg, rows[i].words))
			fail_msg("no '%s' in '%s'", rows[i].words, err.msg);
	}
}

static json_t *channel(const char *type, const char *uri, const char *distribution)
{
	return json_pack("{s:s, s:{s:{s:s, s:s, s:s}}}", "ChannelName", "c", "DataSource", "S3DataSource", "S3DataType",
			 type, "S3Uri", uri, "S3DataDistributionType", distribution);
}

static void test_a_manifest_channel_is_downloaded_by_shares(void **state)
{
	struct fixture *f = *state;
	auto_json *c = channel("ManifestFile", "s3://bkt/list", "ShardedByS3Key");
	auto_free char *a = fs_join(f->out, "a"), *b = fs_join(f->out, "b/c"), *d = fs_join(f->out, "d");
	auto_err err = { 0 };

	put(f, "list", "[{\"prefix\":\"s3://bkt/x/\"},\"d\",\"b/c\",\"a\"]");
	put(f, "x/a", "1");
	put(f, "x/b/c", "2");
	put(f, "x/d", "3");
	assert_int_equal(channel_download(&f->cloud, c, 1, 2, f->out, &err), 0);
	assert_true(!fs_exists(a) && fs_exists(b) && !fs_exists(d));
	assert_int_equal(channel_download(&f->cloud, c, 0, 2, f->out, &err), 0);
	assert_true(fs_exists(a) && fs_exists(d));
}

/* Whatever name S3 can hold and a file can have. */
static void test_a_channel_keeps_the_names_of_its_objects(void **state)
{
	static const char *const names[] = { "a b", "a+b%20", "new\nline", "esc\033[31m", "\xc3\xa4\"<&>/sub" };
	struct fixture *f = *state;
	auto_json *c = channel("S3Prefix", "s3://bkt/n/", "FullyReplicated");
	auto_err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *key = xasprintf("n/%s", names[i]);

		put(f, key, names[i]);
	}
	assert_int_equal(channel_download(&f->cloud, c, 0, 1, f->out, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *path = fs_join(f->out, names[i]), *text = NULL;

		assert_int_equal(fs_read(path, 100, &text, NULL, &err), 0);
		assert_string_equal(text, names[i]);
	}
}

static void test_what_a_manifest_names_in_vain_is_the_clients_error(void **state)
{
	static const struct {
		const char *manifest, *code;
	} rows[] = {
		{ "[{\"prefix\":\"s3://bkt/x/\"},\"absent\"]", "ClientError" },
		{ "[{\"prefix\":\"s3://bkt/x/\"}]", "ClientError" },
		{ "[{\"prefix\":\"s3://no-such-bucket/x/\"},\"a\"]", "ClientError" },
		{ "nonsense", "ClientError" },
		/* Never out of the folder of the channel. */
		{ "[{\"prefix\":\"s3://bkt/x/\"},\"../../../escape\"]", NULL },
	};
	struct fixture *f = *state;
	auto_json *c = channel("ManifestFile", "s3://bkt/list", "FullyReplicated");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_err err = { 0 };

		put(f, "list", rows[i].manifest);
		assert_int_equal(channel_download(&f->cloud, c, 0, 1, f->out, &err), -1);
		if (rows[i].code)
			assert_true(err_is_service(&err, rows[i].code));
	}
}

static void test_checkpoints_follow_the_folder(void **state)
{
	struct fixture *f = *state;
	auto_json *request = json_pack("{s:{s:s}}", "CheckpointConfig", "S3Uri", "s3://bkt/cp");
	auto_free char *restored = fs_join(f->out, "sub/restored");
	auto_free char *link = fs_join(f->out, "link");
	auto_free char *after_first = NULL, *after_second = NULL, *neighbours = NULL;
	struct checkpoints *c;
	auto_err err = { 0 };

	put(f, "cp/sub/restored", "1");
	put(f, "cp-other/x", "1");
	assert_int_equal(checkpoints_new(&f->cloud, request, f->out, &c, &err), 0);
	assert_int_equal(checkpoints_restore(c, &err), 0);
	assert_true(fs_exists(restored));
	write_file(f->out, "new", "2");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	/* What others put there is not this job's to delete. */
	put(f, "cp/foreign", "3");
	assert_int_equal(checkpoints_sync(c, &err), 0);
	after_first = keys_below(f, "cp/");
	assert_string_equal(after_first, "cp/foreign cp/new cp/sub/restored");
	assert_int_equal(unlink(restored), 0);
	assert_int_equal(checkpoints_sync(c, &err), 0);
	after_second = keys_below(f, "cp/");
	assert_string_equal(after_second, "cp/foreign cp/new");
	neighbours = keys_below(f, "cp-other/");
	assert_string_equal(neighbours, "cp-other/x");
	checkpoints_free(c);
}

static void test_without_a_configuration_nothing_is_kept(void **state)
{
	struct fixture *f = *state;
	auto_json *request = json_object();
	struct checkpoints *c;
	auto_free char *keys = NULL;
	auto_err err = { 0 };

	assert_int_equal(checkpoints_new(&f->cloud, request, f->out, &c, &err), 0);
	write_file(f->out, "new", "2");
	assert_int_equal(checkpoints_restore(c, &err), 0);
	checkpoints_begin(c);
	checkpoints_end(c);
	assert_int_equal(checkpoints_sync(c, &err), 0);
	keys = keys_below(f, "");
	assert_string_equal(keys, "");
	checkpoints_free(c);
}

static int note_clash(void *ctx, const char *path, struct err *err)
{
	(void)err;
	strlist_add(ctx, path);
	return 0;
}

static void test_of_two_hosts_files_the_first_counts(void **state)
{
	struct fixture *f = *state;
	auto_free char *first = fs_join(f->out, "1"), *second = fs_join(f->out, "2");
	auto_strlist clashes = { 0 };
	auto_filelist merged = { 0 };
	auto_free char *left_out = NULL;
	auto_err err = { 0 };

	write_file(first, "both", "1");
	write_file(first, "file", "1");
	write_file(first, "folder/x", "1");
	write_file(second, "both", "2");
	write_file(second, "file/below", "2");
	write_file(second, "folder", "2");
	write_file(second, "folder.txt", "2");
	assert_int_equal(artifacts_merge(first, note_clash, &clashes, &merged, &err), 0);
	assert_int_equal(clashes.n, 0);
	assert_int_equal(artifacts_merge(second, note_clash, &clashes, &merged, &err), 0);
	left_out = joined(&clashes);
	assert_string_equal(left_out, "both file/below folder");
	assert_int_equal(merged.n, 4);
	assert_string_equal(merged.v[2].path, "folder.txt");
	assert_non_null(strstr(merged.v[0].disk_path, "/1/both"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shards_are_disjoint_and_complete),
		TEST(test_a_manifest_names_keys_behind_its_prefix),
		TEST(test_other_manifests_are_refused),
		TEST(test_a_manifest_channel_is_downloaded_by_shares),
		TEST(test_a_channel_keeps_the_names_of_its_objects),
		TEST(test_what_a_manifest_names_in_vain_is_the_clients_error),
		TEST(test_checkpoints_follow_the_folder),
		TEST(test_without_a_configuration_nothing_is_kept),
		TEST(test_of_two_hosts_files_the_first_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
