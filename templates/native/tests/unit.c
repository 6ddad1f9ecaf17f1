/*
 * What can be known without a run: metrics against numbers worked out by hand, the gradient against
 * differences of the loss, and what the readers take and refuse.
 */
#include "flat_json.h"
#include "hyperparameters.h"
#include "metrics.h"
#include "model.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int n_failed;

static void check(bool is_true, const char *what)
{
	if (!is_true) {
		printf("not as expected: %s\n", what);
		n_failed++;
	}
}

static bool is_near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * fmax(1, fabs(b));
}

static void test_f1(void)
{
	/* Predicted 0 1 1 1 2 0: F1 is 2/4 for class 0, 4/5 for class 1, 2/3 for class 2. */
	static const double scores[] = { 9, 1, 1, 1, 9, 1, 1, 9, 1, 1, 9, 1, 1, 1, 9, 9, 1, 1 };
	static const int labels[] = { 0, 0, 1, 1, 2, 2 };
	static const double of_four[] = { 9, 1, 0, 0, 1, 9, 0, 0 };
	static const int hits[] = { 0, 1 }, misses[] = { 1, 0 };

	check(is_near(metrics_macro_f1(scores, labels, 6, 3), (1.0 / 2 + 4.0 / 5 + 2.0 / 3) / 3, 1e-15), "macro F1");
	check(metrics_macro_f1(of_four, hits, 2, 4) == 1, "F1 leaves out classes that nobody has");
	check(metrics_macro_f1(of_four, misses, 2, 4) == 0, "F1 of nothing but misses");
	check(metrics_predicted((const double[]){ 1, 2, 2 }, 3) == 1, "the first of equal scores is predicted");
}

static void test_auroc(void)
{
	static const int labels[] = { 0, 0, 1, 1 };
	/* The second class's scores; the first one's are their opposites, so both areas are the same. */
	static const struct {
		double scores[4], area;
		const char *what;
	} cases[] = {
		{ { .1, .4, .35, .8 }, 0.75, "AUROC: three of four pairs in order" },
		{ { .1, .2, .3, .4 }, 1, "AUROC: all pairs in order" },
		{ { .4, .3, .2, .1 }, 0, "AUROC: no pair in order" },
		{ { .5, .5, .5, .5 }, 0.5, "AUROC: nothing but ties" },
		{ { .5, .2, .5, .8 }, 0.875, "AUROC: one tie in four pairs" },
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		double scores[8];

		for (int r = 0; r < 4; r++) {
			scores[2 * r] = -cases[c].scores[r];
			scores[2 * r + 1] = cases[c].scores[r];
		}
		check(is_near(metrics_macro_auroc(scores, labels, 4, 2), cases[c].area, 1e-15), cases[c].what);
	}
	check(isnan(metrics_macro_auroc((const double[]){ 1, 2 }, (const int[]){ 0 }, 1, 2)), "AUROC of one row");
	/* What it is does not matter, only that there is an answer. */
	metrics_macro_auroc((const double[]){ NAN, NAN, NAN, NAN }, (const int[]){ 0, 1 }, 2, 2);
}

static void test_loss(void)
{
	const double scores[] = { log(0.5), log(0.5), log(0.2), log(0.8) };
	const int labels[] = { 0, 1 };

	check(is_near(metrics_log_loss(scores, labels, 2, 2), -(log(0.5) + log(0.8)) / 2, 1e-15), "log loss");
}

static void test_gradient(void)
{
	static const size_t rows[] = { 2, 0, 3 };
	static double values[] = { 0.3, -1.2, 0.7, 0.1, 1.5, -0.4, -0.9, 2.0 };
	static int labels[] = { 0, 1, 2, 1 };
	struct dataset data = { .values = values, .labels = labels, .n_rows = 4, .n_features = 2 };
	const double step = 1e-6, l2 = 0.05;
	double gradient[9];
	struct model model;

	model_init(&model, 2, 3);
	for (size_t w = 0; w < 9; w++)
		model.weights[w] = 0.4 * sin((double)w + 1);
	model_gradient(&model, &data, rows, 3, l2, gradient);
	for (size_t w = 0; w < 9; w++) {
		double kept = model.weights[w], above, below;

		model.weights[w] = kept + step;
		above = model_loss(&model, &data, rows, 3, l2);
		model.weights[w] = kept - step;
		below = model_loss(&model, &data, rows, 3, l2);
		model.weights[w] = kept;
		check(is_near(gradient[w], (above - below) / (2 * step), 1e-8), "gradient");
	}
	model_release(&model);
}

static void test_extreme_scores(void)
{
	double log_probabilities[2];
	struct model model;

	model_init(&model, 1, 2);
	model.weights[1] = 1e4;
	model_log_probabilities(&model, (const double[]){ 1 }, log_probabilities);
	check(log_probabilities[0] == 0 && log_probabilities[1] == -1e4, "scores beyond the range of exp()");
	model_release(&model);
}

/* With a reason the text is refused for it; else `expected` is its pairs, name=value; each. */
struct json_case {
	const char *text, *expected, *reason;
};

static void test_json(void)
{
	static const struct json_case cases[] = {
		{ "{}", "", NULL },
		{ " { \"a\" : \"1\" ,\n\t\"b\":\"\"\r}\n", "a=1;b=;", NULL },
		{ "{\"q\":\"\\\"x\\\\\\/\\t\"}", "q=\"x\\/\t;", NULL },
		{ "{\"u\":\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"}", "u=A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80;", NULL },
		{ "", NULL, "'{' expected at byte 0" },
		{ "[]", NULL, "'{' expected at byte 0" },
		{ "{\"a\":1}", NULL, "a value in quotes expected at byte 5" },
		{ "{\"a\":{}}", NULL, "a value in quotes expected at byte 5" },
		{ "{\"a\":\"1\",}", NULL, "a name in quotes expected at byte 9" },
		{ "{\"a\" \"1\"}", NULL, "':' expected at byte 5" },
		{ "{\"a\":\"1\" \"b\":\"2\"}", NULL, "',' or '}' expected at byte 9" },
		{ "{\"a\":\"1\"", NULL, "',' or '}' expected at byte 8" },
		{ "{\"a\":\"1\"} x", NULL, "more text after the object at byte 10" },
		{ "{\"a\":\"1", NULL, "text without an end at byte 7" },
		{ "{\"a\":\"1\n\"}", NULL, "text without an end at byte 7" },
		{ "{\"a\":\"\\", NULL, "text without an end at byte 7" },
		{ "{\"a\":\"\\x\"}", NULL, "unknown escape at byte 8" },
		{ "{\"a\":\"\\u00g0\"}", NULL, "four hexadecimal digits expected at byte 10" },
		{ "{\"a\":\"\\u0000\"}", NULL, "a zero character at byte 12" },
		{ "{\"a\":\"\\ud83d!\"}", NULL, "half a surrogate pair at byte 12" },
		{ "{\"a\":\"\\ude00\"}", NULL, "half a surrogate pair at byte 12" },
		{ "{\"a\":\"1\",\"\\u0061\":\"2\"}", NULL, "'a' is there twice" },
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct flat_json json = { 0 };
		struct failure failure = { .reason = "" };
		char found[256] = "";

		if (flat_json_parse(&json, cases[c].text, strlen(cases[c].text), &failure) < 0) {
			check(cases[c].reason && strcmp(failure.reason, cases[c].reason) == 0, failure.reason);
			continue;
		}
		for (size_t i = 0; i < json.n_pairs; i++)
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s=%s;", json.pairs[i].name,
				 json.pairs[i].value);
		check(cases[c].expected && strcmp(found, cases[c].expected) == 0, cases[c].text);
		flat_json_release(&json);
	}
}

static void test_hyperparameters(void)
{
	static const struct {
		char *name, *value;
		const char *reason;
	} cases[] = {
		{ "lr", "0.25", NULL },
		{ "lr", "\"0.25\"", NULL },
		{ "epochs", "1e3", NULL },
		{ "sagemaker_program", "\"train.sh\"", NULL },
		{ "_tuning_objective_metric", "Train Loss", NULL },
		{ "lr", "fast", "hyperparameter 'lr': 'fast' is not a number" },
		{ "lr", "", "hyperparameter 'lr': '' is not a number" },
		{ "lr", "nan", "hyperparameter 'lr': 'nan' is not a number" },
		{ "lr", "0x1p3", "hyperparameter 'lr': '0x1p3' is not a number" },
		{ "lr", "1 ", "hyperparameter 'lr': '1 ' is not a number" },
		{ "lr", "0", "hyperparameter 'lr': 0 is not between 1e-09 and 100" },
		{ "epochs", "2.5", "hyperparameter 'epochs': 2.5 is not a whole number" },
		{ "epochs", "0", "hyperparameter 'epochs': 0 is not between 1 and 1000000000" },
		{ "seed", "-1", "hyperparameter 'seed': -1 is not between 0 and 4294967295" },
		{ "momentum", "0.9",
		  "hyperparameter 'momentum' is unknown: there are lr, epochs, batch_size, l2, seed" },
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct flat_json_pair pair = { cases[c].name, cases[c].value };
		struct flat_json json = { .pairs = &pair, .n_pairs = 1 };
		struct hyperparameters hp = { 0 };
		struct failure failure = { .reason = "" };
		bool is_taken = hyperparameters_from_json(&hp, &json, &failure) == 0;

		if (cases[c].reason)
			check(!is_taken && strcmp(failure.reason, cases[c].reason) == 0, cases[c].reason);
		else
			check(is_taken && hp.batch_size == 16, cases[c].value);
		if (is_taken && strcmp(cases[c].name, "lr") == 0)
			check(hp.lr == 0.25, "the value of lr");
	}
}

int main(void)
{
	test_f1();
	test_auroc();
	test_loss();
	test_gradient();
	test_extreme_scores();
	test_json();
	test_hyperparameters();
	printf("unit: %s\n", n_failed ? "not as expected" : "ok");
	return n_failed ? 1 : 0;
}
