#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "local/s3_keys.h"

struct fixture {
	char *dir;
	struct store_s3 *s;
	struct strlist keys; /* all, sorted */
};

static void put(struct fixture *f, const char *key)
{
	struct s3_put p = { .bucket = "bkt", .key = key, .bytes = { .p = "" } };
	auto_err err = { 0 };

	assert_int_equal(store_s3_put(f->s, &p, &err), 0);
	strlist_add(&f->keys, key);
}

/* Parts that are as long as a name may be, and longer: their folders must not tear the order. */
static void put_long(struct fixture *f)
{
	static const char *const ends[] = { "", "-", "/", "/x", "/-", "a", "a/x", "%", "%/x" };
	char part[210];

	for (int n = 198; n <= 201; n++) {
		memset(part, 'p', sizeof(part));
		part[n] = '\0';
		for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
			auto_free char *key = xasprintf("l/%s%s", part, ends[i]);

			put(f, key);
		}
	}
}

static int setup(void **state)
{
	static const char *const keys[] = { "a",     "a-",   "a/",         "a//",  "a/b", "a/b-c", "a/b/c",
					    "a/b/d", "a0",   "a%",         "a%/",  "ab",  ".",     "./x",
					    "..",    "../x", "\n",         "\n/x", "/",   "//x",   "z/1",
					    "z/2",   "z/3",  "\xc3\xa9/x", "\xc3", "%e",  "%e/",   "%f" };
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err err = { 0 };
	auto_free char *s3 = NULL;

	f->dir = fs_temp_dir("smpipe-test", &err);
	s3 = fs_join(f->dir, "s3");
	if (store_s3_new(s3, &f->s, &err) < 0 || store_s3_create_bucket(f->s, "bkt", "eu-west-1", &err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		put(f, keys[i]);
	put_long(f);
	strlist_sort(&f->keys);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	store_s3_free(f->s);
	strlist_release(&f->keys);
	fs_remove_tree(f->dir, &err);
	free(f->dir);
	free(f);
	return 0;
}

/* What a listing shows of these keys: keys and, once each, common prefixes. */
static void add_items(const struct strlist *keys, const char *prefix, const char *delimiter, struct strlist *ret)
{
	for (size_t i = 0; i < keys->n; i++) {
		auto_free char *common = NULL;

		if (!str_starts(keys->v[i], prefix))
			continue;
		common = s3_common_prefix(keys->v[i], prefix, delimiter);
		if (!common || !ret->n || strcmp(ret->v[ret->n - 1], common) != 0)
			strlist_add(ret, common ? common : keys->v[i]);
	}
}

/* Page by page, each from the last item of the one before. */
static void add_pages(struct fixture *f, const char *prefix, const char *delimiter, size_t max, struct strlist *ret)
{
	auto_free char *last = NULL;

	for (;;) {
		auto_free char *common = last ? s3_common_prefix(last, prefix, delimiter) : NULL;
		struct s3_selection want = { prefix, last, delimiter, str_eq(common, last) ? common : NULL, max };
		auto_strlist page = { 0 };
		auto_err err = { 0 };
		size_t before = ret->n;

		assert_int_equal(store_s3_select(f->s, "bkt", &want, &page, &err), 0);
		assert_true(max == 0 || page.n <= max);
		add_items(&page, prefix, delimiter, ret);
		assert_int_equal(ret->n, before + page.n); /* each stands for one item */
		if (page.n == 0)
			return;
		free(last);
		last = xstrdup(ret->v[ret->n - 1]);
	}
}

static void pages_of_any_size_show_the_same(void **state)
{
	static const char *const prefixes[] = { "",      "a",  "a/", "a//",   "a/b", "l/", "/",    ".",
						"l/ppp", "z/", "z",  "none/", "%e",  "\n", "\xc3", "a/b/" };
	static const char *const delimiters[] = { NULL, "", "/", "//", "p", "b/" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		for (size_t k = 0; k < ARRAY_LEN(delimiters); k++) {
			auto_strlist want = { 0 };

			add_items(&f->keys, prefixes[i], delimiters[k], &want);
			for (size_t max = 0; max < 9; max++) {
				auto_strlist got = { 0 };

				add_pages(f, prefixes[i], delimiters[k], max, &got);
				assert_int_equal(got.n, want.n);
				for (size_t n = 0; n < want.n; n++)
					assert_string_equal(got.v[n], want.v[n]);
			}
		}
	}
}

static void any_text_may_be_where_a_page_begins(void **state)
{
	static const char *const after[] = { "a", "a.", "a/", "a/a", "a/b/c", "a0", "z", "z/2", "\xff", "l/p" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(after); i++) {
		struct s3_selection want = { .prefix = "", .after = after[i] };
		auto_strlist got = { 0 };
		auto_err err = { 0 };
		size_t n = 0;

		assert_int_equal(store_s3_select(f->s, "bkt", &want, &got, &err), 0);
		for (size_t k = 0; k < f->keys.n; k++) {
			if (strcmp(f->keys.v[k], after[i]) <= 0)
				continue;
			assert_true(n < got.n);
			assert_string_equal(got.v[n++], f->keys.v[k]);
		}
		assert_int_equal(got.n, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages_of_any_size_show_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(any_text_may_be_where_a_page_begins, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
