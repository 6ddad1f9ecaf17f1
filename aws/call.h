#ifndef SMPIPE_AWS_CALL_H
#define SMPIPE_AWS_CALL_H

/*
 * Signed calls with retries. An aws_identity says who calls and where; it is read-only once made and may be shared by
 * threads: what changes in it (credentials, clock offsets, retry quota) locks itself. An aws is one thread's client.
 */

#include <jansson.h>

#include "aws/bucket_regions.h"
#include "aws/clock.h"
#include "aws/creds.h"
#include "aws/endpoint.h"
#include "aws/partition.h"
#include "aws/signing_keys.h"
#include "base/http.h"
#include "base/report.h"
#include "base/retry.h"
#include "base/sys.h"

struct aws_identity {
	struct creds_provider *credentials; /* owned; NULL: unsigned calls alone */
	char *region;
	char *region_source; /* in words: "AWS_REGION", "profile 'x'"; NULL when it was given */
	const struct partition *partition;
	char *account; /* from STS, or given with --account; NULL until known */
	char *arn;     /* the caller, from STS; NULL until known */
	struct endpoint endpoints[AWS_SERVICE_COUNT];
	char *ca_file;                         /* AWS_CA_BUNDLE or ca_bundle; NULL: the system's authorities */
	struct retry_policy retry;             /* AWS_MAX_ATTEMPTS or max_attempts; owns its quota */
	struct aws_clock *clock;               /* NULL: this machine's clock is right */
	struct signing_keys *signing_keys;     /* NULL: derived for every call */
	struct bucket_regions *bucket_regions; /* NULL: none is remembered */
	const struct sys *sys;
	const struct report *report; /* may be NULL */
};

void aws_identity_release(struct aws_identity *id);
#define auto_aws_identity __attribute__((cleanup(aws_identity_release))) struct aws_identity

/*
 * Fill what environment and profile say: region (given, else AWS_REGION, AWS_DEFAULT_REGION, the profile's), partition,
 * endpoints, CA file, retries. sys and report are set before. profile: given, else AWS_PROFILE, "default". ERR_CONFIG;
 * with service code AWS_NO_REGION when none of them names a region (an EC2 instance knows its own: aws/imds.h).
 */
#define AWS_NO_REGION "NoRegion"
int aws_identity_locate(struct aws_identity *id, const char *region, const char *profile, env_fn env, struct err *err);

/* Valid credentials of the identity, as creds_provider_get gives them. */
int aws_identity_credentials(const struct aws_identity *id, const struct creds *expired, struct creds *ret,
			     struct err *err);

struct aws {
	const struct aws_identity *id; /* borrowed */
	struct http *http;             /* borrowed */
};

#define AWS_PATIENT_ATTEMPTS 12

struct aws_request {
	enum aws_service service;
	const char *method;
	const char *path;                   /* percent-encoded, below the endpoint */
	const char *query;                  /* percent-encoded, or NULL */
	const struct http_headers *headers; /* extra ones, signed; or NULL */
	const void *bytes;
	size_t n;
	/* For large bodies: open a fresh source for each attempt; payload_hash must be its hex SHA-256. */
	int (*open_body)(void *ctx, struct http_body *ret_body, struct err *err);
	void *body_ctx;
	const char *payload_hash; /* NULL: hash of bytes */
	const char *host;         /* virtual host style: instead of the endpoint's host; or NULL */
	const char *region;       /* in the signature; NULL: the endpoint's, or the identity's */
	http_sink_fn sink;        /* as in http_request; called anew from the start on a retry */
	void (*sink_reset)(void *ctx);
	void *sink_ctx;
	size_t max_body_bytes;
	/*
	 * Judges an answer of status 200 to 299 by its body: 0 when it is one; the status that it should have had when
	 * it is a refusal; -1 when it is cut off. NULL: the status decides.
	 */
	int (*judge_body)(const struct http_response *resp);
	bool is_patient;    /* one of many at a pace that is adapted: AWS_PATIENT_ATTEMPTS, beside the quota */
	bool is_idempotent; /* false: retried only when the service surely did not act (not reached, throttled) */
	bool no_auth;       /* unsigned */
	int *ret_attempts;  /* how many there were; or NULL */
};

/*
 * Sign, send, retry as id->retry says. Beside that: a refusal that a wrong clock explains is sent again with the
 * service's time (at most twice), and one for expired credentials, or a HEAD's 400, once with fresh ones. Statuses 200
 * to 299 are success. Anything else becomes an error with the service's code (JSON, XML or x-amzn-ErrorType), class by
 * code: ERR_AUTH (401, 403 and credential codes), ERR_NOT_FOUND (404, *NotFound*, NoSuch*), ERR_CONFLICT (409, 412,
 * ResourceInUse, *AlreadyExists*), ERR_CAPACITY (ResourceLimitExceeded, InsufficientCapacity*, …), else ERR_SERVICE.
 * Codes that throttle are ERR_SERVICE, and a status without a code is judged alone. No redirect is followed. After an
 * error ret_resp holds the last answer, if there was one.
 *
 * The message: "<what>: 403 AccessDenied: <message> (request <id>)".
 */
int aws_send(struct aws *aws, const char *what, const struct aws_request *req, struct http_response *ret_resp,
	     struct err *err);

/*
 * The same, taken apart, for those who drive many exchanges at once; aws_send is these in a loop. For each attempt
 * aws_call_prepare, the exchange, aws_call_judge.
 */
struct aws_call;

/* id, what, req and what they point to, and resp are borrowed for the call's life. ERR_CONFIG: no endpoint. */
struct aws_call *aws_call_new(const struct aws_identity *id, const char *what, const struct aws_request *req,
			      struct http_response *resp, struct err *err);
void aws_call_free(struct aws_call *c);
/* Open the body and sign the next attempt. *ret is valid until the call is judged or freed. */
int aws_call_prepare(struct aws_call *c, const struct http_request **ret, struct err *err);

enum aws_outcome {
	AWS_SUCCESS,
	AWS_AGAIN, /* another attempt, after *ret_wait_ms */
	AWS_FAILED,
};
/* Judge what the exchange (result, why) and the answer say. why is emptied unless the outcome is AWS_FAILED. */
enum aws_outcome aws_call_judge(struct aws_call *c, int result, struct err *why, int64_t *ret_wait_ms);
/* Whether the last attempt was refused because there is too much: SlowDown, another throttle, or 503. */
bool aws_call_is_throttled(const struct aws_call *c);

/*
 * AWS JSON 1.1: POST / with X-Amz-Target "<prefix>.<operation>". Operations whose names begin with Create are not sent
 * again after a lost answer. *ret_answer may be NULL; else the caller's to decref.
 */
int aws_call_json(struct aws *aws, enum aws_service service, const char *operation, const json_t *request,
		  json_t **ret_answer, struct err *err);

/* Follow the pages of a JSON list operation: joins the `list_key` arrays over token_key. At most max_items. */
int aws_call_json_pages(struct aws *aws, enum aws_service service, const char *operation, const json_t *request,
			const char *list_key, const char *token_key, size_t max_items, json_t **ret_array,
			struct err *err);

#endif
