/*
 * A token from an identity provider in exchange for a role: EKS service accounts and others.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */

#include <string.h>

#include "aws/creds_source.h"
#include "aws/sts.h"
#include "base/fs.h"
#include "base/str.h"

/* STS takes up to 20,000 characters. */
#define MAX_TOKEN_BYTES (64 * 1024)

int creds_from_token(struct creds_context *c, const char *who, const char *role_arn, const char *token,
		     const char *session_name, struct creds *ret, struct err *err)
{
	auto_aws_identity id = { 0 };
	auto_free char *name = session_name ? xstrdup(session_name) : creds_session_name(c);
	auto_free char *source = xasprintf("%s → role '%s' via STS", who, role_arn);
	struct aws aws = { &id, NULL };

	if (creds_identity(c, NULL, &id, err) < 0)
		return -1;
	aws.http = c->http(c->http_ctx);
	if (sts_assume_role(
		    &aws, &(struct sts_role){ .role_arn = role_arn, .session_name = name, .web_identity_token = token },
		    source, ret, err) < 0)
		return err_wrap(err, "take on role '%s' with the token of %s", role_arn, who);
	return 1;
}

int creds_from_token_file(struct creds_context *c, const char *who, const char *role_arn, const char *token_file,
			  const char *session_name, struct creds *ret, struct err *err)
{
	__attribute__((cleanup(secret_release))) struct secret text = { 0 }, token = { 0 };

	if (fs_read(token_file, MAX_TOKEN_BYTES, &text.value, NULL, err) < 0) {
		err->code = ERR_AUTH;
		return err_wrap(err, "read the token of %s", who);
	}
	token.value = str_trim(text.value);
	if (!*token.value)
		return err_set(err, ERR_AUTH, "the token file of %s, '%s', is empty", who, token_file);
	return creds_from_token(c, who, role_arn, token.value, session_name, ret, err);
}

int creds_from_web_identity(struct creds_context *c, struct creds *ret, struct err *err)
{
	env_fn env = c->options->env;
	const char *file = env_get(env, "AWS_WEB_IDENTITY_TOKEN_FILE"), *role = env_get(env, "AWS_ROLE_ARN");

	if (!file)
		return 0;
	if (!role)
		return err_set(err, ERR_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
	return creds_from_token_file(c, "web identity", role, file, env_get(env, "AWS_ROLE_SESSION_NAME"), ret, err);
}
