/* s3/uri.h and s3/object.h; buckets are in test_bucket.c. */

#include "tests/unit/fake_s3.h"

#include <unistd.h>

#include "base/fs.h"
#include "s3/multipart.h"
#include "s3/uri.h"

#define LOOPBACK "http://127.0.0.1:4566"

static void uris(void **state)
{
	static const struct {
		const char *uri, *bucket, *key; /* bucket NULL: refused */
	} cases[] = {
		{ "s3://bucket/a/b c", "bucket", "a/b c" },
		{ "s3://bucket", "bucket", "" },
		{ "s3://bucket/", "bucket", "" },
		{ "s3://my.bucket-1/x/", "my.bucket-1", "x/" },
		{ "s3://an-access-point-s3alias/x", "an-access-point-s3alias", "x" },
		{ "S3://bucket/x", NULL, NULL },
		{ "https://bucket/x", NULL, NULL },
		{ "s3:/bucket/x", NULL, NULL },
		{ "s3://", NULL, NULL },
		{ "s3://bu/x", NULL, NULL },
		{ "s3://Bucket/x", NULL, NULL },
		{ "s3://bucket_1/x", NULL, NULL },
		{ "s3://-bucket/x", NULL, NULL },
		{ "s3://bucket./x", NULL, NULL },
		{ "s3://buc..ket/x", NULL, NULL },
		{ "s3://192.168.5.4/x", NULL, NULL },
		{ "s3://xn--bucket/x", NULL, NULL },
		{ "s3://a234567890123456789012345678901234567890123456789012345678901234/x", NULL, NULL },
		{ "s3://user@bucket/x", NULL, NULL },
		{ "s3://bucket//x", NULL, NULL },
		{ "s3://bucket/a\nb", NULL, NULL },
		{ "s3://bucket/\xff", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_s3_uri uri = { 0 };
		auto_err err = { 0 };
		int rc = s3_uri_parse(cases[i].uri, &uri, &err);

		if (cases[i].bucket) {
			assert_int_equal(rc, 0);
			assert_string_equal(uri.bucket, cases[i].bucket);
			assert_string_equal(uri.key, cases[i].key);
		} else {
			assert_int_equal(rc, -1);
			assert_int_equal(err.code, ERR_CONFIG);
			assert_null(strchr(err.msg, '\n'));
		}
	}
}

static void what_is_put_can_be_got(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
	auto_err err = { 0 };
	auto_s3_head head = { 0 };
	auto_free char *text = NULL;
	auto_close int fd = fs_temp_file(&err);
	struct digest digest = digest_of("12345", 5), got;
	uint64_t size;
	size_t n;

	(void)state;
	assert_int_equal(s3_put_bytes(&f->s3, "bucket", "e", "bytes", 5, "text/plain", &err), 0);
	assert_string_equal(http_headers_get(&f->last, "content-type"), "text/plain");
	assert_int_equal(s3_put_bytes(&f->s3, "bucket", "empty", NULL, 0, "text/plain", &err), 0);
	assert_null(http_headers_get(&f->last, "if-none-match"));
	assert_int_equal(s3_put_new_bytes(&f->s3, "bucket", "new", "1", 1, "text/plain", &err), 0);
	assert_string_equal(http_headers_get(&f->last, "if-none-match"), "*");
	assert_int_equal(write(fd, "12345", 5), 5);
	assert_int_equal(s3_put_fd(&f->s3, "bucket", "fd", fd, 5, &digest, "text/plain", &err), 0);

	assert_int_equal(s3_head_object(&f->s3, "bucket", "fd", &head, &err), 0);
	assert_int_equal(head.size, 5);
	assert_true(head.has_digest && digest_equal(&head.digest, &digest));
	assert_null(head.version_id);
	assert_int_equal(s3_get_bytes(&f->s3, "bucket", "e", 100, &text, &n, &err), 0);
	assert_string_equal(text, "bytes");
	assert_int_equal(s3_get_bytes(&f->s3, "bucket", "e", 4, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(s3_get_bytes(&f->s3, "bucket", "none", 4, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(s3_get_fd(&f->s3, "bucket", "fd", fd, &got, &size, &err), 0);
	assert_true(size == 5 && digest_equal(&got, &digest));
}

static void changed_file_is_said_by_name(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
	auto_err err = { 0 };
	auto_close int fd = fs_temp_file(&err);
	struct digest old = digest_of("old", 3);

	(void)state;
	assert_int_equal(write(fd, "new", 3), 3);
	assert_int_equal(s3_put_fd(&f->s3, "bucket", "data/x", fd, 3, &old, "text/plain", &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_string_equal(err.msg, "'data/x' changed while it was uploaded");
	assert_int_equal(f->log.n, 1);
}

static void download_starts_anew_after_a_break(void **state)
{
	static const struct fake_answer canned[] = { { 200, "ETag", "\"e\"", "half of something lo" },
						     { 503, NULL, NULL, "" },
						     { 0 } };
	auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
	auto_err err = { 0 };
	auto_close int fd = fs_temp_file(&err);
	struct digest got, want = digest_of("whole", 5);
	char text[32] = "";
	uint64_t size;

	(void)state;
	fake_store(f, "/bucket/k", "whole", 5, NULL);
	f->canned = canned;
	assert_int_equal(write(fd, "before ", 7), 7);
	assert_int_equal(s3_get_fd(&f->s3, "bucket", "k", fd, &got, &size, &err), 0);
	assert_true(size == 5 && digest_equal(&got, &want));
	assert_int_equal(pread(fd, text, sizeof(text) - 1, 0), 12);
	assert_string_equal(text, "before whole");
}

static void received_bytes_must_have_the_stored_checksum(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
	auto_err err = { 0 };
	auto_free char *text = NULL;
	struct digest other = digest_of("other", 5);
	auto_free char *checksum = str_base64(other.b, sizeof(other.b));
	size_t n;

	(void)state;
	fake_store(f, "/bucket/k", "bytes", 5, checksum);
	assert_int_equal(s3_get_bytes(&f->s3, "bucket", "k", 100, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	fake_store(f, "/bucket/k", "bytes", 5, "c29tZXRoaW5n-3"); /* composite: says nothing about the whole */
	assert_int_equal(s3_get_bytes(&f->s3, "bucket", "k", 100, &text, &n, &err), 0);
}

#define PAGE(rest) "<ListBucketResult xmlns=\"x\"><EncodingType>url</EncodingType>" rest "</ListBucketResult>"
#define ENTRY(key) "<Contents><Key>" key "</Key><Size>3</Size></Contents>"

static void lists_follow_their_pages(void **state)
{
	static const struct fake_answer pages[] = {
		{ 200, NULL, NULL,
		  PAGE(ENTRY("p/%C3%A4+b%2B") "<IsTruncated>true</IsTruncated>"
					      "<NextContinuationToken>t/1=</NextContinuationToken>") },
		{ 200, NULL, NULL, PAGE(ENTRY("p/%C3%A4z") "<IsTruncated>false</IsTruncated>") },
		{ 0 },
	};
	auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
	auto_s3_listing list = { 0 };
	auto_err err = { 0 };

	(void)state;
	f->canned = pages;
	assert_int_equal(s3_list(&f->s3, "bucket", "p/ä", 2, &list, &err), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.v[0].key, "p/ä b+");
	assert_string_equal(f->log.v[0], "GET " LOOPBACK "/bucket?encoding-type=url&list-type=2&prefix=p%2F%C3%A4");
	assert_non_null(strstr(f->log.v[1], "?continuation-token=t%2F1%3D&encoding-type=url&list-type=2&prefix="));
}

static void hostile_lists_end(void **state)
{
#define AGAIN "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
	static const struct fake_answer lists[][3] = {
		{ { 200, NULL, NULL, PAGE(ENTRY("pa") ENTRY("pb") ENTRY("pc")) }, { 0 } },
		{ { 200, NULL, NULL, PAGE(AGAIN) }, { 200, NULL, NULL, PAGE(AGAIN) }, { 0 } },
		{ { 200, NULL, NULL, PAGE("<IsTruncated>true</IsTruncated>") }, { 0 } },
		{ { 200, NULL, NULL, PAGE("<Contents><Key>pa</Key><Size>-1</Size></Contents>") }, { 0 } },
		{ { 200, NULL, NULL, PAGE("<Contents><Size>1</Size></Contents>") }, { 0 } },
		{ { 200, NULL, NULL, PAGE(ENTRY("pa%0")) }, { 0 } },
		{ { 200, NULL, NULL, "<ListPartsResult/>" }, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
		auto_s3_listing list = { 0 };
		auto_err err = { 0 };

		f->canned = lists[i];
		assert_int_equal(s3_list(&f->s3, "bucket", "p", 2, &list, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

/* 200 does not say that it was done: a refusal in the body decides, and what names no object is asked for again. */
static void answers_of_200_are_looked_at(void **state)
{
	static const struct fake_answer passing[] = { { 200, NULL, NULL, "<Error><Code>InternalError</Code></Error>" },
						      { 200, NULL, NULL, "" },
						      { 0 } };
	static const struct fake_answer final[] = { { 200, NULL, NULL, "<Error><Code>AccessDenied</Code></Error>" },
						    { 0 } };
	auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
	auto_s3_listing list = { 0 };
	auto_strlist odd = { 0 };
	auto_free char *text = NULL;
	auto_err err = { 0 };

	(void)state;
	f->canned = passing;
	assert_int_equal(s3_put_bytes(&f->s3, "bucket", "k", "x", 1, "text/plain", &err), 0);
	assert_int_equal(f->log.n, 3);
	assert_non_null(fake_find(f, "/bucket/k"));
	f->canned = passing;
	assert_int_equal(s3_get_bytes(&f->s3, "bucket", "k", 100, &text, NULL, &err), 0);
	assert_string_equal(text, "x");
	f->canned = passing;
	assert_int_equal(s3_list(&f->s3, "bucket", "", 9, &list, &err), 0);
	assert_int_equal(list.n, 1);
	f->canned = final;
	assert_int_equal(s3_put_bytes(&f->s3, "bucket", "k2", "x", 1, "text/plain", &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_non_null(strstr(err.msg, "AccessDenied"));
	assert_null(fake_find(f, "/bucket/k2"));
	/* Where nothing is due but a status, too. */
	f->canned = final;
	err_release(&err);
	assert_int_equal(s3_multipart_abort(&f->s3, "bucket", "k", "u", &err), -1);
	f->canned = final;
	err_release(&err);
	strlist_add(&odd, "control\1");
	assert_int_equal(s3_delete(&f->s3, "bucket", &odd, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
}

/* A service that names one page after the other comes to an end. */
static void hostile_lists_of_uploads_end(void **state)
{
#define UPLOADS(inner) "<ListMultipartUploadsResult>" inner "</ListMultipartUploadsResult>"
#define MARKED(key)    UPLOADS("<IsTruncated>true</IsTruncated><NextKeyMarker>" key "</NextKeyMarker>")
	static const struct fake_answer lists[][6] = {
		{ { 200, NULL, NULL, MARKED("a") },
		  { 200, NULL, NULL, MARKED("b") },
		  { 200, NULL, NULL, MARKED("a") },
		  { 200, NULL, NULL, MARKED("b") },
		  { 200, NULL, NULL, MARKED("a") },
		  { 0 } },
		{ { 200, NULL, NULL, MARKED("a") }, { 200, NULL, NULL, MARKED("a") }, { 0 } },
		{ { 200, NULL, NULL, UPLOADS("<Upload><Key>a</Key></Upload>") }, { 0 } },
		{ { 200, NULL, NULL, "<ListBucketResult/>" }, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
		auto_s3_uploads uploads = { 0 };
		auto_err err = { 0 };

		f->canned = lists[i];
		assert_int_equal(s3_multipart_list(&f->s3, "bucket", "p", 2, &uploads, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

/* What is asked for goes along signed; without it the bucket's default holds. */
static void test_encryption(void **state)
{
	static const struct {
		const char *text, *algorithm, *key; /* algorithm "" : refused */
	} cases[] = {
		{ NULL, NULL, NULL },
		{ "none", NULL, NULL },
		{ "AES256", "AES256", NULL },
		{ "aws:kms", "aws:kms", NULL },
		{ "alias/code", "aws:kms", "alias/code" },
		{ "1234abcd-12ab-34cd-56ef-1234567890ab", "aws:kms", "1234abcd-12ab-34cd-56ef-1234567890ab" },
		{ "mrk-1234abcd12ab34cd56ef1234567890ab", "aws:kms", "mrk-1234abcd12ab34cd56ef1234567890ab" },
		{ "arn:aws-cn:kms:cn-north-1:123456789012:key/1", "aws:kms",
		  "arn:aws-cn:kms:cn-north-1:123456789012:key/1" },
		{ "arn:aws:s3:::bucket", "", NULL },
		{ "aes256", "", NULL },
		{ "KMS", "", NULL },
		{ "alias/", "", NULL },
		{ "alias/a b", "", NULL },
		{ "alias/a\r\nx: y", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", NULL);
		auto_err err = { 0 };
		const char *signed_headers;

		if (s3_encryption_parse(cases[i].text, &f->s3.encryption, &err) < 0) {
			assert_string_equal(cases[i].algorithm, "");
			assert_int_equal(err.code, ERR_CONFIG);
			continue;
		}
		assert_int_equal(s3_put_bytes(&f->s3, "bucket", "k", "x", 1, "text/plain", &err), 0);
		signed_headers = http_headers_get(&f->last, "authorization");
		assert_true(str_eq(http_headers_get(&f->last, "x-amz-server-side-encryption"), cases[i].algorithm) ||
			    !cases[i].algorithm);
		assert_int_equal(!cases[i].algorithm, !strstr(signed_headers, "x-amz-server-side-encryption"));
		assert_true(!cases[i].key ||
			    str_eq(http_headers_get(&f->last, "x-amz-server-side-encryption-aws-kms-key-id"),
				   cases[i].key));
		assert_int_equal(!cases[i].key, !strstr(signed_headers, "aws-kms-key-id"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uris),
		cmocka_unit_test(what_is_put_can_be_got),
		cmocka_unit_test(changed_file_is_said_by_name),
		cmocka_unit_test(download_starts_anew_after_a_break),
		cmocka_unit_test(received_bytes_must_have_the_stored_checksum),
		cmocka_unit_test(lists_follow_their_pages),
		cmocka_unit_test(hostile_lists_end),
		cmocka_unit_test(answers_of_200_are_looked_at),
		cmocka_unit_test(hostile_lists_of_uploads_end),
		cmocka_unit_test(test_encryption),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
