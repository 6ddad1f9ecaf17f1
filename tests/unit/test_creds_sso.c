#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/creds_scene.h"

#define CACHE_SESSION ".aws/sso/cache/34c6fceca75e456f25e7e99531e2425c6c1de443.json" /* sha1 of "dev" */
#define KEYS                                                                                                           \
	"{\"roleCredentials\":{\"accessKeyId\":\"AS\",\"secretAccessKey\":\"SS\",\"sessionToken\":\"TS\","             \
	"\"expiration\":1700707134000}}"

static const char session_config[] =
	"[default]\nsso_session = dev\nsso_account_id = 123456789012\nsso_role_name = R W\n"
	"[sso-session dev]\nsso_region = eu-central-1\nsso_start_url = https://x.example/\n";
/* sha1 of "https://ssotest.awsapps.com/start" */
static const char legacy_cache[] = ".aws/sso/cache/dace00cba5f8355ec9d274ceb2bcebdfbeed0e12.json";
static const char legacy_config[] =
	"[default]\nsso_start_url = https://ssotest.awsapps.com/start\nsso_region = eu-central-1\n"
	"sso_account_id = 123456789012\nsso_role_name = R W\n";

static void write_cache(const struct creds_scene *s, const char *path, const char *expires, const char *more)
{
	auto_free char *text = xasprintf("{\"accessToken\":\"old-token\",\"expiresAt\":\"%s\"%s}", expires, more);

	scene_write(s, path, text);
}

#define REFRESHABLE                                                                                                    \
	",\"refreshToken\":\"old-refresh\",\"clientId\":\"id\",\"clientSecret\":\"client-secret\","                    \
	"\"registrationExpiresAt\":\"2024-01-01T00:00:00Z\",\"region\":\"eu-central-1\",\"other\":1"

static void test_live(void **state)
{
	static const struct fake_answer answers[] = { { .status = 200, .body = KEYS } };
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	(void)state;
	SCENE_OPEN(&s, legacy_config, answers);
	write_cache(&s, legacy_cache, "2023-11-23T02:38:54UTC", "");
	assert_int_equal(creds_from_profile(&s.c, &creds, &err), 1);
	assert_string_equal(s.http.sent[0].url, "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials"
						"?account_id=123456789012&role_name=R%20W");
	assert_string_equal(http_headers_get(&s.http.sent[0].headers, "x-amz-sso_bearer_token"), "old-token");
	assert_null(http_headers_get(&s.http.sent[0].headers, "authorization"));
	assert_int_equal(creds.expires_ms, FAKE_NOW_MS + 3600 * 1000);
	assert_string_equal(creds.account_id, "123456789012");
	assert_string_equal(creds.source, "profile 'default' → role 'R W' in account 123456789012 via SSO");
}

static void test_refresh(void **state)
{
	static const struct fake_answer answers[] = {
		{ .status = 200,
		  .body = "{\"accessToken\":\"new-token\",\"expiresIn\":3600,\"refreshToken\":\"new-refresh\"}" },
		{ .status = 200, .body = KEYS },
	};
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };
	auto_free char *path = NULL, *text = NULL;
	auto_json *cache = NULL, *sent = NULL;
	struct stat st;

	(void)state;
	SCENE_OPEN(&s, session_config, answers);
	write_cache(&s, CACHE_SESSION, "2023-11-23T01:40:00Z", REFRESHABLE);
	assert_int_equal(creds_from_profile(&s.c, &creds, &err), 1);
	assert_string_equal(s.http.sent[0].url, "https://oidc.eu-central-1.amazonaws.com/token");
	sent = json_loads(s.http.sent[0].body, 0, NULL);
	assert_string_equal(json_str(sent, "grantType"), "refresh_token");
	assert_string_equal(json_str(sent, "refreshToken"), "old-refresh");
	assert_string_equal(json_str(sent, "clientSecret"), "client-secret");
	assert_string_equal(http_headers_get(&s.http.sent[1].headers, "x-amz-sso_bearer_token"), "new-token");
	/* Other programs find the new tokens, and nothing is lost. */
	path = fs_join(s.home, CACHE_SESSION);
	assert_int_equal(fs_read(path, 10000, &text, NULL, &err), 0);
	cache = json_loads(text, 0, NULL);
	assert_string_equal(json_str(cache, "accessToken"), "new-token");
	assert_string_equal(json_str(cache, "refreshToken"), "new-refresh");
	assert_string_equal(json_str(cache, "expiresAt"), "2023-11-23T02:38:54Z");
	assert_string_equal(json_str(cache, "clientId"), "id");
	assert_int_equal(json_integer_value(json_object_get(cache, "other")), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* A refusal to refresh matters only when the token is over. */
static void test_refresh_refused(void **state)
{
	static const struct fake_answer answers[] = {
		{ .status = 400, .body = "{\"error\":\"invalid_grant\"}" },
		{ .status = 200, .body = KEYS },
		{ .status = 400, .body = "{\"error\":\"invalid_grant\"}" },
	};
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	(void)state;
	SCENE_OPEN(&s, session_config, answers);
	write_cache(&s, CACHE_SESSION, "2023-11-23T01:40:00Z", REFRESHABLE);
	assert_int_equal(creds_from_profile(&s.c, &creds, &err), 1);
	assert_string_equal(http_headers_get(&s.http.sent[1].headers, "x-amz-sso_bearer_token"), "old-token");
	write_cache(&s, CACHE_SESSION, "2023-11-23T01:38:00Z", REFRESHABLE);
	assert_int_equal(creds_from_profile(&s.c, &creds, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_string_equal(err.hint, "aws sso login --profile default");
}

static void test_over(void **state)
{
	static const struct {
		const char *expires, *more, *words;
	} cases[] = {
		{ "2023-11-23T01:38:54Z", "", "the SSO login of profile 'default' has expired" },
		{ "2023-11-23T01:38:53Z", "", "has expired" },
		/* The registration of the client is over as well. */
		{ "2023-11-23T01:38:53Z",
		  ",\"refreshToken\":\"r\",\"clientId\":\"i\",\"clientSecret\":\"c\","
		  "\"registrationExpiresAt\":\"2023-11-23T01:38:53Z\"",
		  "has expired" },
		{ "2023-11-23T01:38:53Z",
		  ",\"clientId\":\"i\",\"clientSecret\":\"c\",\"registrationExpiresAt\":\"2099-11-23T01:38:53Z\"",
		  "has expired" },
		{ "never", "", "has expired" },
		{ "2023-11-23T01:38:53Z", ",\"accessToken\":\"twice\"", "is no valid JSON" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_scene s = { 0 };
		auto_creds creds = { 0 };
		auto_err err = { 0 };

		scene_open(&s, session_config, NULL, 0);
		write_cache(&s, CACHE_SESSION, cases[i].expires, cases[i].more);
		assert_int_equal(creds_from_profile(&s.c, &creds, &err), -1);
		assert_int_equal(err.code, ERR_AUTH);
		assert_string_equal(err.hint, "aws sso login --profile default");
		assert_null(strstr(err.msg, "old-token"));
		if (!strstr(err.msg, cases[i].words))
			fail_msg("%s", err.msg);
	}
}

static void test_refusals(void **state)
{
	static const struct fake_answer gone[] = { { .status = 401,
						     .body = "{\"message\":\"Session token not found or invalid\"}",
						     .headers = { "x-amzn-ErrorType: UnauthorizedException" } } };
	static const struct fake_answer forbidden[] = { { .status = 403, .body = "{\"message\":\"No access\"}" } };
	static const struct fake_answer rubbish[] = { { .status = 200, .body = "{\"roleCredentials\":[\"hidden\"]}" } };
	static const struct {
		const struct fake_answer *answer;
		const char *words, *hint;
	} cases[] = {
		{ gone, "GetRoleCredentials: 401 UnauthorizedException", "aws sso login --profile default" },
		{ forbidden, "GetRoleCredentials: 403",
		  "ask whoever runs your SSO for role 'R W' in account 123456789012" },
		{ rubbish, "the answer to GetRoleCredentials has no 'accessKeyId'", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_scene s = { 0 };
		auto_creds creds = { 0 };
		auto_err err = { 0 };

		scene_open(&s, legacy_config, cases[i].answer, 1);
		write_cache(&s, legacy_cache, "2023-11-24T01:38:54Z", "");
		assert_int_equal(creds_from_profile(&s.c, &creds, &err), -1);
		if (!strstr(err.msg, cases[i].words))
			fail_msg("%s", err.msg);
		if (cases[i].hint)
			assert_string_equal(err.hint, cases[i].hint);
	}
}

/* What goes into a host's name or a header is looked at. */
static void test_odd_configuration(void **state)
{
	static const char *const configs[] = {
		"[default]\nsso_start_url = https://x/\nsso_region = evil.example/#\nsso_account_id = 1\nsso_role_name = R\n",
		"[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = R\n[sso-session s]\nsso_start_url = x\n",
		"[default]\nsso_start_url = https://x/\nsso_account_id = 1\nsso_role_name = R\n",
		"[default]\nsso_session = absent\nsso_account_id = 1\nsso_role_name = R\n",
		"[default]\nsso_session = s\nsso_start_url = y\n[sso-session s]\nsso_start_url = x\nsso_region = eu-west-1\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		auto_scene s = { 0 };
		auto_creds creds = { 0 };
		auto_err err = { 0 };

		scene_open(&s, configs[i], NULL, 0);
		assert_int_equal(creds_from_profile(&s.c, &creds, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live), cmocka_unit_test(test_refresh),  cmocka_unit_test(test_refresh_refused),
		cmocka_unit_test(test_over), cmocka_unit_test(test_refusals), cmocka_unit_test(test_odd_configuration),
	};

	return cmocka_run_group_tests_name("aws/creds_sso", tests, NULL, NULL);
}
