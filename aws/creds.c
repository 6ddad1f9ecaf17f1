#include "aws/creds.h"

#include "base/str.h"

void creds_release(struct creds *c)
{
	free(c->access_key_id);
	secret_release(&c->secret_access_key);
	secret_release(&c->session_token);
	free(c->source);
	*c = (struct creds){ 0 };
}

void creds_copy(struct creds *to, const struct creds *from)
{
	struct creds copy = {
		.access_key_id = xstrdup_or_null(from->access_key_id),
		.source = xstrdup_or_null(from->source),
	};

	secret_set(&copy.secret_access_key, from->secret_access_key.value);
	secret_set(&copy.session_token, from->session_token.value);
	creds_release(to);
	*to = copy;
}

/* Keys go into headers: a line break in one would begin another header. */
static int is_header_safe(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
			return 0;
	return 1;
}

int creds_set(struct creds *ret, const char *id, const char *secret, const char *token, const char *source,
	      struct err *err)
{
	__attribute__((cleanup(secret_release))) struct secret secret_copy = { 0 }, token_copy = { 0 };
	auto_free char *id_copy = NULL;

	secret_copy.value = str_trim(secret);
	token_copy.value = token ? str_trim(token) : NULL;
	id_copy = str_trim(id);
	if (!is_header_safe(id_copy) || !is_header_safe(secret_copy.value) ||
	    (token_copy.value && !is_header_safe(token_copy.value)))
		return err_set(err, ERR_AUTH, "the credentials from %s hold white space or control characters", source);
	creds_release(ret);
	ret->access_key_id = take(id_copy);
	ret->secret_access_key.value = take(secret_copy.value);
	ret->session_token.value = take(token_copy.value);
	ret->source = xstrdup(source);
	return 0;
}

int creds_resolve(const char *profile, env_fn env, struct creds *ret, struct err *err)
{
	int found = 0;

	/* A profile named in smpipe.yaml is more deliberate than what the shell happens to hold. */
	if (!profile)
		found = creds_from_environment(env, ret, err);
	if (found == 0)
		found = creds_from_profile(profile, env, ret, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	err_set(err, ERR_AUTH, "no AWS credentials were found in the environment or the shared configuration files");
	return err_hint(err,
			"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with keys in AWS_PROFILE");
}
