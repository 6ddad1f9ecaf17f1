/* What a tuning job draws and decides by numbers alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "local/tuning_rules.h"
#include "local/tuning_sample.h"

#define DRAWS 4000

static struct sampler *make_sampler(const char *ranges, uint64_t seed)
{
	auto_err err = { 0 };
	auto_json *doc = json_parse(ranges, strlen(ranges), "ranges", &err);
	struct sampler *s = NULL;

	assert_non_null(doc);
	if (sampler_new(doc, seed, &s, &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Values of x, sorted. */
static void draw_many(const char *ranges, double v[DRAWS])
{
	struct sampler *s = make_sampler(ranges, 7);

	for (size_t i = 0; i < DRAWS; i++) {
		auto_json *point = sampler_random(s);

		v[i] = strtod(json_str(point, "x"), NULL);
	}
	sampler_free(s);
	qsort(v, DRAWS, sizeof(*v), compare_doubles);
}

/* A second range, so that the space never runs out of points. */
static const char endless[] = ",\"ContinuousParameterRanges\":[{\"Name\":\"y\",\"MinValue\":\"0\",\"MaxValue\":\"1\"}]";

/* The median tells the scale, the ends that the range is kept and used. */
static void test_scales(void **state)
{
	static const struct {
		const char *list, *min, *max, *scaling;
		double median;
	} rows[] = {
		{ "Continuous", "0", "10", "Linear", 5 },
		{ "Continuous", "1.0e-4", "1", "Logarithmic", 1e-2 },
		{ "Continuous", "1.0e-4", "1", "Auto", 1e-2 },
		{ "Continuous", "1", "10", "Auto", 5.5 },
		{ "Continuous", "-3", "1", "Auto", -1 },
		{ "Continuous", "0.9", "0.999", "ReverseLogarithmic", 0.99 },
		{ "Integer", "1", "1000", "Logarithmic", 22.4 },
		{ "Integer", "0", "1000", "Linear", 500 },
		/* Wider than a double, and to the ends of 64 bits. */
		{ "Continuous", "-1e308", "1.7e308", "Linear", 0.35e308 },
		{ "Integer", "1", "9223372036854775807", "Logarithmic", 3.04e9 },
		{ "Integer", "-9223372036854775808", "4611686018427387904", "Linear", -2.3e18 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *ranges =
			xasprintf("{\"%sParameterRanges\":[{\"Name\":\"x\",\"MinValue\":\"%s\",\"MaxValue\":\"%s\","
				  "\"ScalingType\":\"%s\"}]%s}",
				  rows[i].list, rows[i].min, rows[i].max, rows[i].scaling,
				  str_eq(rows[i].list, "Integer") ? endless : "");
		double min = strtod(rows[i].min, NULL), max = strtod(rows[i].max, NULL);
		double v[DRAWS];

		draw_many(ranges, v);
		assert_true(v[0] >= min && v[DRAWS - 1] <= max);
		if (fabs(v[DRAWS / 2] - rows[i].median) > 0.1 * (fabs(rows[i].median) + 0.01 * max - 0.01 * min))
			fail_msg("row %zu: median %g, not %g", i, v[DRAWS / 2], rows[i].median);
	}
}

/* The ends of a range of integers have the chance of every other. */
static void test_integers_are_uniform(void **state)
{
	auto_free char *ranges =
		xasprintf("{\"IntegerParameterRanges\":[{\"Name\":\"x\",\"MinValue\":\"0\",\"MaxValue\":\"3\"}]%s}",
			  endless);
	size_t counts[4] = { 0 };
	double v[DRAWS];

	(void)state;
	draw_many(ranges, v);
	for (size_t i = 0; i < DRAWS; i++)
		counts[(size_t)v[i]]++;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		assert_in_range(counts[i], DRAWS / 4 - 150, DRAWS / 4 + 150);
}

static const char *const finite_ranges =
	"{\"CategoricalParameterRanges\":[{\"Name\":\"a\",\"Values\":[\"x\",\"y\",\"\\\"z\\\"\"]},"
	"{\"Name\":\"b\",\"Values\":[\"1\",\"2\"]}],"
	"\"IntegerParameterRanges\":[{\"Name\":\"n\",\"MinValue\":\"1\",\"MaxValue\":\"200\","
	"\"ScalingType\":\"Logarithmic\"}]}";

static void test_a_finite_space_is_drawn_without_repeats(void **state)
{
	struct sampler *s = make_sampler(finite_ranges, 1);
	auto_json *seen = json_object();
	auto_json *after = NULL;

	(void)state;
	assert_int_equal(sampler_points(s), 1200);
	for (size_t i = 0; i < 1200; i++) {
		auto_json *point = sampler_random(s);
		auto_free char *text = json_canonical(point);

		assert_null(json_object_get(seen, text));
		json_object_set_new(seen, text, json_true());
	}
	/* More jobs than points: then they come again. */
	after = sampler_random(s);
	assert_int_equal(json_object_size(after), 3);
	sampler_free(s);
}

static void test_the_grid_has_each_point_once(void **state)
{
	static const char *const expected[] = { "x 1", "x 2", "y 1", "y 2", "\"z\" 1", "\"z\" 2" };
	struct sampler *s = make_sampler("{\"CategoricalParameterRanges\":["
					 "{\"Name\":\"a\",\"Values\":[\"x\",\"y\",\"\\\"z\\\"\"]},"
					 "{\"Name\":\"b\",\"Values\":[\"1\",\"2\"]}]}",
					 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		auto_json *point = sampler_next(s);
		auto_free char *text = xasprintf("%s %s", json_str(point, "a"), json_str(point, "b"));

		assert_string_equal(text, expected[i]);
	}
	assert_null(sampler_next(s));
	sampler_free(s);
}

static char *first_points(uint64_t seed)
{
	struct sampler *s = make_sampler("{\"ContinuousParameterRanges\":[{\"Name\":\"x\",\"MinValue\":\"0\","
					 "\"MaxValue\":\"1\"}]}",
					 seed);
	auto_json *list = json_array();
	char *text;

	for (size_t i = 0; i < 5; i++)
		json_array_append_new(list, sampler_random(s));
	sampler_free(s);
	text = json_compact(list);
	return text;
}

static void test_a_seed_gives_the_same_points_again(void **state)
{
	auto_free char *a = first_points(3), *b = first_points(3), *c = first_points(4);

	(void)state;
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
}

static void test_bad_ranges_are_refused(void **state)
{
	static const struct {
		const char *ranges, *words;
	} rows[] = {
		{ "{\"ContinuousParameterRanges\":[{\"Name\":\"x\",\"MinValue\":\"a\",\"MaxValue\":\"1\"}]}",
		  "x.MinValue: 'a' is no number" },
		{ "{\"ContinuousParameterRanges\":[{\"Name\":\"x\",\"MinValue\":\"0\",\"MaxValue\":\"inf\"}]}",
		  "x.MaxValue: 'inf' is no number" },
		{ "{\"IntegerParameterRanges\":[{\"Name\":\"x\",\"MinValue\":\"0\",\"MaxValue\":\"1.5\"}]}",
		  "x.MaxValue: '1.5' is no integer" },
		{ "{\"IntegerParameterRanges\":[{\"Name\":\"x\",\"MinValue\":\"3\",\"MaxValue\":\"1\"}]}",
		  "x: MinValue is above MaxValue" },
		{ "{\"IntegerParameterRanges\":[{\"Name\":\"x\",\"MinValue\":\"0\",\"MaxValue\":\"9223372036854775808\"}]}",
		  "x.MaxValue: '9223372036854775808' is no integer" },
		{ "{\"CategoricalParameterRanges\":[{\"Name\":\"x\",\"Values\":[]}]}", "x has no Values" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_err err = { 0 };
		auto_json *doc = json_parse(rows[i].ranges, strlen(rows[i].ranges), "ranges", &err);
		struct sampler *s = NULL;

		assert_int_equal(sampler_new(doc, 0, &s, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
		if (!strstr(err.msg, rows[i].words))
			fail_msg("no '%s' in '%s'", rows[i].words, err.msg);
	}
}

/* Running averages up to step 2: 0.3, 0.5, 0.9 (of one value); the median is 0.5. */
static void test_the_median_rule(void **state)
{
	static const double a[] = { 0.2, 0.4, 9 }, b[] = { 0.5, 0.5 }, c[] = { 0.9 }, bad[] = { NAN, 1 };
	const struct tuning_series three[] = { { a, 3 }, { b, 2 }, { c, 1 }, { NULL, 0 } };
	const struct tuning_series one[] = { { bad, 2 } };

	(void)state;
	assert_true(tuning_median_stops(three, 4, 0.49, 2, TUNING_MAXIMIZE));
	assert_false(tuning_median_stops(three, 4, 0.5, 2, TUNING_MAXIMIZE));
	assert_false(tuning_median_stops(three, 4, 0.49, 2, TUNING_MINIMIZE));
	assert_true(tuning_median_stops(three, 4, 0.51, 2, TUNING_MINIMIZE));
	assert_true(tuning_median_stops(three, 4, NAN, 2, TUNING_MINIMIZE));
	/* Of two, the median lies between. */
	assert_true(tuning_median_stops(three, 2, 0.39, 2, TUNING_MAXIMIZE));
	assert_false(tuning_median_stops(three, 2, 0.41, 2, TUNING_MAXIMIZE));
	/* Nothing to compare with. */
	assert_false(tuning_median_stops(three, 0, 0, 1, TUNING_MAXIMIZE));
	assert_false(tuning_median_stops(one, 1, 0, 2, TUNING_MAXIMIZE));
}

/* The table of the paper for R = 27, eta = 3: 27, 12, 6 and 4 jobs. */
static void test_hyperband_deals_as_the_paper_does(void **state)
{
	static const struct {
		size_t index;
		int bracket;
	} rows[] = { { 0, 3 }, { 26, 3 }, { 27, 2 }, { 38, 2 }, { 39, 1 }, { 44, 1 }, { 45, 0 }, { 48, 0 }, { 49, 3 } };
	int rungs[HYPERBAND_RUNGS_MAX];
	struct hyperband h;

	(void)state;
	hyperband_init(&h, 1, 27);
	assert_int_equal(h.s_max, 3);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(hyperband_bracket(&h, rows[i].index), rows[i].bracket);
	assert_int_equal(hyperband_rungs(&h, 3, rungs), 3);
	assert_int_equal(rungs[0], 1);
	assert_int_equal(rungs[1], 3);
	assert_int_equal(rungs[2], 9);
	assert_int_equal(hyperband_rungs(&h, 1, rungs), 1);
	assert_int_equal(rungs[0], 9);
	assert_int_equal(hyperband_rungs(&h, 0, rungs), 0);
	/* No rung lies below MinResource. */
	hyperband_init(&h, 4, 30);
	assert_int_equal(h.s_max, 1);
	hyperband_init(&h, 5, 5);
	assert_int_equal(h.s_max, 0);
	assert_int_equal(hyperband_bracket(&h, 17), 0);
	/* What is more than an int holds is much, not little. */
	hyperband_init(&h, (INT64_C(1) << 32) + 1, (INT64_C(1) << 32) + 27);
	assert_int_equal(h.max, HYPERBAND_RESOURCE_MAX);
	assert_int_equal(h.s_max, 0);
	hyperband_init(&h, 0, 0);
	assert_int_equal(h.min, 1);
	assert_int_equal(h.max, HYPERBAND_RESOURCE_MAX);
}

static void test_a_rung_keeps_the_best_third(void **state)
{
	static const double v[] = { 0.5, 0.6, 0.4, 0.7, 0.1, 0.2 };

	(void)state;
	assert_true(hyperband_stays(v, 1, 0.5, TUNING_MAXIMIZE)); /* the first there */
	assert_true(hyperband_stays(v, 2, 0.6, TUNING_MAXIMIZE)); /* one of two */
	assert_false(hyperband_stays(v, 3, 0.4, TUNING_MAXIMIZE));
	assert_true(hyperband_stays(v, 6, 0.6, TUNING_MAXIMIZE)); /* two of six */
	assert_false(hyperband_stays(v, 6, 0.5, TUNING_MAXIMIZE));
	assert_true(hyperband_stays(v, 6, 0.2, TUNING_MINIMIZE));
	assert_false(hyperband_stays(v, 6, NAN, TUNING_MINIMIZE));
}

static void test_improving_is_one_percent(void **state)
{
	static const double v[] = { 0.500, 0.504, 0.510, 0.300, 0.512, 0.520 };

	(void)state;
	assert_int_equal(tuning_count_not_improving(v, 1, TUNING_MAXIMIZE), 0);
	assert_int_equal(tuning_count_not_improving(v, 2, TUNING_MAXIMIZE), 1);
	assert_int_equal(tuning_count_not_improving(v, 3, TUNING_MAXIMIZE), 0); /* 0.510 after 0.504 */
	assert_int_equal(tuning_count_not_improving(v, 5, TUNING_MAXIMIZE), 2);
	assert_int_equal(tuning_count_not_improving(v, 6, TUNING_MAXIMIZE), 0);
	assert_int_equal(tuning_count_not_improving(v, 6, TUNING_MINIMIZE), 2);
	assert_true(tuning_best(v, 6, TUNING_MINIMIZE) == 0.3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_integers_are_uniform),
		cmocka_unit_test(test_a_finite_space_is_drawn_without_repeats),
		cmocka_unit_test(test_the_grid_has_each_point_once),
		cmocka_unit_test(test_a_seed_gives_the_same_points_again),
		cmocka_unit_test(test_bad_ranges_are_refused),
		cmocka_unit_test(test_the_median_rule),
		cmocka_unit_test(test_hyperband_deals_as_the_paper_does),
		cmocka_unit_test(test_a_rung_keeps_the_best_third),
		cmocka_unit_test(test_improving_is_one_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
