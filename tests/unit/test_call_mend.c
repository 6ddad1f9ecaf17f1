/* What a call mends by itself: a wrong clock, expired credentials. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "tests/unit/fake_http.h"

#define SKEWED_XML "<Error><Code>RequestTimeTooSkewed</Code></Error>"
#define OLD_XML    "<Error><Code>ExpiredToken</Code><Message>old</Message></Error>"

/* One client and what it met. */
struct bench {
	struct fake_http f;
	struct aws_identity id;
	struct aws aws;
};

static void bench_init(struct bench *b, const struct fake_answer *answers, size_t n)
{
	*b = (struct bench){ .f = fake_http_of(answers, n) };
	fake_identity(&b->id);
	b->aws = (struct aws){ &b->id, &b->f.http };
}

static void bench_release(struct bench *b)
{
	assert_int_equal(b->f.n_sent, b->f.n_answers);
	fake_http_release(&b->f);
	aws_identity_release(&b->id);
}

static int put(struct bench *b, enum aws_service service, struct err *err)
{
	auto_response resp = { 0 };

	return aws_send(&b->aws, "Put", &(struct aws_request){ .service = service, .method = "PUT", .path = "/k" },
			&resp, err);
}

static const char *sent(const struct bench *b, size_t i, const char *name)
{
	const char *value = http_headers_get(&b->f.sent[i].headers, name);

	return value ? value : "";
}

/* The machine's time is 2023-11-23 01:38:54; not idempotent requests are sent again too. */
static void test_clock(void **state)
{
	static const struct {
		const char *date, *code;
		int n_sent, result;
		const char *signed_at;
	} cases[] = {
		{ "Thu, 23 Nov 2023 02:38:54 GMT", "RequestTimeTooSkewed", 2, 0, "20231123T023854Z" },
		{ "Wed, 22 Nov 2023 00:38:54 GMT", "InvalidSignatureException", 2, 0, "20231122T003854Z" },
		{ "Fri, 24 Nov 2023 02:38:54 GMT", "RequestTimeTooSkewed", 2, 0, "20231124T023854Z" },
		{ "Thu, 23 Nov 2023 01:22:54 GMT", "SignatureDoesNotMatch", 2, 0, "20231123T012254Z" },
		{ "Thu, 23 Nov 2023 01:54:54 GMT", "RequestExpired", 2, 0, "20231123T015454Z" },
		{ "Thu, 23 Nov 2023 01:43:55 GMT", "AuthFailure", 2, 0, "20231123T014355Z" },
		{ "Thu, 23 Nov 2023 01:43:55 GMT", "RequestInTheFuture", 2, 0, "20231123T014355Z" },
		{ "Thu, 23 Nov 2023 01:43:54 GMT", "RequestTimeTooSkewed", 1, -1, NULL },
		{ "Thu, 23 Nov 2023 01:34:54 GMT", "RequestTimeTooSkewed", 1, -1, NULL },
		{ "Thu, 23 Nov 2023 02:38:54 GMT", "AccessDenied", 1, -1, NULL },
		{ "Thu, 23 Nov 2023 02:38:54", "RequestTimeTooSkewed", 1, -1, NULL },
		{ "2023-11-23T02:38:54Z", "RequestTimeTooSkewed", 1, -1, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *date = xasprintf("Date: %s", cases[i].date);
		auto_free char *body = xasprintf("<Error><Code>%s</Code></Error>", cases[i].code);
		struct fake_answer answers[] = { { 403, body, { date } }, { .status = 200 } };
		auto_err err = { 0 };
		struct bench b;

		bench_init(&b, answers, (size_t)cases[i].n_sent);
		assert_int_equal(put(&b, AWS_S3, &err), cases[i].result);
		if (cases[i].signed_at) {
			assert_string_equal(sent(&b, 1, "x-amz-date"), cases[i].signed_at);
			assert_string_equal(sent(&b, 1, "amz-sdk-request"), "attempt=2; max=4");
		}
		bench_release(&b);
	}
}

/* One extra request per endpoint host, not per call; other hosts keep their own time. */
static void test_clock_is_kept(void **state)
{
	static const struct fake_answer answers[] = {
		{ 403, SKEWED_XML, { "date: Thu, 23 Nov 2023 02:38:54 GMT" } },
		{ .status = 200 },
		{ .status = 200 },
		{ .status = 200 },
	};
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, answers, 4);
	assert_int_equal(put(&b, AWS_S3, &err), 0);
	assert_int_equal(put(&b, AWS_S3, &err), 0);
	assert_int_equal(put(&b, AWS_LOGS, &err), 0);
	assert_string_equal(sent(&b, 2, "x-amz-date"), "20231123T023854Z");
	assert_string_equal(sent(&b, 3, "x-amz-date"), "20231123T013854Z");
	assert_int_equal(aws_clock_now_ms(&b.id, AWS_S3), FAKE_NOW_MS + 3600 * 1000);
	assert_int_equal(aws_clock_now_ms(&b.id, AWS_LOGS), FAKE_NOW_MS);
	bench_release(&b);
}

static const char *one_endpoint(const char *name)
{
	return !strcmp(name, "AWS_ENDPOINT_URL") ? "http://127.0.0.1:4566" : NULL;
}

static void test_clock_of_one_host(void **state)
{
	static const struct fake_answer answers[] = {
		{ 403, SKEWED_XML, { "date: Thu, 23 Nov 2023 02:38:54 GMT" } },
		{ .status = 200 },
		{ .status = 200 },
	};
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, answers, 3);
	assert_int_equal(aws_identity_locate(&b.id, "eu-west-1", NULL, one_endpoint, &err), 0);
	assert_int_equal(put(&b, AWS_S3, &err), 0);
	assert_int_equal(put(&b, AWS_LOGS, &err), 0);
	assert_string_equal(sent(&b, 2, "x-amz-date"), "20231123T023854Z");
	bench_release(&b);
}

/* One host of many has a wrong clock: the next one is as right as ours. */
static void test_clock_of_one_of_many(void **state)
{
	static const struct fake_answer answers[] = {
		{ 403, "", { "date: Thu, 23 Nov 2023 03:38:54 GMT" } },
		{ 403, SKEWED_XML, { "date: Thu, 23 Nov 2023 01:38:54 GMT" } },
		{ .status = 200 },
	};
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, answers, 3);
	assert_int_equal(put(&b, AWS_S3, &err), 0);
	assert_string_equal(sent(&b, 1, "x-amz-date"), "20231123T033854Z");
	assert_string_equal(sent(&b, 2, "x-amz-date"), "20231123T013854Z");
	bench_release(&b);
}

/* A service whose own clock jumps is believed twice per call. */
static void test_clock_that_jumps(void **state)
{
	static const struct fake_answer answers[] = {
		{ 403, SKEWED_XML, { "date: Thu, 23 Nov 2023 02:38:54 GMT" } },
		{ 403, SKEWED_XML, { "date: Thu, 23 Nov 2023 05:38:54 GMT" } },
		{ 403, SKEWED_XML, { "date: Thu, 23 Nov 2023 09:38:54 GMT" } },
	};
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, answers, 3);
	assert_int_equal(put(&b, AWS_S3, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_string_equal(err.hint, "this machine's clock is 8 h 00 min behind; set it right");
	bench_release(&b);
}

static int head(struct bench *b, struct err *err)
{
	auto_response resp = { 0 };

	return aws_send(&b->aws, "Head", &(struct aws_request){ .service = AWS_S3, .method = "HEAD", .path = "/k" },
			&resp, err);
}

/* Without a body, the Date tells why a HEAD was refused. */
static void test_clock_of_head(void **state)
{
	static const struct fake_answer once[] = { { 403, "", { "Date: Thu, 23 Nov 2023 03:38:54 GMT" } },
						   { .status = 200 } };
	static const struct fake_answer denied[] = { { 403, "", { "Date: Thu, 23 Nov 2023 03:38:54 GMT" } },
						     { 403, "", { "Date: Thu, 23 Nov 2023 03:38:54 GMT" } } };
	static const struct fake_answer jumps[] = { { 403, "", { "Date: Thu, 23 Nov 2023 03:38:54 GMT" } },
						    { 403, "", { "Date: Thu, 23 Nov 2023 05:38:54 GMT" } },
						    { 403, "", { "Date: Thu, 23 Nov 2023 00:38:54 GMT" } } };
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, once, 2);
	assert_int_equal(head(&b, &err), 0);
	bench_release(&b);
	/* The right time does not help: it was something else. */
	bench_init(&b, denied, 2);
	assert_int_equal(head(&b, &err), -1);
	assert_string_equal(err.msg, "Head: 403");
	assert_null(err.hint);
	bench_release(&b);
	bench_init(&b, jumps, 3);
	assert_int_equal(head(&b, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_true(err_is_service(&err, "RequestTimeTooSkewed"));
	assert_string_equal(err.msg, "Head: 403: the clocks do not agree: by this answer, this machine's is 1 h 00 min "
				     "ahead");
	bench_release(&b);
}

/* Of calls side by side each is sent again, whichever learnt the time first. */
static void test_clock_side_by_side(void **state)
{
	static const struct fake_answer ok[] = { { .status = 200 } };
	struct http_response resp[2] = { { 0 }, { 0 } };
	const struct aws_request req = { .service = AWS_S3, .method = "GET", .path = "/k" };
	const struct http_request *out;
	struct aws_call *calls[2];
	auto_err err = { 0 };
	int64_t wait_ms;
	struct bench b;

	(void)state;
	bench_init(&b, ok, 0);
	for (int i = 0; i < 2; i++) {
		calls[i] = aws_call_new(&b.id, "Get", &req, &resp[i], &err);
		assert_int_equal(aws_call_prepare(calls[i], &out, &err), 0);
	}
	for (int i = 0; i < 2; i++) {
		resp[i].status = 403;
		str_add(&resp[i].body, SKEWED_XML);
		http_headers_add(&resp[i].headers, "Date", "Thu, 23 Nov 2023 03:38:54 GMT");
		assert_int_equal(aws_call_judge(calls[i], 0, &err, &wait_ms), AWS_AGAIN);
		assert_int_equal(aws_call_prepare(calls[i], &out, &err), 0);
		assert_string_equal(http_headers_get(&out->headers, "x-amz-date"), "20231123T033854Z");
		aws_call_free(calls[i]);
		http_response_release(&resp[i]);
	}
	bench_release(&b);
}

/* A refusal of HEAD has no code. */
static void test_clock_and_head(void **state)
{
	static const struct fake_answer answers[] = { { 403, "", { "Date: Thu, 23 Nov 2023 02:38:54 GMT" } },
						      { .status = 403,
							.headers = { "Date: Thu, 23 Nov 2023 02:38:54 GMT" } } };
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, answers, 2);
	assert_int_equal(put(&b, AWS_S3, &err), -1);
	bench_release(&b);
}

/* Hands out credentials; the second ones and those after when a service calls the ones before expired. */
struct vault {
	int n_asked;
	bool is_stuck, is_empty;
};

static int hand_out(void *ctx, struct creds *ret, struct err *err)
{
	struct vault *v = ctx;
	int n = v->n_asked++;
	auto_free char *id = xasprintf("AKID%d", v->is_stuck ? 0 : n);

	if (n > 0 && v->is_empty)
		return err_set(err, ERR_AUTH, "no more");
	return creds_set(ret, id, "not-a-secret", "token", "vault", err);
}

static void use_vault(struct bench *b, struct vault *v)
{
	creds_provider_free(b->id.credentials);
	b->id.credentials = creds_provider_from(hand_out, v, &fake_sys);
}

static int put_with(struct vault *v, const struct fake_answer *answers, size_t n, const char *last_key)
{
	auto_err err = { 0 };
	struct bench b;
	int result;

	bench_init(&b, answers, n);
	use_vault(&b, v);
	result = put(&b, AWS_S3, &err);
	if (result < 0)
		assert_int_equal(err.code, ERR_AUTH);
	assert_non_null(strstr(sent(&b, n - 1, "authorization"), last_key));
	bench_release(&b);
	return result;
}

static void test_expired(void **state)
{
	static const struct fake_answer once[] = { { 400, OLD_XML, { NULL } }, { .status = 200 } };
	static const struct fake_answer json[] = { { 400, "{\"__type\":\"ExpiredTokenException\"}", { NULL } },
						   { .status = 200 } };
	static const struct fake_answer twice[] = { { 400, OLD_XML, { NULL } }, { 400, OLD_XML, { NULL } } };
	struct vault good = { 0 }, other = { 0 }, worn = { 0 }, stuck = { .is_stuck = true },
		     empty = { .is_empty = true };

	(void)state;
	assert_int_equal(put_with(&good, once, 2, "AKID1"), 0);
	assert_int_equal(good.n_asked, 2);
	assert_int_equal(put_with(&other, json, 2, "AKID1"), 0);
	assert_int_equal(put_with(&worn, twice, 2, "AKID1"), -1);
	assert_int_equal(worn.n_asked, 2);
	assert_int_equal(put_with(&stuck, once, 1, "AKID0"), -1);
	assert_int_equal(put_with(&empty, once, 1, "AKID0"), -1);
}

/* A HEAD's 400 may mean it: then there are fresh ones. */
static void test_expired_head(void **state)
{
	static const struct fake_answer answers[] = { { .status = 400 }, { .status = 200 } };
	static const struct fake_answer stays[] = { { .status = 400 } };
	struct vault good = { 0 }, stuck = { .is_stuck = true };
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, answers, 2);
	use_vault(&b, &good);
	assert_int_equal(head(&b, &err), 0);
	assert_non_null(strstr(sent(&b, 1, "authorization"), "AKID1"));
	bench_release(&b);
	bench_init(&b, stays, 1);
	use_vault(&b, &stuck);
	assert_int_equal(head(&b, &err), -1);
	bench_release(&b);
}

/* Credentials that cannot be refreshed are not tried twice, nor are those of unsigned calls. */
static void test_nothing_to_refresh(void **state)
{
	static const struct fake_answer answers[] = { { 400, OLD_XML, { NULL } } };
	auto_response resp = { 0 };
	struct vault v = { 0 };
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, answers, 1);
	assert_int_equal(put(&b, AWS_S3, &err), -1);
	assert_string_equal(err.hint, "the credentials have expired; get new ones and run the command again");
	bench_release(&b);

	bench_init(&b, answers, 1);
	use_vault(&b, &v);
	assert_int_equal(aws_send(&b.aws, "AssumeRoleWithWebIdentity",
				  &(struct aws_request){ .service = AWS_STS, .method = "POST", .no_auth = true }, &resp,
				  &err),
			 -1);
	assert_int_equal(v.n_asked, 0);
	bench_release(&b);
}

/* Both causes in one call. */
static void test_both(void **state)
{
	static const struct fake_answer answers[] = {
		{ 403, SKEWED_XML, { "date: Thu, 23 Nov 2023 02:38:54 GMT" } },
		{ 400, OLD_XML, { NULL } },
		{ .status = 503, .body = "<Error><Code>SlowDown</Code></Error>" },
		{ .status = 200 },
	};
	struct vault v = { 0 };

	(void)state;
	assert_int_equal(put_with(&v, answers, 4, "AKID1"), 0);
}

static const char *fips_env(const char *name)
{
	return !strcmp(name, "AWS_USE_FIPS_ENDPOINT") ? "true" : NULL;
}

static void test_iam_endpoint(void **state)
{
	static const struct fake_answer ok[] = { { .status = 200 } };
	auto_err err = { 0 };
	struct bench b;

	(void)state;
	bench_init(&b, ok, 0);
	assert_int_equal(aws_identity_locate(&b.id, "eusc-de-east-1", NULL, fips_env, &err), 0);
	assert_int_equal(put(&b, AWS_IAM, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.hint, "give the role by its ARN, or set AWS_ENDPOINT_URL_IAM");
	bench_release(&b);

	bench_init(&b, ok, 1);
	assert_int_equal(put(&b, AWS_IAM, &err), 0);
	assert_string_equal(b.f.sent[0].url, "https://iam.amazonaws.com/k");
	assert_non_null(strstr(sent(&b, 0, "authorization"), "/us-east-1/iam/aws4_request"));
	bench_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_clock_is_kept),
		cmocka_unit_test(test_clock_of_one_host),
		cmocka_unit_test(test_clock_of_one_of_many),
		cmocka_unit_test(test_clock_that_jumps),
		cmocka_unit_test(test_clock_and_head),
		cmocka_unit_test(test_clock_of_head),
		cmocka_unit_test(test_clock_side_by_side),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_expired_head),
		cmocka_unit_test(test_nothing_to_refresh),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_iam_endpoint),
	};

	return cmocka_run_group_tests_name("aws/call, what it mends", tests, NULL, NULL);
}
