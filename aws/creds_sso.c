/* https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html */

#include <string.h>

#include "aws/creds_source.h"
#include "aws/sso_token.h"
#include "base/json.h"
#include "base/str.h"

static const char *session_get(const struct creds_context *c, const char *profile, const char *session,
			       const char *property)
{
	return session ? profiles_section_get(c->profiles, "sso-session", session, property)
		       : creds_profile_get(c, profile, property);
}

static int get_role_credentials(struct creds_context *c, const struct sso_login *login, const char *account,
				const char *role, struct http_response *ret_resp, struct err *err)
{
	__attribute__((cleanup(secret_release))) struct secret token = { 0 };
	auto_free char *account_part = str_uri_encode(account, false), *role_part = str_uri_encode(role, false);
	auto_free char *query = xasprintf("account_id=%s&role_name=%s", account_part, role_part);
	auto_aws_identity id = { 0 };
	auto_headers headers = { 0 };
	struct aws aws = { &id, NULL };

	if (sso_token(c, login, &token, err) < 0 || creds_identity(c, login->region, &id, err) < 0)
		return -1;
	for (const char *p = token.value; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return err_set(err, ERR_AUTH, "the SSO token of profile '%s' holds control characters",
				       login->profile);
	aws.http = c->http(c->http_ctx);
	http_headers_add(&headers, "x-amz-sso_bearer_token", token.value);
	return aws_send(&aws, "GetRoleCredentials",
			&(struct aws_request){
				.service = AWS_SSO,
				.method = "GET",
				.path = "/federation/credentials",
				.query = query,
				.headers = &headers,
				.is_idempotent = true,
				.no_auth = true,
			},
			ret_resp, err);
}

/* 401: the session is over, whatever the cache says. 403: the session lives, the role is not this user's. */
static int refused(const struct sso_login *login, int status, const char *account, const char *role, struct err *err)
{
	if (err->code != ERR_AUTH)
		return -1;
	if (status == 401)
		return sso_hint(login, err);
	return err_hint(err, "ask whoever runs your SSO for role '%s' in account %s", role, account);
}

static int take_answer(struct http_response *resp, const char *source, struct creds *ret, struct err *err)
{
	static const char what[] = "the answer to GetRoleCredentials";
	static const struct creds_keys keys = { "accessKeyId", "secretAccessKey", "sessionToken", "expiration", NULL,
						false };
	auto_creds_json *j = creds_json(&resp->body, what, err);

	if (!j)
		return -1;
	return creds_take(json_object_get(j, "roleCredentials"), &keys, what, source, ret, err);
}

static int check_region(const char *profile, const char *region, struct err *err)
{
	if (!region)
		return err_set(err, ERR_CONFIG, "the SSO session of profile '%s' has no 'sso_region'", profile);
	if (!partition_is_region_name(region))
		return err_set(err, ERR_CONFIG, "the SSO session of profile '%s' has the region '%s', which is none",
			       profile, region);
	return 0;
}

int creds_from_sso(struct creds_context *c, const char *profile, struct creds *ret, struct err *err)
{
	const char *session = creds_profile_get(c, profile, "sso_session");
	const char *account = creds_profile_get(c, profile, "sso_account_id");
	const char *role = creds_profile_get(c, profile, "sso_role_name");
	const struct sso_login login = {
		.profile = profile,
		.session = session,
		.start_url = session_get(c, profile, session, "sso_start_url"),
		.region = session_get(c, profile, session, "sso_region"),
	};
	auto_free char *source = xasprintf("profile '%s' → role '%s' in account %s via SSO", profile, role ? role : "",
					   account ? account : "");
	auto_response resp = { 0 };

	if (!account) {
		err_set(err, ERR_CONFIG, "profile '%s' gives an SSO token, but no credentials", profile);
		return err_hint(err, "add sso_account_id and sso_role_name to it");
	}
	if (check_region(profile, login.region, err) < 0)
		return -1;
	if (get_role_credentials(c, &login, account, role, &resp, err) < 0) {
		int status = resp.status;

		return status ? refused(&login, status, account, role, err) : -1;
	}
	if (take_answer(&resp, source, ret, err) < 0)
		return -1;
	free(ret->account_id);
	ret->account_id = xstrdup(account);
	return 1;
}
