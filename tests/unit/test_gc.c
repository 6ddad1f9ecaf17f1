/* pipeline/gc.h: what it takes and what it leaves alone. tests/e2e/data.t has the rest. */

#include "pipeline/gc.h"
#include "tests/unit/fake_s3.h"

#define DELETED 200, NULL, NULL, "<DeleteResult/>"

static struct session session_of(struct fake_s3 *f)
{
	return (struct session){ .identity = f->id, .http = &f->http, .sys = &f->sys };
}

/* A push has written the manifest since gc looked: its objects stay. */
static void what_was_sent_again_stays(void **state)
{
	static const struct {
		enum gc_reason reason;
		const char *words;
		size_t n_requests;
		struct fake_answer answers[4];
	} cases[] = {
		{ GC_UNUSED, NULL, 3, { { DELETED }, { 404, NULL, NULL, "" }, { DELETED } } },
		{ GC_UNUSED, "sent again", 2, { { DELETED }, { 200, NULL, NULL, "" } } },
		{ GC_UNUSED, "403", 2, { { DELETED }, { 403, NULL, NULL, "" } } },
		{ GC_UNFINISHED, "sent again", 1, { { 200, NULL, NULL, "" } } },
		{ GC_STRAY, NULL, 1, { { DELETED } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
		const struct session s = session_of(f);
		struct gc_item item = { .reason = cases[i].reason, .bucket = "bucket", .uri = "s3://bucket/p/d/" };
		const struct gc gc = { &item, 1, 1, 0, 0, 0 };
		auto_err err = { 0 };

		if (item.reason != GC_STRAY)
			item.manifest = "p/d.json";
		if (item.reason == GC_UNUSED)
			strlist_add(&item.keys, "p/d.json");
		strlist_add(&item.keys, "p/d/a");
		f->canned = cases[i].answers;
		assert_int_equal(gc_delete(&s, NULL, &gc, &err), cases[i].words ? -1 : 0);
		assert_true(!cases[i].words || strstr(err.msg, cases[i].words));
		assert_int_equal(f->log.n, cases[i].n_requests);
		strlist_release(&item.keys);
	}
}

/* `put big s3://bucket/data` that failed is not everything whose name begins so. */
static void uploads_of_like_names_stay(void **state)
{
	static const char of_key[] = "<Upload><Key>%s</Key><UploadId>u</UploadId>"
				     "<Initiated>2023-11-01T00:00:00.000Z</Initiated></Upload>";
	static const char *const keys[] = { "data", "data/x", "data/sub/y", "data2.bin", "database/x" };
	static const struct {
		const char *prefix;
		size_t n;
	} cases[] = { { "data", 3 }, { "data/", 2 }, { "data/sub", 1 }, { "dat", 0 }, { "", 5 } };
	auto_str body = { 0 };

	(void)state;
	str_add(&body, "<ListMultipartUploadsResult>");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		str_addf(&body, of_key, keys[i]);
	str_add(&body, "</ListMultipartUploadsResult>");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
		const struct fake_answer answers[] = { { 200, NULL, NULL, str_text(&body) }, { 0 } };
		const struct session s = session_of(f);
		auto_gc gc = { 0 };
		auto_err err = { 0 };

		f->canned = answers;
		assert_int_equal(gc_find_uploads(&s, "bucket", cases[i].prefix, &gc, &err), 0);
		assert_int_equal(gc.n, cases[i].n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sent_again_stays),
		cmocka_unit_test(uploads_of_like_names_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
