#ifndef SMPIPE_AWS_LOGS_H
#define SMPIPE_AWS_LOGS_H

/* CloudWatch Logs, reading. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/ */

#include "aws/call.h"

/* Names of the streams of a group that begin with prefix; an absent group has none. */
int logs_list_streams(struct aws *aws, const char *group, const char *prefix, struct strlist *ret, struct err *err);

/*
 * Read on in one stream from *token (NULL = the beginning), calling fn for each event, until the token repeats (the end
 * for now). An empty page is not the end. *token is replaced; the caller's to free.
 */
typedef void (*logs_event_fn)(void *ctx, int64_t timestamp_ms, const char *message);
int logs_read(struct aws *aws, const char *group, const char *stream, char **token, logs_event_fn fn, void *ctx,
	      struct err *err);

#endif
