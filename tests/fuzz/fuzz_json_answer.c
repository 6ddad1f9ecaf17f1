/*
 * What services answer, through the calls that read it. The first byte of the input picks the call, the second the
 * status; the rest is the body, and a header value when it is one line.
 */

#include <stdint.h>

#include "aws/logs.h"
#include "aws/sagemaker.h"
#include "aws/sts.h"
#include "base/json.h"
#include "base/str.h"
#include "ecr/repository.h"
#include "tests/unit/fake_http.h"

#define MAX_ANSWERS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct answering {
	struct http http;
	int status, n_sent;
	const char *body;
	size_t n;
};

/* Answers the same again and again; a caller who would never stop finds the network gone. */
static int answer(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	struct answering *a = (struct answering *)http;
	auto_free char *text = xstrndup(a->body, a->n);

	(void)req;
	if (a->n_sent++ >= MAX_ANSWERS)
		return err_set(err, ERR_NETWORK, "connection lost");
	resp->status = a->status;
	str_add_mem(&resp->body, a->body, a->n);
	if (!strpbrk(text, "\r\n")) {
		http_headers_add(&resp->headers, "x-amzn-errortype", text);
		http_headers_add(&resp->headers, "x-amz-retry-after", text);
		http_headers_add(&resp->headers, "date", text);
	}
	return 0;
}

static void drop(void *ctx, int64_t timestamp_ms, const char *message)
{
	*(size_t *)ctx += strlen(message) + (timestamp_ms != 0);
}

static int call(struct aws *aws, struct aws_identity *id, int which, struct err *err)
{
	auto_registry_auth auth = { 0 };
	auto_strlist streams = { 0 };
	auto_logs_place place = { 0 };
	auto_json *j = NULL;
	size_t seen = 0;
	int created;

	switch (which % 8) {
	case 0:
		return sts_get_caller_identity(aws->http, id, err);
	case 1:
		return ecr_get_authorization(aws, &auth, err);
	case 2:
		return ecr_ensure_repository(aws, "a/b", &created, err);
	case 3:
		return sagemaker_list_tags(aws, "arn:aws:sagemaker:eu-west-1:123456789012:training-job/a", &j, err);
	case 4:
		return sagemaker_list_jobs(aws, &sagemaker_training, "a", 10, &j, err);
	case 5:
		return logs_list_streams(aws, "g", "a", &streams, err);
	case 6:
		return logs_read(aws, "g", "s", &place, drop, &seen, err);
	default:
		return sagemaker_describe_job(aws, &sagemaker_training, "a", &j, err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct http_ops ops = { .send = answer };
	static const int statuses[] = { 200, 200, 400, 403, 404, 500, 503, 307 };
	auto_aws_identity id = { 0 };
	auto_err err = { 0 };
	struct answering a = { .http = { &ops } };
	struct aws aws = { &id, &a.http };

	if (n < 2)
		return 0;
	a.status = statuses[data[1] % ARRAY_LEN(statuses)];
	a.body = (const char *)data + 2;
	a.n = n - 2;
	fake_identity(&id);
	id.account = xstrdup("123456789012");
	if (call(&aws, &id, data[0], &err) < 0 &&
	    (err.code == ERR_NONE || !err.msg || !str_is_utf8(err.msg, strlen(err.msg))))
		__builtin_trap();
	return 0;
}
