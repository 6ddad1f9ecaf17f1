#ifndef SMPIPE_LOCAL_LOGS_STORE_H
#define SMPIPE_LOCAL_LOGS_STORE_H

/*
 * Log streams as files: <dir>/<group>/<stream>, names percent-encoded, one JSON object {"t": ms, "m": text} a line. A
 * line that a killed process left unfinished is skipped.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "local/cloud.h"

/* Of one event, as the service limits it. */
#define LOGS_MESSAGE_MAX_BYTES ((size_t)256 << 10)

struct store_logs {
	char *dir;
	pthread_mutex_t lock; /* held while a line is written */
};

/* Decoded names in byte order that begin with prefix; a group that does not exist has no streams. */
int store_logs_groups(struct store_logs *s, const char *prefix, struct strlist *ret, struct err *err);
int store_logs_streams(struct store_logs *s, const char *group, const char *prefix, struct strlist *ret,
		       struct err *err);
bool store_logs_has_group(struct store_logs *s, const char *group);

struct logs_stream_info {
	uint64_t size;
	int64_t created_ms, changed_ms;
	int64_t first_ms, last_ms; /* of the events; -1 when there are none */
};
/* ERR_NOT_FOUND. */
int store_logs_stream_info(struct store_logs *s, const char *group, const char *stream, struct logs_stream_info *ret,
			   struct err *err);

struct logs_event {
	int64_t timestamp_ms;
	uint64_t offset; /* of its line in the stream's file */
	char *message;
};
struct logs_events {
	struct logs_event *v;
	size_t n, cap;
	uint64_t begin, end; /* the part of the file that they are from */
};
#define auto_logs_events __attribute__((cleanup(logs_events_release))) struct logs_events
void logs_events_release(struct logs_events *e);

/*
 * The events of whole lines from offset on, at most max events and max_bytes of messages (but one at least); ret->end
 * is where to read on, offset itself when there is nothing new. ERR_NOT_FOUND.
 */
int store_logs_read(struct store_logs *s, const char *group, const char *stream, uint64_t offset, size_t max,
		    size_t max_bytes, struct logs_events *ret, struct err *err);
/* The last events before offset (UINT64_MAX: the end of the stream); ret->begin is where the ones before end. */
int store_logs_read_before(struct store_logs *s, const char *group, const char *stream, uint64_t offset, size_t max,
			   size_t max_bytes, struct logs_events *ret, struct err *err);

#endif
