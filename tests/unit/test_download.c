/* s3/download.h and s3_copy_object over the http seam. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "s3/download.h"
#include "tests/unit/fake_multipart.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

#define MIB (1024 * 1024)
/* What another tool makes a part. */
#define OTHER_BYTES ((size_t)20 * MIB)

enum stored_as { AS_WHOLE, AS_PARTS, AS_OTHER_PARTS, AS_CRC64, AS_NOTHING };

/* n bytes under s3://bucket/key with a checksum of a kind. */
static void store(struct fake_multipart *m, const char *key, size_t n, enum stored_as as)
{
	auto_free char *path = xasprintf("/bucket/%s", key), *bytes = xmalloc(n + 1), *text = NULL;
	struct s3_checksum c = { .kind = S3_SHA256 };
	struct digest digests[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * 7 + i / 1000);
	if (as == AS_WHOLE)
		c.sha256 = digest_of(bytes, n);
	for (uint32_t i = 0; as == AS_PARTS && i < s3_part_count(n); i++)
		digests[i] = digest_of(bytes + s3_part_offset(n, i), s3_part_length(n, i));
	if (as == AS_PARTS)
		c = (struct s3_checksum){ S3_SHA256, s3_part_count(n), s3_composite(digests, s3_part_count(n)), 0 };
	if (as == AS_OTHER_PARTS) {
		c.n_parts = (uint32_t)((n + OTHER_BYTES - 1) / OTHER_BYTES);
		for (size_t i = 0; i < c.n_parts; i++)
			digests[i] = digest_of(bytes + i * OTHER_BYTES,
					       n - i * OTHER_BYTES < OTHER_BYTES ? n - i * OTHER_BYTES : OTHER_BYTES);
		c.sha256 = s3_composite(digests, c.n_parts);
	}
	if (as == AS_CRC64)
		c = (struct s3_checksum){ .kind = S3_CRC64NVME, .crc64 = crc64nvme_by_table(0, bytes, n) };
	text = as == AS_NOTHING ? NULL : s3_checksum_format(&c);
	fake_store(m->s3, path, bytes, n, text);
	m->s3->checksum_header = s3_checksum_header(c.kind);
}

struct fetching {
	const char *key, *path;
	bool is_listed;
	uint64_t size;
	int n;
	enum download_check check;
};

static int next_object(void *ctx, struct download_item *ret, struct err *err)
{
	struct fetching *f = ctx;

	(void)err;
	if (f->n++)
		return 0;
	*ret = (struct download_item){ xstrdup(f->key), xstrdup(f->path), f->size, f->is_listed };
	return 1;
}

static void note_done(void *ctx, const char *key, const char *path, uint64_t size, enum download_check check)
{
	struct fetching *f = ctx;

	assert_string_equal(key, f->key);
	assert_string_equal(path, f->path);
	f->size = size;
	f->check = check;
}

static int fetch(struct fake_multipart *m, struct fetching *f, struct download_result *ret, struct err *err)
{
	const struct download d = { .bucket = "bucket", .next = next_object, .done = note_done, .ctx = f };

	return s3_download(&m->s3->s3, &d, ret, err);
}

static void check_file(struct fake_multipart *m, const char *path, const char *object)
{
	const struct fake_object *o = fake_find(m->s3, object);
	auto_free char *bytes = NULL;
	auto_err err = { 0 };
	size_t n;

	assert_int_equal(fs_read(path, (size_t)128 * MIB, &bytes, &n, &err), 0);
	assert_int_equal(n, o->n);
	assert_memory_equal(bytes, o->bytes, n);
}

static void test_kinds(void **state)
{
	static const struct {
		size_t n;
		enum stored_as as;
		enum download_check check;
	} cases[] = {
		{ 0, AS_WHOLE, DOWNLOAD_CHECKED },
		{ 5, AS_CRC64, DOWNLOAD_CHECKED },
		{ 16 * MIB, AS_WHOLE, DOWNLOAD_CHECKED },
		{ 33 * MIB, AS_WHOLE, DOWNLOAD_CHECKED },
		{ 33 * MIB, AS_PARTS, DOWNLOAD_CHECKED },
		{ 33 * MIB, AS_CRC64, DOWNLOAD_CHECKED },
		{ 33 * MIB, AS_NOTHING, DOWNLOAD_UNCHECKED },
		{ 70, AS_NOTHING, DOWNLOAD_UNCHECKED },
	};
	auto_free char *path = fs_join(*state, "file");

	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct fetching f = {
			.key = "a/k", .path = path, .is_listed = i % 2, .size = i % 2 ? cases[i / 2].n : 0
		};
		struct download_result result = { 0 };
		auto_free char *left = NULL;
		auto_err err = { 0 };

		store(m, "a/k", cases[i / 2].n, cases[i / 2].as);
		assert_int_equal(fetch(m, &f, &result, &err), 0);
		check_file(m, path, "/bucket/a/k");
		assert_int_equal(f.check, cases[i / 2].check);
		assert_int_equal(f.size, cases[i / 2].n);
		assert_int_equal(result.bytes, cases[i / 2].n);
		left = shell(*state, "ls -A | tr '\\n' ' '");
		assert_string_equal(left, "file ");
	}
}

static void change_object(void *ctx)
{
	struct fake_multipart *m = ctx;
	struct fake_object *o = fake_find(m->s3, "/bucket/k");

	o->bytes[5] ^= 1;
}

static void test_refusals(void **state)
{
	auto_free char *path = fs_join(*state, "file");
	static const struct {
		size_t n;
		enum stored_as as;
		enum fault fault;
		int status;
		const char *body;
		enum err_code code;
	} cases[] = {
		{ 100, AS_WHOLE, FAULT_CALL, 0, NULL, ERR_INVALID },
		{ 40 * MIB, AS_WHOLE, FAULT_CALL, 0, NULL, ERR_INVALID },
		{ 40 * MIB, AS_PARTS, FAULT_CALL, 0, NULL, ERR_INVALID },
		{ 40 * MIB, AS_CRC64, FAULT_CALL, 0, NULL, ERR_INVALID },
		{ 40 * MIB, AS_PARTS, FAULT_STATUS, 412, "<Error><Code>PreconditionFailed</Code></Error>",
		  ERR_CONFLICT },
		{ 40 * MIB, AS_PARTS, FAULT_STATUS, 416, "<Error><Code>InvalidRange</Code></Error>", ERR_CONFLICT },
		{ 40 * MIB, AS_PARTS, FAULT_STATUS, 403, "<Error><Code>AccessDenied</Code></Error>", ERR_AUTH },
		{ 40 * MIB, AS_PARTS, FAULT_SHORT, 206, "short", ERR_CONFLICT },
		/* Without an ETag it is no object's answer: asked for again. */
		{ 40 * MIB, AS_PARTS, FAULT_STATUS, 206, "short", ERR_NONE },
		{ 100, AS_WHOLE, FAULT_STATUS, 200, "<Error><Code>InternalError</Code></Error>", ERR_NONE },
		{ 40 * MIB, AS_PARTS, FAULT_STATUS, 503, "<Error><Code>SlowDown</Code></Error>", ERR_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct fault_plan plan = { "GetObject",
					   1,
					   1,
					   cases[i].fault,
					   .status = cases[i].status,
					   .body = cases[i].body,
					   .header = cases[i].fault == FAULT_SHORT ? "ETag" : NULL,
					   .value = "\"e\"",
					   .call = change_object,
					   .ctx = m };
		struct fetching f = { .key = "k", .path = path };
		struct download_result result = { 0 };
		auto_err err = { 0 };

		run(*state, "rm -rf ./.f* ./*; echo old > file");
		store(m, "k", cases[i].n, cases[i].as);
		m->plan = &plan;
		assert_int_equal(fetch(m, &f, &result, &err), cases[i].code ? -1 : 0);
		if (err.code != cases[i].code)
			fail_msg("case %zu: class %d, %s", i, err.code, err.msg);
		if (cases[i].code) {
			/* The target is old or new, never half. */
			auto_free char *text = shell(*state, "cat file");

			assert_string_equal(text, "old\n");
		}
		if (cases[i].code == ERR_INVALID) {
			auto_free char *left = shell(*state, "ls -A");

			assert_string_equal(left, "file\n");
		}
	}
}

static void test_goes_on(void **state)
{
	static const struct fault_plan third = { "GetObject", 3, 99, FAULT_STATUS, .status = 403, .body = "<Error/>" };
	auto_free char *path = fs_join(*state, "file"), *left = NULL;
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct fetching f = { .key = "k", .path = path };
	struct download_result result = { 0 };
	auto_err err = { 0 };

	store(m, "k", 60 * MIB, AS_PARTS);
	m->plan = &third;
	assert_int_equal(fetch(m, &f, &result, &err), -1);
	err_release(&err);
	m->plan = NULL;
	f.n = 0;
	assert_int_equal(fetch(m, &f, &result, &err), 0);
	assert_int_equal(result.bytes_kept, 32 * MIB);
	check_file(m, path, "/bucket/k");
	/* Of another version nothing is kept, and nothing is left. */
	m->plan = &third;
	f.n = 0;
	strlist_release(&m->operations);
	assert_int_equal(fetch(m, &f, &result, &err), -1);
	err_release(&err);
	m->plan = NULL;
	f.n = 0;
	store(m, "k", 60 * MIB - 1, AS_PARTS);
	assert_int_equal(fetch(m, &f, &result, &err), 0);
	assert_int_equal(result.bytes_kept, 0);
	check_file(m, path, "/bucket/k");
	left = shell(*state, "ls -A | tr '\\n' ' '");
	assert_string_equal(left, "file ");
}

/* Killed when the file had its name and the list of its ranges was still there. */
static void test_list_without_file(void **state)
{
	static const struct fault_plan third = { "GetObject", 3, 99, FAULT_STATUS, .status = 403, .body = "<Error/>" };
	auto_free char *path = fs_join(*state, "file"), *left = NULL, *gone = NULL;
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct fetching f = { .key = "k", .path = path };
	struct download_result result = { 0 };
	auto_err err = { 0 };

	store(m, "k", 60 * MIB, AS_NOTHING);
	m->plan = &third;
	assert_int_equal(fetch(m, &f, &result, &err), -1);
	err_release(&err);
	gone = shell(*state, "for f in .smpipe-get-*; do case $f in *-ranges) echo kept ;; *) rm $f ;; esac; done");
	assert_string_equal(gone, "kept\n");
	m->plan = NULL;
	f.n = 0;
	assert_int_equal(fetch(m, &f, &result, &err), 0);
	assert_int_equal(result.bytes_kept, 0);
	check_file(m, path, "/bucket/k");
	left = shell(*state, "ls -A | tr '\\n' ' '");
	assert_string_equal(left, "file ");
}

/* The name that belongs to `file`, as the header says it is made. */
#define TEMPORARY ".smpipe-get-$(printf file | sha256sum | cut -c 1-16)"

/* As another process: an open of its own. */
static int lock_as_another(const char *folder)
{
	auto_free char *name = shell(folder, "echo -n " TEMPORARY), *path = fs_join(folder, name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

static void test_two_at_once(void **state)
{
	auto_free char *path = fs_join(*state, "file"), *wanted = NULL, *left = NULL;

	for (size_t n = 100; n <= 40 * MIB; n += 40 * MIB - 100) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct fetching f = { .key = "k", .path = path, .is_listed = true, .size = n };
		struct download_result result = { 0 };
		auto_free char *kept = NULL;
		auto_err err = { 0 };
		int other;

		run(*state, "echo old > file; echo half > " TEMPORARY "; echo list > " TEMPORARY "-ranges");
		store(m, "k", n, AS_WHOLE);
		other = lock_as_another(*state);
		assert_int_equal(fetch(m, &f, &result, &err), -1);
		assert_int_equal(err.code, ERR_CONFLICT);
		wanted = xasprintf("'%s' is being fetched by another process", path);
		assert_string_equal(err.msg, wanted);
		kept = shell(*state, "cat file " TEMPORARY " " TEMPORARY "-ranges");
		assert_string_equal(kept, "old\nhalf\nlist\n");
		assert_int_equal(m->operations.n, 0);
		/* A lock that is no longer held is none, and what is left without a list of its own object is not used.
		 */
		close(other);
		err_release(&err);
		f.n = 0;
		assert_int_equal(fetch(m, &f, &result, &err), 0);
		assert_int_equal(result.bytes_kept, 0);
		check_file(m, path, "/bucket/k");
		free(take(left));
		left = shell(*state, "ls -A");
		assert_string_equal(left, "file\n");
		free(take(wanted));
	}
}

/* While one waits for its bytes, another one comes for the same file. */
struct rival {
	struct fake_multipart *m;
	const char *path;
	struct err err;
	int result;
};

static void come_too(void *ctx)
{
	struct rival *r = ctx;
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct fetching f = { .key = "k", .path = r->path };
	struct download_result result = { 0 };

	store(m, "k", 100, AS_WHOLE);
	r->result = fetch(m, &f, &result, &r->err);
}

static void test_rival(void **state)
{
	auto_free char *path = fs_join(*state, "file"), *left = NULL;
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct rival rival = { .m = m, .path = path };
	const struct fault_plan plan = { "GetObject", 2, 1, FAULT_CALL, .call = come_too, .ctx = &rival };
	struct fetching f = { .key = "k", .path = path };
	struct download_result result = { 0 };
	auto_err err = { 0 };

	store(m, "k", 60 * MIB, AS_PARTS);
	m->plan = &plan;
	assert_int_equal(fetch(m, &f, &result, &err), 0);
	assert_int_equal(rival.result, -1);
	assert_int_equal(rival.err.code, ERR_CONFLICT);
	err_release(&rival.err);
	check_file(m, path, "/bucket/k");
	left = shell(*state, "ls -A");
	assert_string_equal(left, "file\n");
}

/* Cut off: the error says where the rest lies, of a name that could not be longer. */
static void test_hint(void **state)
{
	static const struct fault_plan third = { "GetObject", 3, 99, FAULT_STATUS, .status = 403, .body = "<Error/>" };
	static const struct fault_plan all = { "HeadObject", 1, 99, FAULT_STATUS, .status = 403, .body = "" };
	char name[256] = "";
	auto_free char *path = NULL, *wanted = NULL, *temporary = NULL;
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct fetching f = { .key = "k" };
	struct download_result result = { 0 };
	auto_err err = { 0 };

	memset(name, 'n', sizeof(name) - 1);
	f.path = path = fs_join(*state, name);
	store(m, "k", 60 * MIB, AS_PARTS);
	m->plan = &third;
	assert_int_equal(fetch(m, &f, &result, &err), -1);
	temporary = shell(*state, "ls -A | grep -v ranges | tr -d '\\n'");
	wanted = xasprintf("what came of '%s' is kept in '%s/%s'; the next get goes on from there", path,
			   (const char *)*state, temporary);
	assert_string_equal(err.hint, wanted);
	/* A run that does not get as far leaves it. */
	m->plan = &all;
	f.n = 0;
	err_release(&err);
	assert_int_equal(fetch(m, &f, &result, &err), -1);
	err_release(&err);
	m->plan = NULL;
	f.n = 0;
	assert_int_equal(fetch(m, &f, &result, &err), 0);
	assert_int_equal(result.bytes_kept, 32 * MIB);
	check_file(m, path, "/bucket/k");
}

/* Cut off within a list's last entry, as a full disk does: what follows it is read as it was written. */
static void test_torn_list(void **state)
{
	static const struct fault_plan third = { "GetObject", 3, 99, FAULT_STATUS, .status = 403, .body = "<Error/>" };
	auto_free char *path = fs_join(*state, "file");
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct fetching f = { .key = "k", .path = path };
	struct download_result result = { 0 };
	auto_err err = { 0 };

	store(m, "k", 90 * MIB, AS_NOTHING);
	for (int i = 0; i < 2; i++) {
		m->plan = &third;
		strlist_release(&m->operations);
		f.n = 0;
		assert_int_equal(fetch(m, &f, &result, &err), -1);
		err_release(&err);
		run(*state, "printf '\\0\\0' >> " TEMPORARY "-ranges");
	}
	m->plan = NULL;
	f.n = 0;
	assert_int_equal(fetch(m, &f, &result, &err), 0);
	assert_int_equal(result.bytes_kept, 64 * MIB);
	check_file(m, path, "/bucket/k");
}

/* Somebody gave another file the name of the temporary one: it stays theirs. */
static void take_away(void *ctx)
{
	run(ctx, "echo theirs > other; mv other " TEMPORARY);
}

static void test_taken_away(void **state)
{
	const struct fault_plan plan = { "GetObject", 1, 1, FAULT_CALL, .call = take_away, .ctx = *state };
	auto_free char *path = fs_join(*state, "file");

	for (size_t n = 100; n <= 40 * MIB; n += 40 * MIB - 100) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct fetching f = { .key = "k", .path = path };
		struct download_result result = { 0 };
		auto_free char *left = NULL;
		auto_err err = { 0 };

		run(*state, "echo old > file");
		store(m, "k", n, AS_WHOLE);
		m->plan = &plan;
		assert_int_equal(fetch(m, &f, &result, &err), -1);
		assert_int_equal(err.code, ERR_CONFLICT);
		left = shell(*state, "cat file " TEMPORARY "; ls -A | wc -l");
		assert_string_equal(left, "old\ntheirs\n2\n");
	}
}

/* It was replaced by a larger one after it was listed. */
static void test_grown(void **state)
{
	auto_free char *path = fs_join(*state, "file"), *left = NULL;

	for (uint64_t listed = 0; listed <= 99; listed += 99) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct fetching f = { .key = "k", .path = path, .is_listed = true, .size = listed };
		struct download_result result = { 0 };
		auto_err err = { 0 };

		store(m, "k", 100, AS_WHOLE);
		assert_int_equal(fetch(m, &f, &result, &err), -1);
		assert_int_equal(err.code, ERR_CONFLICT);
		assert_string_equal(err.msg,
				    "GetObject 's3://bucket/k': it is larger than it was: it changed meanwhile");
	}
	left = shell(*state, "ls -A");
	assert_string_equal(left, "");
}

/* A power cut took the end of a file whose list vouches for it: one get finds it out, the next one begins anew. */
static void test_short_rest(void **state)
{
	static const struct fault_plan third = { "GetObject", 3, 99, FAULT_STATUS, .status = 403, .body = "<Error/>" };
	auto_free char *path = fs_join(*state, "file"), *left = NULL;
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct fetching f = { .key = "k", .path = path };
	struct download_result result = { 0 };
	auto_err err = { 0 };

	store(m, "k", 40 * MIB, AS_PARTS);
	m->plan = &third;
	assert_int_equal(fetch(m, &f, &result, &err), -1);
	err_release(&err);
	/* The last range too, or it would fill the file up again. */
	run(*state, "truncate -s 20M " TEMPORARY "; printf '\\2\\0\\0\\0' >> " TEMPORARY "-ranges");
	m->plan = NULL;
	f.n = 0;
	assert_int_equal(fetch(m, &f, &result, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	err_release(&err);
	left = shell(*state, "ls -A");
	assert_string_equal(left, "");
	f.n = 0;
	assert_int_equal(fetch(m, &f, &result, &err), 0);
	check_file(m, path, "/bucket/k");
}

/* In place of libc's: what the list beside the file said when the file was synced. */
static const char *list_to_watch;
static int n_syncs;
static off_t list_bytes[8];

int fdatasync(int fd)
{
	struct stat st = { 0 };

	(void)fd;
	if (list_to_watch && n_syncs < (int)ARRAY_LEN(list_bytes) && stat(list_to_watch, &st) == 0)
		list_bytes[n_syncs++] = st.st_size;
	return 0;
}

/* Where nothing tells zeros from bytes, the list vouches for what is on the disk; elsewhere that would be a waste. */
static void test_synced(void **state)
{
	auto_free char *path = fs_join(*state, "file"), *name = shell(*state, "echo -n " TEMPORARY "-ranges");
	auto_free char *list = fs_join(*state, name);

	for (enum stored_as as = AS_CRC64; as <= AS_NOTHING; as++) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct fetching f = { .key = "k", .path = path };
		struct download_result result = { 0 };
		auto_err err = { 0 };

		store(m, "k", 40 * MIB, as);
		n_syncs = 0;
		list_to_watch = list;
		assert_int_equal(fetch(m, &f, &result, &err), 0);
		list_to_watch = NULL;
		assert_int_equal(n_syncs, as == AS_NOTHING ? 4 : 1);
		for (int i = 0; i < n_syncs; i++)
			assert_int_equal(list_bytes[i], 32 + (as == AS_NOTHING ? i : 3) * 4);
	}
}

/* What a service answers to the two questions about an object in parts. */
struct answers {
	struct fake_multipart *m;
	struct fault_plan whole, first_part;
};

static void then_first_part(void *ctx)
{
	struct answers *a = ctx;

	a->m->plan = &a->first_part;
}

static void test_other_parts(void **state)
{
	static const struct {
		size_t n;
		const char *first_part;
		bool has_crc;
		char flip; /* of the object, after its CRC-64 was made */
		enum err_code code;
		enum download_check check;
		int heads;
	} cases[] = {
		{ 30 * MIB, "20971520", false, 0, ERR_NONE, DOWNLOAD_UNCHECKED, 2 },
		{ 30 * MIB, "20971520", true, 0, ERR_NONE, DOWNLOAD_CHECKED, 2 },
		{ 30 * MIB, "20971520", true, 1, ERR_INVALID, 0, 2 },
		/* Parts as ours, and a store that knows nothing of them. */
		{ 30 * MIB, "16777216", true, 0, ERR_INVALID, 0, 2 },
		{ 30 * MIB, "31457280", true, 0, ERR_INVALID, 0, 2 },
		/* Of 3 parts, fetched in 4 ranges. */
		{ 60 * MIB, "", false, 0, ERR_NONE, DOWNLOAD_UNCHECKED, 1 },
		{ 60 * MIB, "", true, 0, ERR_NONE, DOWNLOAD_CHECKED, 1 },
		{ 60 * MIB, "", true, 1, ERR_INVALID, 0, 1 },
	};
	auto_free char *path = fs_join(*state, "file");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct fetching f = { .key = "k", .path = path };
		struct s3_checksum crc = { .kind = S3_CRC64NVME };
		struct download_result result = { 0 };
		struct answers answers = { .m = m };
		struct fake_object *o;
		auto_free char *text = NULL;
		auto_err err = { 0 };

		store(m, "k", cases[i].n, AS_OTHER_PARTS);
		o = fake_find(m->s3, "/bucket/k");
		crc.crc64 = crc64nvme_by_table(0, o->bytes, o->n);
		text = s3_checksum_format(&crc);
		o->bytes[5] ^= cases[i].flip;
		answers.whole =
			(struct fault_plan){ "HeadObject", 1, 1, FAULT_CALL, .call = then_first_part, .ctx = &answers };
		if (cases[i].has_crc) {
			answers.whole.header = S3_HEADER_CRC64;
			answers.whole.value = text;
		}
		answers.first_part = (struct fault_plan){ "HeadObject", 2, 1, FAULT_STATUS, .status = 206, .body = "" };
		answers.first_part.header = "Content-Length";
		answers.first_part.value = cases[i].first_part;
		m->plan = &answers.whole;
		assert_int_equal(fetch(m, &f, &result, &err), cases[i].code ? -1 : 0);
		if (err.code != cases[i].code)
			fail_msg("case %zu: class %d, %s", i, err.code, err.msg);
		assert_int_equal(fake_times(m, "HeadObject"), cases[i].heads);
		if (cases[i].code)
			continue;
		assert_int_equal(f.check, cases[i].check);
		check_file(m, path, "/bucket/k");
	}
}

static void test_copy(void **state)
{
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	auto_s3_head head = { 0 };
	auto_err err = { 0 };
	const struct fake_object *from, *to;

	(void)state;
	store(m, "a b", 40 * MIB, AS_PARTS);
	assert_int_equal(s3_head_object(&m->s3->s3, "bucket", "a b", &head, &err), 0);
	assert_int_equal(s3_copy_object(&m->s3->s3, "bucket", "a b", &head, "bucket", "c", &err), 0);
	assert_int_equal(fake_times(m, "UploadPartCopy"), 3);
	from = fake_find(m->s3, "/bucket/a b");
	to = fake_find(m->s3, "/bucket/c");
	assert_int_equal(from->n, to->n);
	assert_memory_equal(from->bytes, to->bytes, to->n);
	assert_string_equal(from->checksum, to->checksum);
	/* It became another meanwhile: nothing is left of the copy. */
	free(head.etag);
	head.etag = xstrdup("\"other\"");
	assert_int_equal(s3_copy_object(&m->s3->s3, "bucket", "a b", &head, "bucket", "d", &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_false(m->has_upload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_list_without_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rival, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hint, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_torn_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_taken_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_grown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_short_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_synced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_parts, set_up, tear_down),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
