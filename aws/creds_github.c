/*
 * A job of GitHub Actions with `permissions: id-token: write` gets a token that says which repository and branch it is
 * of. https://docs.github.com/en/actions/reference/security/oidc
 */

#include <string.h>

#include "aws/creds_source.h"
#include "base/json.h"
#include "base/str.h"

#define URL              "ACTIONS_ID_TOKEN_REQUEST_URL"
#define TOKEN            "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
#define WHO              "GitHub Actions"
#define MAX_ANSWER_BYTES (256 * 1024)
#define ATTEMPTS         3
#define TIMEOUT_MS       10000
#define PAUSE_MS         1000

/* The token is for STS of the role's partition. */
static char *request_url(const struct creds_context *c, const char *url, const char *role_arn)
{
	auto_arn arn = { 0 };
	const struct partition *partition = NULL;

	if (arn_parse(role_arn, &arn) == 0)
		partition = partition_by_id(arn.partition);
	if (!partition)
		partition = partition_of_region(c->options->region);
	return xasprintf("%s%caudience=sts.%s", url, strchr(url, '?') ? '&' : '?', partition->dns_suffix);
}

/* The request token goes with it: only over https, or within this machine. */
static int check_url(const char *url, struct err *err)
{
	auto_err why = { 0 };
	auto_url parts = { 0 };

	if (strpbrk(url, "@#\\ \t\r\n") || http_url_parse(url, &parts, &why) < 0)
		return err_set(err, ERR_CONFIG, "'" URL "' is no URL of scheme, host, port and path");
	if (!strcmp(parts.scheme, "https") || http_is_loopback(parts.host))
		return 0;
	return err_set(err, ERR_CONFIG, "'" URL "' is neither https nor on this machine");
}

static int fetch_token(struct creds_context *c, const char *url, const char *request_token, struct secret *ret,
		       struct err *err)
{
	static const char what[] = "the answer of GitHub's token service";
	auto_headers headers = { 0 };
	auto_response resp = { 0 };
	auto_creds_json *j = NULL;
	const char *value;

	if (strpbrk(request_token, "\r\n"))
		return err_set(err, ERR_CONFIG, "'" TOKEN "' holds a line break");
	http_headers_add(&headers, "accept", "application/json");
	http_headers_addf(&headers, "authorization", "bearer %s", request_token);
	if (creds_fetch(c,
			&(struct creds_fetch){
				.what = "ask GitHub for the job's token",
				.request = {
					.method = "GET",
					.url = url,
					.headers = headers,
					.max_body_bytes = MAX_ANSWER_BYTES,
					.timeout_ms = TIMEOUT_MS,
				},
				.lost_attempts = ATTEMPTS,
				.pause_ms = PAUSE_MS,
			},
			&resp, err) < 0)
		return -1;
	j = creds_json(&resp.body, what, err);
	value = json_str(j, "value");
	if (!j)
		return -1;
	if (!value || !*value)
		return err_set(err, ERR_INVALID, "%s has no 'value'", what);
	secret_set(ret, value);
	return 0;
}

int creds_from_github(struct creds_context *c, struct creds *ret, struct err *err)
{
	env_fn env = c->options->env;
	const char *url = env_get(env, URL), *request_token = env_get(env, TOKEN), *role = env_get(env, "AWS_ROLE_ARN");
	__attribute__((cleanup(secret_release))) struct secret token = { 0 };
	auto_free char *whole = NULL;

	if (!role || env_get(env, "AWS_WEB_IDENTITY_TOKEN_FILE"))
		return 0;
	if (!url || !request_token) {
		if (env_get(env, "GITHUB_ACTIONS") && c->skipped)
			strlist_add(c->skipped,
				    "AWS_ROLE_ARN is set, but the GitHub job has no `permissions: id-token: "
				    "write`");
		return 0;
	}
	if (check_url(url, err) < 0)
		return -1;
	whole = request_url(c, url, role);
	if (fetch_token(c, whole, request_token, &token, err) < 0) {
		if (err->code == ERR_AUTH && !err->hint)
			err_hint(err, "give the job `permissions: id-token: write`");
		return -1;
	}
	return creds_from_token(c, WHO, role, token.value, env_get(env, "AWS_ROLE_SESSION_NAME"), ret, err);
}
