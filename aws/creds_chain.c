#include "aws/creds_source.h"
#include "base/str.h"

int creds_context_open(struct creds_context *c, const struct creds_options *options, struct err *err)
{
	const char *named = options->profile ? options->profile : env_get(options->env, "AWS_PROFILE");
	struct profiles *profiles = NULL;

	if (profiles_load(options->env, &profiles, err) < 0)
		return -1;
	profiles_free(c->profiles);
	c->options = options;
	c->profiles = profiles;
	c->profile = named ? named : "default";
	c->is_explicit = named;
	return 0;
}

void creds_context_release(struct creds_context *c)
{
	profiles_free(c->profiles);
	c->profiles = NULL;
}

char *creds_session_name(const struct creds_context *c)
{
	const struct sys *sys = c->options->sys;

	return xasprintf("smpipe-%lld", (long long)sys->now_ms(sys));
}

int creds_identity(struct creds_context *c, const char *region, struct aws_identity *ret, struct err *err)
{
	ret->sys = c->options->sys;
	/* What is odd about the settings was said to the caller's own identity: the report comes after. */
	if (aws_identity_locate(ret, region ? region : c->options->region, c->profile, c->options->env, err) < 0)
		return -1;
	ret->report = c->options->report;
	return 0;
}

static int report_none(const struct strlist *skipped, struct err *err)
{
	auto_str hint = { 0 };

	for (size_t i = 0; i < skipped->n; i++)
		str_addf(&hint, "%s; ", skipped->v[i]);
	str_add(&hint, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile in AWS_PROFILE");
	err_set(err, ERR_AUTH,
		"no AWS credentials were found in the environment, the shared configuration files or this machine's metadata");
	return err_hint(err, "%s", str_text(&hint));
}

int creds_search(struct creds_context *c, struct creds *ret, struct err *err)
{
	static int (*const sources[])(struct creds_context * c, struct creds * ret, struct err * err) = {
		creds_from_environment, creds_from_profile,   creds_from_web_identity,
		creds_from_github,      creds_from_container, creds_from_imds,
	};
	auto_strlist skipped = { 0 };
	int found = 0;

	c->skipped = &skipped;
	/* A profile named in smpipe.yaml is more deliberate than what the shell happens to hold. */
	for (size_t i = c->options->profile ? 1 : 0; i < ARRAY_LEN(sources) && !found; i++)
		found = sources[i](c, ret, err);
	c->skipped = NULL;
	if (found == 0)
		return report_none(&skipped, err);
	return found < 0 ? -1 : 0;
}
