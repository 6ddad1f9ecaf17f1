#ifndef SMPIPE_PIPELINE_WATCH_PATIENCE_H
#define SMPIPE_PIPELINE_WATCH_PATIENCE_H

/*
 * Asking about a job for as long as it takes: what following of any kind shares. A network or a service that is away is
 * reported once, and asked again until it is back; the user's time ends, and ^C; then the hint says how to come back.
 */

#include "pipeline/session.h"

struct watch_patience {
	const struct session *s; /* these are borrowed, and set by the caller */
	const char *job_name;
	bool follows;       /* until the end; else one look, that fails as it fails */
	int64_t timeout_ms; /* of the user's time; 0 = without limit */

	struct clients c; /* these calls do not report: what is tried again is told here, not call by call */
	struct aws_identity quiet;
	int64_t start_ms;
	bool is_seen, is_over; /* the caller's: the service knows the job; the job has ended */
	bool is_done;          /* … there is nothing more to look at */
	bool is_lost;          /* the service did not answer the last time */
};

void watch_patience_init(struct watch_patience *p);
void watch_patience_release(struct watch_patience *p);

/* A look failed: 0 when it is worth asking again, and err is empty then; else -1, with a hint where the job goes on. */
int watch_patience_survive(struct watch_patience *p, struct err *err);

/* A look went well. */
void watch_patience_note_answer(struct watch_patience *p);

/* Of the user's time; INT64_MAX without a limit. */
int64_t watch_patience_left_ms(const struct watch_patience *p);

/* One look: sets is_seen, is_over and is_done. */
typedef int (*watch_look_fn)(void *ctx, struct err *err);

/*
 * Look until is_done, or once; between two looks some seconds pass, of a local cloud a moment. ERR_TIMEOUT,
 * ERR_CANCELLED, and what a look said that is not worth asking again.
 */
int watch_patience_run(struct watch_patience *p, watch_look_fn look, void *ctx, struct err *err);

#endif
