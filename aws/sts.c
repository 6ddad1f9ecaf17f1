#include "aws/sts.h"

#include <string.h>
#include <time.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"

#define QUERY "Action=GetCallerIdentity&Version=2011-06-15"

int sts_get_caller_identity(struct http *http, struct aws_identity *id, struct err *err)
{
	struct aws aws = { id, http };
	auto_headers headers = { 0 };
	auto_response resp = { 0 };
	auto_xml *root = NULL;
	const struct xml *result;
	const char *account, *arn;

	http_headers_add(&headers, "content-type", "application/x-www-form-urlencoded; charset=utf-8");
	if (aws_send(&aws, "GetCallerIdentity",
		     &(struct aws_request){
			     .service = AWS_STS,
			     .method = "POST",
			     .path = "/",
			     .headers = &headers,
			     .bytes = QUERY,
			     .n = strlen(QUERY),
			     .is_idempotent = true,
		     },
		     &resp, err) < 0)
		return -1;
	root = xml_parse(str_text(&resp.body), resp.body.len, "the answer to GetCallerIdentity", err);
	if (!root)
		return -1;
	result = xml_child(root, "GetCallerIdentityResult");
	account = result ? xml_child_text(result, "Account") : NULL;
	arn = result ? xml_child_text(result, "Arn") : NULL;
	if (!partition_is_account(account) || !arn)
		return err_set(err, ERR_INVALID, "the answer to GetCallerIdentity names no account");
	free(id->account);
	free(id->arn);
	id->account = xstrdup(account);
	id->arn = xstrdup(arn);
	return 0;
}

static void wipe_str(struct str *b)
{
	if (b->s)
		explicit_bzero(b->s, b->cap);
	str_release(b);
}

static void add_parameter(struct str *form, const char *name, const char *value)
{
	auto_free char *encoded = value ? str_uri_encode(value, false) : NULL;

	if (!encoded)
		return;
	str_addf(form, "&%s=%s", name, encoded);
	explicit_bzero(encoded, strlen(encoded));
}

static void build_form(struct str *form, const char *action, const struct sts_role *role)
{
	str_addf(form, "Action=%s&Version=2011-06-15", action);
	add_parameter(form, "RoleArn", role->role_arn);
	add_parameter(form, "RoleSessionName", role->session_name);
	add_parameter(form, "ExternalId", role->external_id);
	add_parameter(form, "DurationSeconds", role->duration_s);
	add_parameter(form, "WebIdentityToken", role->web_identity_token);
}

static int take_role(const struct xml *root, const char *action, const char *source, struct creds *ret, struct err *err)
{
	auto_free char *result_name = xasprintf("%sResult", action);
	const struct xml *result = xml_child(root, result_name);
	const struct xml *keys = result ? xml_child(result, "Credentials") : NULL;
	const struct xml *user = result ? xml_child(result, "AssumedRoleUser") : NULL;
	const char *id = keys ? xml_child_text(keys, "AccessKeyId") : NULL;
	const char *secret = keys ? xml_child_text(keys, "SecretAccessKey") : NULL;
	const char *token = keys ? xml_child_text(keys, "SessionToken") : NULL;
	const char *expiration = keys ? xml_child_text(keys, "Expiration") : NULL;
	auto_arn arn = { 0 };
	time_t expires;

	if (!id || !secret || !token || !expiration || str_parse_time_iso(expiration, &expires) < 0)
		return err_set(err, ERR_INVALID, "the answer to %s has no whole credentials", action);
	if (creds_set(ret, id, secret, token, source, err) < 0)
		return -1;
	ret->expires_ms = (int64_t)expires * 1000;
	if (user && arn_parse(xml_child_text(user, "Arn"), &arn) == 0)
		ret->account_id = take(arn.account);
	return 0;
}

static void wipe_texts(const struct xml *x)
{
	for (; x; x = x->next) {
		explicit_bzero(x->text, strlen(x->text));
		wipe_texts(x->child);
	}
}

int sts_assume_role(struct aws *aws, const struct sts_role *role, const char *source, struct creds *ret,
		    struct err *err)
{
	const char *action = role->web_identity_token ? "AssumeRoleWithWebIdentity" : "AssumeRole";
	auto_free char *what = xasprintf("the answer to %s", action);
	__attribute__((cleanup(wipe_str))) struct str form = { 0 };
	auto_headers headers = { 0 };
	auto_response resp = { 0 };
	auto_xml *root = NULL;
	int result;

	build_form(&form, action, role);
	http_headers_add(&headers, "content-type", "application/x-www-form-urlencoded; charset=utf-8");
	if (aws_send(aws, action,
		     &(struct aws_request){
			     .service = AWS_STS,
			     .method = "POST",
			     .path = "/",
			     .headers = &headers,
			     .bytes = form.s,
			     .n = form.len,
			     .is_idempotent = true,
			     .no_auth = role->web_identity_token,
		     },
		     &resp, err) < 0)
		return -1;
	root = xml_parse(str_text(&resp.body), resp.body.len, what, err);
	if (resp.body.s)
		explicit_bzero(resp.body.s, resp.body.len);
	if (!root)
		return -1;
	result = take_role(root, action, source, ret, err);
	wipe_texts(root);
	return result;
}
