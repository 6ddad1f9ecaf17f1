/* s3/snapshots.h, s3/reuse.h, and the lists and deletions of s3/object.h that gc goes by. */

#include "s3/reuse.h"
#include "s3/snapshot.h"
#include "s3/snapshots.h"
#include "tests/unit/fake_s3.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

#define PREFIX "data/iris/train"
#define HEX(c) c c c c c c c c c c c c c c c c

static void canned(struct fake_s3 *f, struct fake_answer *answers, const char *body)
{
	answers[0] = (struct fake_answer){ 200, NULL, NULL, body };
	answers[1] = (struct fake_answer){ 0 };
	f->canned = answers;
}

static void finds_them_by_age_and_digits(void **state)
{
	static const char answer[] =
		"<ListBucketResult>"
		"<Contents><Key>p/" HEX(
			"aaaa") ".json</Key><Size>1</Size><LastModified>2023-11-02T00:00:00.000Z</LastModified></Contents>"
				"<Contents><Key>p/" HEX(
					"aaab") ".json</Key><Size>1</Size><LastModified>2023-11-03T00:00:00.000Z</LastModified></Contents>"
						"<Contents><Key>p/notes.json</Key><Size>1</Size></Contents>"
						"<Contents><Key>p/" HEX(
							"cccc") ".json.bak</Key><Size>1</Size></Contents>"
								"<CommonPrefixes><Prefix>p/" HEX(
									"aaaa") "/</Prefix></CommonPrefixes>"
										"<CommonPrefixes><Prefix>p/" HEX(
											"dddd") "/</Prefix></CommonPrefixes>"
												"<CommonPrefixes><Prefix>p/other/</Prefix></CommonPrefixes></ListBucketResult>";
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	const struct snapshot_info *found = NULL;
	struct fake_answer answers[2];
	auto_snapshots l = { 0 };
	auto_err err = { 0 };

	(void)state;
	canned(f, answers, answer);
	assert_int_equal(snapshots_list(&f->s3, "bucket", "p", &l, &err), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.v[0].digest, HEX("aaab"));
	assert_string_equal(l.v[1].digest, HEX("aaaa"));
	assert_true(l.v[1].is_whole && l.v[1].modified_s == 1698883200);
	assert_string_equal(l.v[2].digest, HEX("dddd"));
	assert_false(l.v[2].is_whole);
	assert_int_equal(snapshots_find(&l, "aaab", &found, &err), 0);
	assert_ptr_equal(found, &l.v[0]);
	assert_int_equal(snapshots_find(&l, "aaaaa", &found, &err), 0);
	assert_ptr_equal(found, &l.v[1]);
	assert_int_equal(snapshots_find(&l, "aaa", &found, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(snapshots_find(&l, "AAAA", &found, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(snapshots_find(&l, "dddd", &found, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* What is listed is deleted: a service that names other keys must not be believed. */
static void refuses_lists_of_other_keys(void **state)
{
	static const char *const bodies[] = {
		"<ListBucketResult><Contents><Key>q/x</Key><Size>1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>p</Key><Size>1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes></ListBucketResult>",
		"<ListBucketResult><CommonPrefixes><Prefix></Prefix></CommonPrefixes></ListBucketResult>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
		struct fake_answer answers[2];
		auto_s3_listing objects = { 0 };
		auto_strlist folders = { 0 };
		auto_err err = { 0 };

		canned(f, answers, bodies[i]);
		assert_int_equal(s3_list_level(&f->s3, "bucket", "p/", 10, &objects, &folders, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void deletes_every_name(void **state)
{
	static const struct fake_answer answers[] = {
		{ 204, NULL, NULL, "" },
		{ 200, NULL, NULL, "<DeleteResult/>" },
		{ 200, NULL, NULL,
		  "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>" },
		{ 200, NULL, NULL, "<html/>" },
		{ 0 },
	};
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_strlist keys = { 0 }, one = { 0 };
	auto_err err = { 0 };

	(void)state;
	strlist_add(&keys, "a<&>");
	strlist_add(&keys, "new\nline");
	strlist_add(&keys, "b");
	strlist_add(&one, "a");
	f->canned = answers;
	assert_int_equal(s3_delete(&f->s3, "bucket", &keys, &err), 0);
	/* XML has no word for a newline that its readers keep. */
	assert_true(str_starts(f->log.v[0], "DELETE ") && str_ends(f->log.v[0], "/bucket/new%0Aline"));
	assert_true(str_starts(f->log.v[1], "POST ") && str_ends(f->log.v[1], "?delete="));
	assert_non_null(strstr(str_text(&f->body), "<Key>a&lt;&amp;&gt;</Key></Object><Object><Key>b</Key>"));
	assert_int_equal(s3_delete(&f->s3, "bucket", &one, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_non_null(strstr(err.msg, "delete 'a': AccessDenied"));
	assert_int_equal(s3_delete(&f->s3, "bucket", &one, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void read_folder(const char *folder, struct filelist *files)
{
	auto_free char *root = fs_join(folder, "d");
	const struct snapshot_source src = { .path = root };
	struct snapshot_facts facts;
	auto_err err = { 0 };

	assert_int_equal(snapshot_read(&src, files, &facts, &err), 0);
}

static void note(void *ctx, const struct file_entry *before, const struct file_entry *after)
{
	str_addf(ctx, "%c%s ", !before ? '+' : !after ? '-' : '~', (before ? before : after)->path);
}

static void tells_what_changed(void **state)
{
	auto_filelist before = { 0 }, after = { 0 };
	auto_str text = { 0 };

	run(*state, "mkdir d; cd d; for f in a b c same; do echo $f > $f; done; mkdir e");
	read_folder(*state, &before);
	run(*state, "cd d; echo 2 > a; mv b z; rm c; : > e/x");
	read_folder(*state, &after);
	assert_int_equal(snapshot_diff(&before, &after, note, &text), 6);
	assert_string_equal(str_text(&text), "~a -b -c -e/ +e/x +z ");
	assert_int_equal(snapshot_diff(&before, &before, note, &text), 0);
}

static int upload(struct s3 *s3, const struct filelist *files, struct snapshot_result *ret, struct err *err)
{
	const struct snapshot_target to = {
		.channel = "train", .bucket = "bucket", .prefix = PREFIX, .kind = S3_SHA256
	};

	return snapshot_upload(s3, files, &to, NULL, ret, err);
}

/* One changed file among many costs that file. */
static void copies_what_the_last_snapshot_has(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_filelist before = { 0 }, after = { 0 };
	struct snapshot_result result = { 0 };
	auto_free char *hex = NULL;
	struct digest digest;
	auto_err err = { 0 };

	run(*state, "mkdir -p d/sub; cd d; for f in a b sub/c 'd ä%+'; do echo \"$f\" > \"$f\"; done; : > empty");
	read_folder(*state, &before);
	assert_int_equal(upload(&f->s3, &before, &result, &err), 0);
	assert_true(result.files_sent == 5 && !result.files_copied);
	run(*state, "cd d; echo 2 > a; mv sub/c sub/moved; echo new > new");
	read_folder(*state, &after);
	assert_int_equal(upload(&f->s3, &after, &result, &err), 0);
	assert_int_equal(result.files_copied, 3);
	assert_int_equal(result.files_sent, 3);
	digest = filelist_tree_digest(&after, true);
	hex = digest_hex(&digest);
	assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, true, NULL, &err), 0);
}

/* The old objects are not what their manifest says, or gone, or may not be copied: then the files are sent. */
static void sends_what_cannot_be_copied(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_filelist before = { 0 }, after = { 0 };
	struct digest other = digest_of_text("other");
	auto_free char *old = NULL, *hex = NULL, *wrong = str_base64(other.b, sizeof(other.b));
	auto_free char *a = NULL, *b = NULL, *c = NULL;
	struct snapshot_result result = { 0 };
	struct digest digest;
	auto_err err = { 0 };

	run(*state, "mkdir d; cd d; for f in a b c; do echo $f > $f; done");
	read_folder(*state, &before);
	assert_int_equal(upload(&f->s3, &before, &result, &err), 0);
	digest = filelist_tree_digest(&before, true);
	old = digest_hex(&digest);
	a = xasprintf("/bucket/" PREFIX "/%s/a", old);
	b = xasprintf("/bucket/" PREFIX "/%s/b", old);
	c = xasprintf("/bucket/" PREFIX "/%s/c", old);
	fake_store(f, a, "A\n", 2, wrong);
	fake_drop(fake_find(f, b));
	fake_store(f, c, "c\n", 2, NULL);
	run(*state, "echo new > d/new");
	read_folder(*state, &after);
	assert_int_equal(upload(&f->s3, &after, &result, &err), 0);
	assert_true(result.files_copied == 0 && result.files_sent == 4);
	digest = filelist_tree_digest(&after, true);
	hex = digest_hex(&digest);
	assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, true, NULL, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_them_by_age_and_digits),
		cmocka_unit_test(refuses_lists_of_other_keys),
		cmocka_unit_test(deletes_every_name),
		cmocka_unit_test_setup_teardown(tells_what_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copies_what_the_last_snapshot_has, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sends_what_cannot_be_copied, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
