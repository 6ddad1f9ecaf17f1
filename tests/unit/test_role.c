#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/iam.h"
#include "base/fs.h"
#include "base/json.h"
#include "pipeline/role.h"
#include "tests/unit/fake_http.h"

/* An answer of GetRole; the policy is %-encoded, as the service sends it. */
#define ROLE(arn, policy)                                                                                              \
	{                                                                                                              \
		.status = 200, .body = "<GetRoleResponse xmlns=\"urn:x\"><GetRoleResult><Role><Path>/</Path><Arn>" arn \
				       "</Arn><AssumeRolePolicyDocument>" policy                                       \
				       "</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>"          \
	}
#define TRUST "%7B%22Statement%22%3A%5B%5D%7D" /* {"Statement":[]} */
#define REFUSED(code, text)                                                                                            \
	{                                                                                                              \
		.status = (code), .body = "<ErrorResponse><Error><Code>" text "</Code><Message>no</Message></Error>"   \
					  "</ErrorResponse>"                                                           \
	}
#define DENIED REFUSAL("{\"__type\":\"AccessDeniedException\"}")

/* A caller of an account before a scripted service. */
#define CALLER(...)                                                                                                    \
	SERVICE(__VA_ARGS__);                                                                                          \
	auto_free char *arn = NULL;                                                                                    \
	id.account = xstrdup("123456789012")

#define NO_FILE "/nonexistent/metadata.json"

static void test_arn_needs_nobody(void **state)
{
	CALLER({ 0 });

	assert_int_equal(role_resolve(&aws, "arn:aws-cn:iam::123456789012:role/a/b/R", NO_FILE, &arn, &err), 0);
	assert_string_equal(arn, "arn:aws-cn:iam::123456789012:role/a/b/R");
	assert_int_equal(f.n_sent, 0);
	assert_false(role_is_arn("arn:aws:iam::123456789012:user/R"));
	assert_false(role_is_arn("arn:aws:iam::12345:role/R"));
	assert_false(role_is_arn("arn:aws:iam::123456789012:role/"));
	assert_false(role_is_arn("arn:aws:iam::123456789012:role/a b"));
	assert_false(role_is_arn("R"));
}

static void test_name(void **state)
{
	CALLER(ROLE("arn:aws:iam::123456789012:role/team/R.1", TRUST),
	       ROLE("arn:aws:iam::123456789012:role/team/R.1", TRUST),
	       ROLE("arn:aws:iam::123456789012:role/team/R.1", TRUST), REFUSED(404, "NoSuchEntity"),
	       REFUSED(403, "AccessDenied"));

	id.arn = xstrdup("arn:aws:iam::123456789012:user/me");
	assert_int_equal(role_resolve(&aws, "R.1", NO_FILE, &arn, &err), 0);
	assert_string_equal(arn, "arn:aws:iam::123456789012:role/team/R.1");
	assert_string_equal(f.sent[0].url, "https://iam.amazonaws.com/");
	assert_string_equal(f.sent[0].body, "Action=GetRole&RoleName=R.1&Version=2010-05-08");
	/* Signed for IAM's region, not for ours. */
	assert_non_null(strstr(http_headers_get(&f.sent[0].headers, "authorization"), "/us-east-1/iam/aws4_request"));
	free(take(arn));
	assert_int_equal(role_resolve(&aws, "team/R.1", NO_FILE, &arn, &err), 0);
	assert_string_equal(f.sent[1].body, "Action=GetRole&RoleName=R.1&Version=2010-05-08");
	free(take(arn));
	assert_int_equal(role_resolve(&aws, "other/R.1", NO_FILE, &arn, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.msg, "role/team/R.1"));
	assert_int_equal(role_resolve(&aws, "R.2", NO_FILE, &arn, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(role_resolve(&aws, "R.3", NO_FILE, &arn, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_non_null(strstr(err.hint, "iam:GetRole"));
	assert_null(arn);
}

static void test_bad_names(void **state)
{
	static const char *const names[] = { "",           "a b", "R/", "arn:aws:iam::1:role/R", "R&Action=DeleteRole",
					     "r\xc3\xb6le" };
	CALLER({ 0 });

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(role_resolve(&aws, names[i], NO_FILE, &arn, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
	}
	assert_int_equal(f.n_sent, 0);
}

static void test_bad_answers(void **state)
{
	CALLER(ANSWER("<GetRoleResponse/>"), ANSWER("no XML"), ROLE("arn:aws:iam::123456789012:user/R", TRUST),
	       ROLE("arn:aws:iam::123456789012:role/R", "%7B"), ROLE("arn:aws:iam::123456789012:role/R", "%zz"));

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		assert_int_equal(role_resolve(&aws, "R", NO_FILE, &arn, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

/* The caller's own role, as in a CI job or on an instance. */
static void test_auto_by_caller(void **state)
{
	static const struct {
		const char *caller, *expected; /* NULL: refused */
	} cases[] = {
		{ "arn:aws:sts::123456789012:assumed-role/R/session", "arn:aws:iam::123456789012:role/deep/R" },
		{ "arn:aws-us-gov:sts::123456789012:assumed-role/R/s/x", "arn:aws-us-gov:iam::123456789012:role/R" },
		{ "arn:aws:sts::123456789012:assumed-role/AmazonSageMaker-ExecutionRole-1/SageMaker",
		  "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole-1" },
		{ "arn:aws:iam::123456789012:user/me", NULL },
		{ "arn:aws:iam::123456789012:root", NULL },
		{ "arn:aws:sts::123456789012:federated-user/me", NULL },
		{ "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/me", NULL },
	};
	CALLER(ROLE("arn:aws:iam::123456789012:role/deep/R", TRUST), REFUSED(403, "AccessDenied"),
	       REFUSED(403, "AccessDenied"));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		free(take(arn));
		free(id.arn);
		id.arn = xstrdup(cases[i].caller);
		assert_int_equal(role_resolve(&aws, "auto", NO_FILE, &arn, &err), cases[i].expected ? 0 : -1);
		if (cases[i].expected) {
			assert_string_equal(arn, cases[i].expected);
		} else {
			assert_int_equal(err.code, ERR_CONFIG);
			assert_non_null(strstr(err.hint, "role: NAME"));
		}
	}
	assert_int_equal(f.n_sent, 3);
}

static char *write_metadata(const char *dir, const char *text)
{
	char *path = fs_join(dir, "resource-metadata.json");
	auto_err err = { 0 };

	assert_int_equal(fs_write_atomic(path, text, strlen(text), 0600, &err), 0);
	return path;
}

struct studio_case {
	const char *metadata;
	struct fake_answer answers[3];
	const char *operations[3];
	const char *expected;
};

#define CALLER_ARN "arn:aws:iam::123456789012:role/caller"

static const struct studio_case studio_cases[] = {
	{ "{\"ResourceName\":\"nb\",\"ResourceArn\":\"x\"}",
	  { ANSWER("{\"RoleArn\":\"arn:aws:iam::123456789012:role/nb\"}") },
	  { "DescribeNotebookInstance" },
	  "arn:aws:iam::123456789012:role/nb" },
	{ "{\"ResourceName\":\"app\",\"DomainId\":\"d-1\",\"ExecutionRoleArn\":\"arn:aws:iam::123456789012:role/meta\"}",
	  { { 0 } },
	  { NULL },
	  "arn:aws:iam::123456789012:role/meta" },
	{ "{\"ResourceName\":\"app\",\"DomainId\":\"d-1\",\"UserProfileName\":\"u\"}",
	  { ANSWER("{\"UserSettings\":{\"ExecutionRole\":\"arn:aws:iam::123456789012:role/user\"}}") },
	  { "DescribeUserProfile" },
	  "arn:aws:iam::123456789012:role/user" },
	{ "{\"ResourceName\":\"app\",\"DomainId\":\"d-1\",\"UserProfileName\":\"u\"}",
	  { ANSWER("{\"UserSettings\":{}}"),
	    ANSWER("{\"DefaultUserSettings\":{\"ExecutionRole\":\"arn:aws:iam::123456789012:role/domain\"}}") },
	  { "DescribeUserProfile", "DescribeDomain" },
	  "arn:aws:iam::123456789012:role/domain" },
	{ "{\"DomainId\":\"d-1\",\"SpaceName\":\"s\"}",
	  { ANSWER("{\"SpaceSharingSettings\":{\"SharingType\":\"Shared\"}}"),
	    ANSWER("{\"DefaultSpaceSettings\":{\"ExecutionRole\":\"arn:aws:iam::123456789012:role/space\"}}") },
	  { "DescribeSpace", "DescribeDomain" },
	  "arn:aws:iam::123456789012:role/space" },
	{ "{\"DomainId\":\"d-1\",\"SpaceName\":\"s\"}",
	  { ANSWER("{\"SpaceSharingSettings\":{\"SharingType\":\"Private\"},\"OwnershipSettings\":"
		   "{\"OwnerUserProfileName\":\"o\"}}"),
	    ANSWER("{\"UserSettings\":{\"ExecutionRole\":\"arn:aws:iam::123456789012:role/owner\"}}") },
	  { "DescribeSpace", "DescribeUserProfile" },
	  "arn:aws:iam::123456789012:role/owner" },
	/* What SageMaker will not tell, the caller's own role does. */
	{ "{\"ResourceName\":\"nb\"}",
	  { DENIED, ROLE(CALLER_ARN, TRUST) },
	  { "DescribeNotebookInstance" },
	  CALLER_ARN },
	{ "{\"ResourceName\":\"nb\"}",
	  { ANSWER("{\"RoleArn\":\"nonsense\"}"), ROLE(CALLER_ARN, TRUST) },
	  { "DescribeNotebookInstance" },
	  CALLER_ARN },
	{ "{}", { ROLE(CALLER_ARN, TRUST) }, { NULL }, CALLER_ARN },
};

static void test_auto_in_sagemaker(void **state)
{
	auto_err err = { 0 };
	auto_free char *dir = fs_temp_dir("smpipe-role", &err);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(studio_cases); i++) {
		const struct studio_case *c = &studio_cases[i];
		auto_fake_http f = fake_http_of(c->answers, ARRAY_LEN(c->answers));
		auto_free char *file = write_metadata(dir, c->metadata), *arn = NULL;
		auto_aws_identity id = { 0 };
		struct aws aws = { &id, &f.http };

		fake_identity(&id);
		id.account = xstrdup("123456789012");
		id.arn = xstrdup("arn:aws:sts::123456789012:assumed-role/caller/SageMaker");
		assert_int_equal(role_resolve(&aws, "auto", file, &arn, &err), 0);
		assert_string_equal(arn, c->expected);
		for (size_t k = 0; k < ARRAY_LEN(c->operations) && c->operations[k]; k++)
			assert_non_null(strstr(http_headers_get(&f.sent[k].headers, "x-amz-target"), c->operations[k]));
	}
	assert_int_equal(fs_remove_tree(dir, &err), 0);
}

static void test_malformed_metadata(void **state)
{
	CALLER({ 0 });
	auto_free char *dir = fs_temp_dir("smpipe-role", &err), *file = write_metadata(dir, "{\"ResourceName\": nb}");

	assert_int_equal(role_resolve(&aws, "auto", file, &arn, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, file));
	assert_int_equal(f.n_sent, 0);
	assert_int_equal(fs_remove_tree(dir, &err), 0);
}

static void test_trust(void **state)
{
	static const struct {
		const char *policy;
		bool trusts;
	} cases[] = {
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s.x\"},\"Action\":\"sts:AssumeRole\"}]}",
		  true },
		{ "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"Service\":[\"l.x\",\"s.x\"]},"
		  "\"Action\":[\"sts:TagSession\",\"STS:assumerole\"]}}",
		  true },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s.x\"},\"Action\":\"sts:*\"}]}",
		  true },
		{ "{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":{\"Service\":\"s.x\"},\"Action\":\"sts:AssumeRole\"}]}",
		  false },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ss.x\"},\"Action\":\"sts:AssumeRole\"}]}",
		  false },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"s.x\"},\"Action\":\"sts:AssumeRole\"}]}",
		  false },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:TagSession\"}]}", false },
		{ "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s.x\"},\"Action\":\"sts:TagSession\"}]}",
		  false },
		{ "{\"Statement\":[1,null]}", false },
		{ "{}", false },
		{ "[]", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_err err = { 0 };
		auto_json *policy = json_parse(cases[i].policy, strlen(cases[i].policy), "policy", &err);

		assert_non_null(policy);
		assert_int_equal(iam_trusts_service(policy, "s.x"), cases[i].trusts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arn_needs_nobody),   cmocka_unit_test(test_name),
		cmocka_unit_test(test_bad_names),          cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_auto_by_caller),     cmocka_unit_test(test_auto_in_sagemaker),
		cmocka_unit_test(test_malformed_metadata), cmocka_unit_test(test_trust),
	};

	return cmocka_run_group_tests_name("pipeline/role", tests, NULL, NULL);
}
