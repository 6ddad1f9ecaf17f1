/* s3/transfer.h over the http seam: what goes out, and what becomes of it when something goes wrong. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "s3/snapshot.h"
#include "s3/transfer.h"
#include "tests/unit/fake_multipart.h"
#include "tests/unit/folder.h"
#include "tests/unit/shell.h"

#define MIB (1024 * 1024)

/* No two parts of it are the same. */
static void make_file(const char *folder, const char *name, size_t n)
{
	auto_free char *path = fs_join(folder, name);
	auto_free uint32_t *bytes = xmalloc(n + 4);
	auto_err err = { 0 };
	uint32_t v = (uint32_t)n;

	for (size_t i = 0; i < n / 4 + 1; i++)
		bytes[i] = v = v * 1664525 + 1013904223;
	assert_int_equal(fs_write_atomic(path, bytes, n, 0644, &err), 0);
}

struct sending {
	const struct filelist *files;
	size_t next;
	int n_done;
	bool may_exist;
	struct s3_checksum last;
};

static int next_file(void *ctx, struct transfer_item *ret, struct err *err)
{
	struct sending *s = ctx;

	(void)err;
	if (s->next == s->files->n)
		return 0;
	ret->entry = &s->files->v[s->next++];
	ret->key = xstrdup(ret->entry->path);
	ret->may_exist = s->may_exist;
	return 1;
}

static void note_done(void *ctx, const struct file_entry *entry, const char *key, const struct s3_checksum *whole)
{
	struct sending *s = ctx;

	assert_string_equal(key, entry->path);
	s->n_done++;
	s->last = *whole;
}

static int send_files(struct fake_multipart *m, const struct filelist *files, bool may_exist,
		      struct transfer_result *ret, struct err *err)
{
	struct sending s = { .files = files, .may_exist = may_exist };
	const struct transfer t = {
		.bucket = "bucket",
		.content_type = "x/y",
		.kind = m->kind,
		.next = next_file,
		.done = note_done,
		.ctx = &s,
		.resume_prefix = "",
		.n_hashers = 2,
	};
	int rc = s3_transfer(&m->s3->s3, &t, ret, err);

	if (rc == 0)
		assert_int_equal(s.n_done, files->n);
	return rc;
}

static void list_folder(const char *folder, bool is_hashed, struct filelist *files)
{
	auto_free char *root = fs_join(folder, "data");
	const struct snapshot_source src = { .path = root };
	struct snapshot_facts facts;
	auto_err err = { 0 };

	if (is_hashed)
		assert_int_equal(snapshot_read(&src, files, &facts, &err), 0);
	else
		assert_int_equal(scan_path(root, NULL, files, &err), 0);
}

/* What lies in the bucket is what lies on the disk, under S3's checksum of it. */
static void check_object(struct fake_multipart *m, const struct file_entry *e)
{
	auto_free char *path = xasprintf("/bucket/%s", e->path), *bytes = NULL;
	const struct fake_object *o = fake_find(m->s3, path);
	auto_err err = { 0 };
	size_t n;

	assert_non_null(o);
	assert_int_equal(fs_read(e->disk_path, (size_t)64 * MIB, &bytes, &n, &err), 0);
	assert_int_equal(o->n, n);
	assert_memory_equal(o->bytes, bytes, n);
	assert_true(s3_checksum_parse(m->kind, o->checksum).n_parts == (m->kind == S3_SHA256 ? s3_part_count(n) : 0));
}

static void make_sizes(const char *folder)
{
	static const size_t sizes[] = { 0, 1, 65534, 65535, 65536, 65537, 16 * MIB, 16 * MIB + 1 };

	run(folder, "mkdir data");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_free char *name = xasprintf("data/%zu", sizes[i]);

		make_file(folder, name, sizes[i]);
	}
}

static void test_sizes(void **state)
{
	make_sizes(*state);
	for (int i = 0; i < 2; i++) {
		bool is_hashed = i % 2;
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct transfer_result result = { 0 };
		auto_filelist files = { 0 };
		auto_err err = { 0 };

		list_folder(*state, is_hashed, &files);
		assert_int_equal(send_files(m, &files, false, &result, &err), 0);
		for (size_t k = 0; k < files.n; k++)
			check_object(m, &files.v[k]);
		assert_int_equal(result.files_sent, files.n);
		assert_int_equal(result.bytes_sent, filelist_total_bytes(&files));
		assert_int_equal(fake_times(m, "UploadPart"), 2);
		assert_false(m->has_upload);
	}
}

static void test_crc64(void **state)
{
	auto_fake_multipart *m = fake_multipart_new(S3_CRC64NVME);
	struct transfer_result result = { 0 };
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	const struct fake_object *o;

	run(*state, "mkdir data");
	make_file(*state, "data/f", 40 * MIB + 5);
	list_folder(*state, false, &files);
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	check_object(m, &files.v[0]);
	o = fake_find(m->s3, "/bucket/f");
	assert_string_equal(o->checksum, m->complete_crc);
}

/* Whose digest is known, goes out signed by it: no CRC lets bytes pass that changed since. */
static void test_crc64_of_hashed(void **state)
{
	static const char *const times[] = { "17000000", "70000" };

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		auto_fake_multipart *m = fake_multipart_new(S3_CRC64NVME);
		auto_free char *change = xasprintf("cd data; cp -p f old; printf X | dd of=f bs=1 seek=%s conv=notrunc "
						   "2> /dev/null; touch -r old f; rm old",
						   times[i]);
		struct transfer_result result = { 0 };
		auto_filelist files = { 0 };
		auto_err err = { 0 };

		run(*state, "rm -rf data; mkdir data");
		make_file(*state, "data/f", i ? 80000 : 20 * MIB);
		list_folder(*state, true, &files);
		assert_int_equal(send_files(m, &files, true, &result, &err), 0);
		check_object(m, &files.v[0]);
		assert_int_equal(strlen(http_headers_get(&m->s3->last, "x-amz-content-sha256")), DIGEST_HEX);
		/* An object that another run sent is found by its CRC. */
		assert_int_equal(send_files(m, &files, true, &result, &err), 0);
		assert_true(result.files_there == 1 && result.files_sent == 0);
		/* Another one of its size is replaced, and what changed behind our back does not go out. */
		fake_find(m->s3, "/bucket/f")->checksum[0] ^= 1;
		assert_int_equal(send_files(m, &files, true, &result, &err), 0);
		assert_int_equal(result.files_sent, 1);
		run(*state, change);
		fake_find(m->s3, "/bucket/f")->checksum[0] ^= 1;
		assert_int_equal(send_files(m, &files, true, &result, &err), -1);
		assert_non_null(strstr(err.msg, "changed"));
	}
}

/* What an index knows of a file: the digest of its parts' digests, but not those. */
static void forget_parts(struct file_entry *e)
{
	free(take(e->parts));
}

/* That it was vouched for does not put other bytes under its name: they are held against it when they are read. */
static void test_vouched(void **state)
{
	static const char change[] = "cd data; cp -p f old; printf X | dd of=f bs=1 seek=20000000 conv=notrunc "
				     "2> /dev/null; touch -r old f; rm old";

	for (int i = 0; i < 2; i++) {
		auto_fake_multipart *m = fake_multipart_new(i ? S3_CRC64NVME : S3_SHA256);
		struct transfer_result result = { 0 };
		auto_filelist files = { 0 };
		auto_err err = { 0 };

		run(*state, "rm -rf data; mkdir data");
		make_file(*state, "data/f", 40 * MIB);
		list_folder(*state, true, &files);
		forget_parts(&files.v[0]);
		assert_int_equal(send_files(m, &files, false, &result, &err), 0);
		check_object(m, &files.v[0]);
		fake_drop(fake_find(m->s3, "/bucket/f"));
		run(*state, change);
		/* The second time all parts are there already. */
		for (int k = 0; k < 2; k++) {
			assert_int_equal(send_files(m, &files, false, &result, &err), -1);
			assert_non_null(strstr(err.msg, "data/f' changed"));
			assert_null(fake_find(m->s3, "/bucket/f"));
			assert_int_equal(fake_times(m, "UploadPart"), 6);
			err_release(&err);
		}
	}
}

/* The signed payload hash is what such a store checks. */
static void test_store_without_checksums(void **state)
{
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct transfer_result result = { 0 };
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	m->has_no_sums = true;
	m->s3->s3.bucket_owner = NULL;
	run(*state, "mkdir data");
	make_file(*state, "data/f", 16 * MIB + 5);
	list_folder(*state, false, &files);
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	check_object(m, &files.v[0]);
	assert_null(http_headers_get(&m->s3->last, "x-amz-expected-bucket-owner"));
}

/* With a CRC alone, nothing would prove that it has the bytes. */
static void test_store_without_proof(void **state)
{
	static const size_t sizes[] = { 5, 20 * MIB };

	run(*state, "mkdir data");
	for (size_t i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
		auto_fake_multipart *m = fake_multipart_new(S3_CRC64NVME);
		struct transfer_result result = { 0 };
		auto_filelist files = { 0 };
		auto_err err = { 0 };
		bool is_hashed = i / 2;

		m->has_no_sums = true;
		make_file(*state, "data/f", sizes[i % 2]);
		list_folder(*state, is_hashed, &files);
		assert_int_equal(send_files(m, &files, false, &result, &err), is_hashed ? 0 : -1);
		if (is_hashed)
			continue;
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.msg, "keeps no CRC64NVME"));
		assert_non_null(strstr(err.hint, "sha256"));
	}
}

#define MOVED          .body = "", .header = "x-amz-bucket-region", .value = "eu-central-1"
#define ERROR_OF(code) "<Error><Code>" code "</Code><Message>m</Message></Error>"

/* A file of one part and one of three. */
static void test_faults(void **state)
{
	static const struct {
		struct fault_plan plan;
		enum err_code code;
		const char *words;
	} cases[] = {
		{ { "PutObject", 1, 1, FAULT_STATUS, 301, MOVED }, ERR_NONE, NULL },
		{ { "CreateMultipartUpload", 1, 1, FAULT_STATUS, 307, MOVED }, ERR_NONE, NULL },
		{ { "UploadPart", 2, 1, FAULT_STATUS, 400, MOVED }, ERR_NONE, NULL },
		{ { "PutObject", 1, 99, FAULT_STATUS, 301, MOVED }, ERR_SERVICE, "301" },
		{ { "PutObject", 1, 2, FAULT_LOST, .body = "" }, ERR_NONE, NULL },
		{ { "PutObject", 1, 99, FAULT_LOST, .body = "" }, ERR_NONE, NULL },
		{ { "UploadPart", 2, 2, FAULT_LOST, .body = "" }, ERR_NONE, NULL },
		{ { "UploadPart", 1, 99, FAULT_LOST, .body = "" }, ERR_NETWORK, "UploadPart" },
		{ { "CreateMultipartUpload", 1, 1, FAULT_LOST, .body = "" }, ERR_NONE, NULL },
		{ { "CreateMultipartUpload", 1, 3, FAULT_LOST, .body = "" }, ERR_NONE, NULL },
		{ { "CreateMultipartUpload", 1, 1, FAULT_ANSWER, .status = 200, .body = "<Initiate" }, ERR_NONE, NULL },
		{ { "CompleteMultipartUpload", 1, 1, FAULT_LOST, .body = "" }, ERR_NONE, NULL },
		{ { "CompleteMultipartUpload", 1, 99, FAULT_LOST, .body = "" }, ERR_NONE, NULL },
		{ { "CompleteMultipartUpload", 1, 2, FAULT_STATUS, .status = 200, .body = ERROR_OF("InternalError") },
		  ERR_NONE,
		  NULL },
		{ { "CompleteMultipartUpload", 1, 1, FAULT_STATUS, .status = 200, .body = "<CompleteMulti" },
		  ERR_NONE,
		  NULL },
		{ { "CompleteMultipartUpload", 1, 1, FAULT_ANSWER, .status = 200, .body = "  \n" }, ERR_NONE, NULL },
		{ { "CompleteMultipartUpload", 1, 99, FAULT_STATUS, .status = 200, .body = ERROR_OF("AccessDenied") },
		  ERR_AUTH,
		  "AccessDenied" },
		{ { "CompleteMultipartUpload", 1, 1, FAULT_ANSWER, .status = 200,
		    .body = "<CompleteMultipartUploadResult><ChecksumSHA256>CArPNaUHrJhJz8ukfcKtg+AbdWY6UWJ5yLnSQ7cZZD4=-3"
			    "</ChecksumSHA256></CompleteMultipartUploadResult>" },
		  ERR_INVALID,
		  "other bytes" },
		{ { "UploadPart", 1, 4, FAULT_STATUS, .status = 503, .body = ERROR_OF("SlowDown") }, ERR_NONE, NULL },
		{ { "PutObject", 1, 7, FAULT_STATUS, .status = 503, .body = ERROR_OF("SlowDown") }, ERR_NONE, NULL },
		{ { "PutObject", 1, 99, FAULT_STATUS, .status = 503, .body = ERROR_OF("SlowDown") },
		  ERR_SERVICE,
		  "SlowDown" },
		{ { "PutObject", 1, 1, FAULT_STATUS, .status = 200, .body = ERROR_OF("InternalError") },
		  ERR_NONE,
		  NULL },
		{ { "UploadPart", 2, 1, FAULT_STATUS, .status = 200, .body = ERROR_OF("AccessDenied") },
		  ERR_AUTH,
		  "AccessDenied" },
		{ { "PutObject", 1, 1, FAULT_STATUS, .status = 500, .body = "" }, ERR_NONE, NULL },
		{ { "PutObject", 1, 1, FAULT_STATUS, .status = 200, .body = ERROR_OF("InternalError") },
		  ERR_NONE,
		  NULL },
		{ { "PutObject", 1, 1, FAULT_STATUS, .status = 200, .body = "" }, ERR_NONE, NULL },
		{ { "PutObject", 1, 99, FAULT_STATUS, .status = 200, .body = ERROR_OF("AccessDenied") },
		  ERR_AUTH,
		  "AccessDenied" },
		{ { "UploadPart", 1, 1, FAULT_STATUS, .status = 200, .body = ERROR_OF("InternalError") },
		  ERR_NONE,
		  NULL },
		{ { "UploadPart", 2, 1, FAULT_STATUS, .status = 200, .body = "" }, ERR_NONE, NULL },
		{ { "CreateMultipartUpload", 1, 1, FAULT_STATUS, .status = 200, .body = ERROR_OF("SlowDown") },
		  ERR_NONE,
		  NULL },
		{ { "PutObject", 1, 1, FAULT_STATUS, .status = 403, .body = ERROR_OF("AccessDenied") },
		  ERR_AUTH,
		  "AccessDenied" },
		{ { "CreateMultipartUpload", 1, 1, FAULT_STATUS, .status = 403, .body = ERROR_OF("AccessDenied") },
		  ERR_AUTH,
		  "AccessDenied" },
		{ { "CreateMultipartUpload", 1, 1, FAULT_ANSWER, .status = 200, .body = "<R><UploadId/></R>" },
		  ERR_INVALID,
		  "not what it should" },
		{ { "UploadPart", 3, 99, FAULT_STATUS, .status = 404, .body = ERROR_OF("NoSuchUpload") },
		  ERR_NOT_FOUND,
		  "NoSuchUpload" },
		{ { "PutObject", 1, 1, FAULT_LOST, .body = "", .header = "x-amz-checksum-sha256", .value = "AAAA" },
		  ERR_NONE,
		  NULL },
		{ { "ListMultipartUploads", 1, 9, FAULT_STATUS, .status = 403, .body = ERROR_OF("AccessDenied") },
		  ERR_NONE,
		  NULL },
	};

	run(*state, "mkdir data");
	make_file(*state, "data/one", 100000);
	make_file(*state, "data/three", 40 * MIB);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct transfer_result result = { 0 };
		auto_filelist files = { 0 };
		auto_err err = { 0 };
		int rc;

		list_folder(*state, i % 2, &files);
		m->plan = &cases[i].plan;
		rc = send_files(m, &files, false, &result, &err);
		if (err.code != cases[i].code)
			fail_msg("case %zu: class %d, %s", i, err.code, err.msg ? err.msg : "no error");
		assert_int_equal(rc, cases[i].code ? -1 : 0);
		if (cases[i].words)
			assert_non_null(strstr(err.msg, cases[i].words));
		for (size_t k = 0; !rc && k < files.n; k++)
			check_object(m, &files.v[k]);
		/* Nothing is left behind that costs money, unless nobody can know of it: the next run will. */
		if (!rc)
			assert_false(m->has_upload || m->n_twins);
		else if (m->has_upload && !str_eq(cases[i].plan.operation, "CreateMultipartUpload"))
			assert_int_equal(result.unfinished, 1);
	}
}

static void do_script(void *ctx)
{
	const char **script = ctx;

	run(script[0], script[1]);
}

/* Between listing and sending, and while a part is on its way. */
static void test_changes(void **state)
{
	static const char *const scripts[] = {
		"printf x >> data/f",
		"truncate -s -1 data/f",
		"cp data/f data/g; mv data/g data/f",
		"rm data/f",
		"printf x | dd of=data/f bs=1 seek=77 conv=notrunc 2> /dev/null",
		"printf x | dd of=data/f bs=1 seek=77 conv=notrunc 2> /dev/null; touch -d @1000000000 data/f",
		"rm data/f; mkfifo data/f",
	};
	static const size_t sizes[] = { 1000, 100000, 40 * MIB };

	for (size_t size = 0; size < ARRAY_LEN(sizes); size++) {
		for (size_t i = 0; i < 3 * ARRAY_LEN(scripts); i++) {
			auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
			const char *script[] = { *state, scripts[i / 3] };
			bool is_before = i % 3 == 0, is_hashed = i % 3 == 2;
			const struct fault_plan plan = { sizes[size] > 16 * MIB ? "UploadPart" : "PutObject",
							 1,
							 1,
							 FAULT_CALL,
							 .call = do_script,
							 .ctx = script };
			struct transfer_result result = { 0 };
			auto_filelist files = { 0 };
			auto_err err = { 0 };
			int rc;

			run(*state, "rm -rf data; mkdir data");
			make_file(*state, "data/f", sizes[size]);
			run(*state, "touch -d @1000000000 data/f");
			list_folder(*state, is_hashed || is_before, &files);
			if (is_before)
				run(*state, scripts[i / 3]);
			else
				m->plan = &plan;
			rc = send_files(m, &files, false, &result, &err);
			/* Small files are whole in memory by then: what was read is what is sent. */
			if (sizes[size] < 65536 && !is_before) {
				assert_int_equal(rc, 0);
				continue;
			}
			if (rc == 0)
				fail_msg("size %zu, script %zu, %zu: sent", sizes[size], i / 3, i % 3);
			assert_non_null(strstr(err.msg, "data/f'"));
			assert_null(fake_find(m->s3, "/bucket/f") && sizes[size] > 16 * MIB ? "there" : NULL);
		}
	}
}

static void test_resume(void **state)
{
	static const struct fault_plan third = {
		"UploadPart", 3, 99, FAULT_STATUS, .status = 403, .body = ERROR_OF("AccessDenied")
	};
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct transfer_result result = { 0 };
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	run(*state, "mkdir data");
	make_file(*state, "data/f", 60 * MIB);
	list_folder(*state, true, &files);
	m->plan = &third;
	assert_int_equal(send_files(m, &files, false, &result, &err), -1);
	assert_true(m->has_upload);
	err_release(&err);
	m->plan = NULL;
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	check_object(m, &files.v[0]);
	assert_int_equal(result.parts_reused, 2);
	assert_int_equal(fake_times(m, "CreateMultipartUpload"), 1);
	assert_int_equal(m->n_twins, 0);
	/* Of several that were cut off one is taken up, the others end with it. */
	m->has_upload = true;
	m->n_twins = 2;
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	assert_true(!m->has_upload && m->n_twins == 0);
	/* A part with other content is sent anew, whatever its size. */
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	m->has_upload = true;
	fake_store(m->s3, "/bucket/f?1", "x", 1, "CArPNaUHrJhJz8ukfcKtg+AbdWY6UWJ5yLnSQ7cZZD4=");
	fake_store(m->s3, "/bucket/f?2", fake_find(m->s3, "/bucket/f")->bytes, 16 * MIB,
		   "CArPNaUHrJhJz8ukfcKtg+AbdWY6UWJ5yLnSQ7cZZD4=");
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	assert_int_equal(result.parts_reused, 0);
	check_object(m, &files.v[0]);
	/* Nor is an upload that was begun with another checksum. */
	m->has_upload = true;
	m->upload_kind = S3_CRC64NVME;
	assert_int_equal(fake_times(m, "CreateMultipartUpload"), 2);
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	assert_int_equal(fake_times(m, "CreateMultipartUpload"), 3);
	check_object(m, &files.v[0]);
}

/* Of an upload whose list of parts breaks off, nothing is taken for stored in the one that is begun then. */
static void test_resume_of_half_a_list(void **state)
{
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct transfer_result result = { 0 };
	auto_free char *sum = NULL, *page = NULL;
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	struct fault_plan plan = { "ListParts", 1, 1, FAULT_ANSWER, .status = 200 };

	run(*state, "mkdir data");
	make_file(*state, "data/f", 40 * MIB);
	list_folder(*state, true, &files);
	sum = str_base64(files.v[0].parts[0].b, DIGEST_BYTES);
	page = xasprintf(
		"<ListPartsResult><IsTruncated>true</IsTruncated><Part><PartNumber>1</PartNumber><ETag>e</ETag>"
		"<Size>%d</Size><ChecksumSHA256>%s</ChecksumSHA256></Part></ListPartsResult>",
		16 * MIB, sum);
	plan.body = page;
	m->plan = &plan;
	m->has_upload = true;
	m->upload_path = xstrdup("/bucket/f");
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	assert_int_equal(result.parts_reused, 0);
	assert_int_equal(fake_times(m, "CreateMultipartUpload"), 1);
	assert_int_equal(fake_times(m, "UploadPart"), 3);
	check_object(m, &files.v[0]);
}

/* Somebody else sends another file to the same key: the upload goes to one of them, and both files in turn. */
static void test_upload_is_taken_away(void **state)
{
	static const struct fault_plan plans[] = {
		{ "UploadPart", 3, 2, FAULT_STATUS, .status = 404, .body = ERROR_OF("NoSuchUpload") },
		{ "UploadPart", 1, 1, FAULT_STATUS, .status = 404, .body = ERROR_OF("NoSuchUpload") },
		{ "CompleteMultipartUpload", 1, 1, FAULT_STATUS, .status = 400, .body = ERROR_OF("InvalidPart") },
		{ "CompleteMultipartUpload", 1, 1, FAULT_STATUS, .status = 404, .body = ERROR_OF("NoSuchUpload") },
	};
	static const struct fault_plan always = {
		"UploadPart", 2, 99, FAULT_STATUS, .status = 404, .body = ERROR_OF("NoSuchUpload")
	};

	run(*state, "mkdir data");
	make_file(*state, "data/f", 60 * MIB);
	for (size_t i = 0; i <= ARRAY_LEN(plans); i++) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct transfer_result result = { 0 };
		auto_filelist files = { 0 };
		auto_err err = { 0 };
		bool has_end = i < ARRAY_LEN(plans);

		/* A part that is still being hashed when the upload is gone is never sent: two are lost only of known
		 * digests. */
		list_folder(*state, i % 2 == 0, &files);
		m->plan = has_end ? &plans[i] : &always;
		assert_int_equal(send_files(m, &files, false, &result, &err), has_end ? 0 : -1);
		assert_int_equal(fake_times(m, "CreateMultipartUpload"), 2);
		if (has_end) {
			check_object(m, &files.v[0]);
			assert_int_equal(result.bytes_sent, 60 * MIB);
			assert_true(!m->has_upload && !m->n_twins);
		} else {
			assert_non_null(strstr(err.msg, "NoSuchUpload"));
		}
	}
}

/* How S3 shall encrypt is said with the object, not with its parts. */
static void check_encryption(void *ctx)
{
	const struct fake_multipart *m = ctx;
	const char *algorithm = http_headers_get(&m->s3->last, "x-amz-server-side-encryption");

	if (str_eq(m->plan->operation, "UploadPart"))
		assert_null(algorithm);
	else
		assert_string_equal(algorithm, "aws:kms");
}

static void test_encryption(void **state)
{
	static const char *const operations[] = { "PutObject", "CreateMultipartUpload", "UploadPart" };

	run(*state, "mkdir data");
	make_file(*state, "data/one", 5);
	make_file(*state, "data/two", 17 * MIB);
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		const struct fault_plan plan = { operations[i], 1, 9, FAULT_CALL, .call = check_encryption, .ctx = m };
		struct transfer_result result = { 0 };
		auto_filelist files = { 0 };
		auto_err err = { 0 };

		m->s3->s3.encryption.algorithm = "aws:kms";
		m->plan = &plan;
		list_folder(*state, false, &files);
		assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	}
}

#define KEY_ID   "1234abcd-12ab-34cd-56ef-1234567890ab"
#define KEY_ARN  "arn:aws:kms:eu-west-1:123456789012:key/" KEY_ID
#define OTHER_ID "12345678-12ab-34cd-56ef-1234567890ab"

/* S3 encrypts an upload as it was begun: one that was cut off is no use to who asks for something else. */
static void test_resume_with_encryption(void **state)
{
	static const struct {
		const char *first, *second;
		bool is_resumed;
	} cases[] = {
		{ "none", "AES256", false },   { "AES256", "AES256", true }, { "AES256", KEY_ID, false },
		{ KEY_ARN, "AES256", false },  { KEY_ID, KEY_ARN, true },    { KEY_ARN, KEY_ID, true },
		{ KEY_ARN, OTHER_ID, false },  { "aws:kms", KEY_ID, false }, { KEY_ARN, "aws:kms", false },
		{ KEY_ARN, "alias/x", false }, { KEY_ARN, "none", true },
	};

	run(*state, "mkdir data");
	make_file(*state, "data/f", 40 * MIB);
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		/* With a part to send, and with none. */
		const struct fault_plan plan = { i % 2 ? "CompleteMultipartUpload" : "UploadPart",
						 i % 2 ? 1 : 3,
						 99,
						 FAULT_STATUS,
						 .status = 403,
						 .body = ERROR_OF("AccessDenied") };
		auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
		struct transfer_result result = { 0 };
		auto_filelist files = { 0 };
		auto_err err = { 0 };

		list_folder(*state, true, &files);
		assert_int_equal(s3_encryption_parse(cases[i / 2].first, &m->s3->s3.encryption, &err), 0);
		m->plan = &plan;
		assert_int_equal(send_files(m, &files, false, &result, &err), -1);
		err_release(&err);
		m->plan = NULL;
		assert_int_equal(s3_encryption_parse(cases[i / 2].second, &m->s3->s3.encryption, &err), 0);
		assert_int_equal(send_files(m, &files, false, &result, &err), 0);
		check_object(m, &files.v[0]);
		if (fake_times(m, "CreateMultipartUpload") != (cases[i / 2].is_resumed ? 1 : 2))
			fail_msg("%s after %s: begun %d times", cases[i / 2].second, cases[i / 2].first,
				 fake_times(m, "CreateMultipartUpload"));
		/* What answers cannot tell is not tried. */
		if (!s3_encryption_can_be_told(&m->s3->s3.encryption))
			assert_int_equal(fake_times(m, "UploadPart"), 6);
	}
}

static void test_many(void **state)
{
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct transfer_result result = { 0 };
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	run(*state,
	    "mkdir -p data/a; for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6; do echo $i$j > data/a/$i$j; done; done");
	list_folder(*state, false, &files);
	assert_int_equal(send_files(m, &files, false, &result, &err), 0);
	for (size_t k = 0; k < files.n; k++)
		check_object(m, &files.v[k]);
	assert_int_equal(fake_times(m, "PutObject"), 54);
}

static void test_too_large(void **state)
{
	auto_fake_multipart *m = fake_multipart_new(S3_SHA256);
	struct transfer_result result = { 0 };
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	struct file_entry *e = filelist_add(&files, "huge", FILE_MODE_PLAIN);

	(void)state;
	e->disk_path = xstrdup("/nonexistent/huge");
	e->size = S3_MAX_OBJECT_BYTES + 1;
	assert_int_equal(send_files(m, &files, false, &result, &err), -1);
	assert_non_null(strstr(err.msg, "'/nonexistent/huge' is larger than 48.8 TiB"));
	assert_int_equal(m->operations.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_crc64, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_crc64_of_hashed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_vouched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_store_without_checksums, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_store_without_proof, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_resume, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_resume_of_half_a_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_upload_is_taken_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_encryption, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_resume_with_encryption, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
