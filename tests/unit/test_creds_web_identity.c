/* Tokens of identity providers in exchange for a role: GitHub's runner, a file that Kubernetes rotates. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/creds_scene.h"

#define ISSUED                                                                                                         \
	"<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>"                   \
	"arn:aws:sts::123456789012:assumed-role/R/S</Arn></AssumedRoleUser><Credentials><AccessKeyId>AG</AccessKeyId>" \
	"<SecretAccessKey>SG</SecretAccessKey><SessionToken>TG</SessionToken>"                                         \
	"<Expiration>2023-11-23T02:38:54Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"                \
	"</AssumeRoleWithWebIdentityResponse>"

static void open_github(struct creds_scene *s, const struct fake_answer *answers, size_t n, const char *url,
			const char *role)
{
	scene_open(s, NULL, answers, n);
	scene_set("ACTIONS_ID_TOKEN_REQUEST_URL", url);
	scene_set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-request-token");
	scene_set("AWS_ROLE_ARN", role);
}

static void test_github(void **state)
{
	static const struct fake_answer answers[] = { { .status = 200, .body = "{\"value\":\"the.job.token\"}" },
						      { .status = 200, .body = ISSUED } };
	static const char url[] = "https://token.actions.example/x?api-version=2.0";
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	(void)state;
	open_github(&s, answers, 2, url, "arn:aws:iam::123456789012:role/R");
	assert_int_equal(creds_from_github(&s.c, &creds, &err), 1);
	assert_string_equal(s.http.sent[0].url,
			    "https://token.actions.example/x?api-version=2.0&audience=sts.amazonaws.com");
	assert_string_equal(http_headers_get(&s.http.sent[0].headers, "authorization"), "bearer the-request-token");
	assert_string_equal(s.http.sent[1].url, "https://sts.eu-west-1.amazonaws.com/");
	assert_null(http_headers_get(&s.http.sent[1].headers, "authorization"));
	assert_string_equal(
		s.http.sent[1].body,
		"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012"
		"%3Arole%2FR&RoleSessionName=smpipe-1700703534000&WebIdentityToken=the.job.token");
	assert_string_equal(creds.source, "GitHub Actions → role 'arn:aws:iam::123456789012:role/R' via STS");
	assert_string_equal(creds.account_id, "123456789012");
}

static void test_github_elsewhere(void **state)
{
	static const struct fake_answer china[] = { { .status = 200, .body = "{\"value\":\"t\"}" },
						    { .status = 200, .body = ISSUED } };
	static const struct fake_answer refusal[] = { { .status = 403 } };
	static const struct fake_answer empty[] = { { .status = 200, .body = "{\"count\":1}" } };
	static const char *const bad[] = { "http://token.actions.example/",
					   "http://127.0.0.1.evil/",
					   "https://a@b/",
					   "ftp://127.0.0.1/",
					   "https://a/#x",
					   "https://a/ x" };
	auto_creds creds = { 0 };

	(void)state;
	{
		auto_scene s = { 0 };
		auto_err err = { 0 };

		open_github(&s, china, 2, "http://127.0.0.1:1/x", "arn:aws-cn:iam::123456789012:role/R");
		assert_int_equal(creds_from_github(&s.c, &creds, &err), 1);
		assert_string_equal(s.http.sent[0].url, "http://127.0.0.1:1/x?audience=sts.amazonaws.com.cn");
	}
	{
		auto_scene s = { 0 };
		auto_err err = { 0 };

		open_github(&s, refusal, 1, "https://a/x", "arn:aws:iam::123456789012:role/R");
		assert_int_equal(creds_from_github(&s.c, &creds, &err), -1);
		assert_string_equal(err.hint, "give the job `permissions: id-token: write`");
	}
	{
		auto_scene s = { 0 };
		auto_err err = { 0 };

		open_github(&s, empty, 1, "https://a/x", "arn:aws:iam::123456789012:role/R");
		assert_int_equal(creds_from_github(&s.c, &creds, &err), -1);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_scene s = { 0 };
		auto_err err = { 0 };

		open_github(&s, NULL, 0, bad[i], "arn:aws:iam::123456789012:role/R");
		assert_int_equal(creds_from_github(&s.c, &creds, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
		/* With a token file this is not asked; without a role neither. */
		scene_set("AWS_WEB_IDENTITY_TOKEN_FILE", "/x");
		assert_int_equal(creds_from_github(&s.c, &creds, &err), 0);
		json_object_del(scene_variables, "AWS_WEB_IDENTITY_TOKEN_FILE");
		json_object_del(scene_variables, "AWS_ROLE_ARN");
		assert_int_equal(creds_from_github(&s.c, &creds, &err), 0);
	}
}

/* The file that Kubernetes rotates is read anew each time; the identity provider's hiccup is asked again. */
static void test_web_identity(void **state)
{
	static const struct fake_answer answers[] = {
		{ .status = 200, .body = ISSUED },
		{ .status = 400,
		  .body = "<ErrorResponse><Error><Code>IDPCommunicationError</Code></Error></ErrorResponse>" },
		{ .status = 200, .body = ISSUED },
	};
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };
	auto_free char *path = NULL;

	(void)state;
	SCENE_OPEN(&s, NULL, answers);
	path = fs_join(s.home, "token");
	scene_set("AWS_WEB_IDENTITY_TOKEN_FILE", path);
	assert_int_equal(creds_from_web_identity(&s.c, &creds, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	scene_set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/R");
	scene_set("AWS_ROLE_SESSION_NAME", "me");
	assert_int_equal(creds_from_web_identity(&s.c, &creds, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	scene_write(&s, "token", "one\n");
	assert_int_equal(creds_from_web_identity(&s.c, &creds, &err), 1);
	scene_write(&s, "token", "two");
	assert_int_equal(creds_from_web_identity(&s.c, &creds, &err), 1);
	assert_true(str_ends(s.http.sent[0].body, "&RoleSessionName=me&WebIdentityToken=one"));
	assert_true(str_ends(s.http.sent[2].body, "&WebIdentityToken=two"));
	assert_int_equal(creds.expires_ms, FAKE_NOW_MS + 3600 * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_github),
		cmocka_unit_test(test_github_elsewhere),
		cmocka_unit_test(test_web_identity),
	};

	return cmocka_run_group_tests_name("aws/creds_web_identity", tests, NULL, NULL);
}
