#include "aws/call_error.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "aws/clock.h"
#include "aws/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_MESSAGE_BYTES 2048
#define MAX_CODE_BYTES    128

void service_error_release(struct service_error *e)
{
	free(e->code);
	free(e->message);
	free(e->request_id);
	*e = (struct service_error){ 0 };
}

/* "com.example.x#Code:http://internal/" → "Code"; NULL when nothing like a code is left. */
static char *clean_code(const char *s)
{
	const char *hash = s ? strchr(s, '#') : NULL;
	size_t n;

	if (!s)
		return NULL;
	s = hash ? hash + 1 : s;
	n = strcspn(s, ":");
	if (n == 0 || n > MAX_CODE_BYTES)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("._-", s[i]))
			return NULL;
	return xstrndup(s, n);
}

/* A copy within the limit, cut between characters. */
static char *limited(const char *s, size_t max)
{
	size_t n = s ? strlen(s) : 0;

	if (n == 0)
		return NULL;
	if (n > max)
		for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
			;
	return xstrndup(s, n);
}

static void parse_json(const struct str *body, struct service_error *e)
{
	auto_err ignored = { 0 };
	auto_json *j = json_parse(str_text(body), body->len, "the answer", &ignored);
	const char *message = json_str(j, "message");

	if (!e->code)
		e->code = clean_code(json_str(j, "__type"));
	if (!e->code)
		e->code = clean_code(json_str(j, "code"));
	e->message = limited(message ? message : json_str(j, "Message"), MAX_MESSAGE_BYTES);
}

static void parse_xml(const struct str *body, struct service_error *e)
{
	auto_err ignored = { 0 };
	auto_xml *root = xml_parse(str_text(body), body->len, "the answer", &ignored);
	const struct xml *error = root;
	const char *id;

	if (!root)
		return;
	/* S3 sends <Error>; STS and the other query services <ErrorResponse><Error>. */
	if (strcmp(root->name, "Error") != 0)
		error = xml_child(root, "Error");
	if (!error)
		return;
	if (!e->code)
		e->code = clean_code(xml_child_text(error, "Code"));
	e->message = limited(xml_child_text(error, "Message"), MAX_MESSAGE_BYTES);
	id = xml_child_text(root, "RequestId");
	if (!e->request_id)
		e->request_id = limited(id ? id : xml_child_text(error, "RequestId"), MAX_CODE_BYTES);
}

void service_error_parse(const struct http_response *resp, struct service_error *ret)
{
	const char *id = http_headers_get(&resp->headers, "x-amzn-requestid");
	size_t start = strspn(str_text(&resp->body), " \t\r\n");
	struct service_error e = { 0 };

	if (!id)
		id = http_headers_get(&resp->headers, "x-amz-request-id");
	e.request_id = limited(id, MAX_CODE_BYTES);
	e.code = clean_code(http_headers_get(&resp->headers, "x-amzn-errortype"));
	if (str_text(&resp->body)[start] == '<')
		parse_xml(&resp->body, &e);
	else if (resp->body.len > 0)
		parse_json(&resp->body, &e);
	*ret = e;
}

static bool is_one_of(const char *code, const char *const *codes)
{
	for (; code && *codes; codes++)
		if (!strcmp(code, *codes))
			return true;
	return false;
}

static const char *const auth_codes[] = {
	"AccessDenied",
	"AccessDeniedException",
	"AllAccessDisabled",
	"AuthFailure",
	"ExpiredToken",
	"ExpiredTokenException",
	"IncompleteSignature",
	"InvalidAccessKeyId",
	"InvalidClientTokenId",
	"InvalidSignatureException",
	"InvalidToken",
	"MissingAuthenticationToken",
	"MissingAuthenticationTokenException",
	"NotAuthorized",
	"OptInRequired",
	"RequestExpired",
	"RequestTimeTooSkewed",
	"SignatureDoesNotMatch",
	"UnauthorizedOperation",
	"UnrecognizedClientException",
	NULL,
};
static const char *const clock_codes[] = {
	"AuthFailure",
	"InvalidSignatureException",
	"RequestExpired",
	"RequestInTheFuture",
	"RequestTimeTooSkewed",
	"SignatureDoesNotMatch",
	NULL,
};
static const char *const expired_codes[] = { "ExpiredToken", "ExpiredTokenException", NULL };
static const char *const transient_codes[] = { "IDPCommunicationError", "RequestTimeout", "RequestTimeoutException",
					       NULL };
/* The list of the SDKs' standard retry mode. */
static const char *const throttling_codes[] = {
	"BandwidthLimitExceeded",
	"EC2ThrottledException",
	"LimitExceededException",
	"PriorRequestNotComplete",
	"ProvisionedThroughputExceededException",
	"RequestLimitExceeded",
	"RequestThrottled",
	"RequestThrottledException",
	"SlowDown",
	"ThrottledException",
	"Throttling",
	"ThrottlingException",
	"TooManyRequestsException",
	"TransactionInProgressException",
	NULL,
};

static const char *const down_codes[] = {
	"InternalError",        "InternalFailure",    "InternalServerError",         "InternalServerException",
	"InternalServiceError", "ServiceUnavailable", "ServiceUnavailableException", NULL
};
static const char *const capacity_codes[] = { "CapacityError",
					      "InsufficientCapacity",
					      "InsufficientCapacityException",
					      "InsufficientInstanceCapacity",
					      "ResourceLimitExceeded",
					      NULL };

static enum err_code class_of(int status, const char *code)
{
	if (is_one_of(code, capacity_codes))
		return ERR_CAPACITY;
	if (code && (!strcmp(code, "ResourceInUse") || strstr(code, "AlreadyExists")))
		return ERR_CONFLICT;
	if (is_one_of(code, throttling_codes))
		return ERR_SERVICE;
	if (status == 404 || (code && (strstr(code, "NotFound") || str_starts(code, "NoSuch"))))
		return ERR_NOT_FOUND;
	if (status == 401 || status == 403 || is_one_of(code, auth_codes))
		return ERR_AUTH;
	if (status == 409 || status == 412)
		return ERR_CONFLICT;
	return ERR_SERVICE;
}

static void add_hint(const struct http_response *resp, const char *code, const struct sys *sys, struct err *err)
{
	int64_t skew = 0;

	if (is_one_of(code, clock_codes) && aws_clock_skew(resp, sys, &skew) && llabs(skew) > AWS_CLOCK_MAX_SKEW_S) {
		auto_free char *by = str_duration_ms(llabs(skew) * 1000);

		err_hint(err, "this machine's clock is %s %s; set it right", by, skew > 0 ? "behind" : "ahead");
	} else if (is_one_of(code, expired_codes)) {
		err_hint(err, "the credentials have expired; get new ones and run the command again");
	}
}

int aws_error_from_response(const struct http_response *resp, const char *what, const struct sys *sys, struct err *err)
{
	auto_service_error e = { 0 };
	auto_str text = { 0 };

	service_error_parse(resp, &e);
	str_addf(&text, "%d", resp->status);
	if (e.code)
		str_addf(&text, " %s", e.code);
	if (e.message)
		str_addf(&text, ": %s", e.message);
	if (e.request_id)
		str_addf(&text, " (request %s)", e.request_id);
	err_set(err, class_of(resp->status, e.code), "%s: %s", what, text.s);
	if (e.code)
		err_service(err, e.code);
	add_hint(resp, e.code, sys, err);
	return -1;
}

/* Milliseconds; anything but a whole positive number is ignored. */
static int64_t retry_hint_ms(const struct http_response *resp)
{
	const char *hint = http_headers_get(&resp->headers, "x-amz-retry-after");
	int64_t ms = 0;

	return hint && str_parse_i64(hint, 0, INT64_MAX / 2, &ms) ? ms : 0;
}

struct retry_verdict aws_retry_verdict(const struct http_response *resp, const struct err *err)
{
	struct retry_verdict v = { RETRY_NO, retry_hint_ms(resp), NULL };
	int status = resp->status;

	if (is_one_of(err->service_code, throttling_codes) || status == 429)
		v.retry_class = RETRY_THROTTLED;
	else if (status == 500 || status == 502 || status == 503 || status == 504 ||
		 is_one_of(err->service_code, transient_codes))
		v.retry_class = RETRY_TRANSIENT;
	return v;
}

bool aws_is_clock_refusal(const struct http_response *resp, const struct err *err)
{
	/* An answer to HEAD has no body to say which refusal it is. */
	return err->service_code ? is_one_of(err->service_code, clock_codes) : resp->status == 403;
}

bool aws_is_passing(const struct err *err)
{
	if (err->code == ERR_NETWORK)
		return true;
	/* What says no code is no service's answer but a gateway's. */
	return err->code == ERR_SERVICE &&
	       (!err->service_code || is_one_of(err->service_code, throttling_codes) ||
		is_one_of(err->service_code, transient_codes) || is_one_of(err->service_code, down_codes));
}

bool aws_is_expired(const struct err *err)
{
	return is_one_of(err->service_code, expired_codes);
}
