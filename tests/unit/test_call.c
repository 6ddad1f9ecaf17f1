#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sts.h"
#include "base/json.h"
#include "tests/unit/fake_http.h"

#define SEND(answers)      send_to(answers, ARRAY_LEN(answers), true, &err)
#define SEND_ONCE(answers) send_to(answers, ARRAY_LEN(answers), false, &err)

/* Send one S3 GET; returns the result and checks that the script was used up. */
static int send_to(const struct fake_answer *answers, size_t n, bool is_idempotent, struct err *err)
{
	auto_fake_http f = fake_http_of(answers, n);
	auto_aws_identity id = { 0 };
	auto_response resp = { 0 };
	struct aws aws = { &id, &f.http };
	int result;

	fake_identity(&id);
	result = aws_send(&aws, "GetObject",
			  &(struct aws_request){
				  .service = AWS_S3, .method = "GET", .path = "/b/k", .is_idempotent = is_idempotent },
			  &resp, err);
	assert_int_equal(f.n_sent, n);
	return result;
}

static void test_retries(void **state)
{
	static const struct fake_answer lost[] = { { 0 }, { .status = 503 }, { .status = 200, .body = "x" } };
	static const struct fake_answer gives_up[] = { { .status = 500 }, { .status = 502 }, { .status = 504 } };
	static const struct fake_answer final[] = { { .status = 400 } };
	static const struct fake_answer slow[] = { { .status = 400, .body = "{\"__type\":\"ThrottlingException\"}" },
						   { .status = 429 },
						   { .status = 200 } };
	static const struct fake_answer redirect[] = { { .status = 307,
							 .headers = { "location: http://elsewhere/" } } };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(SEND(lost), 0);
	assert_int_equal(SEND(slow), 0);
	assert_int_equal(err.code, ERR_NONE);
	assert_int_equal(SEND(gives_up), -1);
	assert_string_equal(err.msg, "GetObject: 504");
	assert_int_equal(err.code, ERR_SERVICE);
	assert_int_equal(SEND(final), -1);
	assert_int_equal(SEND(redirect), -1);
	assert_string_equal(err.msg, "GetObject: 307");
}

/* What may have been done is not done again. */
static void test_not_idempotent(void **state)
{
	static const struct fake_answer lost[] = { { 0 } };
	static const struct fake_answer internal[] = { { .status = 500 } };
	static const struct fake_answer refused[] = { { .status = -1 }, { .status = 200 } };
	static const struct fake_answer slow[] = { { .status = 503, .body = "<Error><Code>SlowDown</Code></Error>" },
						   { .status = 200 } };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(SEND_ONCE(lost), -1);
	assert_int_equal(err.code, ERR_NETWORK);
	assert_string_equal(err.msg, "GetObject: connection lost");
	assert_int_equal(SEND_ONCE(internal), -1);
	assert_int_equal(SEND_ONCE(refused), 0);
	assert_int_equal(SEND_ONCE(slow), 0);
}

static void test_errors(void **state)
{
	static const struct {
		struct fake_answer answer;
		enum err_code code;
		const char *service_code, *msg;
	} cases[] = {
		{ { 403,
		    "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>no</Message><RequestId>7A</RequestId></Error>",
		    { NULL } },
		  ERR_AUTH,
		  "AccessDenied",
		  "GetObject: 403 AccessDenied: no (request 7A)" },
		{ { 400,
		    "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>bad</Message></Error>"
		    "<RequestId>r1</RequestId></ErrorResponse>",
		    { NULL } },
		  ERR_AUTH,
		  "InvalidClientTokenId",
		  "GetObject: 400 InvalidClientTokenId: bad (request r1)" },
		{ { 400,
		    "{\"__type\":\"com.amazonaws.sagemaker#ResourceInUse\",\"message\":\"taken\"}",
		    { "x-amzn-RequestId: r2" } },
		  ERR_CONFLICT,
		  "ResourceInUse",
		  "GetObject: 400 ResourceInUse: taken (request r2)" },
		{ { 400,
		    "{\"Message\":\"full\"}",
		    { "x-amzn-ErrorType: ResourceLimitExceeded:http://internal.example/" } },
		  ERR_CAPACITY,
		  "ResourceLimitExceeded",
		  "GetObject: 400 ResourceLimitExceeded: full" },
		{ { 400,
		    "<Error><Code>Other</Code><Message>no</Message></Error>",
		    { "x-amzn-errortype: ValidationException" } },
		  ERR_SERVICE,
		  "ValidationException",
		  "GetObject: 400 ValidationException: no" },
		{ { 404, "", { "x-amz-request-id: r3" } }, ERR_NOT_FOUND, NULL, "GetObject: 404 (request r3)" },
		{ { 400, "{\"__type\":\"RepositoryNotFoundException\"}", { NULL } },
		  ERR_NOT_FOUND,
		  "RepositoryNotFoundException",
		  "GetObject: 400 RepositoryNotFoundException" },
		{ { 400, "{\"__type\":\"ImageAlreadyExistsException\"}", { NULL } },
		  ERR_CONFLICT,
		  "ImageAlreadyExistsException",
		  "GetObject: 400 ImageAlreadyExistsException" },
		{ { 412, "<Error><Code>PreconditionFailed</Code></Error>", { NULL } },
		  ERR_CONFLICT,
		  "PreconditionFailed",
		  "GetObject: 412 PreconditionFailed" },
		{ { 400, "{\"__type\":\"ValidationException\",\"message\":\"m\"}", { NULL } },
		  ERR_SERVICE,
		  "ValidationException",
		  "GetObject: 400 ValidationException: m" },
		{ { 418, "<html>not XML", { NULL } }, ERR_SERVICE, NULL, "GetObject: 418" },
		{ { 400, "{\"__type\":\"a code\\u001b[31m\"}", { NULL } }, ERR_SERVICE, NULL, "GetObject: 400" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_err err = { 0 };

		assert_int_equal(send_to(&cases[i].answer, 1, true, &err), -1);
		assert_string_equal(err.msg, cases[i].msg);
		assert_int_equal(err.code, cases[i].code);
		assert_true(str_eq(err.service_code, cases[i].service_code));
	}
}

static void test_long_message_is_cut(void **state)
{
	auto_str body = { 0 };
	auto_err err = { 0 };
	struct fake_answer answer = { .status = 400 };

	(void)state;
	str_add(&body, "{\"message\":\"a");
	for (int i = 0; i < 5000; i++)
		str_add(&body, "ä");
	str_add(&body, "\"}");
	answer.body = body.s;
	assert_int_equal(send_to(&answer, 1, true, &err), -1);
	assert_in_range(strlen(err.msg), 2000, 2100);
	assert_true(str_is_utf8(err.msg, strlen(err.msg)));
}

static const char *header(const struct fake_http *f, size_t i, const char *name)
{
	return http_headers_get(&f->sent[i].headers, name);
}

static void test_what_is_sent(void **state)
{
	static const struct fake_answer answers[] = { { .status = 500 }, { .status = 200 } };
	auto_fake_http f = fake_http_of(answers, 2);
	auto_aws_identity id = { 0 };
	auto_response resp = { 0 };
	auto_err err = { 0 };
	struct aws aws = { &id, &f.http };

	(void)state;
	fake_identity(&id);
	assert_int_equal(aws_send(&aws, "PutObject",
				  &(struct aws_request){ .service = AWS_S3,
							 .method = "PUT",
							 .path = "/a%20k",
							 .query = "x=1",
							 .bytes = "body",
							 .n = 4,
							 .host = "b.s3.eu-west-1.amazonaws.com",
							 .is_idempotent = true },
				  &resp, &err),
			 0);
	assert_string_equal(f.sent[0].url, "https://b.s3.eu-west-1.amazonaws.com/a%20k?x=1");
	assert_string_equal(f.sent[1].body, "body");
	assert_string_equal(header(&f, 0, "host"), "b.s3.eu-west-1.amazonaws.com");
	assert_string_equal(header(&f, 0, "amz-sdk-request"), "attempt=1; max=3");
	assert_string_equal(header(&f, 1, "amz-sdk-request"), "attempt=2; max=3");
	assert_string_equal(header(&f, 0, "amz-sdk-invocation-id"), header(&f, 1, "amz-sdk-invocation-id"));
	assert_string_equal(header(&f, 0, "amz-sdk-invocation-id"), "5a5a5a5a-5a5a-4a5a-9a5a-5a5a5a5a5a5a");
	assert_string_equal(header(&f, 0, "x-amz-date"), "20231123T013854Z");
	assert_string_equal(header(&f, 0, "x-amz-content-sha256"),
			    "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5");
	assert_string_equal(header(&f, 0, "user-agent"), "smpipe/" SMPIPE_VERSION);
	assert_null(strstr(header(&f, 0, "authorization"), "user-agent"));
}

/* An endpoint of the user's own may have a port and a path. */
static const char *own_endpoint(const char *name)
{
	return !strcmp(name, "AWS_ENDPOINT_URL") ? "http://127.0.0.1:4566/base/" : NULL;
}

static void test_own_endpoint(void **state)
{
	static const struct fake_answer answers[] = { { .status = 200, .body = "{}" } };
	auto_fake_http f = fake_http_of(answers, 1);
	auto_aws_identity id = { 0 };
	auto_json *request = json_object(), *answer = NULL;
	auto_err err = { 0 };
	struct aws aws = { &id, &f.http };

	(void)state;
	fake_identity(&id);
	assert_int_equal(aws_identity_locate(&id, "cn-north-1", NULL, own_endpoint, &err), 0);
	assert_int_equal(aws_call_json(&aws, AWS_ECR, "DescribeImages", request, &answer, &err), 0);
	assert_string_equal(f.sent[0].url, "http://127.0.0.1:4566/base/");
	assert_string_equal(header(&f, 0, "host"), "127.0.0.1:4566");
	assert_string_equal(header(&f, 0, "x-amz-target"), "AmazonEC2ContainerRegistry_V20150921.DescribeImages");
	assert_string_equal(header(&f, 0, "content-type"), "application/x-amz-json-1.1");
	assert_non_null(strstr(header(&f, 0, "authorization"), "/cn-north-1/ecr/aws4_request"));
	assert_string_equal(id.partition->id, "aws-cn");
}

struct streamed {
	int n_opened;
	const char *left;
};

static int64_t read_streamed(void *ctx, void *p, size_t n, struct err *err)
{
	struct streamed *s = ctx;
	size_t m = strlen(s->left) < n ? strlen(s->left) : n;

	(void)err;
	memcpy(p, s->left, m);
	s->left += m;
	return (int64_t)m;
}

static int open_streamed(void *ctx, struct http_body *ret_body, struct err *err)
{
	struct streamed *s = ctx;

	(void)err;
	s->n_opened++;
	s->left = "content";
	*ret_body = (struct http_body){ read_streamed, s, 7 };
	return 0;
}

static int sink(void *ctx, const char *p, size_t n, struct err *err)
{
	(void)err;
	str_add_mem(ctx, p, n);
	return 0;
}

static void reset_sink(void *ctx)
{
	str_truncate(ctx, 0);
}

static void test_streams_start_anew(void **state)
{
	static const struct fake_answer answers[] = { { 0 }, { .status = 200, .body = "answer" } };
	auto_fake_http f = fake_http_of(answers, 2);
	auto_aws_identity id = { 0 };
	auto_response resp = { 0 };
	auto_str got = { 0 };
	auto_err err = { 0 };
	struct aws aws = { &id, &f.http };
	struct streamed s = { 0 };

	(void)state;
	fake_identity(&id);
	str_add(&got, "half an answer of the first attempt");
	assert_int_equal(aws_send(&aws, "PutObject",
				  &(struct aws_request){ .service = AWS_S3,
							 .method = "PUT",
							 .path = "/k",
							 .open_body = open_streamed,
							 .body_ctx = &s,
							 .payload_hash = "abc",
							 .sink = sink,
							 .sink_reset = reset_sink,
							 .sink_ctx = &got,
							 .is_idempotent = true },
				  &resp, &err),
			 0);
	assert_string_equal(f.sent[1].body, "content");
	assert_string_equal(header(&f, 1, "x-amz-content-sha256"), "abc");
	assert_int_equal(s.n_opened, 2);
	assert_string_equal(got.s, "answer");
}

static void test_pages(void **state)
{
	static const struct fake_answer answers[] = {
		{ .status = 200, .body = "{\"L\":[1,2],\"NextToken\":\"a\"}" },
		{ .status = 200, .body = "{\"L\":[],\"NextToken\":\"b\"}" },
		{ .status = 200, .body = "{\"L\":[3]}" },
	};
	static const struct fake_answer loop[] = {
		{ .status = 200, .body = "{\"L\":[1],\"NextToken\":\"a\"}" },
		{ .status = 200, .body = "{\"L\":[1],\"NextToken\":\"a\"}" },
	};
	auto_fake_http f = fake_http_of(answers, 3), g = fake_http_of(loop, 2), h = fake_http_of(answers, 1);
	auto_aws_identity id = { 0 };
	auto_json *request = json_object(), *all = NULL, *some = NULL, *none = NULL;
	auto_err err = { 0 };

	(void)state;
	fake_identity(&id);
	assert_int_equal(aws_call_json_pages(&(struct aws){ &id, &f.http }, AWS_SAGEMAKER, "ListX", request, "L",
					     "NextToken", 100, &all, &err),
			 0);
	assert_int_equal(json_array_size(all), 3);
	assert_string_equal(f.sent[2].body, "{\"NextToken\":\"b\"}");
	assert_int_equal(aws_call_json_pages(&(struct aws){ &id, &h.http }, AWS_SAGEMAKER, "ListX", request, "L",
					     "NextToken", 1, &some, &err),
			 0);
	assert_int_equal(json_array_size(some), 1);
	assert_int_equal(aws_call_json_pages(&(struct aws){ &id, &g.http }, AWS_SAGEMAKER, "ListX", request, "L",
					     "NextToken", 100, &none, &err),
			 -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void test_caller_identity(void **state)
{
	static const struct fake_answer answers[] = {
		{ .status = 200,
		  .body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
			  "<Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>U</UserId><Account>123456789012</Account>"
			  "</GetCallerIdentityResult></GetCallerIdentityResponse>" }
	};
	static const struct fake_answer empty[] = { { .status = 200, .body = "<GetCallerIdentityResponse/>" } };
	auto_fake_http f = fake_http_of(answers, 1), g = fake_http_of(empty, 1);
	auto_aws_identity id = { 0 };
	auto_err err = { 0 };

	(void)state;
	fake_identity(&id);
	assert_int_equal(sts_get_caller_identity(&f.http, &id, &err), 0);
	assert_string_equal(id.account, "123456789012");
	assert_string_equal(id.arn, "arn:aws:iam::123456789012:user/u");
	assert_string_equal(f.sent[0].url, "https://sts.eu-west-1.amazonaws.com/");
	assert_int_equal(sts_get_caller_identity(&g.http, &id, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retries),
		cmocka_unit_test(test_not_idempotent),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_long_message_is_cut),
		cmocka_unit_test(test_what_is_sent),
		cmocka_unit_test(test_own_endpoint),
		cmocka_unit_test(test_streams_start_anew),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_caller_identity),
	};

	return cmocka_run_group_tests_name("aws/call", tests, NULL, NULL);
}
