#ifndef SMPIPE_ECR_ENGINE_STREAM_H
#define SMPIPE_ECR_ENGINE_STREAM_H

/*
 * The JSON messages of build, push and pull: objects one after the other, split anywhere by the transport. A message
 * may be at most 1 MiB; text lines are cut at 16 KiB.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/report.h"
#include "base/str.h"

#define ENGINE_STREAM_MESSAGE_MAX (1024 * 1024)
#define ENGINE_STREAM_LINE_MAX    (16 * 1024)
#define ENGINE_STREAM_TAIL_LINES  20

/* Zeroed memory with report (may be NULL) and stage set is a stream at its beginning. */
struct engine_stream {
	const struct report *report;
	const char *stage;
	struct str pending;  /* of an incomplete message */
	int depth;           /* of brackets in pending */
	bool is_in_string;   /* pending ends inside a string … */
	bool is_escaped;     /* … right after a backslash */
	struct str line;     /* of an incomplete line of "stream" text */
	struct strlist tail; /* the last 20 lines of output that say something */
	char *step;          /* the last "Step n/m : …" line */
	char *error;         /* errorDetail.message (or error), the first */
	char *image_id;      /* aux.ID */
	char *digest;        /* aux.Digest */
	json_t *layers;      /* progress per layer id */
};

#define auto_engine_stream __attribute__((cleanup(engine_stream_release))) struct engine_stream

/* Feed bytes; ERR_INVALID for what is no JSON message. */
int engine_stream_feed(struct engine_stream *s, const char *p, size_t n, struct err *err);
/* The stream is over: a half message is ERR_INVALID. */
int engine_stream_end(struct engine_stream *s, struct err *err);
/* The step in words, as "step 3/5 'RUN make'"; NULL when there was none. New string. */
char *engine_stream_step(const struct engine_stream *s);
void engine_stream_release(struct engine_stream *s);

#endif
