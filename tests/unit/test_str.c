/* base/str.h: text and the encodings of the protocols. */

#include <limits.h>
#include <time.h>

#include "tests/unit/shell.h"

#define assert_text(actual, expected)                                                                                  \
	do {                                                                                                           \
		auto_free char *actual_text = (actual);                                                                \
		assert_string_equal(actual_text, expected);                                                            \
	} while (0)

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		bool is_valid;
	} rows[] = {
		{ "", true },
		{ "plain", true },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xf4\x90\x80\x80", false }, /* above U+10FFFF */
		{ "\xc0\xaf", false },         /* '/' in two bytes */
		{ "\xe0\x80\xaf", false },
		{ "\xf0\x80\x80\xaf", false },
		{ "\xed\xa0\x80", false }, /* a surrogate */
		{ "\xc3", false },
		{ "\xe2\x82", false },
		{ "\x80", false },
		{ "\xff", false },
		{ "\xc3(", false },
		{ "\xf8\x88\x80\x80\x80", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(str_is_utf8(rows[i].text, strlen(rows[i].text)), rows[i].is_valid);
	assert_true(str_is_utf8("a\0b", 3));
}

static void test_printable(void **state)
{
	(void)state;
	assert_text(str_printable("\033[31mred\033[0m"), "?[31mred?[0m");
	assert_text(str_printable("a\tb\r\n\b\x7f"), "a\tb????");
	/* CSI as one C1 character, and as a stray byte */
	assert_text(str_printable("\xc2\x9b"
				  "31m"),
		    "?31m");
	assert_text(str_printable("\x9b"
				  "31m"),
		    "?31m");
	assert_text(str_printable("\xc2\xa0\xc3\xa4\xf0\x9f\x98\x80"), "\xc2\xa0\xc3\xa4\xf0\x9f\x98\x80");
	assert_text(str_printable("\xe2\x82"), "??");
}

static void test_base64(void **state)
{
	/* RFC 4648, section 10 */
	static const char *const rows[][2] = { { "", "" },
					       { "f", "Zg==" },
					       { "fo", "Zm8=" },
					       { "foo", "Zm9v" },
					       { "foob", "Zm9vYg==" },
					       { "fooba", "Zm9vYmE=" },
					       { "foobar", "Zm9vYmFy" } };
	static const char *const malformed[] = { "Z",      "Zm9vY", "Z===", "====",      "Zg==Zg==",
						 "Zm9v\n", "Z m9v", "Z=g=", "\xc3\xa4==" };
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *back = str_unbase64(rows[i][1], &n);

		assert_text(str_base64(rows[i][0], strlen(rows[i][0])), rows[i][1]);
		assert_string_equal(back, rows[i][0]);
		assert_int_equal(n, strlen(rows[i][0]));
	}
	assert_text(str_base64("\xfb\xff\xbf", 3), "+/+/");
	assert_text(str_base64url("\xfb\xff\xbf", 3), "-_-_");
	assert_text(str_unbase64("+/+/", &n), "\xfb\xff\xbf");
	assert_text(str_unbase64("-_-_", &n), "\xfb\xff\xbf");
	assert_text(str_unbase64("Zm8", &n), "fo");
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		assert_null(str_unbase64(malformed[i], &n));
}

static void test_hex(void **state)
{
	unsigned char out[2];

	(void)state;
	assert_text(str_hex("\x00\xab\xff", 3), "00abff");
	assert_int_equal(str_unhex("0aFf", out, 2), 0);
	assert_memory_equal(out, "\x0a\xff", 2);
	assert_int_equal(str_unhex("0aF", out, 2), -1);
	assert_int_equal(str_unhex("0aFf0", out, 2), -1);
	assert_int_equal(str_unhex("0aFg", out, 2), -1);
	assert_int_equal(str_unhex(" aFf", out, 2), -1);
}

static void test_uri(void **state)
{
	(void)state;
	assert_text(str_uri_encode("a/b c+~-._%\xc3\xa4", false), "a%2Fb%20c%2B~-._%25%C3%A4");
	assert_text(str_uri_encode("a/b c", true), "a/b%20c");
	assert_text(str_uri_decode("a%2fb%20c+%C3%A4"), "a/b c+\xc3\xa4");
	assert_null(str_uri_decode("%"));
	assert_null(str_uri_decode("a%2"));
	assert_null(str_uri_decode("%zz"));
	assert_null(str_uri_decode("a%00b"));
}

static void test_parse_i64(void **state)
{
	static const struct {
		const char *text;
		int64_t n;
		bool is_number;
	} rows[] = {
		{ "0", 0, true },
		{ "-1", -1, true },
		{ "007", 7, true },
		{ "9223372036854775807", INT64_MAX, true },
		{ "-9223372036854775808", INT64_MIN, true },
		{ "9223372036854775808", 0, false },
		{ "", 0, false },
		{ "-", 0, false },
		{ "+1", 0, false },
		{ " 1", 0, false },
		{ "1 ", 0, false },
		{ "1.0", 0, false },
		{ "0x10", 0, false },
	};
	int64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(str_parse_i64(rows[i].text, INT64_MIN, INT64_MAX, &n), rows[i].is_number);
		if (rows[i].is_number)
			assert_true(n == rows[i].n);
	}
	assert_true(str_parse_i64("10", 1, 10, &n));
	assert_false(str_parse_i64("11", 1, 10, &n));
	assert_false(str_parse_i64("0", 1, 10, &n));
	assert_false(str_parse_i64(NULL, 1, 10, &n));
}

static void test_nearest(void **state)
{
	static const char *const names[] = { "estimator", "environments", "inputs", "image", NULL };
	char endless[200];

	(void)state;
	assert_string_equal(str_nearest("estimater", names), "estimator");
	assert_string_equal(str_nearest("Input", names), "inputs");
	assert_string_equal(str_nearest("imgae", names), "image");
	assert_null(str_nearest("x", names));
	assert_null(str_nearest("", names));
	assert_null(str_nearest("hyperparameters", names));
	memset(endless, 'e', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_null(str_nearest(endless, names));
}

static void test_time(void **state)
{
	time_t t = 1700703534;

	(void)state;
	assert_text(str_time_iso(t), "2023-11-23T01:38:54Z");
	assert_text(str_time_basic(t), "20231123T013854Z");
	t = 0;
	assert_int_equal(str_parse_time_iso("2023-11-23T01:38:54Z", &t), 0);
	assert_int_equal(t, 1700703534);
	assert_int_equal(str_parse_time_iso("2023-11-23T01:38:54.123456Z", &t), 0);
	assert_int_equal(t, 1700703534);
	assert_int_equal(str_parse_time_iso("2024-02-29T00:00:00", &t), 0);
	assert_int_equal(str_parse_time_iso("2023-11-23", &t), -1);
	assert_int_equal(str_parse_time_iso("2023-11-23T02:38:54+01:00", &t), 0);
	assert_int_equal(t, 1700703534);
	assert_int_equal(str_parse_time_iso("2023-11-23T01:38:54+", &t), -1);
	assert_int_equal(str_parse_time_iso("never", &t), -1);
	/* A service may send any number. */
	free(str_time_iso((time_t)LLONG_MAX));
	free(str_time_basic((time_t)LLONG_MIN));
}

static void test_units(void **state)
{
	(void)state;
	assert_text(str_bytes(0), "0 B");
	assert_text(str_bytes(1023), "1023 B");
	assert_text(str_bytes(1536), "1.5 KiB");
	assert_text(str_bytes(UINT64_C(5) << 40), "5.0 TiB");
	assert_text(str_duration_ms(420), "0.4 s");
	assert_text(str_duration_ms(12000), "12 s");
	assert_text(str_duration_ms(200 * 1000), "3 min 20 s");
	assert_text(str_duration_ms(125 * 60 * 1000), "2 h 05 min");
}

static void test_lists(void **state)
{
	auto_strlist l = { 0 };

	(void)state;
	assert_false(strlist_has_sorted(&l, "a"));
	strlist_sort_unique(&l);
	assert_int_equal(l.n, 0);
	str_split(&l, "b,a,,b,c,a", ',');
	assert_int_equal(l.n, 6);
	strlist_sort_unique(&l);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.v[0], "");
	assert_string_equal(l.v[1], "a");
	assert_string_equal(l.v[3], "c");
	assert_true(strlist_has_sorted(&l, "b"));
	assert_false(strlist_has_sorted(&l, "bb"));
}

static void test_trim(void **state)
{
	(void)state;
	assert_text(str_trim(" \t a b\r\n"), "a b");
	assert_text(str_trim("   "), "");
	assert_text(str_lower("A-\xc3\x84z"), "a-\xc3\x84z");
	assert_true(str_ends("a.tar.gz", ".tar.gz"));
	assert_false(str_ends("gz", ".tar.gz"));
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq(NULL, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),    cmocka_unit_test(test_printable), cmocka_unit_test(test_base64),
		cmocka_unit_test(test_hex),     cmocka_unit_test(test_uri),       cmocka_unit_test(test_parse_i64),
		cmocka_unit_test(test_nearest), cmocka_unit_test(test_time),      cmocka_unit_test(test_units),
		cmocka_unit_test(test_lists),   cmocka_unit_test(test_trim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
