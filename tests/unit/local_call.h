#ifndef SMPIPE_TESTS_UNIT_LOCAL_CALL_H
#define SMPIPE_TESTS_UNIT_LOCAL_CALL_H

/* Requests to the local cloud's services without a server between. For tests only. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/cloud.h"

struct call {
	const char *method, *path, *query, *body;
	const char *headers[8]; /* name, value, … */
	local_handler_fn handler;
};

/* The answer; released by the caller with local_response_release. */
static inline struct local_response call_send(struct cloud *cloud, const struct call *call)
{
	struct local_request req = { .method = xstrdup(call->method ? call->method : "POST"),
				     .path = xstrdup(call->path ? call->path : "/"),
				     .query = xstrdup(call->query ? call->query : ""),
				     .body = xstrdup(call->body ? call->body : ""),
				     .body_size = call->body ? strlen(call->body) : 0,
				     .body_fd = -1,
				     .request_id = xstrdup("R"),
				     .region = xstrdup("eu-west-1"),
				     .service = xstrdup("x") };
	struct local_response resp;

	for (size_t i = 0; i + 1 < ARRAY_LEN(call->headers) && call->headers[i]; i += 2)
		http_headers_add(&req.headers, call->headers[i], call->headers[i + 1]);
	local_response_init(&resp, &req);
	call->handler(cloud, &req, &resp);
	local_request_release(&req);
	return resp;
}

/* One operation of a JSON service; the status must be the expected one. A new reference. */
static inline json_t *call_json(struct cloud *cloud, local_handler_fn handler, const char *target, const char *body,
				int expected_status)
{
	struct call call = { .body = body, .handler = handler, .headers = { "X-Amz-Target", target } };
	struct local_response resp = call_send(cloud, &call);
	auto_err err = { 0 };
	json_t *answer;

	if (resp.status != expected_status)
		fail_msg("%s: status %d: %s", target, resp.status, resp.body);
	answer = json_parse(resp.body, resp.n, "answer", &err);
	assert_non_null(answer);
	local_response_release(&resp);
	return answer;
}

#endif
