#ifndef SMPIPE_S3_PUMP_H
#define SMPIPE_S3_PUMP_H

/*
 * Many S3 calls under way on one client, each retried by the rules of aws_send. How many are under way adapts: it
 * doubles with every round of answers up to where S3 last asked to slow down and creeps from there, and is halved at
 * once when it asks again. A pump and its calls belong to one thread.
 */

#include "s3/request.h"

/* Connections that one S3 client keeps busy; more help a fast line little, and each costs buffers. */
#define S3_MAX_IN_FLIGHT 32

struct s3_pump;

/* The caller's memory until it is done. */
struct s3_call {
	struct s3_request req; /* filled in by the caller, released by s3_call_release */
	struct http_response resp;
	struct err err; /* of a call that ended with -1 */
	void (*done)(struct s3_call *c, int result);
	void *ctx;

	/* The pump's own. */
	struct s3_pump *pump;
	struct aws_call *aws;
	struct http_exchange exchange;
	uint64_t serial;
	int64_t due_ms;
	int result;
	struct s3_call *next, *previous;
};

void s3_call_release(struct s3_call *c);

/* max_in_flight: 0 for S3_MAX_IN_FLIGHT. */
struct s3_pump *s3_pump_new(struct s3 *s3, int max_in_flight);
/* Gives up what is not done, without a call of done. */
void s3_pump_free(struct s3_pump *p);

/* Queue a call; c->done is called by s3_pump_turn. */
void s3_pump_start(struct s3_pump *p, struct s3_call *c);
/*
 * Send what may be sent, wait at most timeout_ms for something to happen, call done for what ended. ERR_CANCELLED.
 */
int s3_pump_turn(struct s3_pump *p, int64_t timeout_ms, struct err *err);
/* End the wait of s3_pump_turn for an answer. From any thread. */
void s3_pump_wake(struct s3_pump *p);

/* Calls that are not done, and how many of them may be under way now. */
int s3_pump_pending(const struct s3_pump *p);
int s3_pump_limit(const struct s3_pump *p);

#endif
