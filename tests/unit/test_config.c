/* pipeline/config.h: what smpipe.yaml may say, and how it is told what is wrong. */

#include "base/json.h"
#include "pipeline/config.h"
#include "pipeline/schema.h"
#include "tests/unit/shell.h"

#define HEAD "version: 1\nname: a\n"

static void parse(const char *text, const char *environment, struct config *ret)
{
	auto_err err = { 0 };

	if (config_parse(text, strlen(text), "smpipe.yaml", environment, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

/* The first line of each complaint. */
static void test_complaints(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "smpipe.yaml is empty" },
		{ "# nothing\n", "smpipe.yaml is empty" },
		{ "- a\n", "smpipe.yaml:1:1: the file must be a mapping (key: value)" },
		{ "name: a\n", "smpipe.yaml has no 'version'" },
		{ "version: 1\n", "smpipe.yaml has no 'name'" },
		{ "version: 2\nname: a\n", "smpipe.yaml:1:10: 'version' is '2'; it must be '1'" },
		{ "version: 1\nname: ''\n", "smpipe.yaml:2:7: 'name' must have 1 to 46 characters" },
		{ "version: 1\nname: a_b\n",
		  "smpipe.yaml:2:7: 'name' may have letters, digits and, between them, hyphens" },
		{ "version: 1\nname: -a\n",
		  "smpipe.yaml:2:7: 'name' may have letters, digits and, between them, hyphens" },
		{ "version: 1\nname: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		  "smpipe.yaml:2:7: 'name' must have 1 to 46 characters" },
		{ HEAD "bukket: b\n", "smpipe.yaml:3:1: unknown key 'bukket'; did you mean 'bucket'?" },
		{ HEAD "zzzzzzzz: b\n", "smpipe.yaml:3:1: unknown key 'zzzzzzzz'" },
		{ HEAD "\"\\e[2J\": b\n", "smpipe.yaml:3:1: unknown key '?[2J'" },
		{ HEAD "estimator:\n  instance_typ: b\n",
		  "smpipe.yaml:4:3: unknown key 'instance_typ'; did you mean 'instance_type'?" },
		{ HEAD "bucket: b\nbucket: c\n", "smpipe.yaml:4:1: 'bucket' stands here twice" },
		{ HEAD "inputs:\n  train: a\n  train: b\n", "smpipe.yaml:5:3: 'inputs.train' stands here twice" },
		{ HEAD "inputs:\n  tr ain: a\n",
		  "smpipe.yaml:4:3: inputs.tr ain: 'tr ain' does not match [A-Za-z0-9._-]+" },
		{ HEAD "inputs: {\"\": a}\n", "smpipe.yaml:3:10: inputs.: must not be empty" },
		{ HEAD "inputs: {\"a\\n\": a}\n", "smpipe.yaml:3:10: inputs.a?: must not hold a line break" },
		{ HEAD "environments: {dev: {inputs: {a/b: a}}}\n",
		  "smpipe.yaml:3:31: environments.dev.inputs.a/b: 'a/b' does not match [A-Za-z0-9._-]+" },
		{ HEAD "inputs: [a]\n", "smpipe.yaml:3:9: 'inputs' must be a mapping (key: value)" },
		{ HEAD "inputs:\n", "smpipe.yaml:3:8: 'inputs' must be a path or a mapping" },
		{ HEAD "inputs:\n  train:\n", "smpipe.yaml:4:9: 'inputs.train' must be a path or a mapping" },
		{ HEAD "inputs:\n  train: [a]\n", "smpipe.yaml:4:10: 'inputs.train' must be a mapping (key: value)" },
		{ HEAD "bucket: [a]\n", "smpipe.yaml:3:9: 'bucket' must be a string" },
		{ HEAD "bucket: ~\n", "smpipe.yaml:3:9: 'bucket' must be a string" },
		{ HEAD "bucket: null\n", "smpipe.yaml:3:9: 'bucket' must be a string" },
		{ HEAD "bucket: \"a\\0b\"\n", "smpipe.yaml:3:9: a NUL character cannot stand here" },
		{ HEAD "source:\n  dependencies: libs\n", "smpipe.yaml:4:17: 'source.dependencies' must be a list" },
		{ HEAD "source:\n  dependencies: [[a]]\n",
		  "smpipe.yaml:4:18: 'source.dependencies[0]' must be a string" },
		{ HEAD "source:\n  delivery: mail\n",
		  "smpipe.yaml:4:13: 'source.delivery' is 'mail'; it must be one of 'toolkit', 'channel', 'image'" },
		{ HEAD "source:\n  max_size: 10 B\n",
		  "smpipe.yaml:4:13: 'source.max_size' is '10 B'; it must be a whole number of MiB, without a unit, from 1 "
		  "to 1048576" },
		{ HEAD "create_bucket: yes\n", "smpipe.yaml:3:16: 'create_bucket' must be true or false" },
		{ HEAD "create_bucket: 'true'\n", "smpipe.yaml:3:16: 'create_bucket' must be true or false" },
		{ HEAD "estimator: {instance_count: 0}\n",
		  "smpipe.yaml:3:29: 'estimator.instance_count' is '0'; it must be a whole number from 1 to 1000" },
		{ HEAD "estimator: {instance_count: 1.5}\n",
		  "smpipe.yaml:3:29: 'estimator.instance_count' is '1.5'; it must be a whole number from 1 to 1000" },
		{ HEAD "estimator: {instance_count: 99999999999999999999}\n",
		  "smpipe.yaml:3:29: 'estimator.instance_count' is '99999999999999999999'; it must be a whole number from 1 to 1000" },
		{ HEAD "estimator: {max_run: 1w}\n",
		  "smpipe.yaml:3:22: 'estimator.max_run' is '1w'; it must be a time like 90s, 30m, 4h or 4d" },
		{ HEAD "estimator: {max_run: 0}\n",
		  "smpipe.yaml:3:22: 'estimator.max_run' is '0'; it must be a time like 90s, 30m, 4h or 4d" },
		{ HEAD "estimator: {max_run: 366d}\n",
		  "smpipe.yaml:3:22: 'estimator.max_run' is '366d'; it must be a time like 90s, 30m, 4h or 4d" },
		{ HEAD "estimator: {max_run: 9223372036854775807d}\n",
		  "smpipe.yaml:3:22: 'estimator.max_run' is '9223372036854775807d'; it must be a time like 90s, 30m, 4h or 4d" },
		{ HEAD "estimator:\n  hyperparameters: {lr: }\n",
		  "smpipe.yaml:4:25: 'estimator.hyperparameters.lr' has no value" },
		{ HEAD "estimator:\n  hyperparameters: {a: \"\\0\"}\n",
		  "smpipe.yaml:4:24: a NUL character cannot stand here" },
		{ HEAD "estimator:\n  hyperparameters: {a: {b: 1, b: 2}}\n",
		  "smpipe.yaml:4:31: this key stands here twice" },
		{ HEAD "environments: {p: {name: x}}\n", "smpipe.yaml:3:19: 'name' cannot stand in an environment" },
		{ HEAD "environments: {p: {bukket: x}}\n",
		  "smpipe.yaml:3:20: unknown key 'bukket'; did you mean 'bucket'?" },
		{ HEAD "environments: {p: x}\n", "smpipe.yaml:3:19: 'environments.p' must be a mapping (key: value)" },
		{ HEAD "bucket: &b x\nregion: *b\n",
		  "smpipe.yaml:4:9: YAML aliases are not used here; write the value out" },
		{ HEAD "---\nversion: 1\n", "smpipe.yaml:3:1: only one YAML document may stand in the file" },
		{ HEAD "estimator:\n\tmax_run: 1d\n", "smpipe.yaml:4:1: a tab cannot indent YAML; use spaces" },
		{ HEAD "? [a]\n: b\n", "smpipe.yaml:3:3: a key must be a string" },
		{ HEAD "estimator: {instance_type: x\n", NULL },
		{ "version: 1\nname: \xff\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_config c = { 0 };
		auto_err err = { 0 };

		if (config_parse(rows[i].text, strlen(rows[i].text), "smpipe.yaml", NULL, &c, &err) == 0)
			fail_msg("taken:\n%s", rows[i].text);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_true(str_starts(err.msg, "smpipe.yaml"));
		err.msg[strcspn(err.msg, "\n")] = '\0';
		if (rows[i].words)
			assert_string_equal(err.msg, rows[i].words);
	}
}

/* Keys of design.md section 4 that later work brings: until then they are unknown, not ignored. */
static void test_not_yet(void **state)
{
	static const char *const rows[][2] = {
		{ HEAD "image: {tags: [a]}\n", "unknown key 'tags'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_config c = { 0 };
		auto_err err = { 0 };

		assert_int_equal(config_parse(rows[i][0], strlen(rows[i][0]), "smpipe.yaml", NULL, &c, &err), -1);
		assert_non_null(strstr(err.msg, rows[i][1]));
	}
}

static void test_caret(void **state)
{
	static const char text[] = "version: 1\r\nname: a\r\nbucket: \xc3\xa4 # \033[31m\r\nbukket: b\r\n";
	auto_config c = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(config_parse(text, sizeof(text) - 1, "x/smpipe.yaml", NULL, &c, &err), -1);
	assert_non_null(strstr(err.msg, "control characters"));
	err_release(&err);
	assert_int_equal(config_parse("version: 1\r\nbukket: b\r\n", 23, "x/smpipe.yaml", NULL, &c, &err), -1);
	assert_string_equal(
		err.msg,
		"x/smpipe.yaml:2:1: unknown key 'bukket'; did you mean 'bucket'?\n    2 | bukket: b\n      | ^");
}

/* The limits hold before memory or stack do. */
static void test_floods(void **state)
{
	auto_str deep = { 0 };
	auto_str bombs = { 0 };
	auto_config c = { 0 };
	auto_err err = { 0 };

	(void)state;
	str_add(&deep, HEAD "estimator: {hyperparameters: {a: ");
	for (int i = 0; i < 100000; i++)
		str_add(&deep, "[");
	assert_int_equal(config_parse(deep.s, deep.len, "f", NULL, &c, &err), -1);
	assert_non_null(strstr(err.msg, "nested too deeply"));
	str_add(&bombs, "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b]\n");
	assert_int_equal(config_parse(bombs.s, bombs.len, "f", NULL, &c, &err), -1);
	assert_non_null(strstr(err.msg, "aliases"));
}

static void test_hyperparameters(void **state)
{
	/* text → JSON string, or literal in parentheses */
	static const char *const rows[][2] = {
		{ "0.01", "(0.01)" },
		{ "1e-3", "(1e-3)" },
		{ "1.0e-05", "(1.0e-05)" },
		{ "-7", "(-7)" },
		{ "123456789012345678901234567890", "(123456789012345678901234567890)" },
		{ "true", "(true)" },
		{ "null", "(null)" },
		{ "007", "007" },
		{ "0x10", "0x10" },
		{ ".5", ".5" },
		{ "1_000", "1_000" },
		{ "NaN", "NaN" },
		{ "True", "True" },
		{ "Adam", "Adam" },
		{ "\"1\"", "1" },
		{ "'true'", "true" },
		{ "''", "" },
		{ "~", "~" },
		{ "[0.1, 1e-3, 007, \"1\", true, x]", "([0.1,1e-3,\"007\",\"1\",true,\"x\"])" },
		{ "{b: 0.10, a: [], c: {\"q\\\"\": ~}}", "({\"b\":0.10,\"a\":[],\"c\":{\"q\\\"\":\"~\"}})" },
		{ "\"\\e[m \xc3\xa4\"", "\033[m \xc3\xa4" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf(HEAD "estimator:\n  hyperparameters:\n    p: %s\n", rows[i][0]);
		auto_config c = { 0 };
		auto_free char *shown = NULL;
		const json_t *j;

		parse(text, NULL, &c);
		j = config_value(&c, "estimator.hyperparameters.p");
		shown = json_is_string(j) ? xstrdup(json_string_value(j)) : xasprintf("(%s)", json_str(j, "literal"));
		assert_string_equal(shown, rows[i][1]);
	}
}

static void test_values_and_defaults(void **state)
{
	auto_config c = { 0 };
	auto_config empty = { 0 };
	auto_strlist list = { 0 };

	(void)state;
	parse(HEAD
	      "account: 012345678901\nestimator: {max_run: 90m, max_wait: 5, volume_size: 12}\nimage: {build_args: {PYTHON: 3.10}}\n"
	      "inputs: {train: data/train, test: {path: x, input_mode: FastFile}}\nsource: {dependencies: [a, b]}\n",
	      NULL, &c);
	/* Text that YAML takes for numbers stays text. */
	assert_string_equal(config_str(&c, "account"), "012345678901");
	assert_string_equal(config_str(&c, "image.build_args.PYTHON"), "3.10");
	assert_int_equal(config_int(&c, "estimator.max_run"), 5400);
	assert_int_equal(config_int(&c, "estimator.max_wait"), 5);
	assert_int_equal(config_int(&c, "estimator.volume_size"), 12);
	assert_string_equal(config_str(&c, "inputs.train.path"), "data/train");
	assert_string_equal(config_str(&c, "inputs.test.input_mode"), "FastFile");
	config_list(&c, "source.dependencies", &list);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.v[1], "b");
	parse(HEAD, NULL, &empty);
	assert_int_equal(config_int(&empty, "estimator.max_run"), 24 * 3600);
	assert_int_equal(config_int(&empty, "estimator.volume_size"), 30);
	assert_int_equal(config_int(&empty, "estimator.max_wait"), 0);
	assert_string_equal(config_str(&empty, "image.platform"), "linux/amd64");
	assert_null(config_str(&empty, "bucket"));
	assert_false(config_is_true(&empty, "create_bucket"));
}

static void test_environments(void **state)
{
	static const char text[] = HEAD
		"bucket: base\nestimator:\n  instance_type: small\n  volume_size: 5\n  hyperparameters: {lr: 0.1, epochs: 3}\n"
		"inputs: {train: {path: a, content_type: text/csv}, val: b}\nenvironments:\n  prod:\n    bucket: prod\n    estimator:\n"
		"      instance_type: big\n      hyperparameters: {lr: 0.5}\n    inputs: {train: {path: c}}\n";
	auto_config plain = { 0 };
	auto_config c = { 0 };
	auto_config none = { 0 };
	auto_err err = { 0 };

	(void)state;
	parse(text, NULL, &plain);
	assert_string_equal(config_str(&plain, "bucket"), "base");
	parse(text, "prod", &c);
	assert_string_equal(config_str(&c, "bucket"), "prod");
	assert_string_equal(config_str(&c, "estimator.instance_type"), "big");
	assert_int_equal(config_int(&c, "estimator.volume_size"), 5);
	assert_string_equal(json_str(config_value(&c, "estimator.hyperparameters.lr"), "literal"), "0.5");
	assert_string_equal(json_str(config_value(&c, "estimator.hyperparameters.epochs"), "literal"), "3");
	/* A channel is replaced whole: what was said of other data does not apply. */
	assert_string_equal(config_str(&c, "inputs.train.path"), "c");
	assert_null(config_str(&c, "inputs.train.content_type"));
	assert_string_equal(config_str(&c, "inputs.val.path"), "b");
	/* A complaint points at where the value came from. */
	config_error(&c, &err, "estimator.instance_type", "no such type");
	assert_true(str_starts(err.msg, "smpipe.yaml:13:22: no such type\n"));
	config_error(&c, &err, "estimator.volume_size", "too small");
	assert_true(str_starts(err.msg, "smpipe.yaml:6:16: too small\n"));
	config_error(&c, &err, "estimator.subnets[3]", "none");
	assert_true(str_starts(err.msg, "smpipe.yaml:13:7: none\n"));
	assert_int_equal(config_parse(text, sizeof(text) - 1, "f", "staging", &none, &err), -1);
	assert_true(str_starts(err.msg, "f:10:3: there is no environment 'staging'"));
}

static void test_load(void **state)
{
	auto_err err = { 0 };
	auto_free char *dir = fs_temp_dir("test-config", &err);
	auto_free char *file = fs_join(dir, CONFIG_FILE);
	auto_free char *missing = fs_join(dir, "none.yaml");
	auto_config c = { 0 };
	auto_config d = { 0 };

	(void)state;
	run(dir, "printf 'version: 1\\nname: a\\n' > smpipe.yaml; mkdir -p sub/sub");
	assert_int_equal(config_load(file, NULL, &c, &err), 0);
	assert_string_equal(c.root, dir);
	assert_int_equal(config_load(missing, NULL, &d, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	run(dir, "head -c 1100000 /dev/zero | tr '\\0' '#' > none.yaml");
	assert_int_equal(config_load(missing, NULL, &d, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	fs_remove_tree(dir, &err);
}

/* Rows that the code relies on without asking. */
static void test_schema(void **state)
{
	auto_json *schema = schema_json();

	(void)state;
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		const char *suffix = row->type == SCHEMA_LIST ? "[]" : row->type == SCHEMA_MAP ? ".*" : NULL;
		auto_free char *child = suffix ? xasprintf("%s%s", schema_parent(row), suffix) : NULL;
		bool found = !child;

		for (const struct schema_key *other = row->like ? schema_keys : row + 1; !found && other->path; other++)
			found = !strcmp(other->path, child);
		if (!found)
			fail_msg("'%s' has no row below it", row->path);
		assert_non_null(row->words);
		for (const struct schema_key *other = row + 1; other->path; other++)
			assert_string_not_equal(other->path, row->path);
	}
	assert_string_equal(json_string_value(json_at(schema, "properties", "estimator", "properties", "max_run",
						      "default", NULL)),
			    "1d");
	assert_non_null(json_at(schema, "properties", "inputs", "additionalProperties", "properties", "path", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complaints),      cmocka_unit_test(test_not_yet),
		cmocka_unit_test(test_caret),           cmocka_unit_test(test_floods),
		cmocka_unit_test(test_hyperparameters), cmocka_unit_test(test_values_and_defaults),
		cmocka_unit_test(test_environments),    cmocka_unit_test(test_load),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
