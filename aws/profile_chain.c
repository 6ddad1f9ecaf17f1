#include "aws/profile_chain.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

void profile_chain_release(struct profile_chain *c)
{
	free(c->profile);
	strlist_release(&c->roles);
	*c = (struct profile_chain){ 0 };
}

/* Blank counts as absent. */
static const char *get(const struct profiles *p, const char *profile, const char *property)
{
	const char *value = profiles_get(p, profile, property);

	return value && value[strspn(value, " \t\r\n")] ? value : NULL;
}

/* 1, 0 or -1: whether the profile has keys. */
static int find_keys(const struct profiles *p, const char *profile, struct err *err)
{
	const char *id = get(p, profile, "aws_access_key_id");
	const char *secret = get(p, profile, "aws_secret_access_key");

	if (!id && !secret)
		return 0;
	if (id && secret)
		return 1;
	return err_set(err, ERR_CONFIG, "profile '%s' has '%s', but no '%s'", profile,
		       id ? "aws_access_key_id" : "aws_secret_access_key",
		       id ? "aws_secret_access_key" : "aws_access_key_id");
}

static int find_web_identity(const struct profiles *p, const char *profile, struct err *err)
{
	if (!get(p, profile, "web_identity_token_file"))
		return 0;
	if (get(p, profile, "role_arn"))
		return 1;
	return err_set(err, ERR_CONFIG, "profile '%s' has 'web_identity_token_file', but no 'role_arn'", profile);
}

/* What a session says once need not be said again, but must not be contradicted. */
static int check_session(const struct profiles *p, const char *profile, const char *session, struct err *err)
{
	static const char *const properties[] = { "sso_region", "sso_start_url" };

	if (!profiles_has_section(p, "sso-session", session))
		return err_set(err, ERR_CONFIG, "profile '%s' names the SSO session '%s', which is not there", profile,
			       session);
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		const char *own = get(p, profile, properties[i]);

		if (own && !str_eq(own, profiles_section_get(p, "sso-session", session, properties[i])))
			return err_set(
				err, ERR_CONFIG,
				"profile '%s' has another '%s' than its session: it belongs into [sso-session %s]",
				profile, properties[i], session);
	}
	return 0;
}

static int find_sso(const struct profiles *p, const char *profile, struct err *err)
{
	const char *session = get(p, profile, "sso_session"), *url = get(p, profile, "sso_start_url");
	const char *account = get(p, profile, "sso_account_id"), *role = get(p, profile, "sso_role_name");

	if (!session && !url && !account && !role && !get(p, profile, "sso_region"))
		return 0;
	if (!account != !role)
		return err_set(err, ERR_CONFIG, "profile '%s' has '%s', but no '%s'", profile,
			       account ? "sso_account_id" : "sso_role_name",
			       account ? "sso_role_name" : "sso_account_id");
	if (session)
		return check_session(p, profile, session, err) < 0 ? -1 : 1;
	if (!url || !get(p, profile, "sso_region"))
		return err_set(err, ERR_CONFIG, "profile '%s' gets its credentials by SSO, but has no '%s'", profile,
			       url ? "sso_region" : "sso_start_url");
	return 1;
}

static int find_credential_source(const char *profile, const char *source, enum profile_base *ret, struct err *err)
{
	static const struct {
		const char *name;
		enum profile_base base;
	} sources[] = {
		{ "Environment", PROFILE_ENVIRONMENT },
		{ "EcsContainer", PROFILE_CONTAINER },
		{ "Ec2InstanceMetadata", PROFILE_IMDS },
	};

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		if (!strcasecmp(sources[i].name, source)) {
			*ret = sources[i].base;
			return 1;
		}
	}
	err_set(err, ERR_CONFIG, "profile '%s' has the credential_source '%s', which is none", profile, source);
	return err_hint(err, "there are Environment, EcsContainer and Ec2InstanceMetadata");
}

/* Where the chain begins. */
static int find_base(const struct profiles *p, const char *profile, enum profile_base *ret, struct err *err)
{
	const char *source = get(p, profile, "credential_source");
	int found;

	if (source && get(p, profile, "role_arn"))
		return find_credential_source(profile, source, ret, err);
	*ret = PROFILE_WEB_IDENTITY;
	if ((found = find_web_identity(p, profile, err)) != 0)
		return found;
	*ret = PROFILE_SSO;
	if ((found = find_sso(p, profile, err)) != 0)
		return found;
	*ret = PROFILE_PROCESS;
	if (get(p, profile, "credential_process"))
		return 1;
	*ret = PROFILE_KEYS;
	if ((found = find_keys(p, profile, err)) != 0 || !get(p, profile, "login_session"))
		return found;
	err_set(err, ERR_CONFIG, "profile '%s' gets its credentials by `aws login`, which is not supported", profile);
	return err_hint(err, "eval \"$(aws configure export-credentials --profile %s --format env)\"", profile);
}

/* The profile whose credentials take on this one's role; itself when the chain begins here. */
static const char *find_next(const struct profiles *p, const char *profile, struct err *err)
{
	const char *next = get(p, profile, "source_profile"), *source = get(p, profile, "credential_source");

	if (next && source)
		err_set(err, ERR_CONFIG, "profile '%s' has both 'source_profile' and 'credential_source'", profile);
	else if (!next && !source)
		err_set(err, ERR_CONFIG,
			"profile '%s' has 'role_arn', but neither 'source_profile' nor 'credential_source'", profile);
	else if (next && !profiles_has(p, next))
		err_set(err, ERR_CONFIG, "profile '%s' names the source_profile '%s', which is not there", profile,
			next);
	else
		return next ? next : profile;
	return NULL;
}

/* A role with a token file needs nobody's credentials: it is a base. */
static bool is_role(const struct profiles *p, const char *profile)
{
	return get(p, profile, "role_arn") && !get(p, profile, "web_identity_token_file");
}

static int report_circle(const struct strlist *visited, const char *profile, struct err *err)
{
	auto_str path = { 0 };

	for (size_t i = 0; i < visited->n; i++)
		str_addf(&path, "'%s' → ", visited->v[i]);
	return err_set(err, ERR_CONFIG, "the profiles' source_profile goes round in a circle: %s'%s'", str_text(&path),
		       profile);
}

/* Walk to the profile where the chain begins; fills visited with the roles on the way, the last first. */
static const char *walk(const struct profiles *p, const char *profile, struct strlist *visited, struct err *err)
{
	for (;;) {
		const char *next;
		int has_keys;

		/* The first profile's own keys are there for its role alone. */
		has_keys = visited->n > 0 ? find_keys(p, profile, err) : 0;
		if (has_keys < 0)
			return NULL;
		if (has_keys || !is_role(p, profile))
			return profile;
		next = find_next(p, profile, err);
		if (!next)
			return NULL;
		strlist_add(visited, profile);
		if (!strcmp(next, profile))
			return profile;
		if (strlist_has(visited, next)) {
			report_circle(visited, next, err);
			return NULL;
		}
		profile = next;
	}
}

int profile_chain_find(const struct profiles *p, const char *profile, struct profile_chain *ret, struct err *err)
{
	auto_profile_chain chain = { 0 };
	auto_strlist visited = { 0 };
	const char *base;
	int found;

	if (!profiles_has(p, profile))
		return 0;
	base = walk(p, profile, &visited, err);
	if (!base)
		return -1;
	found = visited.n > 0 && strcmp(base, visited.v[visited.n - 1]) ? find_keys(p, base, err) : 0;
	if (found > 0)
		chain.base = PROFILE_KEYS;
	else if (found == 0)
		found = find_base(p, base, &chain.base, err);
	if (found < 0)
		return -1;
	if (!found)
		return visited.n == 0 ? 0
				      : err_set(err, ERR_CONFIG, "profile '%s' has nothing of credentials for '%s'",
						base, profile);
	chain.profile = xstrdup(base);
	while (visited.n > 0)
		strlist_take(&chain.roles, visited.v[--visited.n]);
	*ret = chain;
	chain = (struct profile_chain){ 0 };
	return 1;
}
