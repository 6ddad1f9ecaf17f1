#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/s3_store.h"

struct fixture {
	char *dir;
	struct store_s3 *s;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err err = { 0 };
	auto_free char *s3 = NULL;

	f->dir = fs_temp_dir("smpipe-test", &err);
	s3 = fs_join(f->dir, "s3");
	if (store_s3_new(s3, &f->s, &err) < 0 || store_s3_create_bucket(f->s, "bkt", "eu-west-1", &err) < 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	store_s3_free(f->s);
	fs_remove_tree(f->dir, &err);
	free(f->dir);
	free(f);
	return 0;
}

static int put(struct fixture *f, const char *key, const char *text, struct err *err)
{
	auto_json *headers = json_pack("{s:s}", "content-type", "text/plain");
	struct s3_put p = {
		.bucket = "bkt", .key = key, .bytes = { .p = text, .size = strlen(text) }, .headers = headers
	};

	return store_s3_put(f->s, &p, err);
}

static void assert_content(struct fixture *f, const char *key, const char *text)
{
	auto_s3_stored o = { .fd = -1 };
	auto_err err = { 0 };
	char got[256] = "";

	assert_int_equal(store_s3_open(f->s, "bkt", key, &o, &err), 0);
	assert_int_equal(o.size, strlen(text));
	assert_int_equal(pread(o.fd, got, sizeof(got) - 1, 0), (ssize_t)strlen(text));
	assert_string_equal(got, text);
}

static void assert_absent(struct fixture *f, const char *key)
{
	auto_s3_stored o = { .fd = -1 };
	auto_err err = { 0 };

	assert_int_equal(store_s3_open(f->s, "bkt", key, &o, &err), -1);
	assert_true(err_is_service(&err, "NoSuchKey"));
}

static void assert_keys(struct fixture *f, const char *prefix, const char *joined)
{
	auto_strlist keys = { 0 };
	auto_str got = { 0 };
	auto_err err = { 0 };

	assert_int_equal(store_s3_keys(f->s, "bkt", prefix, &keys, &err), 0);
	for (size_t i = 0; i < keys.n; i++)
		str_addf(&got, "%s ", keys.v[i]);
	assert_string_equal(str_text(&got), joined);
}

/* A key may be the folder of another; whichever comes first, and whichever goes. */
static void test_key_that_is_folder_of_another(void **state)
{
	static const char *const orders[][3] = { { "a", "a/b", "a/b/c" },
						 { "a/b/c", "a/b", "a" },
						 { "a/b", "a", "a/b/c" } };
	struct fixture *f = *state;
	auto_err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		for (int k = 0; k < 3; k++)
			assert_int_equal(put(f, orders[i][k], orders[i][k], &err), 0);
		assert_keys(f, "", "a a/b a/b/c ");
		assert_keys(f, "a/", "a/b a/b/c ");
		for (int k = 0; k < 3; k++)
			assert_content(f, orders[i][k], orders[i][k]);
		assert_int_equal(put(f, "a", "again", &err), 0);
		assert_content(f, "a", "again");
		for (int k = 0; k < 3; k++) {
			assert_int_equal(store_s3_delete(f->s, "bkt", orders[i][k], &err), 0);
			assert_absent(f, orders[i][k]);
		}
		assert_keys(f, "", "");
	}
}

static void test_keys_by_prefix_in_byte_order(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };
	static const char *const keys[] = { "t/b", "t-x", "t/a", "t0", "t//c", "t/" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(put(f, keys[i], "", &err), 0);
	assert_keys(f, "t", "t-x t/ t//c t/a t/b t0 ");
	assert_keys(f, "t/", "t/ t//c t/a t/b ");
	assert_keys(f, "t//", "t//c ");
	assert_keys(f, "u", "");
}

static void test_put_only_when_absent(void **state)
{
	struct fixture *f = *state;
	struct s3_put p = { .bucket = "bkt", .key = "k", .bytes = { .p = "new", .size = 3 }, .if_absent = true };
	auto_err err = { 0 };

	assert_int_equal(put(f, "k", "old", &err), 0);
	assert_int_equal(store_s3_put(f->s, &p, &err), -1);
	assert_true(err_is_service(&err, "PreconditionFailed"));
	assert_content(f, "k", "old");
}

/* A file that was put there or changed by hand is an object; what was known of the old bytes is not said of the new
 * ones. */
static void test_files_changed_by_hand(void **state)
{
	struct fixture *f = *state;
	auto_free char *dropped = xasprintf("%s/s3/bkt/objects/by-hand", f->dir);
	auto_free char *kept = xasprintf("%s/s3/bkt/objects/kept", f->dir);
	auto_s3_stored o = { .fd = -1 };
	auto_err err = { 0 };

	assert_int_equal(put(f, "kept", "first", &err), 0);
	assert_int_equal(fs_write_atomic(dropped, "abc", 3, 0644, &err), 0);
	assert_int_equal(fs_write_atomic(kept, "abc", 3, 0644, &err), 0);
	assert_keys(f, "", "by-hand kept ");
	assert_int_equal(store_s3_open(f->s, "bkt", "kept", &o, &err), 0);
	assert_string_equal(o.etag, "900150983cd24fb0d6963f7d28e17f72");
	assert_null(json_str(o.headers, "content-type"));
}

/* As S3 does it for clients that name none; the value is that of the CRC's specification. */
static void test_checksum_is_kept_unasked(void **state)
{
	struct fixture *f = *state;
	auto_s3_stored o = { .fd = -1 };
	auto_err err = { 0 };

	assert_int_equal(put(f, "k", "123456789", &err), 0);
	assert_int_equal(store_s3_open(f->s, "bkt", "k", &o, &err), 0);
	assert_string_equal(json_str(o.headers, "x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
	assert_string_equal(json_str(o.headers, "x-amz-checksum-type"), "FULL_OBJECT");
	assert_string_equal(json_str(o.headers, "content-type"), "text/plain");
	assert_string_equal(o.etag, "25f9e794323b453885f5181f1b624d0b");
}

static void test_buckets(void **state)
{
	struct fixture *f = *state;
	auto_free char *region = NULL;
	auto_err err = { 0 };
	time_t created;

	assert_int_equal(store_s3_bucket_info(f->s, "bkt", &region, &created, &err), 0);
	assert_string_equal(region, "eu-west-1");
	assert_int_equal(store_s3_create_bucket(f->s, "bkt", "eu-west-1", &err), -1);
	assert_true(err_is_service(&err, "BucketAlreadyOwnedByYou"));
	assert_int_equal(store_s3_create_bucket(f->s, "../up", "eu-west-1", &err), -1);
	assert_true(err_is_service(&err, "InvalidBucketName"));
	assert_int_equal(put(f, "k", "", &err), 0);
	assert_int_equal(store_s3_delete_bucket(f->s, "bkt", &err), -1);
	assert_true(err_is_service(&err, "BucketNotEmpty"));
	assert_int_equal(store_s3_delete(f->s, "bkt", "k", &err), 0);
	assert_int_equal(store_s3_delete_bucket(f->s, "bkt", &err), 0);
	assert_false(store_s3_has_bucket(f->s, "bkt"));
	assert_int_equal(put(f, "k", "", &err), -1);
	assert_true(err_is_service(&err, "NoSuchBucket"));
}

static void test_export(void **state)
{
	static const struct {
		const char *prefix, *path; /* of the object d/train/a/x.csv in the folder */
		size_t n;
	} cases[] = {
		{ "d/train/", "a/x.csv", 1 },   { "d/train", "a/x.csv", 2 },  { "d/train/a/x.csv", "x.csv", 1 },
		{ "d/tr", "train/a/x.csv", 2 }, { "", "d/train/a/x.csv", 2 },
	};
	struct fixture *f = *state;
	auto_err err = { 0 };

	assert_int_equal(put(f, "d/train/a/x.csv", "1", &err), 0);
	assert_int_equal(put(f, "d/train/", "", &err), 0);
	assert_int_equal(put(f, "d/train_old/y.csv", "2", &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *out = xasprintf("%s/out%zu", f->dir, i);
		auto_free char *path = fs_join(out, cases[i].path);
		auto_free char *text = NULL;
		size_t n = 99;

		assert_int_equal(store_s3_export(f->s, "bkt", cases[i].prefix, out, &n, &err), 0);
		assert_int_equal(n, cases[i].n);
		assert_int_equal(fs_read(path, 10, &text, NULL, &err), 0);
		assert_string_equal(text, "1");
	}
}

static void test_export_stays_in_its_folder(void **state)
{
	static const char *const keys[] = { "d/../../../escaped", "d//escaped", "d/a/../b" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_free char *out = xasprintf("%s/out%zu", f->dir, i);
		auto_err err = { 0 };
		size_t n;

		assert_int_equal(put(f, keys[i], "1", &err), 0);
		assert_int_equal(store_s3_export(f->s, "bkt", "d/", out, &n, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_int_equal(store_s3_delete(f->s, "bkt", keys[i], &err), 0);
	}
}

static void test_import(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };
	auto_close int nameless = fs_temp_file(&err), linkable = open(f->dir, O_TMPFILE | O_RDWR, 0600);

	assert_int_equal(write(nameless, "abc", 3), 3);
	assert_int_equal(store_s3_import(f->s, "bkt", "copied", nameless, &err), 0);
	assert_content(f, "copied", "abc");
	if (linkable >= 0) {
		assert_int_equal(write(linkable, "def", 3), 3);
		assert_int_equal(store_s3_import(f->s, "bkt", "linked", linkable, &err), 0);
		assert_content(f, "linked", "def");
	}
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(test_key_that_is_folder_of_another),
		WITH_STORE(test_keys_by_prefix_in_byte_order),
		WITH_STORE(test_put_only_when_absent),
		WITH_STORE(test_files_changed_by_hand),
		WITH_STORE(test_checksum_is_kept_unasked),
		WITH_STORE(test_buckets),
		WITH_STORE(test_export),
		WITH_STORE(test_export_stays_in_its_folder),
		WITH_STORE(test_import),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
