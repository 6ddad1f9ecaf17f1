/* AWS JSON 1.1. https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */

#include <string.h>

#include "aws/call.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* A service that always names a next page must end somewhere. */
#define MAX_PAGES 10000

static const char *target_prefix(enum aws_service service)
{
	switch (service) {
	case AWS_ECR:
		return "AmazonEC2ContainerRegistry_V20150921";
	case AWS_SAGEMAKER:
		return "SageMaker";
	case AWS_LOGS:
		return "Logs_20140328";
	default:
		return "";
	}
}

/* Creating twice is not creating once; every other operation of ours may be sent again. */
static bool is_idempotent(const char *operation)
{
	return !str_starts(operation, "Create");
}

static int parse_answer(const struct http_response *resp, const char *operation, json_t **ret_answer, struct err *err)
{
	auto_free char *what = xasprintf("the answer to %s", operation);
	auto_json *answer = NULL;

	if (resp->body.len == 0)
		answer = json_object();
	else
		answer = json_parse(resp->body.s, resp->body.len, what, err);
	if (!answer)
		return -1;
	if (!json_is_object(answer))
		return err_set(err, ERR_INVALID, "%s is no JSON object", what);
	*ret_answer = take(answer);
	return 0;
}

int aws_call_json(struct aws *aws, enum aws_service service, const char *operation, const json_t *request,
		  json_t **ret_answer, struct err *err)
{
	auto_free char *body = json_compact(request);
	auto_headers headers = { 0 };
	auto_response resp = { 0 };

	http_headers_add(&headers, "content-type", "application/x-amz-json-1.1");
	http_headers_addf(&headers, "x-amz-target", "%s.%s", target_prefix(service), operation);
	if (aws_send(aws, operation,
		     &(struct aws_request){
			     .service = service,
			     .method = "POST",
			     .path = "/",
			     .headers = &headers,
			     .bytes = body,
			     .n = strlen(body),
			     .is_idempotent = is_idempotent(operation),
		     },
		     &resp, err) < 0)
		return -1;
	return ret_answer ? parse_answer(&resp, operation, ret_answer, err) : 0;
}

static void append_items(json_t *array, const json_t *page, size_t max_items)
{
	size_t i;
	json_t *item;

	json_array_foreach(page, i, item) {
		if (json_array_size(array) >= max_items)
			return;
		json_array_append(array, item);
	}
}

int aws_call_json_pages(struct aws *aws, enum aws_service service, const char *operation, const json_t *request,
			const char *list_key, const char *token_key, size_t max_items, json_t **ret_array,
			struct err *err)
{
	auto_json *page_request = json_deep_copy(request);
	auto_json *array = json_array();

	for (int page = 0; page < MAX_PAGES; page++) {
		auto_json *answer = NULL;
		const char *token;

		if (aws_call_json(aws, service, operation, page_request, &answer, err) < 0)
			return -1;
		append_items(array, json_object_get(answer, list_key), max_items);
		token = json_str(answer, token_key);
		if (!token || !*token || json_array_size(array) >= max_items) {
			*ret_array = take(array);
			return 0;
		}
		if (str_eq(token, json_str(page_request, token_key)))
			return err_set(err, ERR_INVALID, "%s: the service names the same page again", operation);
		json_put_str(page_request, token_key, token);
	}
	return err_set(err, ERR_INVALID, "%s: more than %d pages", operation, MAX_PAGES);
}
