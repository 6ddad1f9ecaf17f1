/* s3/snapshot.h, with coreutils as the judge of the tree digest. */

#include "base/json.h"
#include "s3/manifest.h"
#include "s3/snapshot.h"
#include "tests/unit/fake_multipart.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

#define PREFIX          "data/iris/train"
#define MANIFEST(files) "{\"channel\":\"c\",\"digest\":\"d\",\"files\":[" files "],\"format\":1}"
#define NO_DIGEST       "0000000000000000000000000000000000000000000000000000000000000000"

static char *digest_text(const struct filelist *files)
{
	struct digest digest = filelist_tree_digest(files, true);

	return digest_hex(&digest);
}

static void read_data(const char *path, struct filelist *files)
{
	const struct snapshot_source src = { .path = path };
	struct snapshot_facts facts;
	auto_err err = { 0 };

	assert_int_equal(snapshot_read(&src, files, &facts, &err), 0);
}

static void lists_what_lies_there(void **state)
{
	/* The records of the tree digest, written by other hands. */
	static const char judge[] =
		"cd data; { find -L . -type f -not -path './.smpipe/*'; find . -type d -empty | sed 's,$,/,'; } |\n"
		"sed 's,^./,,' | LC_ALL=C sort | while IFS= read -r p; do\n"
		"case $p in */) s=0 h=$(sha256sum < /dev/null);; *) s=$(stat -Lc %s \"$p\") h=$(sha256sum < \"$p\");; esac\n"
		"printf -- '- %s %s %s\\0' $s ${h%% *} \"$p\"; done |\n"
		"sha256sum | cut -c1-64 | tr -d '\\n'";
	const char *folder = *state;
	auto_free char *root = fs_join(folder, "data"), *single = fs_join(folder, "data/b.csv");
	auto_free char *want = NULL, *got = NULL;
	auto_filelist files = { 0 }, one = { 0 };

	run(folder,
	    "mkdir -p data/sub/deep data/empty data/.smpipe; cd data; echo b > b.csv; echo a > a-.csv; echo a > a\n"
	    "echo x > sub/x; :> sub/deep/empty; chmod +x sub/x; echo h > .hidden; ln -s ../b.csv sub/link; echo s > 'ä b'\n"
	    "echo state > .smpipe/journal; mkfifo .smpipe/pipe; echo 1 > sub.csv");
	read_data(root, &files);
	got = digest_text(&files);
	want = shell(folder, judge);
	assert_string_equal(got, want);
	assert_int_equal(files.n, 10);
	read_data(single, &one);
	assert_int_equal(one.n, 1);
	assert_string_equal(one.v[0].path, "b.csv");
}

static void make_data(const char *folder, struct filelist *files)
{
	auto_free char *root = fs_join(folder, "data");

	run(folder, "mkdir -p data/sub; echo one > data/a; echo two > data/b; echo three > data/sub/c");
	read_data(root, files);
}

static int upload(struct fake_s3 *f, const struct filelist *files, struct snapshot_result *ret, struct err *err)
{
	const struct snapshot_target to = {
		.channel = "train", .bucket = "bucket", .prefix = PREFIX, .kind = S3_SHA256
	};

	return snapshot_upload(&f->s3, files, &to, NULL, ret, err);
}

static void is_sent_once_with_the_manifest_last(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	auto_free char *hex = NULL, *path = NULL;
	struct snapshot_result result = { 0 };
	const struct fake_object *manifest;
	auto_json *j = NULL;

	make_data(*state, &files);
	hex = digest_text(&files);
	path = xasprintf("/bucket/" PREFIX "/%s.json", hex);
	assert_int_equal(upload(f, &files, &result, &err), 0);
	assert_true(result.files_sent == 3 && result.bytes_sent == 14 && !result.existed);
	manifest = &f->objects[f->n - 1];
	assert_string_equal(manifest->path, path);
	j = json_parse(manifest->bytes, manifest->n, "manifest", &err);
	assert_string_equal(json_str(j, "channel"), "train");
	assert_string_equal(json_str(j, "digest"), hex);
	assert_int_equal(json_array_size(json_object_get(j, "files")), 3);
	assert_int_equal(upload(f, &files, &result, &err), 0);
	assert_true(result.existed && result.files_sent == 0);
	assert_int_equal(fake_count(f, "PUT"), 4);
}

/* Digests and bytes of format 1 are promises: data that was sent once is not sent again by a newer smpipe. */
static void names_stay_what_they_are(void **state)
{
	static const char want[] =
		"{\"channel\":\"train\",\"digest\":\"%s\",\"files\":["
		"{\"path\":\"a\",\"sha256\":\"2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806\",\"size\":4},"
		"{\"path\":\"b\",\"sha256\":\"27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a\",\"size\":4},"
		"{\"path\":\"sub/c\",\"sha256\":\"f6936912184481f5edd4c304ce27c5a1a827804fc7f329f43d273b8621870776\",\"size\":6}"
		"],\"format\":1}";
	auto_filelist files = { 0 };
	auto_free char *hex = NULL, *text = NULL, *expected = NULL;

	make_data(*state, &files);
	hex = digest_text(&files);
	assert_string_equal(hex, "c9c98c5e7b3173bc67da718d2e179abfdf083ce45a06fbd45d5852333aca647a");
	expected = xasprintf(want, hex);
	text = manifest_text(&files, "train");
	assert_string_equal(text, expected);
}

struct heard {
	int n_steps, n_progress;
	uint64_t done_bytes;
	char *step;
};

static void hear(void *ctx, const struct report_event *e)
{
	struct heard *h = ctx;

	assert_string_equal(e->stage, "data");
	if (e->kind == REPORT_STEP) {
		h->n_steps++;
		free(h->step);
		h->step = xstrdup(e->text);
		return;
	}
	assert_int_equal(e->kind, REPORT_PROGRESS);
	assert_int_equal(strncmp(e->text, "hash", 4), 0);
	assert_int_equal(e->total_bytes, (uint64_t)1100 * 1024 * 1024 + 1);
	assert_true(e->done_bytes > h->done_bytes && e->done_bytes <= e->total_bytes);
	h->done_bytes = e->done_bytes;
	h->n_progress++;
}

/* Whoever waits for a large folder to be hashed sees how far it is. */
static void hashing_is_told(void **state)
{
	auto_free char *root = fs_join(*state, "data"), *want = NULL;
	struct heard heard = { 0 };
	struct report report = { hear, &heard };
	struct snapshot_source src = { .path = root, .report = &report };
	struct snapshot_facts facts = { 0 };
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	run(*state, "mkdir data; printf 1 > data/a; truncate -s 1100M data/b");
	assert_int_equal(snapshot_read(&src, &files, &facts, &err), 0);
	assert_int_equal(heard.n_steps, 1);
	want = xasprintf("hash 2 files of '%s', 1.1 GiB", root);
	assert_string_equal(heard.step, want);
	assert_true(heard.n_progress >= 2);
	free(heard.step);
}

static int load_manifest(const char *hex, const char *text, struct filelist *ret, struct err *err)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_free char *path = xasprintf("/bucket/" PREFIX "/%s.json", hex);

	fake_store(f, path, text, strlen(text), NULL);
	return manifest_load(&f->s3, "bucket", PREFIX, hex, ret, err);
}

/* What a manifest says is read as it was written, and is canonical JSON. */
static void manifest_is_read_back(void **state)
{
	auto_filelist files = { 0 }, back = { 0 };
	auto_free char *root = fs_join(*state, "data"), *hex = NULL, *text = NULL, *canonical = NULL, *again = NULL;
	auto_json *j = NULL;
	auto_err err = { 0 };

	run(*state, "mkdir -p data/empty; printf 1 > \"$(printf 'data/a\\nb')\"; printf 2 > 'data/q\"\\+%20 ä'\n"
		    "truncate -s 40000000 data/big");
	read_data(root, &files);
	hex = digest_text(&files);
	text = manifest_text(&files, "train");
	j = json_parse(text, strlen(text), "manifest", &err);
	canonical = json_canonical(j);
	assert_string_equal(text, canonical);
	assert_int_equal(load_manifest(hex, text, &back, &err), 0);
	assert_int_equal(back.n, 4);
	assert_string_equal(back.v[0].path, "a\nb");
	assert_int_equal(back.v[1].n_parts, 3);
	assert_true(file_entry_is_folder(&back.v[2]));
	again = manifest_text(&back, "train");
	assert_string_equal(again, text);
}

/* A digest of the files in another order is no tree digest, whoever computed it. */
static void manifest_out_of_order_is_refused(void **state)
{
	auto_filelist files = { 0 }, back = { 0 };

	make_data(*state, &files);
	for (int is_double = 0; is_double < 2; is_double++) {
		struct file_entry v[] = { files.v[1], files.v[is_double] };
		struct filelist bad = { .v = v, .n = 2 };
		auto_free char *hex = NULL, *text = NULL;
		auto_err err = { 0 };

		hex = digest_text(&bad);
		text = manifest_text(&bad, "train");
		assert_int_equal(load_manifest(hex, text, &back, &err), -1);
		assert_string_equal(err.msg, "the manifest's files are not in order");
		assert_int_equal(back.n, 0);
	}
}

/* The channel's folder is sent without what it has no object for. */
static void empty_folders_are_named_and_not_sent(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_filelist files = { 0 };
	auto_free char *root = fs_join(*state, "data"), *hex = NULL;
	auto_err err = { 0 };
	struct snapshot_result result;

	run(*state, "mkdir -p data/none; echo one > data/a");
	read_data(root, &files);
	hex = digest_text(&files);
	assert_int_equal(upload(f, &files, &result, &err), 0);
	assert_int_equal(result.files_sent, 1);
	assert_int_equal(f->n, 2);
	assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, false, NULL, &err), 0);
}

static void interrupted_upload_goes_on(void **state)
{
	static const struct fake_answer refuse_second[] = {
		{ 404, NULL, NULL, "" },
		{ 200, NULL, NULL, "<ListBucketResult/>" },
		{ 200, NULL, NULL, "<ListBucketResult/>" },
		{ 403, NULL, NULL, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>" },
		{ 0 },
	};
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	auto_free char *hex = NULL, *a = NULL, *b = NULL;
	struct snapshot_result result = { 0 };

	make_data(*state, &files);
	hex = digest_text(&files);
	f->canned = refuse_second;
	assert_int_equal(upload(f, &files, &result, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	/* What an earlier run left: one file whole, one of the right size without S3's word for its content. */
	a = xasprintf("/bucket/" PREFIX "/%s/a", hex);
	b = xasprintf("/bucket/" PREFIX "/%s/b", hex);
	assert_int_equal(s3_put_bytes(&f->s3, "bucket", a + strlen("/bucket/"), "one\n", 4, "x/y", &err), 0);
	fake_store(f, b, "TWO\n", 4, NULL);
	assert_int_equal(upload(f, &files, &result, &err), 0);
	/* "sub/c" may have been under way beside the one that was refused. */
	assert_in_range(result.files_sent, 1, 2);
	assert_memory_equal(fake_find(f, b)->bytes, "two", 3);
	assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, false, NULL, &err), 0);
}

struct sweep {
	struct fake_s3 *s3;
	char *path;
};

static void sweep(void *ctx)
{
	const struct sweep *g = ctx;

	fake_drop(fake_find(g->s3, g->path));
}

/* gc deletes what an earlier run left, after the push has looked at it: no manifest vouches for what is gone. */
static void what_gc_takes_meanwhile_is_missed(void **state)
{
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	auto_free char *hex = NULL, *a = NULL, *manifest = NULL;
	struct snapshot_result result = { 0 };
	struct sweep g = { .s3 = m->s3 };
	const struct fault_plan while_b_is_sent = { "PutObject", 2, 1, FAULT_CALL, .call = sweep, .ctx = &g };

	make_data(*state, &files);
	hex = digest_text(&files);
	a = xasprintf("/bucket/" PREFIX "/%s/a", hex);
	manifest = xasprintf("/bucket/" PREFIX "/%s.json", hex);
	g.path = a;
	assert_int_equal(s3_put_bytes(&m->s3->s3, "bucket", a + strlen("/bucket/"), "one\n", 4, "x/y", &err), 0);
	m->plan = &while_b_is_sent;
	assert_int_equal(upload(m->s3, &files, &result, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_non_null(strstr(err.msg, "/a' was deleted while"));
	assert_non_null(strstr(err.hint, "again"));
	assert_null(fake_find(m->s3, manifest));
	assert_int_equal(upload(m->s3, &files, &result, &err), 0);
	assert_int_equal(result.files_sent, 1);
	assert_int_equal(snapshot_verify(&m->s3->s3, "bucket", PREFIX, hex, false, NULL, &err), 0);
}

static void verify_names_the_first_difference(void **state)
{
	static const struct {
		const char *path, *bytes; /* bytes NULL: removed */
		bool has_checksum;
		const char *words;
	} cases[] = {
		{ "/a", "One\n", true, "/a' has other content" },
		{ "/b", "two", true, "/b' has 3 bytes instead of 4" },
		{ "/sub/c", NULL, false, "/sub/c' is not there" },
		{ "/z", "more", true, "/z' is there, but not in the manifest" },
		{ ".json", NULL, false, "manifest is not there" },
		{ ".json", "{}", true, "no manifest of format 1" },
		{ ".json", "[", true, "no manifest of format 1" },
		{ ".json", MANIFEST(""), true, "have the tree digest" },
		{ ".json", MANIFEST("") "x", true, "no manifest of format 1" },
		{ ".json", "{\"channel\":\"c\",\"digest\":\"d\",\"files\":[],\"format\":2}", true,
		  "no manifest of format 1" },
		{ ".json", MANIFEST("{\"path\":\"../x\",\"size\":1}"), true, "no proper path" },
		{ ".json", MANIFEST("{\"path\":\"x\",\"sha256\":\"" NO_DIGEST "\",\"size\":-1}"), true,
		  "no proper path" },
		{ ".json", MANIFEST("{\"path\":\"x\",\"sha256\":\"" NO_DIGEST "\",\"size\":1}{}"), true,
		  "no manifest" },
		{ ".json", MANIFEST("{\"path\":\"x\",\"sha256\":\"" NO_DIGEST "\",\"size\":99999999}"), true,
		  "no proper path" },
		{ ".json", MANIFEST("{\"composite\":\"" NO_DIGEST "-2\",\"path\":\"x\",\"size\":99999999}"), true,
		  "no proper path" },
		{ ".json", MANIFEST("{\"path\":\"x/\",\"sha256\":\"" NO_DIGEST "\",\"size\":1}"), true,
		  "no proper path" },
		{ ".json", MANIFEST("{\"path\":\"x\",\"path\":\"y\"}"), true, "no manifest" },
	};
	auto_filelist files = { 0 };
	auto_free char *hex = NULL;

	make_data(*state, &files);
	hex = digest_text(&files);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
		auto_err err = { 0 };
		auto_free char *path = xasprintf("/bucket/" PREFIX "/%s%s", hex, cases[i].path);
		struct snapshot_result result;

		assert_int_equal(upload(f, &files, &result, &err), 0);
		assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, false, NULL, &err), 0);
		if (cases[i].bytes) {
			struct digest digest = digest_of(cases[i].bytes, strlen(cases[i].bytes));
			auto_free char *checksum = str_base64(digest.b, sizeof(digest.b));

			fake_store(f, path, cases[i].bytes, strlen(cases[i].bytes),
				   cases[i].has_checksum ? checksum : NULL);
		} else {
			fake_drop(fake_find(f, path));
		}
		assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, false, NULL, &err), -1);
		assert_int_equal(err.code, ERR_FAILED);
		assert_non_null(strstr(err.msg, cases[i].words));
	}
}

/* A store that says nothing of what it has contradicts nothing, and proves nothing. */
static void verify_says_what_it_cannot_tell(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_filelist files = { 0 };
	auto_free char *hex = NULL, *b = NULL, *c = NULL;
	auto_err err = { 0 };
	struct snapshot_result result;

	make_data(*state, &files);
	hex = digest_text(&files);
	b = xasprintf("/bucket/" PREFIX "/%s/b", hex);
	c = xasprintf("/bucket/" PREFIX "/%s/sub/c", hex);
	assert_int_equal(upload(f, &files, &result, &err), 0);
	fake_store(f, b, "TWO\n", 4, NULL);
	fake_store(f, c, "three\n", 6, NULL);
	assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, false, NULL, &err), -1);
	assert_int_equal(err.code, ERR_UNPROVEN);
	assert_non_null(strstr(err.msg, "keeps no SHA-256 of 2 of 3 objects, '"));
	assert_non_null(strstr(err.msg, "--deep"));
	assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, true, NULL, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	fake_store(f, b, "two\n", 4, NULL);
	assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, true, NULL, &err), 0);
	/* What is wrong goes first. */
	fake_drop(fake_find(f, b));
	assert_int_equal(snapshot_verify(&f->s3, "bucket", PREFIX, hex, false, NULL, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_what_lies_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(is_sent_once_with_the_manifest_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_stay_what_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hashing_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(manifest_is_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(manifest_out_of_order_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(empty_folders_are_named_and_not_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(interrupted_upload_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_gc_takes_meanwhile_is_missed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(verify_names_the_first_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(verify_says_what_it_cannot_tell, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
