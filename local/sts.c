#include <string.h>

#include "aws/partition.h"
#include "base/str.h"
#include "local/cloud.h"

static void get_caller_identity(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	auto_str xml = { 0 };

	str_addf(&xml,
		 "<GetCallerIdentityResponse xmlns=\"%s\"><GetCallerIdentityResult>"
		 "<Arn>arn:%s:iam::%s:user/smpipe-local</Arn><UserId>AIDALOCALSMPIPE00000</UserId><Account>%s</Account>"
		 "</GetCallerIdentityResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>"
		 "</GetCallerIdentityResponse>",
		 partition_sts_xmlns, partition_of_region(req->region)->id, cloud->account, cloud->account,
		 req->request_id);
	local_respond_xml(resp, 200, str_text(&xml));
	http_headers_set(&resp->headers, "Content-Type", "text/xml");
}

/* The query protocol sends its parameters as a form, or in the query of a GET. */
void local_sts_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	auto_free char *action = local_form_get(req->body && *req->body ? req->body : req->query, "Action");

	if (str_eq(action, "GetCallerIdentity"))
		get_caller_identity(cloud, req, resp);
	else
		local_respond_query_error(resp, 400, "InvalidAction",
					  "Could not find operation %s for version 2011-06-15",
					  action ? action : "(none)");
}
