#include <string.h>

#include "aws/creds_source.h"
#include "aws/profile_chain.h"
#include "aws/sts.h"
#include "base/str.h"

const char *creds_profile_get(const struct creds_context *c, const char *profile, const char *property)
{
	const char *value = profiles_get(c->profiles, profile, property);

	return value && value[strspn(value, " \t\r\n")] ? value : NULL;
}

static int report_missing(const struct creds_context *c, struct err *err)
{
	auto_free char *config = profiles_config_path(c->options->env);
	auto_free char *credentials = profiles_credentials_path(c->options->env);

	return err_set(err, ERR_AUTH, "profile '%s' is neither in '%s' nor in '%s'", c->profile, config, credentials);
}

static int take_keys(struct creds_context *c, const char *profile, struct creds *ret, struct err *err)
{
	auto_free char *source = xasprintf("profile '%s'", profile);

	if (creds_set(ret, creds_profile_get(c, profile, "aws_access_key_id"),
		      creds_profile_get(c, profile, "aws_secret_access_key"),
		      creds_profile_get(c, profile, "aws_session_token"), source, err) < 0)
		return -1;
	ret->account_id = xstrdup_or_null(creds_profile_get(c, profile, "aws_account_id"));
	return 1;
}

static int take_web_identity(struct creds_context *c, const char *profile, struct creds *ret, struct err *err)
{
	auto_free char *who = xasprintf("profile '%s' (web identity)", profile);

	return creds_from_token_file(c, who, creds_profile_get(c, profile, "role_arn"),
				     creds_profile_get(c, profile, "web_identity_token_file"),
				     creds_profile_get(c, profile, "role_session_name"), ret, err);
}

/* credential_source: the machine's own credentials, which must be there. */
static int take_source(struct creds_context *c, const char *profile,
		       int (*source)(struct creds_context *c, struct creds *ret, struct err *err), struct creds *ret,
		       struct err *err)
{
	auto_strlist skipped = { 0 };
	struct strlist *outer = c->skipped;
	const char *why;
	int found;

	c->skipped = &skipped;
	found = source(c, ret, err);
	c->skipped = outer;
	if (found != 0)
		return found;
	why = skipped.n ? skipped.v[skipped.n - 1] : "it has none";
	return err_set(err, ERR_AUTH, "profile '%s' takes its credentials from '%s': %s", profile,
		       creds_profile_get(c, profile, "credential_source"), why);
}

static int take_base(struct creds_context *c, const struct profile_chain *chain, struct creds *ret, struct err *err)
{
	switch (chain->base) {
	case PROFILE_KEYS:
		return take_keys(c, chain->profile, ret, err);
	case PROFILE_WEB_IDENTITY:
		return take_web_identity(c, chain->profile, ret, err);
	case PROFILE_SSO:
		return creds_from_sso(c, chain->profile, ret, err);
	case PROFILE_PROCESS:
		return creds_from_process(c, chain->profile, ret, err);
	case PROFILE_ENVIRONMENT:
		return take_source(c, chain->profile, creds_from_environment, ret, err);
	case PROFILE_CONTAINER:
		return take_source(c, chain->profile, creds_from_container, ret, err);
	case PROFILE_IMDS:
		return take_source(c, chain->profile, creds_from_imds, ret, err);
	}
	return 0;
}

int creds_assume_role(struct creds_context *c, const char *profile, const struct creds *base, struct creds *ret,
		      struct err *err)
{
	const char *name = creds_profile_get(c, profile, "role_session_name");
	auto_free char *session_name = name ? xstrdup(name) : creds_session_name(c);
	const struct sts_role role = {
		.role_arn = creds_profile_get(c, profile, "role_arn"),
		.session_name = session_name,
		.external_id = creds_profile_get(c, profile, "external_id"),
		.duration_s = creds_profile_get(c, profile, "duration_seconds"),
	};
	auto_free char *source = xasprintf("%s → role '%s' via STS", base->source, role.role_arn);
	auto_aws_identity id = { 0 };
	struct aws aws = { &id, NULL };

	if (creds_profile_get(c, profile, "mfa_serial")) {
		err_set(err, ERR_AUTH, "the role of profile '%s' needs a code of an MFA device", profile);
		return err_hint(err, "eval \"$(aws configure export-credentials --profile %s --format env)\"", profile);
	}
	if (creds_identity(c, NULL, &id, err) < 0)
		return -1;
	id.credentials = creds_provider_static(base);
	aws.http = c->http(c->http_ctx);
	if (sts_assume_role(&aws, &role, source, ret, err) < 0)
		return err_wrap(err, "take on role '%s' of profile '%s'", role.role_arn, profile);
	return 0;
}

static int run_chain(struct creds_context *c, const struct profile_chain *chain, struct creds *ret, struct err *err)
{
	auto_creds creds = { 0 };
	int found = take_base(c, chain, &creds, err);

	if (found <= 0)
		return found;
	for (size_t i = 0; i < chain->roles.n; i++) {
		auto_creds next = { 0 };

		if (creds_assume_role(c, chain->roles.v[i], &creds, &next, err) < 0)
			return -1;
		creds_copy(&creds, &next);
	}
	creds_copy(ret, &creds);
	return 1;
}

int creds_from_profile(struct creds_context *c, struct creds *ret, struct err *err)
{
	auto_profile_chain chain = { 0 };
	int found;

	if (!profiles_has(c->profiles, c->profile))
		return c->is_explicit ? report_missing(c, err) : 0;
	found = profile_chain_find(c->profiles, c->profile, &chain, err);
	return found > 0 ? run_chain(c, &chain, ret, err) : found;
}
