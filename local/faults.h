#ifndef SMPIPE_LOCAL_FAULTS_H
#define SMPIPE_LOCAL_FAULTS_H

/*
 * Misbehaviour on demand, for tests of clients: what a network and a service do on a bad day, at a chosen request.
 *
 * The process that serves the cloud reads the environment variable SMPIPE_LOCAL_FAULTS once, when it starts; without it
 * nothing here is ever asked, and no request can change it. Rules, separated by ';':
 *
 *   OPERATION:WHEN:FAULT[=NUMBER]      or      seed=NUMBER
 *
 *   OPERATION  as the API names it (PutObject, CreateTrainingJob), "sts" or "iam" for those services, "*" for all of
 *              these; retries count as requests of their own
 *   WHEN       3 the third request of the operation · 2-4 the second to fourth · 3+ the third and all later ones ·
 *              5% each with this probability, decided by seed and count alone · 0 none: they are only counted
 *
 *   reset-before   the connection is reset when the head has come, before the body is read
 *   reset-body     … in the body; without a body, as reset-before
 *   reset-after    … when the request was carried out: its answer is lost
 *   reset-answer   … in the middle of the answer's body; without one, as reset-after
 *   stall          no answer for NUMBER ms (10 minutes), then a reset; nothing is carried out
 *   trickle        the answer comes, a byte every NUMBER ms (1000); one without a body comes after 10 times that
 *   500            500 InternalError; nothing is carried out, nor by the next three
 *   503            503 SlowDown
 *   expired-token  400 ExpiredToken
 *   error-200      200 whose body is an <Error> InternalError
 *   wrong-etag, wrong-checksum
 *                  carried out, and answered with another ETag or checksum than it has, in headers and XML
 *   truncate       carried out; the second half of the XML or JSON is missing, and Content-Length agrees
 *   skew           the service's clock is NUMBER seconds ahead (7200) while it judges and answers this request
 *
 * With any rule, requests may have a session token, which is not judged. The first rule that strikes counts. GET
 * /_smpipe/health tells how often each rule's operation was seen, and how often it struck.
 */

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

#define FAULTS_VARIABLE "SMPIPE_LOCAL_FAULTS"

enum fault_kind {
	FAULT_NONE,
	FAULT_RESET_BEFORE,
	FAULT_RESET_BODY,
	FAULT_RESET_AFTER,
	FAULT_RESET_ANSWER,
	FAULT_STALL,
	FAULT_TRICKLE,
	FAULT_500,
	FAULT_503,
	FAULT_EXPIRED_TOKEN,
	FAULT_ERROR_200,
	FAULT_WRONG_ETAG,
	FAULT_WRONG_CHECKSUM,
	FAULT_TRUNCATE,
	FAULT_SKEW,
};

struct fault {
	enum fault_kind kind;
	int64_t number; /* ms or seconds, as above */
};

/* Rules with their counts; threads share them. */
struct faults;

/* ERR_USAGE: it is none of the above. */
int faults_parse(const char *text, struct faults **ret, struct err *err);
void faults_free(struct faults *f);

/* Count a request of the operation and tell what happens to it. operation may be NULL: one that has no name. */
struct fault faults_pick(struct faults *f, const char *operation);

/* [{"rule", "seen", "struck"}]; new. */
json_t *faults_counts(struct faults *f);

#endif
