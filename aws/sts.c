#include "aws/sts.h"

#include <string.h>

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
