#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/words.h"
#include "tests/unit/creds_scene.h"

#define DOCUMENT(more) "{\"Version\": 1, \"AccessKeyId\": \"AP\", \"SecretAccessKey\": \"SP\"" more "}"

static void test_words(void **state)
{
	static const struct {
		const char *line, *words; /* joined by '|'; NULL: an open quote */
	} cases[] = {
		{ "a b  c", "a|b|c" },
		{ " a\tb\n", "a|b" },
		{ "a 'b c' d", "a|b c|d" },
		{ "a \"b c\"d", "a|b cd" },
		{ "a '' \"\"", "a||" },
		{ "a\\ b \\\\", "a b|\\" },
		{ "\"a\\\"b\\n\" 'c\\'", "a\"b\\n|c\\" },
		{ "a ; rm -rf / && $(b) `c` $HOME * > f | g # h", "a|;|rm|-rf|/|&&|$(b)|`c`|$HOME|*|>|f|||g|#|h" },
		{ "", "" },
		{ "a 'b", NULL },
		{ "a \"b", NULL },
		{ "a \\", NULL },
		{ "\"a\\", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_strlist l = { 0 };
		auto_str joined = { 0 };
		int result = words_split(&l, cases[i].line);

		for (size_t k = 0; k < l.n; k++)
			str_addf(&joined, "%s%s", k ? "|" : "", l.v[k]);
		assert_int_equal(result, cases[i].words ? 0 : -1);
		if (cases[i].words)
			assert_string_equal(str_text(&joined), cases[i].words);
	}
}

/* Run a credential_process; returns 1 or -1. */
static int run(const char *line, struct creds *ret, struct err *err)
{
	auto_free char *config = xasprintf("[default]\ncredential_process = %s\naws_account_id = 111122223333\n", line);
	auto_scene s = { 0 };

	scene_open(&s, config, NULL, 0);
	/* Each look at the clock is minutes later: a hang takes none. */
	if (str_starts(line, "sleep"))
		scene_tick_ms = 60000;
	return creds_from_profile(&s.c, ret, err);
}

static void test_output(void **state)
{
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(run("printf %s '" DOCUMENT("") "'", &creds, &err), 1);
	assert_string_equal(creds.access_key_id, "AP");
	assert_null(creds.session_token.value);
	assert_int_equal(creds.expires_ms, 0);
	assert_string_equal(creds.account_id, "111122223333");
	assert_string_equal(creds.source, "profile 'default' (credential_process)");
	assert_int_equal(run("printf %s '" DOCUMENT(", \"SessionToken\": \"TP\", \"AccountId\": \"999\", "
						    "\"Expiration\": \"2023-11-24T01:38:54+01:00\"") "'",
			     &creds, &err),
			 1);
	assert_string_equal(creds.session_token.value, "TP");
	assert_string_equal(creds.account_id, "999");
	assert_int_equal(creds.expires_ms, FAKE_NOW_MS + 23 * 3600 * 1000);
}

static void test_bad_programs(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{ "printf %s 'hidden rubbish'", "is no valid JSON (line 1, column" },
		{ "printf %s '[\"hidden\"]'", "is no JSON object" },
		{ "printf ''", "is no valid JSON" },
		{ "printf %s '{\"Version\": 2, \"AccessKeyId\": \"hidden\", \"SecretAccessKey\": \"hidden\"}'",
		  "is not of version 1" },
		{ "printf %s '{\"Version\": 1, \"AccessKeyId\": \"hidden\"}'", "has no 'SecretAccessKey'" },
		{ "printf %s '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hidden\", \"Expiration\": "
		  "\"soon\"}'",
		  "expiration that is no time" },
		{ "printf %s '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hidden\\r\\nX: y\"}'",
		  "control characters" },
		{ "yes hidden", "printed more than 65536 bytes" },
		{ "false", "ended with exit code 1" },
		{ "sleep 1000", "gave no answer within 120 s" },
		{ "sh -c 'kill -9 $$'", "ended with signal 9" },
		{ "/nonexistent/program --x",
		  "start the credential_process of profile 'default', '/nonexistent/program'" },
		{ "printf 'open", "open quote" },
		{ "''", "No such file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_creds creds = { 0 };
		auto_err err = { 0 };

		assert_int_equal(run(cases[i].line, &creds, &err), -1);
		if (!strstr(err.msg, cases[i].words) || strstr(err.msg, "hidden"))
			fail_msg("'%s': %s", cases[i].line, err.msg);
		assert_true(err.code == ERR_AUTH || (err.code == ERR_CONFIG && i == 12));
		assert_null(creds.access_key_id);
	}
}

/* A child that stays behind with the pipe in its hands holds nobody up; nothing of a command line is a script. */
static void test_no_shell(void **state)
{
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(run("sh -c 'sleep 5 & printf %s \"$1\"' sh '" DOCUMENT("") "'", &creds, &err), 1);
	scene_open(&s, NULL, NULL, 0);
	{
		auto_free char *mark = fs_join(s.home, "mark");
		auto_free char *config =
			xasprintf("[default]\ncredential_process = printf %%s '%s' && touch %s\n", DOCUMENT(""), mark);

		scene_write(&s, ".aws/config", config);
		creds_context_release(&s.c);
		assert_int_equal(creds_context_open(&s.c, &s.options, &err), 0);
		assert_int_equal(creds_from_profile(&s.c, &creds, &err), -1);
		assert_false(fs_exists(mark));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_bad_programs),
		cmocka_unit_test(test_no_shell),
	};

	return cmocka_run_group_tests_name("aws/creds_process", tests, NULL, NULL);
}
