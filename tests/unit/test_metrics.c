#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/metrics.h"
#include "base/mem.h"
#include "base/str.h"

static void note(void *ctx, const char *name, double value)
{
	str_addf(ctx, "%s=%g ", name, value);
}

/* "name=value " for each value that one definition finds. */
static char *found(const char *regex, const char *line)
{
	json_t *definitions = json_pack("[{s:s, s:s}]", "Name", "m", "Regex", regex);
	struct metrics *m = NULL;
	auto_str b = { 0 };
	auto_err err = { 0 };

	if (metrics_new(definitions, &m, &err) < 0)
		fail_msg("%s", err.msg);
	metrics_feed(m, line, note, &b);
	metrics_free(m);
	json_decref(definitions);
	return str_detach(&b);
}

static void test_values(void **state)
{
	static const char *const cases[][3] = {
		{ "train_loss=([-+0-9.eE]+)", "epoch 1 train_loss=1.5e-3 s", "m=0.0015 " },
		{ "f1_score/val=([-+0-9.eE]+)", "f1_score/val=-2", "m=-2 " },
		{ "loss: (\\d+\\.\\d+)", "loss: 0.25, loss: 0.5", "m=0.25 m=0.5 " },
		{ "loss:\\s*(\\S+)", "loss:\t nan", "m=nan " },
		{ "loss=(\\S+)", "loss=-inf", "m=-inf " },
		{ "loss=(\\S+)", "loss=oops", "" },
		{ "loss=(.*)", "loss=1 acc=2", "" },
		{ "loss=(.*?);", "loss=0.5; acc=1; loss=2;", "m=0.5 m=2 " },
		{ "ganD_loss=(.*?);", "GAN_loss=0.138318; ganD_loss=0.6;", "m=0.6 " },
		{ "(?:train|val)_loss=([0-9.]+)", "val_loss=3", "m=3 " },
		{ "((?:a|b)+)=x ([0-9]+)", "ab=x 7", "" },
		{ "(?P<value>[0-9]+)%", "93%", "m=93 " },
		{ "(?i)LOSS=([0-9.]+)", "Loss=4", "m=4 " },
		{ "^loss=([0-9]+)", "loss=1 loss=2", "m=1 " },
		{ "[\\[\\]-]([0-9]+)[^\\]]", "]5x", "m=5 " },
		{ "([\\d\\.\\-e]+)$", "x 1.5e-3", "m=0.0015 " },
		{ "[\\s\\S]([0-9])", "a1", "m=1 " },
		{ "[\\w-]+: ([0-9])", "val-loss: 3", "m=3 " },
		{ "[\\^a]=([0-9])", "^=1", "m=1 " },
		{ "[\\^]=([0-9])", "^=1", "m=1 " },
		{ "[]a]=([0-9])", "]=1", "m=1 " },
		{ "[^[:space:]]=([0-9]+)", "x=12", "m=12 " },
		{ "\\bloss=([0-9])", "loss=1 xloss=2", "m=1 " },
		{ "[0-9]+", "1 2", "m=1 m=2 " },
		{ "([0-9]*)", "ab", "" },
		{ "x*", "axb", "" },
		{ "a(x([0-9]))?b([0-9])", "ab1", "" },
		{ "loss=([0-9]{1,2})", "loss=123", "m=12 " },
		{ "\\(([0-9]+)\\)", "(8)", "m=8 " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *actual = found(cases[i][0], cases[i][1]);

		if (strcmp(actual, cases[i][2]) != 0)
			fail_msg("'%s' in '%s': '%s'", cases[i][0], cases[i][1], actual);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = { "(",     "[a",    "a(?=b)", "(?<!a)b", "(?s)a",   "\\",
					     "[\\S]", "[z-a]", "(a)\\1", "a{2,1}",  "\\u0041", "(?P<name" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *definitions = json_pack("[{s:s, s:s}]", "Name", "m", "Regex", cases[i]);
		struct metrics *m = NULL;
		auto_err err = { 0 };

		if (metrics_new(definitions, &m, &err) == 0)
			fail_msg("'%s' was taken", cases[i]);
		assert_int_equal(err.code, ERR_CONFIG);
		json_decref(definitions);
	}
}

static void test_none_and_many(void **state)
{
	json_t *definitions = json_pack("[{s:s, s:s}, {s:s, s:s}]", "Name", "a", "Regex", "a=([0-9])", "Name", "b",
					"Regex", "b=([0-9])");
	struct metrics *m = NULL, *none = NULL;
	auto_str b = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(metrics_new(definitions, &m, &err), 0);
	metrics_feed(m, "b=2 a=1", note, &b);
	assert_string_equal(b.s, "a=1 b=2 ");
	assert_int_equal(metrics_new(NULL, &none, &err), 0);
	metrics_feed(none, "b=2 a=1", note, &b);
	metrics_free(none);
	metrics_free(m);
	json_decref(definitions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_none_and_many),
	};

	return cmocka_run_group_tests_name("aws/metrics", tests, NULL, NULL);
}
