/* s3/uri.h and s3/object.h. */

#include "tests/unit/fake_s3.h"

#include <unistd.h>

#include "base/fs.h"
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

static void bucket_is_addressed_where_its_certificate_holds(void **state)
{
	static const struct {
		const char *endpoint;
		enum endpoint_addressing addressing;
		const char *bucket, *want;
	} cases[] = {
		{ NULL, ENDPOINT_AUTO, "bucket", "https://bucket.s3.eu-west-1.amazonaws.com/" },
		{ NULL, ENDPOINT_VIRTUAL, "bucket", "https://bucket.s3.eu-west-1.amazonaws.com/" },
		{ NULL, ENDPOINT_PATH, "bucket", "https://s3.eu-west-1.amazonaws.com/bucket/" },
		{ NULL, ENDPOINT_AUTO, "my.bucket", "https://s3.eu-west-1.amazonaws.com/my.bucket/" },
		{ NULL, ENDPOINT_VIRTUAL, "my.bucket", "https://s3.eu-west-1.amazonaws.com/my.bucket/" },
		{ LOOPBACK, ENDPOINT_AUTO, "bucket", LOOPBACK "/bucket/" },
		{ LOOPBACK, ENDPOINT_VIRTUAL, "bucket", LOOPBACK "/bucket/" }, /* nothing stands before an address */
		{ LOOPBACK "/s3", ENDPOINT_AUTO, "bucket", LOOPBACK "/s3/bucket/" },
		{ "http://[::1]:4566", ENDPOINT_AUTO, "bucket", "http://[::1]:4566/bucket/" },
		{ "http://[::1]:4566", ENDPOINT_VIRTUAL, "bucket", "http://[::1]:4566/bucket/" },
		{ "http://localhost:4566", ENDPOINT_AUTO, "bucket", "http://localhost:4566/bucket/" },
		{ "http://localhost:4566", ENDPOINT_PATH, "bucket", "http://localhost:4566/bucket/" },
		{ "http://localhost:4566", ENDPOINT_VIRTUAL, "bucket", "http://bucket.localhost:4566/" },
		{ "http://localhost:4566/s3", ENDPOINT_VIRTUAL, "my.bucket", "http://my.bucket.localhost:4566/s3/" },
		{ "https://store.example", ENDPOINT_VIRTUAL, "my.bucket", "https://store.example/my.bucket/" },
		{ "https://store.example", ENDPOINT_VIRTUAL, "bucket", "https://bucket.store.example/" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", cases[i].endpoint);
		auto_free char *want = xasprintf("HEAD %sa/b%%20%%2B%%C3%%A4%%3F", cases[i].want);
		auto_err err = { 0 };

		f->id.endpoints[AWS_S3].addressing = cases[i].addressing;
		assert_int_equal(s3_head_object(&f->s3, cases[i].bucket, "a/b +ä?", NULL, &err), -1);
		assert_int_equal(err.code, ERR_NOT_FOUND);
		assert_string_equal(f->log.v[0], want);
		assert_string_equal(http_headers_get(&f->last, "x-amz-expected-bucket-owner"), "123456789012");
		assert_non_null(strstr(http_headers_get(&f->last, "authorization"), "x-amz-expected-bucket-owner"));
	}
}

#define MOVED(region) "<Error><Code>PermanentRedirect</Code><Message>m</Message><Region>" region "</Region></Error>"

/* Where the second request goes and what it is signed for; NULL: there is none, and the error says so. */
static void bucket_is_followed_to_its_region_once(void **state)
{
	static const struct {
		const char *endpoint;
		struct fake_answer answers[3];
		const char *second, *scope, *why;
	} cases[] = {
		{ NULL,
		  { { 301, "x-amz-bucket-region", "eu-central-1", MOVED("eu-central-1") }, { 0 } },
		  "GET https://bucket.s3.eu-central-1.amazonaws.com/k",
		  "/eu-central-1/s3/",
		  NULL },
		{ NULL,
		  { { 307, "Location", "https://evil.example/k", MOVED("us-west-2") }, { 0 } },
		  "GET https://bucket.s3.us-west-2.amazonaws.com/k",
		  "/us-west-2/s3/",
		  NULL },
		{ NULL,
		  { { 400, NULL, NULL,
		      "<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-east-1</Region></Error>" },
		    { 0 } },
		  "GET https://bucket.s3.us-east-1.amazonaws.com/k",
		  "/us-east-1/s3/",
		  NULL },
		{ LOOPBACK,
		  { { 301, "x-amz-bucket-region", "eu-central-1", "" }, { 0 } },
		  "GET " LOOPBACK "/bucket/k",
		  "/eu-central-1/s3/",
		  NULL },
		/* Not in the partition, no region's name, sent on again, nowhere to go. */
		{ NULL,
		  { { 301, "x-amz-bucket-region", "cn-north-1", "" }, { 0 } },
		  NULL,
		  NULL,
		  "bucket 'bucket' is in region 'cn-north-1', not in 'eu-west-1'" },
		{ NULL,
		  { { 301, "x-amz-bucket-region", "evil.example/", "" }, { 0 } },
		  NULL,
		  NULL,
		  "bucket 'bucket' is in region 'evil.example/', not in 'eu-west-1'" },
		{ NULL,
		  { { 301, "x-amz-bucket-region", "eu-west-2", "" },
		    { 301, "x-amz-bucket-region", "eu-west-3", "" },
		    { 0 } },
		  "GET https://bucket.s3.eu-west-2.amazonaws.com/k",
		  NULL,
		  "bucket 'bucket' is in region 'eu-west-3', not in 'eu-west-2'" },
		{ NULL,
		  { { 301, "Location", "https://evil.example/k", "<Error><Code>PermanentRedirect</Code></Error>" },
		    { 0 } },
		  NULL,
		  NULL,
		  "301 PermanentRedirect" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", cases[i].endpoint);
		auto_free char *text = NULL;
		auto_err err = { 0 };
		size_t n;
		int rc;

		fake_store(f, "/k", "v", 1, NULL);
		fake_store(f, "/bucket/k", "v", 1, NULL);
		f->canned = cases[i].answers;
		rc = s3_get_bytes(&f->s3, "bucket", "k", 10, &text, &n, &err);
		assert_int_equal(rc, cases[i].why ? -1 : 0);
		assert_int_equal(f->log.n, cases[i].second ? 2 : 1);
		if (cases[i].why)
			assert_non_null(strstr(err.msg, cases[i].why));
		if (cases[i].second)
			assert_string_equal(f->log.v[1], cases[i].second);
		if (cases[i].scope)
			assert_non_null(strstr(http_headers_get(&f->last, "authorization"), cases[i].scope));
	}
}

static void region_of_a_bucket_is_remembered(void **state)
{
	static const struct fake_answer moved[] = { { 301, "x-amz-bucket-region", "eu-central-1", "" }, { 0 } };
	auto_fake_s3 *f = fake_s3_new("eu-west-1", NULL);
	auto_err err = { 0 };

	(void)state;
	f->id.bucket_regions = bucket_regions_new();
	f->canned = moved;
	assert_int_equal(s3_put_bytes(&f->s3, "my.bucket", "a", "1", 1, "x/y", &err), 0);
	assert_int_equal(s3_put_bytes(&f->s3, "my.bucket", "b", "1", 1, "x/y", &err), 0);
	assert_int_equal(s3_put_bytes(&f->s3, "other", "c", "1", 1, "x/y", &err), 0);
	assert_int_equal(f->log.n, 4);
	assert_string_equal(f->log.v[2], "PUT https://s3.eu-central-1.amazonaws.com/my.bucket/b");
	assert_string_equal(f->log.v[3], "PUT https://other.s3.eu-west-1.amazonaws.com/c");
}

static void store_without_accounts_is_told_none(void **state)
{
	auto_fake_s3 *f = fake_s3_new("us-east-1", LOOPBACK);
	auto_err err = { 0 };

	(void)state;
	f->s3.bucket_owner = NULL;
	assert_int_equal(s3_put_bytes(&f->s3, "bucket", "k", "1", 1, "x/y", &err), 0);
	assert_null(http_headers_get(&f->last, "x-amz-expected-bucket-owner"));
}

static void what_is_put_can_be_got(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
	auto_err err = { 0 };
	auto_filelist files = { 0 };
	auto_s3_head head = { 0 };
	auto_free char *text = NULL;
	auto_close int fd = fs_temp_file(&err);
	struct digest digest = digest_of("12345", 5), got;
	struct file_entry *e = filelist_add(&files, "x", FILE_MODE_PLAIN);
	uint64_t size;
	size_t n;

	(void)state;
	e->bytes = xstrdup("entry");
	e->size = 5;
	assert_int_equal(s3_put_entry(&f->s3, "bucket", "e", e, "text/plain", &err), -1); /* not hashed */
	assert_int_equal(filelist_hash(&files, &err), 0);
	assert_int_equal(s3_put_entry(&f->s3, "bucket", "e", e, "text/plain", &err), 0);
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
	assert_string_equal(text, "entry");
	assert_int_equal(s3_get_bytes(&f->s3, "bucket", "e", 4, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(s3_get_bytes(&f->s3, "bucket", "none", 4, &text, &n, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(s3_get_fd(&f->s3, "bucket", "e", fd, &got, &size, &err), 0);
	assert_true(size == 5 && digest_equal(&got, &e->digest));
}

static void changed_file_is_said_by_name(void **state)
{
	auto_fake_s3 *f = fake_s3_new("eu-west-1", LOOPBACK);
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	struct file_entry *e = filelist_add(&files, "data/x", FILE_MODE_PLAIN);

	(void)state;
	e->bytes = xstrdup("old");
	e->size = 3;
	assert_int_equal(filelist_hash(&files, &err), 0);
	memcpy(e->bytes, "new", 3);
	assert_int_equal(s3_put_entry(&f->s3, "bucket", "k", e, "text/plain", &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
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

static void refusals_have_words(void **state)
{
	static const struct fake_answer foreign[] = { { 403, NULL, NULL, "" }, { 0 } };
	static const struct fake_answer late[] = { { 403, "Date", "Wed, 15 Nov 2023 00:13:20 GMT", "" }, { 0 } };
	auto_fake_s3 *f = fake_s3_new("eu-west-1", NULL);
	auto_free char *region = NULL;
	auto_err err = { 0 };

	(void)state;
	f->canned = foreign;
	assert_int_equal(s3_has_bucket(&f->s3, "bucket", &region, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_non_null(strstr(err.msg,
			       "s3:ListBucket on arn:aws:s3:::bucket is not allowed, or bucket 'bucket' belongs to "
			       "another account than 123456789012"));
	assert_non_null(strstr(err.hint, "--account"));
	/* From who may not list, what is not there is kept back as well. */
	f->canned = foreign;
	assert_int_equal(s3_head_object(&f->s3, "bucket", "k", NULL, &err), -1);
	assert_non_null(strstr(err.msg, "s3:GetObject on arn:aws:s3:::bucket/k is not allowed, or there is no such "
					"object and s3:ListBucket is not allowed, or bucket 'bucket' belongs to"));
	assert_int_equal(s3_head_object(&f->s3, "bucket", "k", NULL, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.msg, "there is no such object, or no such bucket: HeadObject 's3://bucket/k': 404");
	/* A wrong clock is no other account. */
	f->canned = late;
	assert_int_equal(s3_head_object(&f->s3, "bucket", "k", NULL, &err), -1);
	assert_null(strstr(err.msg, "another account"));
	assert_non_null(strstr(err.msg, "this machine's is 2 h 00 min behind"));
}

/* An answer to HEAD has no body: the header alone says where the bucket is. */
static void bucket_is_looked_for_where_it_is(void **state)
{
	static const struct {
		struct fake_answer answers[3];
		int has;
		size_t n_requests;
		const char *want; /* region, or words */
	} cases[] = {
		{ { { 200, NULL, NULL, "" }, { 0 } }, 1, 1, "eu-west-1" },
		{ { { 301, "x-amz-bucket-region", "eu-central-1", "" }, { 200, NULL, NULL, "" }, { 0 } },
		  1,
		  2,
		  "eu-central-1" },
		{ { { 307, "x-amz-bucket-region", "eu-central-1", "" }, { 200, NULL, NULL, "" }, { 0 } },
		  1,
		  2,
		  "eu-central-1" },
		{ { { 400, "x-amz-bucket-region", "us-east-1", "" }, { 200, NULL, NULL, "" }, { 0 } },
		  1,
		  2,
		  "us-east-1" },
		{ { { 301, "x-amz-bucket-region", "eu-central-1", "" }, { 404, NULL, NULL, "" }, { 0 } }, 0, 2, NULL },
		{ { { 301, "x-amz-bucket-region", "eu-central-1", "" }, { 403, NULL, NULL, "" }, { 0 } },
		  -1,
		  2,
		  "s3:ListBucket on arn:aws:s3:::bucket is not allowed" },
		{ { { 301, "x-amz-bucket-region", "cn-north-1", "" }, { 0 } },
		  -1,
		  1,
		  "bucket 'bucket' is in region 'cn-north-1', not in 'eu-west-1'" },
		{ { { 400, NULL, NULL, "" }, { 0 } }, -1, 1, "HeadBucket 's3://bucket/': 400" },
		{ { { 400, "x-amz-bucket-region", "eu-west-1", "" }, { 0 } }, -1, 1, "HeadBucket 's3://bucket/': 400" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_s3 *f = fake_s3_new("eu-west-1", NULL);
		auto_free char *region = NULL;
		auto_err err = { 0 };

		f->canned = cases[i].answers;
		assert_int_equal(s3_has_bucket(&f->s3, "bucket", &region, &err), cases[i].has);
		assert_int_equal(f->log.n, cases[i].n_requests);
		if (cases[i].has < 0)
			assert_non_null(strstr(err.msg, cases[i].want));
		else if (cases[i].want)
			assert_string_equal(region, cases[i].want);
		if (region && strcmp(region, "eu-west-1") != 0)
			assert_non_null(strstr(http_headers_get(&f->last, "authorization"), region));
	}
}

static void missing_permission_is_named(void **state)
{
	static const struct {
		const char *owner, *body, *want;
	} cases[] = {
		{ "123456789012", "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
		  "s3:PutObject on arn:aws-cn:s3:::bucket/a/k is not allowed, or bucket 'bucket' belongs to another account "
		  "than 123456789012: PutObject 's3://bucket/a/k': 403 AccessDenied: Access Denied" },
		{ NULL, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
		  "s3:PutObject on arn:aws-cn:s3:::bucket/a/k is not allowed: PutObject 's3://bucket/a/k': 403 AccessDenied: "
		  "Access Denied" },
		{ "123456789012",
		  "<Error><Code>AccessDenied</Code><Message>User: u is not authorized to perform: s3:PutObject on resource: r"
		  "</Message></Error>",
		  "PutObject 's3://bucket/a/k': 403 AccessDenied: User: u is not authorized to perform: s3:PutObject on "
		  "resource: r" },
		{ "123456789012", "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>",
		  "PutObject 's3://bucket/a/k': 403 SignatureDoesNotMatch: m" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fake_answer canned[] = { { 403, NULL, NULL, cases[i].body }, { 0 } };
		auto_fake_s3 *f = fake_s3_new("cn-north-1", LOOPBACK);
		auto_err err = { 0 };

		f->s3.bucket_owner = cases[i].owner;
		f->canned = canned;
		assert_int_equal(s3_put_bytes(&f->s3, "bucket", "a/k", "1", 1, "x/y", &err), -1);
		assert_int_equal(err.code, ERR_AUTH);
		assert_string_equal(err.msg, cases[i].want);
	}
}

static void bucket_is_made_in_its_region_and_closed(void **state)
{
	static const struct {
		const char *region;
		struct fake_answer answers[3];
		const char *constraint;
	} cases[] = {
		{ "eu-west-1",
		  { { 200, NULL, NULL, "" }, { 0 } },
		  "<LocationConstraint>eu-west-1</LocationConstraint>" },
		{ "us-east-1", { { 200, NULL, NULL, "" }, { 0 } }, NULL },
		{ "eu-west-1",
		  { { 409, NULL, NULL, "<Error><Code>BucketAlreadyOwnedByYou</Code><Message>m</Message></Error>" },
		    { 0 } },
		  "LocationConstraint" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_fake_s3 *f = fake_s3_new(cases[i].region, NULL);
		auto_err err = { 0 };

		f->canned = cases[i].answers;
		assert_int_equal(s3_create_bucket(&f->s3, "bucket", &err), 0);
		assert_int_equal(f->log.n, 3);
		assert_non_null(strstr(f->log.v[1], "?publicAccessBlock"));
		assert_non_null(strstr(f->log.v[2], "?encryption"));
		assert_non_null(strstr(str_text(&f->body), "<SSEAlgorithm>AES256</SSEAlgorithm>"));
	}
}

static void taken_bucket_name_is_a_conflict(void **state)
{
	static const struct fake_answer taken[] = {
		{ 409, NULL, NULL, "<Error><Code>BucketAlreadyExists</Code><Message>m</Message></Error>" }, { 0 }
	};
	auto_fake_s3 *f = fake_s3_new("us-east-1", NULL);
	auto_err err = { 0 };

	(void)state;
	f->canned = taken;
	assert_int_equal(s3_create_bucket(&f->s3, "bucket", &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(f->log.n, 1);
	assert_int_equal(f->body.len, 0); /* us-east-1 must not be named */
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
		cmocka_unit_test(bucket_is_addressed_where_its_certificate_holds),
		cmocka_unit_test(bucket_is_followed_to_its_region_once),
		cmocka_unit_test(region_of_a_bucket_is_remembered),
		cmocka_unit_test(store_without_accounts_is_told_none),
		cmocka_unit_test(missing_permission_is_named),
		cmocka_unit_test(what_is_put_can_be_got),
		cmocka_unit_test(changed_file_is_said_by_name),
		cmocka_unit_test(download_starts_anew_after_a_break),
		cmocka_unit_test(received_bytes_must_have_the_stored_checksum),
		cmocka_unit_test(refusals_have_words),
		cmocka_unit_test(bucket_is_looked_for_where_it_is),
		cmocka_unit_test(bucket_is_made_in_its_region_and_closed),
		cmocka_unit_test(taken_bucket_name_is_a_conflict),
		cmocka_unit_test(lists_follow_their_pages),
		cmocka_unit_test(hostile_lists_end),
		cmocka_unit_test(answers_of_200_are_looked_at),
		cmocka_unit_test(test_encryption),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
