#include "aws/creds_source.h"

int creds_from_environment(struct creds_context *c, struct creds *ret, struct err *err)
{
	env_fn env = c->options->env;
	const char *id = env_get(env, "AWS_ACCESS_KEY_ID");
	const char *secret = env_get(env, "AWS_SECRET_ACCESS_KEY");

	if (!id && !secret)
		return 0;
	if (!id || !secret)
		return err_set(err, ERR_AUTH, "'%s' is set, but '%s' is not",
			       id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
			       id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	if (creds_set(ret, id, secret, env_get(env, "AWS_SESSION_TOKEN"), "environment", err) < 0)
		return -1;
	ret->account_id = xstrdup_or_null(env_get(env, "AWS_ACCOUNT_ID"));
	return 1;
}
