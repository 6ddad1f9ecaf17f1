/* pipeline/lint.h: what gives away a secret, and what only looks so. */

#include "pipeline/lint.h"
#include "pipeline/schema.h"
#include "tests/unit/made_project.h"

#define ROLE "role: arn:aws:iam::123456789012:role/r\n"

static void test_values(void **state)
{
	static const char *const secret[] = {
		"AKIAIOSFODNN7EXAMPLE",
		"key=ASIAIOSFODNN7EXAMPLE;",
		"-----BEGIN PRIVATE KEY-----\nMII",
		"-----BEGIN OPENSSH PRIVATE KEY-----",
		"ghp_0123456789abcdefghij0123456789abcdef",
		"glpat-0123456789abcdefghij",
		"xoxb-0123456789-abcdefghij",
		"https://user:hunter2@example.com/x",
		"postgresql://u:p@db/x",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
	};
	static const char *const harmless[] = {
		"",
		"AKIA",
		"XAKIAIOSFODNN7EXAMPLE",
		"akiaiosfodnn7example",
		"-----BEGIN CERTIFICATE-----",
		"ghp_short",
		"https://example.com:8080/a@b",
		"https://user@example.com/",
		"s3://my-bucket/a:b@c",
		"sk-learn",
		"eyJ is no token",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secret); i++)
		if (!lint_is_secret_value(secret[i]))
			fail_msg("taken: %s", secret[i]);
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		if (lint_is_secret_value(harmless[i]))
			fail_msg("refused: %s", harmless[i]);
}

static void test_names(void **state)
{
	static const char *const secret[][2] = {
		{ "password", "x" },
		{ "DB_PASSWORD", "hunter2" },
		{ "dbPassword", "hunter2" },
		{ "db-passwd", "hunter2" },
		{ "AWS_SECRET_ACCESS_KEY", "x" },
		{ "AWS_ACCESS_KEY_ID", "x" },
		{ "apiKey", "x" },
		{ "API_KEY", "x" },
		{ "client.secret", "x" },
		{ "HF_TOKEN", "0123456789abcdef0" },
	};
	static const char *const harmless[][2] = {
		{ "password", "" },
		{ "password", "arn:aws:ssm:eu-west-1:123456789012:parameter/db" },
		{ "password_file", "db.txt" },
		{ "secret_name", "db" },
		{ "secret", "/run/secrets/db" },
		{ "pad_token", "<pad>" },
		{ "unk_token", "UNK" },
		{ "class_token", "learned-embedding-of-classes" },
		{ "tokenizer", "bert-base-uncased-0123456789" },
		{ "max_tokens", "0123456789abcdef0" },
		{ "keyboard", "qwerty" },
		{ "compassword", "x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secret); i++)
		if (!lint_is_secret_name(secret[i][0], secret[i][1]))
			fail_msg("taken: %s", secret[i][0]);
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		if (lint_is_secret_name(harmless[i][0], harmless[i][1]))
			fail_msg("refused: %s", harmless[i][0]);
}

static void test_random(void **state)
{
	(void)state;
	assert_true(lint_looks_random("Zx8Qm2Lr9Tn4Vb7Kp1Ws6Yc3Hd5"));
	assert_true(lint_looks_random("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1"));
	assert_false(lint_looks_random("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
	assert_false(lint_looks_random("DistilBertForSequenceClassification"));
	assert_false(lint_looks_random("AAAAAAAAAAAAAAAAAAAAAAAAaaaaaaaa11111111"));
	assert_false(lint_looks_random("s3://My-Bucket/Some/Path/With123/Digits"));
	assert_false(lint_looks_random("short1A"));
}

/* No message holds what is secret, whatever place it stands in. */
static void test_no_message_shows_it(void **state)
{
	static const char *const rows[] = {
		"estimator: {instance_type: ml.m5.large, environment: {A: hunter2-AKIAIOSFODNN7EXAMPLE}}\n",
		"estimator: {instance_type: ml.m5.large, hyperparameters: {password: hunter2}}\n",
		"estimator: {instance_type: ml.m5.large, hyperparameters: {l: [a, 'https://u:hunter2@h/']}}\n",
		"estimator: {instance_type: ml.m5.large, tags: {secret: hunter2}}\n",
		"image: {build_args: {PIP_PASSWORD: hunter2}}\nestimator: {instance_type: ml.m5.large}\n",
		"estimator: {instance_type: ml.m5.large, container_arguments: ['https://u:hunter2@h/']}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *yaml = xasprintf(ROLE "%s", rows[i]);
		auto_json *bases = json_object();
		struct target t = made_target("eu-west-1", bases);
		auto_project p = { 0 };
		auto_plan plan = { 0 };
		auto_err err = { 0 };

		make_project(&p, yaml);
		assert_int_equal(plan_make(&p, &t, JOB_TRAINING, &plan, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.msg, "looks like a secret"));
		if (strstr(err.msg, "hunter2") || (err.hint && strstr(err.hint, "hunter2")))
			fail_msg("shown: %s", err.msg);
	}
}

/* Every key without keys below it has an example, and one that its own limits allow. */
static void test_examples(void **state)
{
	(void)state;
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		auto_free char *example = schema_example(row);
		const char *const *choices = schema_choices(row);
		bool has_rows_below = row->type == SCHEMA_MAPPING || row->type == SCHEMA_MAP ||
				      row->type == SCHEMA_LIST || row->type == SCHEMA_INPUTS ||
				      row->type == SCHEMA_INPUT;

		if (!example && !has_rows_below)
			fail_msg("%s has no example", row->path);
		for (; example && choices && *choices && strcmp(*choices, example) != 0; choices++)
			;
		if (example && choices && !*choices)
			fail_msg("%s: '%s' is none of its choices", row->path, example);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_random),   cmocka_unit_test(test_no_message_shows_it),
		cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
