#include "local/dispatch.h"

#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "local/auth.h"
#include "local/chunked.h"
#include "local/faults.h"
#include "local/s3.h"
#include "local/server_body.h"

#define API_BODY_MAX_BYTES (16ULL << 20)

static bool is_registry(const struct local_request *req)
{
	const char *authorization = http_headers_get(&req->headers, "Authorization");

	return (!strcmp(req->path, "/v2") || str_starts(req->path, "/v2/")) &&
	       !(authorization && str_starts(authorization, "AWS4-HMAC-SHA256"));
}

static bool is_health(const struct local_request *req)
{
	return !strcmp(req->path, DISPATCH_HEALTH_PATH);
}

enum shape { SHAPE_S3, SHAPE_QUERY, SHAPE_JSON };

/* Without a scope the form of the request tells which kind of service was meant. */
static enum shape shape_of(const struct local_request *req)
{
	const char *type = http_headers_get(&req->headers, "Content-Type");

	if (req->service && !strcmp(req->service, "s3"))
		return SHAPE_S3;
	if (http_headers_get(&req->headers, "X-Amz-Target") || (type && str_starts(type, "application/x-amz-json")))
		return SHAPE_JSON;
	if (req->service || (type && str_starts(type, "application/x-www-form-urlencoded")) ||
	    local_query_has(req, "Action"))
		return SHAPE_QUERY;
	return SHAPE_S3;
}

void dispatch_refuse(const struct local_request *req, struct local_response *resp, int status, const char *code,
		     const char *words)
{
	switch (shape_of(req)) {
	case SHAPE_S3:
		local_respond_s3_error(resp, status, code, "%s", words);
		break;
	case SHAPE_QUERY:
		local_respond_query_error(resp, status, code, "%s", words);
		break;
	case SHAPE_JSON:
		local_respond_json_error(resp, status, code, "%s", words);
		break;
	}
}

struct refusal {
	int status;
	const char *code;
};

/* The same refusal has another name in each family of services. */
static const struct refusal refusals[][3] = {
	[AUTH_MISSING] = { [SHAPE_S3] = { 403, "AccessDenied" },
			   [SHAPE_QUERY] = { 403, "MissingAuthenticationToken" },
			   [SHAPE_JSON] = { 403, "MissingAuthenticationTokenException" } },
	[AUTH_MALFORMED] = { [SHAPE_S3] = { 400, "AuthorizationHeaderMalformed" },
			     [SHAPE_QUERY] = { 400, "IncompleteSignature" },
			     [SHAPE_JSON] = { 400, "IncompleteSignatureException" } },
	[AUTH_UNKNOWN_KEY] = { [SHAPE_S3] = { 403, "InvalidAccessKeyId" },
			       [SHAPE_QUERY] = { 403, "InvalidClientTokenId" },
			       [SHAPE_JSON] = { 400, "UnrecognizedClientException" } },
	[AUTH_UNKNOWN_TOKEN] = { [SHAPE_S3] = { 400, "InvalidToken" },
				 [SHAPE_QUERY] = { 403, "InvalidClientTokenId" },
				 [SHAPE_JSON] = { 400, "UnrecognizedClientException" } },
	[AUTH_MISMATCH] = { [SHAPE_S3] = { 403, "SignatureDoesNotMatch" },
			    [SHAPE_QUERY] = { 403, "SignatureDoesNotMatch" },
			    [SHAPE_JSON] = { 400, "InvalidSignatureException" } },
	[AUTH_SKEWED] = { [SHAPE_S3] = { 403, "RequestTimeTooSkewed" },
			  [SHAPE_QUERY] = { 403, "SignatureDoesNotMatch" },
			  [SHAPE_JSON] = { 400, "InvalidSignatureException" } },
	[AUTH_EXPIRED] = { [SHAPE_S3] = { 403, "AccessDenied" },
			   [SHAPE_QUERY] = { 403, "RequestExpired" },
			   [SHAPE_JSON] = { 400, "RequestExpired" } },
};

static bool is_authentic(struct cloud *cloud, const struct local_request *req, const char *payload_hash,
			 struct local_response *resp)
{
	struct auth_key key = { cloud->access_key_id, cloud->secret_access_key.value, cloud->faults != NULL };
	auto_free char *words = NULL;
	enum auth_verdict v = auth_verify(&key, cloud->sys->now_ms(cloud->sys) + 1000 * req->clock_ahead_s, req,
					  payload_hash, &words);
	const struct refusal *r;

	if (v == AUTH_ACCEPTED)
		return true;
	r = &refusals[v][shape_of(req)];
	dispatch_refuse(req, resp, r->status, r->code, words);
	return false;
}

static const struct {
	const char *name;
	local_handler_fn handle;
	uint64_t max_body_bytes;
} services[] = {
	{ "sts", local_sts_handle, API_BODY_MAX_BYTES },   { "s3", local_s3_handle, SERVER_BODY_MAX_BYTES },
	{ "ecr", local_ecr_handle, API_BODY_MAX_BYTES },   { "sagemaker", local_sagemaker_handle, API_BODY_MAX_BYTES },
	{ "logs", local_logs_handle, API_BODY_MAX_BYTES }, { "iam", local_iam_handle, API_BODY_MAX_BYTES },
};

static int find_service(const struct local_request *req)
{
	for (size_t i = 0; req->service && i < ARRAY_LEN(services); i++)
		if (!strcmp(services[i].name, req->service))
			return (int)i;
	return -1;
}

const char *dispatch_operation(struct local_request *req)
{
	const char *target = http_headers_get(&req->headers, "X-Amz-Target"), *dot;

	if (is_health(req) || is_registry(req) || !auth_claim(req))
		return NULL;
	if (!strcmp(req->service, "s3"))
		return s3_operation(req);
	dot = target ? strrchr(target, '.') : NULL;
	return dot ? dot + 1 : req->service;
}

bool dispatch_admit(struct cloud *cloud, struct local_request *req, struct local_response *resp,
		    uint64_t *ret_max_bytes)
{
	int i;

	*ret_max_bytes = SERVER_BODY_MAX_BYTES;
	if (is_health(req) || is_registry(req))
		return true;
	auth_claim(req);
	i = find_service(req);
	/* Where the signature covers the declared digest, it can be judged before the body has filled a disk. */
	if ((!req->service || http_headers_get(&req->headers, "x-amz-content-sha256")) &&
	    !is_authentic(cloud, req, "", resp))
		return false;
	if (i < 0) {
		auto_free char *words = xasprintf("The local cloud has no service '%s'", req->service);

		dispatch_refuse(req, resp, 501, "NotImplemented", words);
		return false;
	}
	*ret_max_bytes = services[i].max_body_bytes;
	return true;
}

bool dispatch_decoder(struct cloud *cloud, const struct local_request *req, struct local_response *resp,
		      struct chunked **ret)
{
	struct auth_key key = { cloud->access_key_id, cloud->secret_access_key.value, cloud->faults != NULL };
	auto_err err = { 0 };

	if (is_health(req) || is_registry(req) || !chunked_is_declared(req) || chunked_new(req, &key, ret, &err) == 0)
		return true;
	dispatch_refuse(req, resp, err_is_service(&err, "NotImplemented") ? 501 : 400, err.service_code, err.msg);
	return false;
}

static bool is_body_as_declared(const struct local_request *req, const char *hex, struct local_response *resp)
{
	const char *declared = http_headers_get(&req->headers, "x-amz-content-sha256");

	if (!declared || !strcmp(declared, "UNSIGNED-PAYLOAD") || chunked_is_declared(req) ||
	    !strcasecmp(declared, hex))
		return true;
	dispatch_refuse(req, resp, 400, "XAmzContentSHA256Mismatch",
			"The provided 'x-amz-content-sha256' header does not match what was computed.");
	return false;
}

static void answer_health(struct cloud *cloud, struct local_response *resp)
{
	json_t *body = json_object();

	json_put_str(body, "dir", cloud->dir);
	json_put_int(body, "pid", getpid());
	json_put_str(body, "docker_host", cloud->docker_host);
	json_put_int(body, "idle_s", cloud->idle_s);
	json_put_int(body, "running_jobs", cloud->sagemaker ? store_sagemaker_running(cloud->sagemaker) : 0);
	if (cloud->faults)
		json_object_set_new(body, "faults", faults_counts(cloud->faults));
	/* Nobody should find a cloud that is about to end. */
	local_respond_json(resp, sys_is_cancelled() ? 503 : 200, body);
}

void dispatch_answer(struct cloud *cloud, struct local_request *req, struct local_response *resp)
{
	auto_free char *hex = NULL;

	if (is_health(req)) {
		answer_health(cloud, resp);
		return;
	}
	if (is_registry(req)) {
		local_registry_handle(cloud, req, resp);
		return;
	}
	hex = digest_hex(&req->body_digest);
	if (!http_headers_get(&req->headers, "x-amz-content-sha256") && !is_authentic(cloud, req, hex, resp))
		return;
	if (is_body_as_declared(req, hex, resp))
		services[find_service(req)].handle(cloud, req, resp);
}
