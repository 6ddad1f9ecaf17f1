#ifndef SMPIPE_AWS_CLOCK_H
#define SMPIPE_AWS_CLOCK_H

/*
 * How far the services' clocks are from this machine's. A signature holds for minutes only; where a service refuses one
 * and its Date header is more than five minutes off, its own clock is used from then on: for signing, and for telling
 * when credentials end.
 */

#include <stdbool.h>

#include "aws/endpoint.h"
#include "base/http.h"
#include "base/sys.h"

struct aws_identity;

/* Services tolerate as much. */
#define AWS_CLOCK_MAX_SKEW_S 300

/* Offsets, one per endpoint host; shared by threads. */
struct aws_clock;

struct aws_clock *aws_clock_new(void);
void aws_clock_free(struct aws_clock *c);

/* The time at a service: this machine's, corrected by what that service's host is known to differ. */
int64_t aws_clock_now_ms(const struct aws_identity *id, enum aws_service service);

/* What is added to this machine's time for it. */
int64_t aws_clock_offset_ms(const struct aws_identity *id, enum aws_service service);

/*
 * Whether the Date of an answer differs by more than five minutes from the time at which its request was signed, given
 * the offset that was added then. (Since then another call may have learnt better.)
 */
bool aws_clock_was_wrong(const struct aws_identity *id, int64_t offset_ms, const struct http_response *resp);
/* The Date of an answer whose request was signed with a wrong time is kept for every service at that endpoint's host.
 */
void aws_clock_learn(const struct aws_identity *id, enum aws_service service, const struct http_response *resp);

/* The service's clock less this machine's, in seconds; false when the answer has no valid Date. */
bool aws_clock_skew(const struct http_response *resp, const struct sys *sys, int64_t *ret_s);

#endif
