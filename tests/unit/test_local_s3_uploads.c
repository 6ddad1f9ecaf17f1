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
#include "local/s3_uploads.h"

#define ID "0123456789abcdef0123456789abcdef"

struct fixture {
	char *dir;
	struct store_s3 *s;
	struct s3_upload u;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err err = { 0 };

	f->dir = fs_temp_dir("smpipe-test", &err);
	f->u = (struct s3_upload){ .id = xstrdup(ID),
				   .key = xstrdup("a/b"),
				   .headers = json_object(),
				   .sum = S3_SUM_SHA256,
				   .is_chosen = true,
				   .is_composite = true,
				   .initiated = 1700000000 };
	*state = f;
	if (store_s3_new(f->dir, &f->s, &err) < 0 || store_s3_create_bucket(f->s, "bkt", "eu-west-1", &err) < 0)
		return -1;
	return s3_upload_create(f->s, "bkt", &f->u, &err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	store_s3_free(f->s);
	fs_remove_tree(f->dir, &err);
	s3_upload_release(&f->u);
	free(f->dir);
	free(f);
	return 0;
}

static int put_part(struct fixture *f, int number, const char *text, struct err *err)
{
	struct s3_bytes bytes = { .p = text, .size = strlen(text) };
	struct s3_part part = { .number = number, .size = bytes.size, .etag = (char *)text };
	auto_s3_staged t = { .fd = -1 };

	assert_int_equal(s3_sums_add(&part.sums, ~0U, &bytes, err), 0);
	assert_int_equal(s3_stage_bytes(&t, f->s, "bkt", &bytes, err), 0);
	return s3_upload_put_part(f->s, "bkt", &f->u, &t, &part, err);
}

static int count(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	(void)path;
	(void)st;
	(void)err;
	++*(int *)ctx;
	return 0;
}

static int entries(struct fixture *f, const char *below)
{
	auto_free char *path = fs_join(f->dir, below);
	auto_err err = { 0 };
	int n = 0;

	assert_int_equal(fs_walk(path, count, &n, &err), 0);
	return n;
}

static void assert_part(struct fixture *f, int number, const char *text)
{
	auto_s3_staged to = { .fd = -1 };
	auto_s3_part part = { 0 };
	auto_err err = { 0 };
	char got[64] = "";

	assert_int_equal(s3_upload_part(f->s, "bkt", &f->u, number, &part, &err), 0);
	assert_string_equal(part.etag, text);
	assert_int_equal(s3_stage_new(&to, f->s, "bkt", &err), 0);
	assert_int_equal(s3_upload_copy_part(f->s, "bkt", &f->u, &part, &to, &err), 0);
	assert_int_equal(pread(to.fd, got, sizeof(got) - 1, 0), (ssize_t)strlen(text));
	assert_string_equal(got, text);
}

static void test_part_is_replaced(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	assert_int_equal(put_part(f, 7, "old", &err), 0);
	assert_int_equal(put_part(f, 7, "newer", &err), 0);
	assert_int_equal(put_part(f, 7, "newer", &err), 0);
	assert_part(f, 7, "newer");
	/* The upload, the part and its bytes. */
	assert_int_equal(entries(f, "bkt/uploads/" ID), 3);
	assert_int_equal(entries(f, "bkt/tmp"), 0);
}

static void test_store_is_opened_anew(void **state)
{
	struct fixture *f = *state;
	auto_s3_upload u = { 0 };
	auto_free int *numbers = NULL;
	auto_err err = { 0 };
	size_t n = 0;
	struct s3_staged left = { .fd = -1 };

	assert_int_equal(put_part(f, 2, "two", &err), 0);
	assert_int_equal(put_part(f, 1, "one", &err), 0);
	assert_int_equal(s3_stage_new(&left, f->s, "bkt", &err), 0);
	store_s3_free(f->s);
	f->s = NULL;
	assert_int_equal(store_s3_new(f->dir, &f->s, &err), 0);
	assert_int_equal(entries(f, "bkt/tmp"), 0);
	s3_staged_release(&left);
	assert_int_equal(s3_upload_open(f->s, "bkt", "a/b", ID, &u, &err), 0);
	assert_int_equal(u.sum, S3_SUM_SHA256);
	assert_true(u.is_composite && u.is_chosen && u.initiated == 1700000000);
	assert_int_equal(s3_upload_numbers(f->s, "bkt", &u, &numbers, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_true(numbers[0] == 1 && numbers[1] == 2);
	assert_part(f, 1, "one");
}

static void test_only_this_id_of_this_key(void **state)
{
	static const char *const pairs[][2] = { { "a/c", ID },
						{ "a/b", "" },
						{ "a/b", "../../bkt/uploads/" ID },
						{ "a/b", "0123456789abcdef0123456789abcdeX" },
						{ "a/b", "ffffffffffffffffffffffffffffffff" } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		auto_s3_upload u = { 0 };
		auto_err err = { 0 };

		assert_int_equal(s3_upload_open(f->s, "bkt", pairs[i][0], pairs[i][1], &u, &err), -1);
		assert_true(err_is_service(&err, "NoSuchUpload"));
	}
}

/* An abort between the check and the end: neither a part nor an object comes after it. */
static void test_nothing_comes_of_an_upload_that_ended(void **state)
{
	struct fixture *f = *state;
	auto_free char *path = s3_upload_path(f->s, "bkt", &f->u);
	struct s3_publication p = { .bucket = "bkt", .key = "a/b", .etag = "x-1", .upload = path };
	auto_s3_staged t = { .fd = -1 };
	auto_strlist keys = { 0 };
	auto_err err = { 0 };

	assert_int_equal(put_part(f, 1, "one", &err), 0);
	assert_int_equal(s3_check_publication(f->s, &p, &err), 0);
	assert_int_equal(s3_stage_new(&t, f->s, "bkt", &err), 0);
	s3_upload_drop(f->s, "bkt", &f->u);
	assert_int_equal(s3_publish(f->s, &t, &p, &err), -1);
	assert_true(err_is_service(&err, "NoSuchUpload"));
	assert_int_equal(put_part(f, 2, "two", &err), -1);
	assert_true(err_is_service(&err, "NoSuchUpload"));
	assert_int_equal(store_s3_keys(f->s, "bkt", "", &keys, &err), 0);
	assert_int_equal(keys.n, 0);
	assert_int_equal(entries(f, "bkt/uploads"), 0);
}

static void test_list_by_prefix(void **state)
{
	struct fixture *f = *state;
	struct s3_upload other = f->u;
	auto_s3_upload_list all = { 0 }, some = { 0 };
	auto_err err = { 0 };
	char id[] = "ffffffffffffffffffffffffffffffff", key[] = "a";

	other.id = id;
	other.key = key;
	assert_int_equal(s3_upload_create(f->s, "bkt", &other, &err), 0);
	assert_int_equal(s3_upload_list(f->s, "bkt", "", &all, &err), 0);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.v[0].key, "a");
	assert_int_equal(s3_upload_list(f->s, "bkt", "a/", &some, &err), 0);
	assert_int_equal(some.n, 1);
	assert_string_equal(some.v[0].id, ID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_part_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_is_opened_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_this_id_of_this_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_comes_of_an_upload_that_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_by_prefix, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
