#include "aws/iam.h"

#include <string.h>
#include <strings.h>

#include "aws/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_ANSWER_BYTES ((size_t)256 * 1024)

void iam_role_release(struct iam_role *r)
{
	free(r->arn);
	json_decref(r->trust);
	*r = (struct iam_role){ 0 };
}

bool iam_is_role_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-";
	size_t n = name ? strlen(name) : 0;

	return n >= 1 && n <= 64 && strspn(name, allowed) == n;
}

/* The policy comes percent-encoded within the XML. */
static json_t *decode_policy(const char *text, struct err *err)
{
	auto_free char *plain = text ? str_uri_decode(text) : NULL;

	if (!plain) {
		err_set(err, ERR_INVALID, "the answer to GetRole has no trust policy");
		return NULL;
	}
	return json_parse(plain, strlen(plain), "the role's trust policy", err);
}

static int take_role(const struct http_response *resp, struct iam_role *ret, struct err *err)
{
	auto_xml *root = xml_parse(str_text(&resp->body), resp->body.len, "the answer to GetRole", err);
	const struct xml *result = root ? xml_child(root, "GetRoleResult") : NULL;
	const struct xml *role = result ? xml_child(result, "Role") : NULL;
	const char *arn = role ? xml_child_text(role, "Arn") : NULL;
	auto_arn parts = { 0 };
	json_t *trust;

	if (!root)
		return -1;
	if (!arn || arn_parse(arn, &parts) < 0 || !str_eq(parts.service, "iam") || !str_starts(parts.resource, "role/"))
		return err_set(err, ERR_INVALID, "the answer to GetRole names no role");
	trust = decode_policy(xml_child_text(role, "AssumeRolePolicyDocument"), err);
	if (!trust)
		return -1;
	*ret = (struct iam_role){ xstrdup(arn), trust };
	return 0;
}

int iam_get_role(struct aws *aws, const char *name, struct iam_role *ret, struct err *err)
{
	auto_free char *encoded = str_uri_encode(name, false);
	auto_free char *form = xasprintf("Action=GetRole&RoleName=%s&Version=2010-05-08", encoded);
	auto_headers headers = { 0 };
	auto_response resp = { 0 };

	http_headers_add(&headers, "content-type", "application/x-www-form-urlencoded; charset=utf-8");
	if (aws_send(aws, "GetRole",
		     &(struct aws_request){
			     .service = AWS_IAM,
			     .method = "POST",
			     .path = "/",
			     .headers = &headers,
			     .bytes = form,
			     .n = strlen(form),
			     .max_body_bytes = MAX_ANSWER_BYTES,
			     .is_idempotent = true,
		     },
		     &resp, err) < 0 ||
	    take_role(&resp, ret, err) < 0)
		return err_wrap(err, "role '%s'", name);
	return 0;
}

/* Policies write a list of one as the thing itself. */
static bool has_string(const json_t *one_or_list, bool (*matches)(const char *s, const char *wanted),
		       const char *wanted)
{
	size_t i;
	json_t *item;

	if (json_is_string(one_or_list))
		return matches(json_string_value(one_or_list), wanted);
	json_array_foreach(one_or_list, i, item) {
		if (json_is_string(item) && matches(json_string_value(item), wanted))
			return true;
	}
	return false;
}

static bool is_same(const char *s, const char *wanted)
{
	return !strcmp(s, wanted);
}

/* Action names compare without case and may end in a wildcard. */
static bool covers_action(const char *s, const char *wanted)
{
	size_t n = strlen(s);

	if (n && s[n - 1] == '*')
		return !strncasecmp(s, wanted, n - 1);
	return !strcasecmp(s, wanted);
}

static bool statement_trusts(const json_t *s, const char *principal)
{
	const json_t *who = json_object_get(s, "Principal");

	return str_eq(json_str(s, "Effect"), "Allow") &&
	       has_string(json_object_get(s, "Action"), covers_action, "sts:AssumeRole") &&
	       has_string(json_object_get(who, "Service"), is_same, principal);
}

bool iam_trusts_service(const json_t *trust, const char *principal)
{
	const json_t *statements = json_object_get(trust, "Statement");
	size_t i;
	json_t *s;

	if (json_is_object(statements))
		return statement_trusts(statements, principal);
	json_array_foreach(statements, i, s) {
		if (statement_trusts(s, principal))
			return true;
	}
	return false;
}
