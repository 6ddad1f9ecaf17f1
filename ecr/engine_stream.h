#ifndef SMPIPE_ECR_ENGINE_STREAM_H
#define SMPIPE_ECR_ENGINE_STREAM_H

/*
 * The JSON messages of build, push and pull: objects one after the other, split anywhere by the transport. A message may be
 * at most 1 MiB; text lines are cut at 16 KiB.
 */

#include <jansson.h>

#include "base/report.h"
#include "base/str.h"

struct engine_stream {
	const struct report *report;
	const char *stage;
	struct str pending;   /* of an incomplete message */
	struct str line;      /* of an incomplete line of "stream" text */
	struct strlist tail;  /* the last 20 lines of output */
	char *step;           /* the last "Step n/m : …" line */
	char *error;          /* errorDetail.message (or error), the first */
	char *image_id;       /* aux.ID */
	char *digest;         /* aux.Digest */
	json_t *layers;       /* progress per layer id */
};

/* Feed bytes; ERR_INVALID for what is no JSON message. */
int engine_stream_feed(struct engine_stream *s, const char *p, size_t n, struct err *err);
/* The stream is over: a half message is ERR_INVALID. */
int engine_stream_end(struct engine_stream *s, struct err *err);
void engine_stream_release(struct engine_stream *s);

#endif
