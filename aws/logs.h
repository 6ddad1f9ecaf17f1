#ifndef SMPIPE_AWS_LOGS_H
#define SMPIPE_AWS_LOGS_H

/* CloudWatch Logs, reading. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/ */

#include "aws/call.h"

/* Names of the streams of a group that begin with prefix; an absent group has none. */
int logs_list_streams(struct aws *aws, const char *group, const char *prefix, struct strlist *ret, struct err *err);

/* How far a stream was read. Zeroed: from its first line. */
struct logs_place {
	int64_t since_ms; /* lines before this are left out; may be set before the first call */
	char *token;      /* of the page that comes next */
	size_t n_seen;    /* lines of that page that were delivered already */
	int64_t last_ms;  /* the latest time of a line that was delivered */
	size_t n_at_last; /* lines of exactly that time */
};
void logs_place_release(struct logs_place *place);
#define auto_logs_place __attribute__((cleanup(logs_place_release))) struct logs_place

typedef void (*logs_event_fn)(void *ctx, int64_t timestamp_ms, const char *message);

/*
 * Read on in one stream, calling fn for each line in the service's order, until the token repeats (the end for now). An
 * empty page is not the end. A failed call may be made again: *place says what was delivered, and no line is lost or
 * comes twice. A token that the service has forgotten is replaced by the time of the last line. A stream that is not
 * there (yet) has no lines.
 */
int logs_read(struct aws *aws, const char *group, const char *stream, struct logs_place *place, logs_event_fn fn,
	      void *ctx, struct err *err);

/* The last `limit` lines of a stream. */
int logs_read_last(struct aws *aws, const char *group, const char *stream, int limit, logs_event_fn fn, void *ctx,
		   struct err *err);

#endif
