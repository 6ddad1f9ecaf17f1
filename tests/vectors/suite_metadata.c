/* The official cases of where a container's and an EC2 instance's credentials are. */

#include "aws/container.h"
#include "aws/imds.h"
#include "tests/vectors/suite.h"

/* The environment of the case under test. */
static const json_t *variables;

static const char *case_env(const char *name)
{
	return json_str(variables, name);
}

#define NOTHING "(not set)"

static const char *our_words(const char *theirs)
{
	static const char *const words[][2] = {
		{ "No environment variables were set to configure ECS provider", NOTHING },
		{ "URI did not specify a host",
		  "'AWS_CONTAINER_CREDENTIALS_FULL_URI' is '/credentials', which is no URL of scheme, host, port and "
		  "path" },
		{ "`error` is not a valid endpoint mode", "is 'error': it can be IPv4 or IPv6" },
		{ "`IPv7` is not a valid endpoint mode", "is 'IPv7': it can be IPv4 or IPv6" },
		{ "invalid uri character", "is 'not a uri', which is no URL of scheme, host, port and path" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i][0], theirs))
			return words[i][1];
	return theirs;
}

static void check(struct suite *s, const json_t *test, int found, const char *url, const struct err *err)
{
	const json_t *result = json_object_get(test, "result");
	const char *wanted = json_str(result, "ErrorContains");
	const char *said = found < 0 ? err->msg : found == 0 ? NOTHING : url;

	if (!wanted)
		wanted = json_str(result, "Err");
	if (!wanted) {
		suite_equal(s, "URL", json_str(result, "Ok"), said);
		return;
	}
	wanted = our_words(wanted);
	suite_equal(s, "error", wanted, found <= 0 && strstr(said, wanted) ? wanted : said);
}

static void run_container(struct suite *s, const char *path)
{
	auto_json *j = vectors_json(path);
	json_t *test;
	size_t i;

	json_array_foreach(json_object_get(j, "tests"), i, test) {
		auto_free char *url = NULL;
		auto_err err = { 0 };
		int found;

		variables = json_object_get(test, "env");
		suite_case(s, json_str(test, "docs"));
		found = container_url(case_env, &url, &err);
		check(s, test, found, url, &err);
	}
}

static void run_imds_case(struct suite *s, const json_t *test)
{
	struct creds_options options = { .env = case_env };
	struct creds_context c = { .options = &options, .profile = "default" };
	auto_free char *endpoint = NULL, *url = NULL;
	auto_err err = { 0 };
	int found = -1;

	if (profiles_parse(json_string_value(json_at(test, "fs", "config", NULL)), "config", NULL, NULL, &c.profiles,
			   &err) == 0 &&
	    imds_endpoint(&c, json_str(test, "endpoint_override"), json_str(test, "mode_override"), &endpoint, &err) ==
		    0) {
		found = 1;
		url = xasprintf("%s/latest/api/token", endpoint);
	}
	check(s, test, found, url, &err);
	profiles_free(c.profiles);
}

static void run_imds(struct suite *s, const char *path)
{
	auto_json *j = vectors_json(path);
	json_t *test;
	size_t i;

	json_array_foreach(json_object_get(j, "tests"), i, test) {
		variables = json_object_get(test, "env");
		suite_case(s, json_str(test, "docs"));
		run_imds_case(s, test);
	}
}

int main(void)
{
	struct suite suites[] = {
		{ .name = "container URIs",
		  .path = "credentials/ecs-tests.json",
		  .n_expected = 11,
		  .run = run_container },
		{ .name = "IMDS endpoints",
		  .path = "credentials/imds-endpoint-tests.json",
		  .n_expected = 14,
		  .run = run_imds },
	};

	return suites_main(suites, ARRAY_LEN(suites));
}
