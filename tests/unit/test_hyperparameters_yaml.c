#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/hyperparameters.h"
#include "pipeline/hyperparameters_yaml.h"

/* What a configuration with these lines sends. */
static json_t *sent(const char *lines, const char *encoding)
{
	auto_free char *yaml =
		xasprintf("version: 1\nname: x\nestimator:\n  hyperparameter_encoding: %s\n  hyperparameters:\n%s",
			  encoding, lines);
	auto_config c = { 0 };
	auto_strlist warnings = { 0 };
	struct training_job_facts facts = { .warnings = &warnings };
	json_t *parameters = NULL;
	auto_err err = { 0 };

	if (config_parse(yaml, strlen(yaml), "smpipe.yaml", NULL, &c, &err) < 0 ||
	    hyperparameters_encode(&c, &facts, &parameters, &err) < 0)
		print_error("%s\n%s\n", err.msg, yaml);
	return parameters;
}

static void assert_comes_back(const json_t *parameters, bool is_json)
{
	auto_free char *lines = hyperparameters_yaml(parameters, is_json, 4);
	auto_json *again = sent(lines, is_json ? "json" : "plain");

	if (!json_equal(again, (json_t *)parameters))
		print_error("%s", lines);
	assert_true(json_equal(again, (json_t *)parameters));
}

static void test_plain(void **state)
{
	static const char *const texts[] = {
		"0.5",
		"1e-05",
		"1.0",
		"007",
		"-3",
		"+3",
		".5",
		"1_000",
		"0x10",
		"true",
		"null",
		"~",
		"yes",
		"",
		" ",
		"a b",
		"adam",
		"a: b",
		"a #b",
		"#b",
		"- a",
		"-",
		"---",
		"[1,2]",
		"{\"a\":1}",
		"\"quoted\"",
		"'single'",
		"back\\",
		"new\nline",
		"tab\there",
		"ärger",
		"%x",
		"@x",
		"*x",
		"&x",
		"!x",
		"|",
		">",
		"s3://b/k",
		"a,b",
		"=",
		"<<",
		"nan",
		"Infinity",
		"1e400",
		"1234567890123456789012345678901234567890",
		"ml/x.y",
		"?",
		"trailing ",
		" leading",
		"\xF0\x9F\x98\x80",
	};
	auto_json *parameters = json_object();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_free char *name = xasprintf("p%zu", i);

		json_put_str(parameters, name, texts[i]);
	}
	assert_comes_back(parameters, false);
}

static void test_json(void **state)
{
	static const char *const texts[] = {
		"0.5",
		"1e-05",
		"1.50",
		"-3",
		"true",
		"null",
		"\"true\"",
		"\"0.5\"",
		"\"adam\"",
		"\"\"",
		"\"a b\"",
		"[1,2.50,\"x\"]",
		"{\"a\":[1,null],\"b\":\"c: d\"}",
		"\"\\\"q\\\"\"",
		"\"new\\nline\"",
		"[]",
		"{}",
		"1234567890123456789012345678901234567890",
	};
	auto_json *parameters = json_object();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_free char *name = xasprintf("p%zu", i);

		json_put_str(parameters, name, texts[i]);
	}
	assert_comes_back(parameters, true);
}

/* As a person would write it. */
static void test_looks(void **state)
{
	auto_json *parameters =
		json_pack("{ss ss ss ss}", "lr", "0.0123", "optimizer", "adam", "2nd", "x y", "n", "10");
	auto_json *encoded = json_pack("{ss ss ss}", "lr", "0.0123", "optimizer", "\"adam\"", "text", "\"10\"");
	auto_free char *lines = hyperparameters_yaml(parameters, false, 2);
	auto_free char *decoded = hyperparameters_yaml(encoded, true, 0);

	(void)state;
	assert_string_equal(lines, "  lr: 0.0123\n  optimizer: adam\n  \"2nd\": \"x y\"\n  n: 10\n");
	assert_string_equal(decoded, "lr: 0.0123\noptimizer: adam\ntext: \"10\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_looks),
	};

	return cmocka_run_group_tests_name("pipeline/hyperparameters_yaml", tests, NULL, NULL);
}
