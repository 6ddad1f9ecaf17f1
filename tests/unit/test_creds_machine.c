/* The machine's own sources: container agents and instance metadata; and those who pretend to be them. */

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/imds.h"
#include "aws/link_local.h"
#include "tests/unit/creds_scene.h"

#define DOCUMENT                                                                                                       \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"AC\",\"SecretAccessKey\":\"SC\",\"Token\":\"TC\","                    \
	"\"Expiration\":\"2023-11-23T07:38:54Z\"}"
#define FULL     "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"

/* A network: resolves names as a hostile server would, asks the rule as the real client does, and counts who got
 * through. */
struct network {
	struct http http;
	size_t n_sent;
	size_t n_connected;
	const char *authorization;
};

static const char *resolve(const char *host, char *buffer, size_t n)
{
	static const char *const names[][2] = {
		{ "localhost", "127.0.0.1" },
		{ "agent", "169.254.170.2" },
		{ "metadata.evil", "169.254.169.254" },
		{ "metadata6.evil", "fd00:ec2::254" },
		{ "lan.evil", "10.0.0.1" },
		{ "world.evil", "203.0.113.1" },
		{ "mapped.evil", "::ffff:169.254.169.254" },
	};
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i][0], host))
			return names[i][1];
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return "203.0.113.2";
	if (getnameinfo(found->ai_addr, found->ai_addrlen, buffer, (socklen_t)n, NULL, 0, NI_NUMERICHOST) != 0)
		abort();
	freeaddrinfo(found);
	return buffer;
}

static int network_send(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	struct network *net = (struct network *)http;
	auto_url u = { 0 };
	char buffer[100];

	net->n_sent++;
	if (http_url_parse(req->url, &u, err) < 0)
		return -1;
	if (strcmp(u.scheme, "https") != 0 && !req->allow_address)
		fail_msg("'%s' is asked without a rule", req->url);
	if (req->allow_address && !req->allow_address(resolve(u.host, buffer, sizeof(buffer)))) {
		err_set(err, ERR_NETWORK, "the host's address is not allowed");
		return err_service(err, "AddressRefused");
	}
	net->n_connected++;
	resp->status = 200;
	str_add(&resp->body, DOCUMENT);
	return 0;
}

static const struct http_ops network_ops = { .send = network_send };

/* 1, 0 or -1 of the container source with a variable set. */
static int ask(struct network *net, const char *variable, const char *value, struct err *err)
{
	auto_scene s = { 0 };
	auto_creds creds = { 0 };

	*net = (struct network){ .http = { &network_ops } };
	scene_open(&s, NULL, NULL, 0);
	s.c.http_ctx = net;
	scene_set(variable, value);
	scene_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the-token");
	return creds_from_container(&s.c, &creds, err);
}

static void test_hostile_uris(void **state)
{
	static const char *const hostile[] = {
		/* the metadata service in every spelling */
		"http://169.254.169.254/",
		"http://169.254.169.254:80/latest/meta-data/",
		"http://2852039166/",
		"http://0xa9fea9fe/",
		"http://0xA9.0xFE.0xA9.0xFE/",
		"http://0251.0376.0251.0376/",
		"http://025177524776/",
		"http://169.254.43518/",
		"http://169.16689662/",
		"http://169.254.169.254./",
		"http://[::ffff:169.254.169.254]/",
		"http://[::ffff:a9fe:a9fe]/",
		"http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
		"http://[::169.254.169.254]/",
		"http://[64:ff9b::a9fe:a9fe]/",
		"http://[fd00:ec2::254]/",
		"http://[fe80::a9fe:a9fe%25eth0]/",
		"http://metadata.evil/",
		"http://metadata.evil:80/latest",
		"http://metadata6.evil/",
		"http://mapped.evil/",
		/* loopback and the agents in spellings that nobody needs */
		"http://2130706433/",
		"http://0x7f000001/",
		"http://0x7f.0.0.1/",
		"http://0177.0.0.1/",
		"http://127.1/",
		"http://127.0.1/",
		"http://0/",
		"http://0.0.0.0/",
		"http://[::]/",
		"http://[::ffff:127.0.0.1]/",
		"http://[::ffff:7f00:1]/",
		"http://2852039682/",
		"http://127.0.0.1./",
		/* neighbours of what is allowed */
		"http://169.254.170.3/",
		"http://169.254.170.22/",
		"http://169.254.170.2.evil/",
		"http://169.254.170.23.203.0.113.9/",
		"http://[fd00:ec2::24]/",
		"http://128.0.0.1/",
		"http://126.255.255.255/",
		"http://10.0.0.1/",
		"http://192.168.0.1/",
		"http://203.0.113.1/",
		"http://lan.evil/",
		"http://world.evil/",
		"http://localhost.evil/",
		"http://evil.localhost./",
		/* one host for the reader, another for the machine */
		"http://169.254.170.2@evil/",
		"http://localhost@evil/",
		"http://user:password@127.0.0.1/",
		"http://evil#@127.0.0.1/",
		"http://127.0.0.1#@evil/",
		"http://127.0.0.1\\@evil/",
		"http://127.0.0.1\\.evil/",
		"http://127.0.0.1 .evil/",
		"http://127.0.0.1\t/",
		"http://127.0.0.1:80@evil:80/",
		"http://127.0.0.1:99999/",
		"http://127.0.0.1:/x\r\nHost: evil",
		"http://127.0.0.1/\r\nX: y",
		"http://evil?@127.0.0.1/",
		"http://[127.0.0.1/",
		"http://[::1/",
		"http://loc\xc3\xa4lhost/",
		"http:///127.0.0.1/",
		"http:127.0.0.1/",
		"//127.0.0.1/",
		"ftp://127.0.0.1/",
		"file:///etc/passwd",
		"gopher://127.0.0.1/",
		"HTTP://169.254.169.254/",
	};
	size_t n = ARRAY_LEN(hostile);

	(void)state;
	assert_true(n >= 60);
	for (size_t i = 0; i < n; i++) {
		struct network net;
		auto_err err = { 0 };

		if (ask(&net, FULL, hostile[i], &err) != -1 || net.n_connected)
			fail_msg("'%s' was connected to", hostile[i]);
		assert_null(strstr(err.msg, "the-token"));
	}
}

static void test_hostile_relative_uris(void **state)
{
	static const char *const hostile[] = { "@evil/", ".evil/", ":80@evil/",        "evil", "//\\evil",
					       "/a b",   "/a\nb",  "/a\r\nHost: evil", "/a#b", "http://evil/" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct network net;
		auto_err err = { 0 };

		assert_int_equal(ask(&net, RELATIVE, hostile[i], &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_int_equal(net.n_sent, 0);
	}
}

static void test_good_uris(void **state)
{
	static const char *const good[] = {
		"http://127.0.0.1:8080/x", "http://127.9.9.9/",           "http://localhost/x",
		"http://[::1]:80/",        "http://169.254.170.2/v2/c",   "http://169.254.170.23/v1",
		"http://agent/",           "http://[fd00:ec2::23]/v1",    "https://example.com/c?x=1",
		"https://203.0.113.1/",    "http://[fd00:0ec2:0:0::23]/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct network net;
		auto_err err = { 0 };

		if (ask(&net, FULL, good[i], &err) != 1)
			fail_msg("%s: %s", good[i], err.msg);
	}
}

static void test_container_tokens(void **state)
{
	static const struct fake_answer answers[] = { { .status = 200, .body = DOCUMENT },
						      { .status = 200, .body = DOCUMENT },
						      { .status = 200, .body = DOCUMENT } };
	static const char *const bad_files[] = { "a\r\nX: y", "a\nb\n", "a\n\n", "a\tb" };
	static const char *const bad_values[] = { "a\r\nX: y", "a\nb", "a\r", "a\n" };
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };
	auto_free char *path = NULL;

	(void)state;
	SCENE_OPEN(&s, NULL, answers);
	path = fs_join(s.home, "token");
	scene_set(RELATIVE, "/c");
	scene_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc");
	assert_int_equal(creds_from_container(&s.c, &creds, &err), 1);
	assert_string_equal(http_headers_get(&s.http.sent[0].headers, "authorization"), "Basic abc");
	assert_string_equal(s.http.sent[0].url, "http://169.254.170.2/c");
	assert_string_equal(creds.source, "container");
	assert_int_equal(creds.expires_ms, FAKE_NOW_MS + 6 * 3600 * 1000);
	/* The file goes before the variable and is read anew each time. */
	scene_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path);
	scene_write(&s, "token", "first\n");
	assert_int_equal(creds_from_container(&s.c, &creds, &err), 1);
	scene_write(&s, "token", "second");
	assert_int_equal(creds_from_container(&s.c, &creds, &err), 1);
	assert_string_equal(http_headers_get(&s.http.sent[1].headers, "authorization"), "first");
	assert_string_equal(http_headers_get(&s.http.sent[2].headers, "authorization"), "second");
	for (size_t i = 0; i < ARRAY_LEN(bad_files); i++) {
		auto_err why = { 0 };

		scene_write(&s, "token", bad_files[i]);
		assert_int_equal(creds_from_container(&s.c, &creds, &why), -1);
		assert_int_equal(why.code, ERR_CONFIG);
	}
	json_object_del(scene_variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	for (size_t i = 0; i < ARRAY_LEN(bad_values); i++) {
		auto_err why = { 0 };

		scene_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", bad_values[i]);
		assert_int_equal(creds_from_container(&s.c, &creds, &why), -1);
		assert_int_equal(why.code, ERR_CONFIG);
	}
	assert_int_equal(s.http.n_sent, 3);
}

/* A redirect is an answer like any other: it is not followed. 5xx and silence are asked again, refusals are not. */
static void test_container_answers(void **state)
{
	static const struct fake_answer redirect[] = {
		{ .status = 302, .headers = { "location: http://169.254.169.254/latest/meta-data/" } }
	};
	static const struct fake_answer refusal[] = { { .status = 403,
							.body = "{\"code\":\"AccessDenied\",\"message\":\"no\"}" } };
	static const struct fake_answer late[] = { { .status = 503 },
						   { .status = 0 },
						   { .status = 200, .body = DOCUMENT } };
	static const struct fake_answer rubbish[] = { { .status = 200, .body = "{\"AccessKeyId\":\"hidden\"," } };
	static const struct fake_answer half[] = { { .status = 200, .body = "{\"AccessKeyId\":\"hidden\"}" } };
	static const struct {
		const struct fake_answer *answers;
		size_t n;
		const char *words; /* NULL: found */
	} cases[] = {
		{ redirect, 1, "credential service: 302" },
		{ refusal, 1, "credential service: 403 AccessDenied: no" },
		{ late, 3, NULL },
		{ rubbish, 1, "is no valid JSON" },
		{ half, 1, "has no 'SecretAccessKey'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_scene s = { 0 };
		auto_creds creds = { 0 };
		auto_err err = { 0 };

		scene_open(&s, NULL, cases[i].answers, cases[i].n);
		scene_set(RELATIVE, "/c");
		assert_int_equal(creds_from_container(&s.c, &creds, &err), cases[i].words ? -1 : 1);
		assert_int_equal(s.http.n_sent, cases[i].n);
		if (cases[i].words && (!strstr(err.msg, cases[i].words) || strstr(err.msg, "hidden")))
			fail_msg("%s", err.msg);
	}
}

static void test_imds(void **state)
{
	static const struct fake_answer good[] = { { .status = 200, .body = "the-token==" },
						   { .status = 200, .body = "my-role\n" },
						   { .status = 200, .body = DOCUMENT } };
	static const struct fake_answer silent[] = { { .status = 0 } };
	static const struct fake_answer none[] = { { .status = -1 } };
	static const struct fake_answer version_1[] = { { .status = 404 } };
	static const struct fake_answer forbidden[] = { { .status = 403 } };
	static const struct fake_answer no_role[] = { { .status = 200, .body = "t" }, { .status = 404 } };
	static const struct fake_answer odd_role[] = { { .status = 200, .body = "t" },
						       { .status = 200, .body = "../../user-data" } };
	static const struct fake_answer odd_token[] = { { .status = 200, .body = "t\r\nX: y" } };
	static const struct fake_answer refused[] = { { .status = 200, .body = "t" },
						      { .status = 200, .body = "r" },
						      { .status = 200,
							.body = "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}" } };
	static const struct {
		const struct fake_answer *answers;
		size_t n;
		int found;
		const char *words;
	} cases[] = {
		{ good, 3, 1, NULL },
		{ silent, 1, 0, "connection lost" },
		{ none, 1, 0, "connection refused" },
		/* Version 1 would answer without a token: it is not asked. */
		{ version_1, 1, 0, "404" },
		{ forbidden, 1, 0, "403" },
		{ no_role, 2, 0, "no role" },
		{ odd_role, 2, -1, "no usable role" },
		{ odd_token, 1, -1, "no usable token" },
		{ refused, 3, -1, "'r' gives no credentials: AssumeRoleUnauthorizedAccess" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_scene s = { 0 };
		auto_strlist skipped = { 0 };
		auto_creds creds = { 0 };
		auto_err err = { 0 };
		const char *said;

		scene_open(&s, NULL, cases[i].answers, cases[i].n);
		s.c.skipped = &skipped;
		assert_int_equal(creds_from_imds(&s.c, &creds, &err), cases[i].found);
		assert_int_equal(s.http.n_sent, cases[i].n);
		said = cases[i].found < 0 ? err.msg : skipped.n ? skipped.v[0] : "";
		if (cases[i].words && !strstr(said, cases[i].words))
			fail_msg("case %zu: %s", i, said);
		assert_string_equal(s.http.sent[0].method, "PUT");
		if (cases[i].found == 1) {
			assert_string_equal(creds.source, "EC2 instance role 'my-role'");
			assert_string_equal(s.http.sent[2].url,
					    "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
			assert_string_equal(http_headers_get(&s.http.sent[2].headers, "x-aws-ec2-metadata-token"),
					    "the-token==");
		}
	}
}

static int region_of(const struct fake_answer *answers, size_t n, char **ret)
{
	struct creds_options options;
	auto_scene s = { 0 };
	auto_err err = { 0 };
	int found;

	scene_open(&s, NULL, answers, n);
	options = *s.c.options;
	options.http = &s.http.http;
	found = imds_region(&options, ret, &err);
	assert_int_equal(s.http.n_sent, n);
	if (found == 1)
		assert_string_equal(s.http.sent[1].url, "http://169.254.169.254/latest/meta-data/placement/region");
	return found;
}

static void test_imds_region(void **state)
{
	static const struct fake_answer good[] = { { .status = 200, .body = "t" },
						   { .status = 200, .body = "cn-north-1\n" } };
	static const struct fake_answer silent[] = { { .status = 0 } };
	auto_free char *region = NULL;

	(void)state;
	assert_int_equal(region_of(good, ARRAY_LEN(good), &region), 1);
	assert_string_equal(region, "cn-north-1");
	assert_int_equal(region_of(silent, ARRAY_LEN(silent), &region), 0);
}

static void test_imds_settings(void **state)
{
	static const struct fake_answer silent[] = { { .status = 0 }, { .status = 0 }, { .status = 0 } };
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	(void)state;
	SCENE_OPEN(&s, NULL, silent);
	scene_set("AWS_EC2_METADATA_DISABLED", "TrUe");
	assert_int_equal(creds_from_imds(&s.c, &creds, &err), 0);
	assert_int_equal(s.http.n_sent, 0);
	scene_set("AWS_EC2_METADATA_DISABLED", "false");
	scene_set("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3");
	assert_int_equal(creds_from_imds(&s.c, &creds, &err), 0);
	assert_int_equal(s.http.n_sent, 3);
	scene_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://203.0.113.1/");
	assert_int_equal(creds_from_imds(&s.c, &creds, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_uris),      cmocka_unit_test(test_hostile_relative_uris),
		cmocka_unit_test(test_good_uris),         cmocka_unit_test(test_container_tokens),
		cmocka_unit_test(test_container_answers), cmocka_unit_test(test_imds),
		cmocka_unit_test(test_imds_settings),     cmocka_unit_test(test_imds_region),
	};

	return cmocka_run_group_tests_name("aws/creds_machine", tests, NULL, NULL);
}
