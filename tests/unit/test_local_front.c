#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "aws/sigv4.h"
#include "aws/xml.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/cloud.h"

/* A cloud in this process, with a bucket "bkt", asked over its socket. */
struct fixture {
	struct cloud cloud;
	struct server *server;
	struct http *http;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err err = { 0 };

	f->cloud = (struct cloud){ .dir = fs_temp_dir("smpipe-test", &err),
				   .account = xstrdup(LOCAL_ACCOUNT),
				   .access_key_id = xstrdup("AKIALOCAL"),
				   .sys = &sys_real };
	secret_set(&f->cloud.secret_access_key, "the-secret");
	f->http = http_curl_new();
	*state = f;
	if (store_s3_new(f->cloud.dir, &f->cloud.s3, &err) < 0 ||
	    server_start(&f->cloud, 0, &f->server, &f->cloud.port, &err) < 0)
		return -1;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	http_free(f->http);
	server_stop(f->server);
	store_s3_free(f->cloud.s3);
	fs_remove_tree(f->cloud.dir, &err);
	free(f->cloud.dir);
	free(f->cloud.account);
	free(f->cloud.access_key_id);
	secret_release(&f->cloud.secret_access_key);
	free(f);
	return 0;
}

struct ask {
	const char *method, *path, *query, *body, *service;
	const char *header, *value; /* one more, signed */
	const char *secret, *hash;  /* other than the right ones */
	bool is_unsigned;
	size_t body_n; /* 0: that of the text */
};

static void send(struct fixture *f, const struct ask *a, struct http_response *resp)
{
	const char *service = a->service ? a->service : "s3";
	struct sigv4_scope scope = {
		.region = "eu-west-1", .service = service, .time = time(NULL), .is_s3 = !strcmp(service, "s3")
	};
	struct creds creds = { .access_key_id = f->cloud.access_key_id };
	size_t n = a->body_n ? a->body_n : a->body ? strlen(a->body) : 0;
	struct digest digest = digest_of(a->body ? a->body : "", n);
	auto_free char *hash = digest_hex(&digest), *host = xasprintf("127.0.0.1:%d", f->cloud.port);
	auto_free char *url =
		xasprintf("http://%s%s%s%s", host, a->path, a->query ? "?" : "", a->query ? a->query : "");
	struct http_request req = { .method = a->method, .url = url, .bytes = a->body, .n = n };
	auto_err err = { 0 };

	secret_set(&creds.secret_access_key, a->secret ? a->secret : "the-secret");
	if (a->header)
		http_headers_add(&req.headers, a->header, a->value);
	if (!a->is_unsigned)
		sigv4_sign(a->method, host, a->path, a->query, &req.headers, a->hash ? a->hash : hash, &scope, &creds);
	secret_release(&creds.secret_access_key);
	if (http_send(f->http, &req, resp, &err) < 0)
		fail_msg("%s %s: %s", a->method, a->path, err.msg);
	http_headers_release(&req.headers);
}

/* The code of an answer in any of the services' shapes, "" when it has none; new. */
static char *code_of(const struct http_response *resp)
{
	auto_err ignored = { 0 };
	auto_json *json = NULL;
	auto_xml *xml = NULL;
	const struct xml *inner;
	const char *code;

	if (resp->body.len && resp->body.s[0] == '{') {
		json = json_parse(resp->body.s, resp->body.len, "answer", &ignored);
		code = json_str(json, "__type");
		return xstrdup(code ? code : "");
	}
	xml = resp->body.len ? xml_parse(resp->body.s, resp->body.len, "answer", &ignored) : NULL;
	inner = xml ? xml_child(xml, "Error") : NULL;
	code = xml ? xml_child_text(inner ? inner : xml, "Code") : NULL;
	return xstrdup(code ? code : "");
}

static void make_bucket(struct fixture *f)
{
	auto_response resp = { 0 };

	send(f, &(struct ask){ .method = "PUT", .path = "/bkt" }, &resp);
	assert_int_equal(resp.status, 200);
}

static void test_answers(void **state)
{
	static const char sha_of_other[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	static const struct {
		struct ask ask;
		int status;
		const char *code;
	} cases[] = {
		{ { .method = "GET", .path = "/_smpipe/health", .is_unsigned = true }, 200, "" },
		{ { .method = "GET", .path = "/", .is_unsigned = true }, 403, "AccessDenied" },
		{ { .method = "POST",
		    .path = "/",
		    .is_unsigned = true,
		    .header = "X-Amz-Target",
		    .value = "SageMaker.X" },
		  403,
		  "MissingAuthenticationTokenException" },
		{ { .method = "POST",
		    .path = "/",
		    .is_unsigned = true,
		    .header = "Content-Type",
		    .value = "application/x-www-form-urlencoded" },
		  403,
		  "MissingAuthenticationToken" },
		{ { .method = "GET", .path = "/", .secret = "wrong" }, 403, "SignatureDoesNotMatch" },
		{ { .method = "POST",
		    .path = "/",
		    .secret = "wrong",
		    .service = "sts",
		    .body = "Action=GetCallerIdentity" },
		  403,
		  "SignatureDoesNotMatch" },
		{ { .method = "POST",
		    .path = "/",
		    .secret = "wrong",
		    .service = "logs",
		    .header = "X-Amz-Target",
		    .value = "Logs_20140328.X" },
		  400,
		  "InvalidSignatureException" },
		{ { .method = "POST",
		    .path = "/",
		    .service = "sts",
		    .body = "Action=GetCallerIdentity&Version=2011-06-15" },
		  200,
		  "" },
		{ { .method = "POST", .path = "/", .service = "sts", .body = "Action=AssumeRole&Version=2011-06-15" },
		  400,
		  "InvalidAction" },
		{ { .method = "POST", .path = "/", .service = "iam", .body = "Action=GetRole&RoleName=R" }, 200, "" },
		{ { .method = "POST", .path = "/", .service = "iam", .body = "Action=GetRole&RoleName=a%2Fb" },
		  400,
		  "ValidationError" },
		{ { .method = "POST", .path = "/", .service = "iam", .body = "Action=CreateRole" },
		  400,
		  "InvalidAction" },
		{ { .method = "POST", .path = "/", .service = "ec2", .body = "Action=RunInstances" },
		  501,
		  "NotImplemented" },
		{ { .method = "PUT", .path = "/bkt/k", .body = "abd", .hash = sha_of_other },
		  400,
		  "XAmzContentSHA256Mismatch" },
		{ { .method = "PUT", .path = "/bkt/k", .body = "abc", .hash = sha_of_other }, 200, "" },
		{ { .method = "PUT", .path = "/bkt/k", .body = "abc", .hash = "UNSIGNED-PAYLOAD" }, 200, "" },
		{ { .method = "PUT", .path = "/bkt/k", .body = "abc", .hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
		  400,
		  "MissingContentLength" },
		{ { .method = "PUT", .path = "/bkt/k", .body = "abc", .hash = "STREAMING-OF-ANOTHER-KIND" },
		  501,
		  "NotImplemented" },
		{ { .method = "PUT", .path = "/bkt/a%20b%2Fc%2B", .body = "x" }, 200, "" },
		{ { .method = "PUT", .path = "/bkt/a/../b", .body = "x" }, 200, "" },
		{ { .method = "PUT", .path = "/bkt/%00", .body = "x" }, 400, "InvalidURI" },
		{ { .method = "PUT", .path = "/bkt/%ff", .body = "x" }, 400, "InvalidURI" },
		{ { .method = "PUT",
		    .path = "/bkt/k",
		    .body = "x",
		    .header = "x-amz-checksum-sha256",
		    .value = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" },
		  400,
		  "BadDigest" },
		{ { .method = "PUT",
		    .path = "/bkt/k",
		    .body = "abc",
		    .header = "x-amz-checksum-sha256",
		    .value = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" },
		  200,
		  "" },
		{ { .method = "PUT",
		    .path = "/bkt/k",
		    .body = "123456789",
		    .header = "x-amz-checksum-crc32",
		    .value = "y/Q5Jg==" },
		  200,
		  "" },
		{ { .method = "PUT",
		    .path = "/bkt/k",
		    .body = "123456789",
		    .header = "x-amz-checksum-crc32c",
		    .value = "4waSgw==" },
		  200,
		  "" },
		{ { .method = "PUT",
		    .path = "/bkt/k",
		    .body = "123456789",
		    .header = "x-amz-checksum-crc64nvme",
		    .value = "rosUhgp5mIg=" },
		  200,
		  "" },
		{ { .method = "PUT",
		    .path = "/bkt/k",
		    .body = "123456788",
		    .header = "x-amz-checksum-crc32",
		    .value = "y/Q5Jg==" },
		  400,
		  "BadDigest" },
		{ { .method = "PUT", .path = "/bkt/k", .body = "x", .header = "If-None-Match", .value = "*" },
		  412,
		  "PreconditionFailed" },
		{ { .method = "GET",
		    .path = "/bkt/k",
		    .header = "x-amz-expected-bucket-owner",
		    .value = "111111111111" },
		  403,
		  "AccessDenied" },
		{ { .method = "GET",
		    .path = "/bkt/k",
		    .header = "x-amz-expected-bucket-owner",
		    .value = LOCAL_ACCOUNT },
		  200,
		  "" },
		{ { .method = "GET", .path = "/bkt/k", .header = "Range", .value = "bytes=100-" },
		  416,
		  "InvalidRange" },
		{ { .method = "GET", .path = "/bkt/none" }, 404, "NoSuchKey" },
		{ { .method = "GET", .path = "/none/k" }, 404, "NoSuchBucket" },
		{ { .method = "PUT", .path = "/Bad_Name" }, 400, "InvalidBucketName" },
		{ { .method = "PUT", .path = "/bkt" }, 409, "BucketAlreadyOwnedByYou" },
		{ { .method = "POST", .path = "/bkt/k", .query = "uploads" }, 200, "" },
		{ { .method = "PUT", .path = "/bkt/k", .query = "partNumber=1&uploadId=../../../etc" },
		  404,
		  "NoSuchUpload" },
		{ { .method = "PUT", .path = "/bkt/k", .query = "partNumber=10001&uploadId=x" },
		  400,
		  "InvalidArgument" },
		{ { .method = "GET", .path = "/bkt/k", .query = "acl" }, 501, "NotImplemented" },
		{ { .method = "PATCH", .path = "/bkt/k" }, 405, "MethodNotAllowed" },
		{ { .method = "GET", .path = "/bkt", .query = "list-type=2&max-keys=x" }, 400, "InvalidArgument" },
		{ { .method = "POST", .path = "/bkt", .query = "delete", .body = "<Delete/>" }, 400, "MalformedXML" },
		{ { .method = "POST",
		    .path = "/bkt",
		    .query = "delete",
		    .body = "<Delete><Object><Key>k</Key></Object></Delete>" },
		  200,
		  "" },
		{ { .method = "DELETE", .path = "/bkt" }, 409, "BucketNotEmpty" },
	};
	struct fixture *f = *state;

	make_bucket(f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_response resp = { 0 };
		auto_free char *code = NULL;

		send(f, &cases[i].ask, &resp);
		code = code_of(&resp);
		if (resp.status != cases[i].status || strcmp(code, cases[i].code))
			fail_msg("case %zu, %s %s: %d %s", i, cases[i].ask.method, cases[i].ask.path, resp.status,
				 str_text(&resp.body));
		assert_non_null(http_headers_get(&resp.headers, "x-amzn-RequestId"));
	}
}

/* Bodies above what is kept in memory take another way; both must come back as they went. */
static void test_bodies_of_all_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 1 << 20, (1 << 20) + 1, 5 << 20 };
	struct fixture *f = *state;

	make_bucket(f);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_free char *bytes = xmalloc(sizes[i]);
		auto_response put = { 0 }, head = { 0 }, get = { 0 };
		auto_free char *length = xasprintf("%zu", sizes[i]);

		for (size_t k = 0; k < sizes[i]; k++)
			bytes[k] = (char)(k * 31 >> 3);
		send(f,
		     &(struct ask){
			     .method = "PUT", .path = "/bkt/k", .body = sizes[i] ? bytes : NULL, .body_n = sizes[i] },
		     &put);
		assert_int_equal(put.status, 200);
		send(f, &(struct ask){ .method = "HEAD", .path = "/bkt/k" }, &head);
		assert_int_equal(head.status, 200);
		assert_string_equal(http_headers_get(&head.headers, "Content-Length"), length);
		assert_string_equal(http_headers_get(&head.headers, "ETag"), http_headers_get(&put.headers, "ETag"));
		send(f, &(struct ask){ .method = "GET", .path = "/bkt/k" }, &get);
		assert_int_equal(get.body.len, sizes[i]);
		assert_memory_equal(str_text(&get.body), bytes, sizes[i]);
	}
}

/* A large body that is refused by its headers is neither kept nor breaks the connection for the request after it. */
static void test_connection_survives_refusal(void **state)
{
	struct fixture *f = *state;
	size_t n = 3 << 20;
	auto_free char *bytes = xcalloc(1, n);
	auto_response refused = { 0 }, next = { 0 };

	make_bucket(f);
	send(f, &(struct ask){ .method = "PUT", .path = "/bkt/k", .body = bytes, .body_n = n, .secret = "wrong" },
	     &refused);
	assert_int_equal(refused.status, 403);
	send(f, &(struct ask){ .method = "GET", .path = "/bkt/k" }, &next);
	assert_int_equal(next.status, 404);
}

static void test_range(void **state)
{
	static const struct {
		const char *range, *body, *content_range;
		int status;
	} cases[] = {
		{ "bytes=0-0", "a", "bytes 0-0/6", 206 },
		{ "bytes=2-3", "cd", "bytes 2-3/6", 206 },
		{ "bytes=4-", "ef", "bytes 4-5/6", 206 },
		{ "bytes=-2", "ef", "bytes 4-5/6", 206 },
		{ "bytes=-100", "abcdef", "bytes 0-5/6", 206 },
		{ "bytes=3-100", "def", "bytes 3-5/6", 206 },
		{ "bytes=0-1,3-4", "abcdef", NULL, 200 },
		{ "bytes=3-2", "abcdef", NULL, 200 },
		{ "lines=1-2", "abcdef", NULL, 200 },
		{ "bytes=0-9223372036854775807", "abcdef", "bytes 0-5/6", 206 },
	};
	struct fixture *f = *state;
	auto_response put = { 0 };

	make_bucket(f);
	send(f, &(struct ask){ .method = "PUT", .path = "/bkt/k", .body = "abcdef" }, &put);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_response resp = { 0 };
		const char *content_range;

		send(f, &(struct ask){ .method = "GET", .path = "/bkt/k", .header = "Range", .value = cases[i].range },
		     &resp);
		assert_int_equal(resp.status, cases[i].status);
		assert_string_equal(str_text(&resp.body), cases[i].body);
		content_range = http_headers_get(&resp.headers, "Content-Range");
		assert_true(str_eq(content_range, cases[i].content_range));
	}
}

/* All pages of a listing, keys and common prefixes each followed by a space. */
static void list_all(struct fixture *f, const char *parameters, struct str *ret)
{
	auto_free char *token = xstrdup("");

	while (token) {
		auto_free char *encoded = str_uri_encode(token, false);
		auto_free char *query = xasprintf("list-type=2&max-keys=2&%s%s%s", parameters,
						  *token ? "&continuation-token=" : "", encoded);
		auto_response resp = { 0 };
		auto_err err = { 0 };
		auto_xml *xml = NULL;

		send(f, &(struct ask){ .method = "GET", .path = "/bkt", .query = query }, &resp);
		assert_int_equal(resp.status, 200);
		xml = xml_parse(resp.body.s, resp.body.len, "listing", &err);
		assert_non_null(xml);
		for (const struct xml *o = xml_child(xml, "Contents"); o; o = xml_next(o, "Contents"))
			str_addf(ret, "%s ", xml_child_text(o, "Key"));
		for (const struct xml *o = xml_child(xml, "CommonPrefixes"); o; o = xml_next(o, "CommonPrefixes"))
			str_addf(ret, "[%s] ", xml_child_text(o, "Prefix"));
		free(token);
		token = xstrdup_or_null(xml_child_text(xml, "NextContinuationToken"));
	}
}

static void test_listing_pages(void **state)
{
	static const struct {
		const char *parameters, *want;
	} cases[] = {
		{ "x=", "a a/b a/c b/d b/e&f c " },
		{ "prefix=a", "a a/b a/c " },
		{ "prefix=a/", "a/b a/c " },
		{ "delimiter=/", "a [a/] c [b/] " },
		{ "delimiter=/&prefix=b/", "b/d b/e&f " },
		{ "start-after=a/b", "a/c b/d b/e&f c " },
		{ "start-after=a/b&delimiter=/", "[a/] [b/] c " },
		{ "prefix=nothing", "" },
		{ "encoding-type=url&prefix=b/e", "b/e%26f " },
	};
	static const char *const paths[] = { "/bkt/c", "/bkt/a/b", "/bkt/a", "/bkt/b/e%26f", "/bkt/b/d", "/bkt/a/c" };
	struct fixture *f = *state;

	make_bucket(f);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_response resp = { 0 };

		send(f, &(struct ask){ .method = "PUT", .path = paths[i] }, &resp);
		assert_int_equal(resp.status, 200);
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_str got = { 0 };

		list_all(f, cases[i].parameters, &got);
		if (strcmp(str_text(&got), cases[i].want))
			fail_msg("%s: '%s' instead of '%s'", cases[i].parameters, str_text(&got), cases[i].want);
	}
}

static void test_port_taken(void **state)
{
	struct fixture *f = *state;
	struct server *second = NULL;
	auto_err err = { 0 };
	int port;

	assert_int_equal(server_start(&f->cloud, f->cloud.port, &second, &port, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
}

#define WITH_CLOUD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CLOUD(test_answers),
		WITH_CLOUD(test_bodies_of_all_sizes),
		WITH_CLOUD(test_connection_survives_refusal),
		WITH_CLOUD(test_range),
		WITH_CLOUD(test_listing_pages),
		WITH_CLOUD(test_port_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
