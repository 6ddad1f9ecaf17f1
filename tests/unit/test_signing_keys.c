/* Kept signing keys give the signatures that are derived anew, and only to whom they belong. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/signing_keys.h"
#include "base/mem.h"
#include "base/str.h"

static void test_same_signature(void **state)
{
	static const struct {
		const char *region, *service, *secret;
		time_t time;
	} calls[] = {
		{ "eu-west-1", "s3", "one", 1700703534 },        { "eu-west-1", "s3", "one", 1700703599 },
		{ "eu-west-1", "s3", "two", 1700703534 },        { "eu-west-1", "sagemaker", "one", 1700703534 },
		{ "us-east-1", "s3", "one", 1700703534 },        { "eu-west-1", "s3", "one", 1700703534 + 86400 },
		{ "eu-west-1", "sagemaker", "two", 1700703534 },
	};
	struct signing_keys *keys = signing_keys_new();

	(void)state;
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
			struct sigv4_scope scope = { calls[i].region, calls[i].service, calls[i].time, .is_s3 = true };
			auto_free char *expected = sigv4_signature("text", &scope, calls[i].secret), *actual = NULL;

			scope.keys = keys;
			actual = sigv4_signature("text", &scope, calls[i].secret);
			assert_string_equal(actual, expected);
		}
	}
	signing_keys_free(keys);
}

static void test_kept(void **state)
{
	struct sigv4_scope scope = { .region = "eu-west-1", .service = "s3" };
	struct signing_keys *keys = signing_keys_new();
	struct digest key = digest_of_text("key"), found;

	(void)state;
	assert_false(signing_keys_find(keys, "20231123", &scope, "one", &found));
	signing_keys_keep(keys, "20231123", &scope, "one", &key);
	assert_true(signing_keys_find(keys, "20231123", &scope, "one", &found));
	assert_true(digest_equal(&found, &key));
	assert_false(signing_keys_find(keys, "20231124", &scope, "one", &found));
	assert_false(signing_keys_find(keys, "20231123", &scope, "two", &found));
	assert_false(signing_keys_find(NULL, "20231123", &scope, "one", &found));
	signing_keys_free(keys);
	signing_keys_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_signature),
		cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
