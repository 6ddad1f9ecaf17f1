#ifndef SMPIPE_BASE_REPORT_H
#define SMPIPE_BASE_REPORT_H

/*
 * What library code tells whoever watches: typed events, drawn by cmd/ui, dropped when report is NULL.
 * Calls may come from several threads; the receiver locks.
 */

#include <stdint.h>

enum report_kind {
	REPORT_STEP,     /* a stage begins a step: "build", "push" */
	REPORT_PROGRESS, /* done_bytes of total_bytes (0 = unknown) */
	REPORT_LINE,     /* a line of output of something we run: build, training log */
	REPORT_NOTE,     /* one finished fact: "image exists, nothing built" */
	REPORT_WARNING,
	REPORT_DONE, /* the stage is done; text sums it up */
};

struct report_event {
	enum report_kind kind;
	const char *stage; /* "image", "source", "data", "launch", "watch", "record", … */
	const char *text;  /* one line; may come from outside: the receiver makes it printable */
	uint64_t done_bytes, total_bytes;
};

struct report {
	void (*fn)(void *ctx, const struct report_event *event);
	void *ctx;
};

void report_text(const struct report *r, enum report_kind kind, const char *stage, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void report_progress(const struct report *r, const char *stage, const char *text, uint64_t done_bytes,
		     uint64_t total_bytes);

#endif
