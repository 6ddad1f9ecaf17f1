#include <string.h>

#include "aws/creds.h"
#include "aws/profile.h"
#include "base/str.h"

static const char *get(const struct profiles *profiles, const char *profile, const char *property)
{
	const char *value = profiles_get(profiles, profile, property);

	return value && value[strspn(value, " \t\r\n")] ? value : NULL;
}

/* What a profile without keys relies on instead, so that the refusal can name it; NULL when nothing. */
static const char *other_source(const struct profiles *profiles, const char *profile)
{
	static const char *const properties[] = {
		"role_arn",      "sso_session", "sso_start_url", "credential_process", "web_identity_token_file",
		"login_session",
	};

	for (size_t i = 0; i < ARRAY_LEN(properties); i++)
		if (get(profiles, profile, properties[i]))
			return properties[i];
	return NULL;
}

static int report_missing(const char *profile, env_fn env, struct err *err)
{
	auto_free char *config = profiles_config_path(env);
	auto_free char *credentials = profiles_credentials_path(env);

	return err_set(err, ERR_AUTH, "profile '%s' is neither in '%s' nor in '%s'", profile, config, credentials);
}

static int take_keys(const struct profiles *profiles, const char *profile, struct creds *ret, struct err *err)
{
	const char *id = get(profiles, profile, "aws_access_key_id");
	const char *secret = get(profiles, profile, "aws_secret_access_key");
	const char *other = other_source(profiles, profile);
	auto_free char *source = xasprintf("profile '%s'", profile);

	/* A role goes before the keys: they are only there to take it on. */
	if (other && (!id || !strcmp(other, "role_arn"))) {
		err_set(err, ERR_AUTH, "profile '%s' gets its credentials by '%s', which is not supported", profile,
			other);
		return err_hint(err, "export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, "
				     "for example by `aws configure export-credentials`");
	}
	if (!id && !secret)
		return 0;
	if (!id || !secret)
		return err_set(err, ERR_AUTH, "profile '%s' has '%s', but no '%s'", profile,
			       id ? "aws_access_key_id" : "aws_secret_access_key",
			       id ? "aws_secret_access_key" : "aws_access_key_id");
	if (creds_set(ret, id, secret, get(profiles, profile, "aws_session_token"), source, err) < 0)
		return -1;
	return 1;
}

int creds_from_profile(const char *profile, env_fn env, struct creds *ret, struct err *err)
{
	auto_profiles *profiles = NULL;
	bool is_explicit = true;

	if (!profile)
		profile = env_get(env, "AWS_PROFILE");
	if (!profile) {
		profile = "default";
		is_explicit = false;
	}
	if (profiles_load(env, &profiles, err) < 0)
		return -1;
	if (profiles_has(profiles, profile))
		return take_keys(profiles, profile, ret, err);
	return is_explicit ? report_missing(profile, env, err) : 0;
}
