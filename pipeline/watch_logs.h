#ifndef SMPIPE_PIPELINE_WATCH_LOGS_H
#define SMPIPE_PIPELINE_WATCH_LOGS_H

/* The log of a training job: one stream for each host (and for each of its restarts), read on from where they were
 * left. */

#include <stdbool.h>

#include "aws/logs.h"

struct watch_stream {
	char *name, *host;
	struct logs_place place;
};

/* host is NULL when only one is there. */
typedef void (*watch_line_fn)(void *ctx, const char *host, const char *line);

struct watch_logs {
	struct aws *aws; /* what follows is borrowed, and set by the caller */
	const char *job_name;
	const char *host;    /* only this one's lines; NULL: all */
	int64_t since_ms;    /* only lines from then on; 0: all */
	bool has_many_hosts; /* say whose line it is, though only one stream has appeared yet */
	watch_line_fn fn;
	void *ctx;

	struct watch_stream *streams;
	size_t n_streams, cap_streams;
	size_t at; /* the stream that is being read: after an error the next call begins there */
};

/*
 * What a terminal has of a line in the end: a progress bar draws itself again after each carriage return. The metrics
 * are looked for in all of it. New string.
 */
char *watch_logs_drawn(const char *line);

void watch_logs_release(struct watch_logs *l);

/*
 * Hand over the lines that have come, stream by stream, streams that have appeared included. After an error the next
 * call goes on where this one stopped.
 */
int watch_logs_read(struct watch_logs *l, struct err *err);

/* Whether there is a stream of l->host. */
bool watch_logs_has_host(const struct watch_logs *l);

/*
 * The last lines of the host that made the job fail, handed to fn: the one that the reason names, else one whose last
 * lines speak of an error, else the one that fell silent first. Nothing when there are no lines.
 */
int watch_logs_of_failure(struct watch_logs *l, const char *reason, struct err *err);

#endif
