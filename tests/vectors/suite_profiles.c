/* The official cases of the shared configuration files: how they parse, and the chains of roles in them. */

#include "aws/profile.h"
#include "aws/profile_chain.h"
#include "tests/vectors/suite.h"

/* Whether `words` stand in what was said; suite_equal then compares them. */
static void check_words(struct suite *s, const char *words, const char *said)
{
	suite_equal(s, "error", words, strstr(said, words) ? words : said);
}

static void check_properties(struct suite *s, const struct profiles *p, const json_t *expected)
{
	const char *profile, *key;
	json_t *properties, *value;

	json_object_foreach((json_t *)expected, profile, properties) {
		if (!profiles_has(p, profile))
			suite_fail(s, "profile", profile, NULL);
		json_object_foreach(properties, key, value)
			suite_equal(s, key, json_string_value(value), profiles_get(p, profile, key));
	}
}

/* A section of the text, with or without its prefix, became a profile that was not expected. */
static void check_no_more(struct suite *s, const struct profiles *p, const char *text, const json_t *expected)
{
	for (; text && (text = strchr(text, '[')); text++) {
		auto_free char *header = xstrndup(text + 1, strcspn(text + 1, "]"));
		auto_free char *whole = str_trim(header);
		const char *name = str_starts(whole, "profile ") ? whole + strlen("profile ") : whole;

		if ((profiles_has(p, whole) && !json_object_get(expected, whole)) ||
		    (profiles_has(p, name) && !json_object_get(expected, name)))
			suite_fail(s, "profile", NULL, whole);
	}
}

static void run_parser_case(struct suite *s, const json_t *test)
{
	const json_t *expected = json_at(test, "output", "config", "profiles", NULL);
	const json_t *input = json_object_get(test, "input");
	const char *wanted = json_string_value(json_at(test, "output", "errorContaining", NULL));
	const char *config = json_str(input, "configFile"), *credentials = json_str(input, "credentialsFile");
	auto_profiles *p = NULL;
	auto_err err = { 0 };

	if (profiles_parse(config, "config", credentials, "credentials", &p, &err) < 0) {
		check_words(s, wanted ? wanted : "(no error)", err.msg);
		return;
	}
	suite_equal(s, "error", wanted, NULL);
	check_properties(s, p, expected);
	check_no_more(s, p, config, expected);
	check_no_more(s, p, credentials, expected);
}

static void run_parser(struct suite *s, const char *path)
{
	auto_json *j = vectors_json(path);
	json_t *test;
	size_t i;

	json_array_foreach(json_object_get(j, "tests"), i, test) {
		suite_case(s, json_str(test, "name"));
		run_parser_case(s, test);
	}
}

static void write_sections(struct str *text, const char *kind, const json_t *sections)
{
	const char *name, *key;
	json_t *properties, *value;

	json_object_foreach((json_t *)sections, name, properties) {
		str_addf(text, "[%s %s]\n", kind, name);
		json_object_foreach(properties, key, value)
			str_addf(text, "%s = %s\n", key, json_string_value(value));
	}
}

static void put(json_t *step, const struct profiles *p, const char *profile, const char *property, const char *name)
{
	json_put_str(step, name ? name : property, profiles_get(p, profile, property));
}

static json_t *role_step(const struct profiles *p, const char *profile)
{
	json_t *step = json_object();

	put(step, p, profile, "role_arn", NULL);
	put(step, p, profile, "role_session_name", NULL);
	put(step, p, profile, "external_id", NULL);
	return json_pack("{s:o}", "AssumeRole", step);
}

static json_t *sso_step(const struct profiles *p, const char *profile)
{
	const char *session = profiles_get(p, profile, "sso_session");
	json_t *step = json_object();

	put(step, p, profile, "sso_account_id", NULL);
	put(step, p, profile, "sso_role_name", NULL);
	put(step, p, profile, "sso_region", NULL);
	put(step, p, profile, "sso_start_url", NULL);
	put(step, p, profile, "sso_session", NULL);
	if (session) {
		json_put_str(step, "sso_region", profiles_section_get(p, "sso-session", session, "sso_region"));
		json_put_str(step, "sso_start_url", profiles_section_get(p, "sso-session", session, "sso_start_url"));
	}
	return json_pack("{s:o}", "Sso", step);
}

/* The base in the words of the vectors. */
static json_t *base_step(const struct profiles *p, const struct profile_chain *chain)
{
	json_t *step = json_object();

	switch (chain->base) {
	case PROFILE_KEYS:
		put(step, p, chain->profile, "aws_access_key_id", "access_key_id");
		put(step, p, chain->profile, "aws_secret_access_key", "secret_access_key");
		put(step, p, chain->profile, "aws_account_id", "account_id");
		return json_pack("{s:o}", "AccessKey", step);
	case PROFILE_WEB_IDENTITY:
		put(step, p, chain->profile, "role_arn", NULL);
		put(step, p, chain->profile, "web_identity_token_file", NULL);
		put(step, p, chain->profile, "role_session_name", NULL);
		return json_pack("{s:o}", "WebIdentityToken", step);
	case PROFILE_SSO:
		json_decref(step);
		return sso_step(p, chain->profile);
	case PROFILE_IMDS:
		json_decref(step);
		return json_pack("{s:s}", "NamedSource", "Ec2InstanceMetadata");
	default:
		return step;
	}
}

static void check_chain(struct suite *s, const struct profiles *p, const struct profile_chain *chain,
			const json_t *expected)
{
	auto_json *steps = json_array();

	json_array_append_new(steps, base_step(p, chain));
	for (size_t i = 0; i < chain->roles.n; i++)
		json_array_append_new(steps, role_step(p, chain->roles.v[i]));
	for (size_t i = 0; i < json_array_size(steps) || i < json_array_size(expected); i++) {
		const json_t *wanted = json_array_get(expected, i), *got = json_array_get(steps, i);
		auto_free char *wanted_text = wanted ? json_canonical(wanted) : NULL;
		auto_free char *got_text = got ? json_canonical(got) : NULL;

		suite_equal(s, "step", wanted_text, got_text);
	}
}

#define NOTHING "(nothing of credentials)"

/* What the vectors' words are in ours. */
static const char *our_words(const char *theirs)
{
	static const char *const words[][2] = {
		{ "profile must contain `source_profile`", "neither 'source_profile' nor 'credential_source'" },
		{ "profile contained both source_profile and credential_source",
		  "profile 'A' has both 'source_profile' and 'credential_source'" },
		{ "profile missing aws_secret_access_key",
		  "profile 'B' has 'aws_access_key_id', but no 'aws_secret_access_key'" },
		{ "profile missing aws_access_key_id",
		  "profile 'B' has 'aws_secret_access_key', but no 'aws_access_key_id'" },
		{ "profile `B` did not contain credential information",
		  "profile 'B' has nothing of credentials for 'A'" },
		{ "profile `A` did not contain credential information", NOTHING },
		{ "No profiles were defined", NOTHING },
		{ "could not find source profile B referenced from A",
		  "profile 'A' names the source_profile 'B', which is not there" },
		{ "profile formed an infinite loop", "round in a circle: 'A' → 'B' → 'A'" },
		{ "`role_arn` was missing", "has 'web_identity_token_file', but no 'role_arn'" },
		{ "if `sso_role_name` is set, then `sso_account_id` must also be set",
		  "has 'sso_role_name', but no 'sso_account_id'" },
		{ "if `sso_account_id` is set, then `sso_role_name` must also be set",
		  "has 'sso_account_id', but no 'sso_role_name'" },
		{ "`sso_region` can only be specified in the [sso-session] config when a session name is given",
		  "another 'sso_region' than its session: it belongs into [sso-session A]" },
		{ "sso-session named `oops` (referenced by profile `A`) was not found",
		  "profile 'A' names the SSO session 'oops', which is not there" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i][0], theirs))
			return words[i][1];
	return theirs;
}

static void run_chain_case(struct suite *s, const json_t *test)
{
	const json_t *input = json_object_get(test, "input"), *output = json_object_get(test, "output");
	const char *wanted = json_str(output, "Error");
	auto_profile_chain chain = { 0 };
	auto_profiles *p = NULL;
	auto_str text = { 0 };
	auto_err err = { 0 };
	int found;

	write_sections(&text, "profile", json_object_get(input, "profiles"));
	write_sections(&text, "sso-session", json_object_get(input, "sso_sessions"));
	if (profiles_parse(str_text(&text), "config", NULL, NULL, &p, &err) < 0) {
		suite_fail(s, "parse", NULL, err.msg);
		return;
	}
	found = profile_chain_find(p, json_str(input, "selected_profile"), &chain, &err);
	if (wanted)
		check_words(s, our_words(wanted), found < 0 ? err.msg : found == 0 ? NOTHING : "(no error)");
	else if (found <= 0)
		suite_fail(s, "chain", "a chain", found < 0 ? err.msg : NOTHING);
	else
		check_chain(s, p, &chain, json_object_get(output, "ProfileChain"));
}

static void run_chains(struct suite *s, const char *path)
{
	auto_json *j = vectors_json(path);
	json_t *test;
	size_t i;

	json_array_foreach(j, i, test) {
		suite_case(s, json_str(test, "docs"));
		run_chain_case(s, test);
	}
}

int main(void)
{
	struct suite suites[] = {
		{ .name = "profile parser",
		  .path = "credentials/profile-parser-tests.json",
		  .n_expected = 65,
		  .run = run_parser },
		{ .name = "assume-role",
		  .path = "credentials/assume-role-tests.json",
		  .n_expected = 28,
		  .run = run_chains },
	};

	return suites_main(suites, ARRAY_LEN(suites));
}
