#include "aws/creds.h"

#include "base/str.h"

void creds_release(struct creds *c)
{
	free(c->access_key_id);
	secret_release(&c->secret_access_key);
	secret_release(&c->session_token);
	free(c->account_id);
	free(c->source);
	*c = (struct creds){ 0 };
}

void creds_copy(struct creds *to, const struct creds *from)
{
	struct creds copy = {
		.access_key_id = xstrdup_or_null(from->access_key_id),
		.expires_ms = from->expires_ms,
		.account_id = xstrdup_or_null(from->account_id),
		.source = xstrdup_or_null(from->source),
	};

	secret_set(&copy.secret_access_key, from->secret_access_key.value);
	secret_set(&copy.session_token, from->session_token.value);
	creds_release(to);
	*to = copy;
}

bool creds_equal(const struct creds *a, const struct creds *b)
{
	return str_eq(a->access_key_id, b->access_key_id) && str_eq(a->session_token.value, b->session_token.value);
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
	if (!*id_copy || !*secret_copy.value)
		return err_set(err, ERR_AUTH, "the credentials from %s are empty", source);
	if (!is_header_safe(id_copy) || !is_header_safe(secret_copy.value) ||
	    (token_copy.value && !is_header_safe(token_copy.value)))
		return err_set(err, ERR_AUTH, "the credentials from %s hold white space or control characters", source);
	creds_release(ret);
	ret->access_key_id = take(id_copy);
	ret->secret_access_key.value = take(secret_copy.value);
	if (token_copy.value && *token_copy.value)
		ret->session_token.value = take(token_copy.value);
	ret->source = xstrdup(source);
	return 0;
}
