#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/creds_scene.h"

#define MINUTE_MS INT64_C(60000)

/* An agent that gives credentials with a serial number, which live for life_ms. */
struct agent {
	struct http http;
	int n;
	int64_t life_ms;
	bool is_down;
};

static int agent_send(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	struct agent *a = (struct agent *)http;
	auto_free char *expires = str_time_iso((time_t)((scene_now_ms + a->life_ms) / 1000));

	(void)req;
	if (a->is_down)
		return err_set(err, ERR_NETWORK, "nobody there");
	a->n++;
	resp->status = 200;
	str_addf(&resp->body,
		 "{\"AccessKeyId\":\"A%d\",\"SecretAccessKey\":\"S\",\"Token\":\"T\",\"Expiration\":\"%s\"}", a->n,
		 expires);
	return 0;
}

static const struct http_ops agent_ops = { .send = agent_send };

static struct creds_provider *open_agent(struct creds_scene *s, struct agent *a, int64_t life_ms)
{
	*a = (struct agent){ .http = { &agent_ops }, .life_ms = life_ms };
	scene_open(s, NULL, NULL, 0);
	s->options.http = &a->http;
	scene_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
	return creds_provider_new(&s->options);
}

/* The key id that a caller gets, or its refusal; static buffer. expired: the id of what a service called expired. */
static const char *get(struct creds_provider *p, const char *expired)
{
	static char id[100];
	struct creds old = { .access_key_id = (char *)expired, .session_token = { (char[]){ "T" } } };
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	if (creds_provider_get(p, expired ? &old : NULL, &creds, &err) < 0)
		return err.code == ERR_NETWORK ? "refused" : "other";
	snprintf(id, sizeof(id), "%s", creds.access_key_id);
	return id;
}

static void test_windows(void **state)
{
	auto_scene s = { 0 };
	struct agent a;
	struct creds_provider *p = open_agent(&s, &a, 60 * MINUTE_MS);

	(void)state;
	assert_string_equal(get(p, NULL), "A1");
	scene_now_ms += 44 * MINUTE_MS;
	assert_string_equal(get(p, NULL), "A1");
	/* Fewer than 15 minutes are left. */
	scene_now_ms += 2 * MINUTE_MS;
	assert_string_equal(get(p, NULL), "A2");
	assert_string_equal(get(p, NULL), "A2");
	/* When that is refused, the old ones go on, and the source is left alone for a minute … */
	scene_now_ms += 46 * MINUTE_MS;
	a.is_down = true;
	assert_string_equal(get(p, NULL), "A2");
	a.is_down = false;
	assert_string_equal(get(p, NULL), "A2");
	scene_now_ms += MINUTE_MS;
	assert_string_equal(get(p, NULL), "A3");
	/* … but not below 10 minutes. */
	scene_now_ms += 51 * MINUTE_MS;
	a.is_down = true;
	assert_string_equal(get(p, NULL), "refused");
	a.is_down = false;
	assert_string_equal(get(p, NULL), "A4");
	creds_provider_free(p);
}

/* Credentials that live 12 minutes are not fetched at each call, nor those that come with one minute left. */
static void test_short_lives(void **state)
{
	static const int64_t lives_ms[] = { 12 * MINUTE_MS, MINUTE_MS };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lives_ms); i++) {
		auto_scene s = { 0 };
		struct agent a;
		struct creds_provider *p = open_agent(&s, &a, lives_ms[i]);

		assert_string_equal(get(p, NULL), "A1");
		scene_now_ms += lives_ms[i] / 3;
		assert_string_equal(get(p, NULL), "A1");
		scene_now_ms += lives_ms[i] / 3;
		assert_string_equal(get(p, NULL), "A2");
		creds_provider_free(p);
	}
}

/* A clock that is an hour ahead makes all of them look old: they are used, and asked for once a minute. */
static void test_expired_on_arrival(void **state)
{
	auto_scene s = { 0 };
	struct agent a;
	struct creds_provider *p = open_agent(&s, &a, -10 * MINUTE_MS);

	(void)state;
	assert_string_equal(get(p, NULL), "A1");
	assert_string_equal(get(p, NULL), "A1");
	scene_now_ms += MINUTE_MS;
	assert_string_equal(get(p, NULL), "A2");
	creds_provider_free(p);
}

static void test_force(void **state)
{
	auto_scene s = { 0 };
	struct agent a;
	struct creds_provider *p = open_agent(&s, &a, 60 * MINUTE_MS);

	(void)state;
	assert_string_equal(get(p, NULL), "A1");
	assert_string_equal(get(p, "A1"), "A2");
	/* Another thread meets the same expiry: they have been fetched anew already. */
	assert_string_equal(get(p, "A1"), "A2");
	a.is_down = true;
	assert_string_equal(get(p, "A2"), "refused");
	assert_string_equal(get(p, "A1"), "A2");
	assert_string_equal(get(p, NULL), "A2");
	creds_provider_free(p);
}

static void *use(void *p)
{
	for (int i = 0; i < 50; i++) {
		struct creds old = { .access_key_id = (char[]){ "A1" }, .session_token = { (char[]){ "T" } } };
		auto_creds creds = { 0 };
		auto_err err = { 0 };

		if (creds_provider_get(p, &old, &creds, &err) < 0 || strcmp(creds.access_key_id, "A2") != 0)
			return p;
	}
	return NULL;
}

static void test_threads(void **state)
{
	auto_scene s = { 0 };
	struct agent a;
	struct creds_provider *p = open_agent(&s, &a, 60 * MINUTE_MS);
	pthread_t threads[8];

	(void)state;
	assert_string_equal(get(p, NULL), "A1");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, p), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(a.n, 2);
	creds_provider_free(p);
}

/* What a file holds is read anew when a service calls the old keys expired. */
static void test_files_again(void **state)
{
	auto_scene s = { 0 };
	struct creds_provider *p;

	(void)state;
	scene_open(&s, "[default]\naws_access_key_id = A1\naws_secret_access_key = S\naws_session_token = T\n", NULL,
		   0);
	p = creds_provider_new(&s.options);
	assert_string_equal(get(p, NULL), "A1");
	scene_write(&s, ".aws/config",
		    "[default]\naws_access_key_id = A2\naws_secret_access_key = S\naws_session_token = T\n");
	scene_now_ms += 100 * MINUTE_MS;
	assert_string_equal(get(p, NULL), "A1");
	assert_string_equal(get(p, "A1"), "A2");
	creds_provider_free(p);
}

static void test_static(void **state)
{
	auto_creds creds = { 0 };
	auto_err err = { 0 };
	struct creds_provider *p;

	(void)state;
	assert_int_equal(creds_set(&creds, "A", "S", "T", "test", &err), 0);
	creds.expires_ms = 1;
	p = creds_provider_static(&creds);
	assert_string_equal(get(p, NULL), "A");
	assert_string_equal(get(p, "A"), "A");
	creds_provider_free(p);
	creds_provider_free(NULL);
}

#define ROLE(name)                                                                                                     \
	"<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/" name     \
	"/s</Arn></AssumedRoleUser><Credentials><AccessKeyId>A" name "</AccessKeyId><SecretAccessKey>S" name           \
	"</SecretAccessKey><SessionToken>T" name "</SessionToken><Expiration>2023-11-23T02:38:54Z</Expiration>"        \
	"</Credentials></AssumeRoleResult></AssumeRoleResponse>"

/* Each step of a chain is said and signed with the credentials of the one before. */
static void test_role_chain(void **state)
{
	static const struct fake_answer answers[] = { { .status = 200, .body = ROLE("Q") },
						      { .status = 200, .body = ROLE("P") } };
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };
	struct creds_provider *p;

	(void)state;
	SCENE_OPEN(&s,
		   "[profile prod]\nrole_arn = arn:P\nsource_profile = mid\nexternal_id = x y\nduration_seconds = 900\n"
		   "role_session_name = me\n[profile mid]\nrole_arn = arn:Q\nsource_profile = base\n"
		   "[profile base]\naws_access_key_id = AB\naws_secret_access_key = SB\n",
		   answers);
	s.options.profile = "prod";
	p = creds_provider_new(&s.options);
	assert_int_equal(creds_provider_get(p, NULL, &creds, &err), 0);
	assert_string_equal(creds.access_key_id, "AP");
	assert_string_equal(creds.account_id, "111122223333");
	assert_string_equal(creds.source, "profile 'base' → role 'arn:Q' via STS → role 'arn:P' via STS");
	assert_non_null(strstr(http_headers_get(&s.http.sent[0].headers, "authorization"), "Credential=AB/"));
	assert_non_null(strstr(http_headers_get(&s.http.sent[1].headers, "authorization"), "Credential=AQ/"));
	assert_string_equal(http_headers_get(&s.http.sent[1].headers, "x-amz-security-token"), "TQ");
	assert_string_equal(s.http.sent[1].body,
			    "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3AP&RoleSessionName=me&ExternalId=x%20y&"
			    "DurationSeconds=900");
	creds_provider_free(p);
}

static void test_role_refusals(void **state)
{
	static const struct fake_answer denied[] = {
		{ .status = 403,
		  .body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>" }
	};
	static const struct fake_answer half[] = {
		{ .status = 200,
		  .body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>hidden</AccessKeyId></Credentials>"
			  "</AssumeRoleResult></AssumeRoleResponse>" }
	};
	static const struct {
		const char *more;
		const struct fake_answer *answer;
		const char *words;
	} cases[] = {
		{ "source_profile = base\n", denied,
		  "take on role 'arn:P' of profile 'default': AssumeRole: 403 AccessDenied: not you" },
		{ "source_profile = base\n", half, "the answer to AssumeRole has no whole credentials" },
		{ "source_profile = base\nmfa_serial = arn:x\n", NULL, "needs a code of an MFA device" },
		{ "source_profile = absent\n", NULL, "names the source_profile 'absent', which is not there" },
		{ "source_profile = empty\n", NULL, "profile 'empty' has nothing of credentials for 'default'" },
		{ "source_profile = loop\n", NULL, "round in a circle: 'default' → 'loop' → 'default'" },
		{ "source_profile = self\n", NULL, "profile 'self' has nothing of credentials" },
		{ "credential_source = Moon\n", NULL, "has the credential_source 'Moon', which is none" },
		{ "credential_source = Environment\n", NULL, "takes its credentials from 'Environment': it has none" },
		{ "", NULL, "neither 'source_profile' nor 'credential_source'" },
		{ "source_profile = login\n", NULL, "profile 'login' gets its credentials by `aws login`" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *config = xasprintf(
			"[default]\nrole_arn = arn:P\n%s[profile base]\naws_access_key_id = AB\naws_secret_access_key = SB\n"
			"[profile empty]\nregion = eu-west-1\n[profile loop]\nrole_arn = arn:L\nsource_profile = default\n"
			"[profile self]\nrole_arn = arn:S\nsource_profile = self\n"
			"[profile login]\nlogin_session = x\n",
			cases[i].more);
		auto_scene s = { 0 };
		auto_creds creds = { 0 };
		auto_err err = { 0 };

		scene_open(&s, config, cases[i].answer, cases[i].answer ? 1 : 0);
		assert_int_equal(creds_from_profile(&s.c, &creds, &err), -1);
		if (!strstr(err.msg, cases[i].words) || strstr(err.msg, "hidden"))
			fail_msg("case %zu: %s", i, err.msg);
	}
}

/* A source that has something, but wrong, ends the search. */
static void test_malformed_file(void **state)
{
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };
	struct creds_provider *p;

	(void)state;
	scene_open(&s, NULL, NULL, 0);
	scene_write(&s, ".aws/credentials", "[default]\naws_access_key_id = A\nhidden-secret\n");
	scene_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
	p = creds_provider_new(&s.options);
	assert_int_equal(creds_provider_get(p, NULL, &creds, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.msg, ".aws/credentials' line 3: "));
	assert_null(strstr(err.msg, "hidden"));
	creds_provider_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_short_lives),
		cmocka_unit_test(test_expired_on_arrival),
		cmocka_unit_test(test_force),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_files_again),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_role_chain),
		cmocka_unit_test(test_role_refusals),
		cmocka_unit_test(test_malformed_file),
	};

	return cmocka_run_group_tests_name("aws/creds_provider", tests, NULL, NULL);
}
