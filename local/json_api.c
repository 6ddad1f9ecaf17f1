#include "local/json_api.h"

#include <string.h>

#include "aws/partition.h"
#include "base/json.h"

static const struct json_api_op *find_op(const struct json_api_op *ops, const char *prefix, const char *target)
{
	size_t n = strlen(prefix);

	if (!target || strncmp(target, prefix, n) != 0 || target[n] != '.')
		return NULL;
	for (; ops->name; ops++)
		if (str_eq(ops->name, target + n + 1))
			return ops;
	return NULL;
}

void json_api_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp,
		     const char *target_prefix, const struct json_api_op *ops)
{
	const char *target = http_headers_get(&req->headers, "X-Amz-Target");
	const struct json_api_op *op = find_op(ops, target_prefix, target);
	auto_err err = { 0 };
	auto_json *in = NULL;

	if (!op) {
		local_respond_json_error(resp, 400, "UnknownOperationException",
					 "the local cloud does not know '%s' yet", target ? target : "");
		return;
	}
	if (!req->body) {
		local_respond_json_error(resp, 413, "RequestEntityTooLargeException", "the request is too large");
		return;
	}
	in = req->body_size ? json_parse(req->body, req->body_size, "the request", &err) : json_object();
	if (!json_is_object(in)) {
		local_respond_json_error(resp, 400, "SerializationException", "%s",
					 err.msg ? err.msg : "the request is no JSON object");
		return;
	}
	op->fn(cloud, req, in, resp);
}

const char *json_api_need(const json_t *in, const char *member, const char *code, struct local_response *resp)
{
	const char *s = json_str(in, member);

	if (s && *s)
		return s;
	local_respond_json_error(
		resp, 400, code,
		"1 validation error detected: Value at '%s' failed to satisfy constraint: Member must not be "
		"null",
		member);
	return NULL;
}

json_t *json_api_time(int64_t ms)
{
	return json_real((double)ms / 1000.0);
}

char *json_api_arn(const struct cloud *cloud, const struct local_request *req, const char *service,
		   const char *resource)
{
	return xasprintf("arn:%s:%s:%s:%s:%s", partition_of_region(req->region)->id, service, req->region,
			 cloud->account, resource);
}
