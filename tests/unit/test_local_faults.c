#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "local/faults.h"

static struct faults *parse(const char *text)
{
	struct faults *f = NULL;
	auto_err err = { 0 };

	if (faults_parse(text, &f, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return f;
}

/* One letter for each of n requests: the fault's, '.' where there is none. */
static char *strikes(const char *rules, const char *operation, int n)
{
	static const char letters[] = ".BbAaSTIDXOECtK";
	struct faults *f = parse(rules);
	auto_str got = { 0 };

	for (int i = 0; i < n; i++)
		str_add_char(&got, letters[faults_pick(f, operation).kind]);
	faults_free(f);
	return str_detach(&got);
}

static void test_which_requests_are_struck(void **state)
{
	static const struct {
		const char *rules, *operation, *want;
	} cases[] = {
		{ "", "PutObject", "......" },
		{ "PutObject:3:500", "PutObject", "..I..." },
		{ "PutObject:3:500", "GetObject", "......" },
		{ "PutObject:1-2:503", "PutObject", "DD...." },
		{ "PutObject:5+:stall", "PutObject", "....SS" },
		{ "*:2:reset-before", "GetObject", ".B...." },
		{ "PutObject:0:500", "PutObject", "......" },
		{ "PutObject:100%:reset-after", "PutObject", "AAAAAA" },
		{ "PutObject:0%:reset-after", "PutObject", "......" },
		{ "PutObject:2:trickle=20; PutObject:1+:skew=-60", "PutObject", "KTKKKK" },
		{ "A:1:reset-body;A:2:reset-answer;A:3:expired-token;A:4:error-200;A:5:wrong-etag;A:6:wrong-checksum",
		  "A", "baXOEC" },
		{ "A:1:truncate;", "A", "t....." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = strikes(cases[i].rules, cases[i].operation, 6);

		if (strcmp(got, cases[i].want))
			fail_msg("'%s': %s instead of %s", cases[i].rules, got, cases[i].want);
	}
}

static void test_chance_is_the_seeds(void **state)
{
	auto_free char *one = strikes("seed=1;A:30%:500", "A", 1000), *again = strikes("seed=1;A:30%:500", "A", 1000),
		       *other = strikes("seed=2;A:30%:500", "A", 1000);
	int n = 0;

	(void)state;
	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
	for (const char *p = one; *p; p++)
		n += *p == 'I';
	assert_in_range(n, 250, 350);
}

static void test_nonsense_is_refused(void **state)
{
	static const char *const texts[] = {
		"PutObject",       "PutObject:1",       "PutObject:x:500",   "PutObject:1:501",    ":1:500",
		"PutObject::500",  "PutObject:4-2:500", "PutObject:1:500=3", "PutObject:101%:500", "seed=x",
		"PutObject:+:500", "A:1:stall=x",       "A:1:2:500",         "PutObject:1:\x1b[2J"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct faults *f = NULL;
		auto_err err = { 0 };

		if (faults_parse(texts[i], &f, &err) == 0)
			fail_msg("'%s' was taken", texts[i]);
		assert_int_equal(err.code, ERR_USAGE);
		assert_null(strchr(err.msg, '\x1b'));
	}
}

static void test_counts(void **state)
{
	struct faults *f = parse("A:2:500;*:0:500");
	auto_free char *text = NULL;
	auto_json *counts = NULL;

	(void)state;
	assert_int_equal(faults_pick(NULL, "A").kind, FAULT_NONE);
	faults_pick(f, NULL);
	faults_pick(f, "A");
	faults_pick(f, "A");
	faults_pick(f, "B");
	counts = faults_counts(f);
	text = json_compact(counts);
	assert_string_equal(text, "[{\"rule\":\"A:2:500\",\"seen\":2,\"struck\":1},"
				  "{\"rule\":\"*:0:500\",\"seen\":3,\"struck\":0}]");
	faults_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_requests_are_struck),
		cmocka_unit_test(test_chance_is_the_seeds),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
