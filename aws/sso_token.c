#include "aws/sso_token.h"

#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"

#define MAX_CACHE_BYTES   (256 * 1024)
#define REFRESH_WINDOW_MS (5 * 60 * 1000)

int sso_hint(const struct sso_login *login, struct err *err)
{
	return err_hint(err, "aws sso login --profile %s", login->profile);
}

static char *cache_path(const struct creds_context *c, const struct sso_login *login)
{
	const char *name = login->session ? login->session : login->start_url;
	const char *home = env_get(c->options->env, "HOME");
	auto_free char *hash = digest_sha1_hex(NULL, 0, name, strlen(name));

	return xasprintf("%s/.aws/sso/cache/%s.json", home ? home : "", hash);
}

static json_t *read_cache(const char *path, const struct sso_login *login, struct err *err)
{
	auto_free char *what = xasprintf("'%s'", path);
	auto_str text = { 0 };
	json_t *j;

	if (fs_read(path, MAX_CACHE_BYTES, &text.s, &text.len, err) < 0) {
		if (err->code == ERR_NOT_FOUND)
			err_set(err, ERR_AUTH, "profile '%s' is not logged in: there is no '%s'", login->profile, path);
		sso_hint(login, err);
		return NULL;
	}
	j = creds_json(&text, what, err);
	if (!j) {
		err->code = ERR_AUTH;
		sso_hint(login, err);
	}
	return j;
}

/* Milliseconds from now to the time at a key; far in the past when there is none. */
static int64_t left_ms(const struct creds_context *c, const json_t *cache, const char *key)
{
	const char *text = json_str(cache, key);
	time_t t;

	if (!text || str_parse_time_iso(text, &t) < 0)
		return INT64_MIN / 2;
	return (int64_t)t * 1000 - c->options->sys->now_ms(c->options->sys);
}

static bool is_refreshable(const struct creds_context *c, const struct sso_login *login, const json_t *cache)
{
	return login->session && json_str(cache, "refreshToken") && json_str(cache, "clientId") &&
	       json_str(cache, "clientSecret") && left_ms(c, cache, "registrationExpiresAt") > 0;
}

static void wipe_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}
#define auto_wipe __attribute__((cleanup(wipe_text)))

/* https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html */
static json_t *create_token(struct creds_context *c, const struct sso_login *login, const json_t *cache,
			    struct err *err)
{
	auto_aws_identity id = { 0 };
	auto_creds_json *request = json_object();
	auto_wipe char *body = NULL;
	auto_headers headers = { 0 };
	auto_response resp = { 0 };
	struct aws aws = { &id, NULL };

	if (creds_identity(c, login->region, &id, err) < 0)
		return NULL;
	aws.http = c->http(c->http_ctx);
	json_put_str(request, "grantType", "refresh_token");
	json_put_str(request, "clientId", json_str(cache, "clientId"));
	json_put_str(request, "clientSecret", json_str(cache, "clientSecret"));
	json_put_str(request, "refreshToken", json_str(cache, "refreshToken"));
	body = json_compact(request);
	http_headers_add(&headers, "content-type", "application/json");
	if (aws_send(&aws, "CreateToken",
		     &(struct aws_request){
			     .service = AWS_SSO_OIDC,
			     .method = "POST",
			     .path = "/token",
			     .headers = &headers,
			     .bytes = body,
			     .n = strlen(body),
			     .no_auth = true,
		     },
		     &resp, err) < 0)
		return NULL;
	return creds_json(&resp.body, "the answer to CreateToken", err);
}

/* The refresh token may have changed and the old one is void: other programs need the new one. */
static int write_cache(const char *path, const json_t *cache, struct err *err)
{
	auto_wipe char *text = json_compact(cache);

	return fs_write_atomic(path, text, strlen(text), 0600, err);
}

/* Puts the new token into cache; -1 when the old one stands. */
static int refresh(struct creds_context *c, const struct sso_login *login, const char *path, json_t *cache,
		   struct err *err)
{
	auto_err why = { 0 };
	auto_creds_json *answer = create_token(c, login, cache, err);
	const char *token = json_str(answer, "accessToken");
	json_int_t seconds = json_integer_value(json_object_get(answer, "expiresIn"));
	auto_free char *expires = NULL;

	if (!answer)
		return -1;
	if (!token || seconds <= 0 || seconds > 366 * 24 * 3600)
		return err_set(err, ERR_INVALID, "the answer to CreateToken has no 'accessToken' or 'expiresIn'");
	expires = str_time_iso((time_t)(c->options->sys->now_ms(c->options->sys) / 1000 + seconds));
	json_put_str(cache, "accessToken", token);
	json_put_str(cache, "expiresAt", expires);
	json_put_str(cache, "refreshToken", json_str(answer, "refreshToken"));
	if (write_cache(path, cache, &why) < 0)
		report_text(c->options->report, REPORT_WARNING, "credentials", "keep the SSO token: %s", why.msg);
	return 0;
}

static int expired(const struct sso_login *login, struct err *why, struct err *err)
{
	if (why->code == ERR_CANCELLED || why->code == ERR_NETWORK) {
		err_move(err, why);
		return -1;
	}
	err_set(err, ERR_AUTH, "the SSO login of profile '%s' has expired%s%s", login->profile, why->msg ? ": " : "",
		why->msg ? why->msg : "");
	return sso_hint(login, err);
}

int sso_token(struct creds_context *c, const struct sso_login *login, struct secret *ret, struct err *err)
{
	auto_free char *path = cache_path(c, login);
	auto_creds_json *cache = read_cache(path, login, err);
	auto_err why = { 0 };
	int64_t left;

	if (!cache)
		return -1;
	if (!json_str(cache, "accessToken") || !json_str(cache, "expiresAt")) {
		err_set(err, ERR_AUTH, "'%s' has no 'accessToken' or 'expiresAt'", path);
		return sso_hint(login, err);
	}
	left = left_ms(c, cache, "expiresAt");
	/* A token that is merely old is kept when it cannot be refreshed. */
	if (left < REFRESH_WINDOW_MS && is_refreshable(c, login, cache)) {
		if (refresh(c, login, path, cache, &why) == 0)
			left = left_ms(c, cache, "expiresAt");
	}
	if (left <= 0)
		return expired(login, &why, err);
	secret_set(ret, json_str(cache, "accessToken"));
	return 0;
}
