/*
 * IAM's GetRole, so that roles can be named as on AWS. Any role exists and trusts SageMaker, unless the folder has a
 * roles.json: then the roles are its keys, the values their trust policies.
 */

#include "aws/iam.h"
#include "aws/partition.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"
#include "local/cloud.h"

#define ROLES_FILE      "roles.json"
#define MAX_ROLES_BYTES ((size_t)1024 * 1024)

static json_t *default_trust(const struct partition *p)
{
	return json_pack("{s:s, s:[{s:s, s:{s:s}, s:s}]}", "Version", "2012-10-17", "Statement", "Effect", "Allow",
			 "Principal", "Service", partition_sagemaker_principal(p), "Action", "sts:AssumeRole");
}

/* A new reference; NULL without error when there is no such role. */
static json_t *find_trust(const struct cloud *cloud, const struct partition *p, const char *name, struct err *err)
{
	auto_free char *path = fs_join(cloud->dir, ROLES_FILE), *text = NULL;
	auto_json *roles = NULL;
	auto_err why = { 0 };
	size_t n;

	if (fs_read(path, MAX_ROLES_BYTES, &text, &n, &why) < 0) {
		if (why.code == ERR_NOT_FOUND)
			return default_trust(p);
		err_move(err, &why);
		return NULL;
	}
	roles = json_parse(text, n, path, err);
	return json_incref(json_object_get(roles, name));
}

static void respond_role(const struct cloud *cloud, const struct local_request *req, const struct partition *p,
			 const char *name, const json_t *trust, struct local_response *resp)
{
	auto_free char *policy = json_compact(trust), *encoded = str_uri_encode(policy, false);
	auto_str xml = { 0 };

	str_addf(
		&xml,
		"<GetRoleResponse><GetRoleResult><Role><Path>/</Path><Arn>"
		"arn:%s:iam::%s:role/%s</Arn><RoleName>%s</RoleName><AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument>"
		"<CreateDate>2000-01-01T00:00:00Z</CreateDate><RoleId>AROALOCALSMPIPE00000</RoleId></Role></GetRoleResult>"
		"<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></GetRoleResponse>",
		p->id, cloud->account, name, name, encoded, req->request_id);
	local_respond_xml(resp, 200, str_text(&xml));
	http_headers_set(&resp->headers, "Content-Type", "text/xml");
}

static void get_role(struct cloud *cloud, const struct local_request *req, const char *name,
		     struct local_response *resp)
{
	const struct partition *p = partition_of_region(req->region);
	auto_json *trust = NULL;
	auto_err err = { 0 };

	if (!iam_is_role_name(name)) {
		local_respond_query_error(
			resp, 400, "ValidationError",
			"The specified value for roleName is invalid. It must contain only alphanumeric "
			"characters and/or the following: +=,.@_-");
		return;
	}
	trust = find_trust(cloud, p, name, &err);
	if (trust)
		respond_role(cloud, req, p, name, trust, resp);
	else if (err.code != ERR_NONE)
		local_respond_query_error(resp, 500, "ServiceFailure", "%s", err.msg);
	else
		local_respond_query_error(resp, 404, "NoSuchEntity", "The role with name %s cannot be found.", name);
}

void local_iam_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	const char *form = req->body && *req->body ? req->body : req->query;
	auto_free char *action = local_form_get(form, "Action"), *name = local_form_get(form, "RoleName");

	if (str_eq(action, "GetRole"))
		get_role(cloud, req, name, resp);
	else
		local_respond_query_error(resp, 400, "InvalidAction",
					  "Could not find operation %s for version 2010-05-08",
					  action ? action : "(none)");
}
