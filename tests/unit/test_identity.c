/* pipeline/identity.h: format 1 of the keys, which must never change. */

#include "base/json.h"
#include "pipeline/identity.h"
#include "tests/unit/shell.h"

/*
 * python3 -c 'import json,hashlib; print(hashlib.sha256(json.dumps(D, sort_keys=True, separators=(",",":"),
 * ensure_ascii=False).encode()).hexdigest())', D the document of the key. Here:
 * {"context": sha256("context"), "dockerfile": "Dockerfile", "target": "", "build_args": {"PYTHON": "3.12"},
 *  "platform": "linux/amd64", "bases": {"debian:12": "sha256:" + "0" * 64}, "builder": "classic"}
 */
#define BUILD_KEY "c68c787a16977f0312c0369ec974e25d61ecfd63595bb0aebdc6978bf7c44c3e"
/* {"AlgorithmSpecification": {"TrainingImage": "kkkk", "TrainingInputMode": "File"}, "HyperParameters": {"lr": "0.1",
 * "ä": "x"}} */
#define REQUEST_KEY "3ff806ddd9cd3a07009000cafade8375ad1be1de9a5f56b22a100bf9c129bd74"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static char *build_key(const char *target, const char *platform, const char *args, const char *bases)
{
	struct digest context = digest_of_text("context");
	auto_json *build_args = args ? json_loads(args, 0, NULL) : NULL;
	auto_json *base_digests = json_loads(bases, 0, NULL);
	struct build_inputs in = { .context_tree = &context,
				   .dockerfile = "Dockerfile",
				   .target = target,
				   .platform = platform,
				   .build_args = build_args,
				   .bases = base_digests };

	return identity_build_key(&in);
}

#define BASES "{\"debian:12\":\"sha256:" ZEROS "\"}"

static void test_build_key(void **state)
{
	static const char *const others[][4] = {
		{ "final", "linux/amd64", "{\"PYTHON\":\"3.12\"}", BASES },
		{ NULL, "linux/arm64", "{\"PYTHON\":\"3.12\"}", BASES },
		{ NULL, "linux/amd64", "{\"PYTHON\":\"3.13\"}", BASES },
		{ NULL, "linux/amd64", NULL, BASES },
		{ NULL, "linux/amd64", "{\"PYTHON\":\"3.12\"}", "{}" },
	};
	auto_free char *key = build_key(NULL, "linux/amd64", "{\"PYTHON\":\"3.12\"}", BASES);
	auto_free char *empty = build_key(NULL, "linux/amd64", "{}", "{}");
	auto_free char *absent = build_key("", "linux/amd64", NULL, "{}");

	(void)state;
	assert_string_equal(key, BUILD_KEY);
	assert_string_equal(empty, absent);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		auto_free char *other = build_key(others[i][0], others[i][1], others[i][2], others[i][3]);

		assert_string_not_equal(other, key);
	}
}

#define REQUEST(name, image, lr, more)                                                                                 \
	"{\"TrainingJobName\":\"" name "\",\"AlgorithmSpecification\":{\"TrainingImage\":\"" image                     \
	"\",\"TrainingInputMode\":\"File\"},\"HyperParameters\":{\"lr\":\"" lr "\",\"sagemaker_job_name\":\"\\\"" name \
	"\\\"\",\"\xc3\xa4\":\"x\"}" more "}"

static char *request_key(const char *text)
{
	auto_json *request = json_loads(text, 0, NULL);
	auto_free char *before = json_canonical(request);
	char *key = identity_request_key(request, "kkkk");
	auto_free char *after = json_canonical(request);

	/* The request itself stays as it is. */
	assert_string_equal(before, after);
	return key;
}

static void test_request_key(void **state)
{
	static const char *const same[] = {
		REQUEST("b", "host/repo@sha256:1", "0.1", ""),
		REQUEST("a", "x", "0.1", ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]"),
		REQUEST("a", "x", "0.1", ",\"ExperimentConfig\":{\"TrialName\":\"t\"}"),
	};
	static const char *const others[] = {
		REQUEST("a", "x", "0.10", ""),
		REQUEST("a", "x", "0.1", ",\"RoleArn\":\"r\""),
		REQUEST("a", "x", "0.1", ",\"Environment\":{\"A\":\"1\"}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		auto_free char *key = request_key(same[i]);

		assert_string_equal(key, REQUEST_KEY);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		auto_free char *key = request_key(others[i]);

		assert_string_not_equal(key, REQUEST_KEY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_key),
		cmocka_unit_test(test_request_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
