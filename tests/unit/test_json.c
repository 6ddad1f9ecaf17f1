/* base/json.h: the canonical form of RFC 8785, and reading what others wrote. */

#include "base/json.h"
#include "tests/unit/shell.h"

static json_t *parse(const char *text)
{
	auto_err err = { 0 };
	json_t *j = json_parse(text, strlen(text), "test", &err);

	if (!j)
		fail_msg("%s", err.msg);
	return j;
}

static void test_canonical(void **state)
{
	static const char *const rows[][2] = {
		{ " { } ", "{}" },
		{ "[ 1, -2, true, false, null, [ ], { } ]", "[1,-2,true,false,null,[],{}]" },
		{ "{\"b\":1,\"a\":2,\"B\":3,\"\":4}", "{\"\":4,\"B\":3,\"a\":2,\"b\":1}" },
		{ "{\"10\":1,\"1\":2,\"9\":3}", "{\"1\":2,\"10\":1,\"9\":3}" },
		{ "{\"a\":{\"z\":[{\"y\":1,\"x\":2}]}}", "{\"a\":{\"z\":[{\"x\":2,\"y\":1}]}}" },
		{ "[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]" },
		/* RFC 8785, section 3.2.2.2: the string of its example */
		{ "\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\"",
		  "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"" },
		{ "\"\\b\\t\\n\\f\\r\\u001f\\u007f\\u2028\"", "\"\\b\\t\\n\\f\\r\\u001f\x7f\xe2\x80\xa8\"" },
		/* RFC 8785, section 3.2.3: keys by UTF-16 code units, so that the pair of U+1F600 stands before U+FB33
		 */
		{ "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\","
		  "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
		  "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
		  "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
		  "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
		  "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}" },
		/* two pairs with the same first unit */
		{ "{\"\\ud83d\\ude01\":1,\"\\ud83d\\ude00\":2,\"\\ud83d\\ude00a\":3}",
		  "{\"\xf0\x9f\x98\x80\":2,\"\xf0\x9f\x98\x80"
		  "a\":3,\"\xf0\x9f\x98\x81\":1}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json *j = parse(rows[i][0]);
		auto_free char *text = json_canonical(j);

		assert_string_equal(text, rows[i][1]);
	}
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"", "{", "{\"a\":1,\"a\":2}", "[1] x", "\"\xff\"", "\"\\u0000\"", "{'a':1}"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_err err = { 0 };

		assert_null(json_parse(rows[i], strlen(rows[i]), "the answer", &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_true(str_starts(err.msg, "the answer is no valid JSON: "));
	}
}

/* RFC 8785, appendix B, and what a shorter form must not lose. */
static void test_reals(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0.0, "0" },
		{ -0.0, "0" },
		{ 5e-324, "5e-324" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 9007199254740992.0, "9007199254740992" },
		{ 295147905179352830000.0, "295147905179352830000" },
		{ 9.999999999999997e22, "9.999999999999997e+22" },
		{ 1e23, "1e+23" },
		{ 999999999999999900000.0, "999999999999999900000" },
		{ 1e21, "1e+21" },
		{ 9.999999999999997e-7, "9.999999999999997e-7" },
		{ 0.000001, "0.000001" },
		{ 333333333.33333325, "333333333.33333325" },
		{ -0.0000033333333333333333, "-0.0000033333333333333333" },
		{ 0.95, "0.95" },
		{ 64.0, "64" },
		{ -12.5, "-12.5" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json *j = json_real(rows[i].value);
		auto_free char *text = json_canonical(j);

		assert_string_equal(text, rows[i].text);
	}
}

/* An answer of a million brackets must not end in a stack that is too small. */
static void test_depth(void **state)
{
	const size_t n = 1000 * 1000;
	auto_free char *text = xmalloc(n);
	auto_err err = { 0 };

	(void)state;
	memset(text, '[', n);
	assert_null(json_parse(text, n, "the answer", &err));
	assert_int_equal(err.code, ERR_INVALID);
}

static void test_access(void **state)
{
	auto_json *j = parse("{\"a\":{\"b\":{\"c\":\"x\"}},\"n\":1}");
	auto_err err = { 0 };

	(void)state;
	assert_string_equal(json_string_value(json_at(j, "a", "b", "c", NULL)), "x");
	assert_null(json_at(j, "a", "x", "c", NULL));
	assert_null(json_at(NULL, "a", NULL));
	assert_null(json_str(j, "n"));
	assert_null(json_str(NULL, "n"));
	assert_null(json_need_str(j, "n", "the thing", &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.msg, "the thing has no 'n'");
	json_put_str(j, "n", NULL);
	assert_true(json_is_integer(json_object_get(j, "n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical), cmocka_unit_test(test_refused), cmocka_unit_test(test_reals),
		cmocka_unit_test(test_depth),     cmocka_unit_test(test_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
