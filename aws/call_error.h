#ifndef SMPIPE_AWS_CALL_ERROR_H
#define SMPIPE_AWS_CALL_ERROR_H

/* What a service's refusal says: its code, its words, its request id, and whether another try may help. */

#include <stdbool.h>

#include "base/err.h"
#include "base/http.h"
#include "base/retry.h"

struct service_error {
	char *code;       /* "AccessDenied", without namespace; NULL when the answer names none */
	char *message;    /* at most 2 KiB; NULL when there is none */
	char *request_id; /* NULL when there is none */
};

#define auto_service_error __attribute__((cleanup(service_error_release))) struct service_error

/* Read an answer's error from its headers and its JSON or XML body. Never fails: what cannot be read is absent. */
void service_error_parse(const struct http_response *resp, struct service_error *ret);
void service_error_release(struct service_error *e);

/* Set err from an answer, as aws_send documents it. Returns -1. */
int aws_error_from_response(const struct http_response *resp, const char *what, const struct sys *sys, struct err *err);

/* Transient, throttled or final: by status and by the code in err. */
struct retry_verdict aws_retry_verdict(const struct http_response *resp, const struct err *err);

/* Whether a wrong clock may be behind a refusal: the caller then compares clocks. */
bool aws_is_clock_refusal(const struct http_response *resp, const struct err *err);

/*
 * Whether a call that failed (after its retries) may yet succeed unchanged: the network, a throttle, a service or a
 * gateway that is down. For those who have time to wait.
 */
bool aws_is_passing(const struct err *err);

/* Whether the service calls the credentials expired. */
bool aws_is_expired(const struct err *err);

#endif
