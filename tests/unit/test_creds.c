#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/creds.h"
#include "aws/profile.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/edit_json.h"
#include "tests/unit/fake_http.h"

static void test_what_is_not_there(void **state)
{
	auto_profiles *p = NULL;
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(profiles_parse("[default]\na = 1\n[profile default]\nb = 2\n[default]\nc = 3\n[other]\nd = 4\n"
					"[profile in valid]\nno equals sign\n[profile x]\nin valid = v\n more\nk = v",
					"config", "[profile x]\nk = w\n", "credentials", &p, &err),
			 0);
	assert_null(profiles_get(p, "default", "a"));
	assert_string_equal(profiles_get(p, "default", "b"), "2");
	assert_null(profiles_get(p, "default", "c"));
	assert_false(profiles_has(p, "other"));
	assert_string_equal(profiles_get(p, "x", "k"), "v");
	assert_null(profiles_get(p, "y", "k"));
}

static void test_errors_name_the_line(void **state)
{
	auto_profiles *p = NULL;
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(profiles_parse(NULL, "config", "[a]\nk = v\nsecret-without-key\n", "creds", &p, &err), -1);
	assert_string_equal(err.msg, "'creds' line 3: Expected an '=' sign defining a property");
}

/* The environment of the case under test, as an object; home is where its files are. */
static json_t *variables;

static const char *fake_env(const char *name)
{
	return json_str(variables, name);
}

static void write_file(const char *home, const char *name, const char *text)
{
	auto_free char *path = fs_join(home, name);
	auto_free char *folder = fs_dirname(path);
	auto_err err = { 0 };

	assert_int_equal(fs_mkdir_p(folder, 0700, &err), 0);
	assert_int_equal(fs_write_atomic(path, text, strlen(text), 0600, &err), 0);
}

static const char config_file[] =
	"[default]\nregion = eu-west-1\n[profile half]\naws_access_key_id = A\n"
	"[profile role]\nrole_arn = arn:aws:iam::123456789012:role/R\nsource_profile = full\n"
	"[profile full]\naws_access_key_id = AF\naws_secret_access_key = SF\naws_session_token = TF\n";
static const char credentials_file[] = "[cred]\nAWS_ACCESS_KEY_ID = AC\nAWS_SECRET_ACCESS_KEY = SC\n"
				       "[split]\naws_access_key_id = A\n  B\naws_secret_access_key = S\n";

static void test_chain(void **state)
{
	static const struct {
		const char *env, *profile;
		const char *id, *source; /* NULL: an error with words */
		const char *words;
		enum err_code code;
	} cases[] = {
		{ "{'AWS_ACCESS_KEY_ID':'AE','AWS_SECRET_ACCESS_KEY':'SE'}", NULL, "AE", "environment", NULL,
		  ERR_NONE },
		{ "{'AWS_ACCESS_KEY_ID':'AE\\n','AWS_SECRET_ACCESS_KEY':'SE'}", NULL, "AE", "environment", NULL,
		  ERR_NONE },
		{ "{'AWS_ACCESS_KEY_ID':'AE','AWS_SECRET_ACCESS_KEY':'SE'}", "full", "AF", "profile 'full'", NULL,
		  ERR_NONE },
		{ "{'AWS_ACCESS_KEY_ID':' ','AWS_SECRET_ACCESS_KEY':'','AWS_PROFILE':'cred'}", NULL, "AC",
		  "profile 'cred'", NULL, ERR_NONE },
		{ "{'AWS_PROFILE':'full'}", NULL, "AF", "profile 'full'", NULL, ERR_NONE },
		{ "{'AWS_ACCESS_KEY_ID':'AE'}", NULL, NULL, NULL, "'AWS_SECRET_ACCESS_KEY' is not", ERR_AUTH },
		{ "{'AWS_ACCESS_KEY_ID':'A\\r\\nX: y','AWS_SECRET_ACCESS_KEY':'s'}", NULL, NULL, NULL,
		  "control characters", ERR_AUTH },
		{ "{}", NULL, NULL, NULL, "no AWS credentials", ERR_AUTH },
		{ "{}", "absent", NULL, NULL, "profile 'absent' is neither in", ERR_AUTH },
		{ "{'AWS_PROFILE':'absent'}", NULL, NULL, NULL, ".aws/credentials'", ERR_AUTH },
		{ "{}", "half", NULL, NULL, "no 'aws_secret_access_key'", ERR_CONFIG },
		{ "{}", "role", NULL, NULL, "take on role 'arn:", ERR_AUTH },
		{ "{}", "split", NULL, NULL, "control characters", ERR_AUTH },
	};
	auto_err err = { 0 };
	auto_free char *home = fs_temp_dir("smpipe-test", &err);

	(void)state;
	write_file(home, ".aws/config", config_file);
	write_file(home, ".aws/credentials", credentials_file);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		static const struct fake_answer refusal = { .status = 403 };
		auto_fake_http http = fake_http_of(&refusal, 1);
		struct creds_provider *provider =
			creds_provider_new(&(struct creds_options){ .profile = cases[i].profile,
								    .region = "eu-west-1",
								    .env = fake_env,
								    .sys = &fake_sys,
								    .http = &http.http });
		auto_json *env = from_single_quotes(cases[i].env);
		auto_creds creds = { 0 };
		auto_err why = { 0 };

		variables = env;
		json_put_str(env, "HOME", home);
		json_put_str(env, "AWS_EC2_METADATA_DISABLED", "true");
		if (cases[i].id) {
			assert_int_equal(creds_provider_get(provider, NULL, &creds, &why), 0);
			assert_string_equal(creds.access_key_id, cases[i].id);
			assert_string_equal(creds.source, cases[i].source);
		} else {
			assert_int_equal(creds_provider_get(provider, NULL, &creds, &why), -1);
			assert_int_equal(why.code, cases[i].code);
			if (!strstr(why.msg, cases[i].words))
				fail_msg("case %zu: %s", i, why.msg);
		}
		creds_provider_free(provider);
	}
	assert_int_equal(fs_remove_tree(home, &err), 0);
}

static void test_copy(void **state)
{
	auto_creds a = { 0 }, b = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(creds_set(&a, "id", "secret", "token", "source", &err), 0);
	creds_copy(&b, &a);
	creds_release(&a);
	assert_string_equal(b.access_key_id, "id");
	assert_string_equal(b.secret_access_key.value, "secret");
	assert_string_equal(b.session_token.value, "token");
	assert_null(a.secret_access_key.value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_errors_name_the_line),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests_name("aws/creds", tests, NULL, NULL);
}
