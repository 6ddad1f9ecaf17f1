#ifndef SMPIPE_S3_MANY_H
#define SMPIPE_S3_MANY_H

/* The same small call for each of many things, as many under way as S3 bears (s3/pump.h). */

#include "s3/pump.h"

struct s3_many_call {
	struct s3_call call; /* first; its req.key borrows key */
	char *key;
	void *item; /* what it is about; handed over by next, taken back by done */
};

struct s3_many {
	/* Fill in item, key, and the call's operation, bucket and aws request: 1; 0 when there is no more. */
	int (*next)(void *ctx, struct s3_many_call *c, struct err *err);
	/* One has ended with result 0 or -1 and c->call.err. Return -1 with err to end it all. */
	int (*done)(void *ctx, struct s3_many_call *c, int result, struct err *err);
	/* Give back the item of a call that was cut off by an error elsewhere; may be NULL. */
	void (*drop)(void *ctx, struct s3_many_call *c);
	void *ctx;
};

/* Until all are done, or one ends it. ERR_CANCELLED. */
int s3_many(struct s3 *s3, const struct s3_many *m, struct err *err);

#endif
