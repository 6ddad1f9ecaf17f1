/* s3/request.h and the buckets of s3/object.h: where a bucket is found, whose it is, what refusals say, making one. */

#include "tests/unit/fake_s3.h"

#define LOOPBACK "http://127.0.0.1:4566"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket_is_addressed_where_its_certificate_holds),
		cmocka_unit_test(bucket_is_followed_to_its_region_once),
		cmocka_unit_test(region_of_a_bucket_is_remembered),
		cmocka_unit_test(store_without_accounts_is_told_none),
		cmocka_unit_test(refusals_have_words),
		cmocka_unit_test(bucket_is_looked_for_where_it_is),
		cmocka_unit_test(missing_permission_is_named),
		cmocka_unit_test(bucket_is_made_in_its_region_and_closed),
		cmocka_unit_test(taken_bucket_name_is_a_conflict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
