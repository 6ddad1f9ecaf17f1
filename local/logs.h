#ifndef SMPIPE_LOCAL_LOGS_H
#define SMPIPE_LOCAL_LOGS_H

/*
 * CloudWatch Logs, reading.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
 */

#include "local/json_api.h"
#include "local/logs_store.h"

#define LOGS_PAGE_EVENTS 10000
#define LOGS_PAGE_BYTES  ((size_t)1 << 20)

/* startTime (included) and endTime (not included), where they are given. */
struct logs_period {
	int64_t from_ms, until_ms;
};
struct logs_period logs_read_period(const json_t *in);
bool logs_is_within(const struct logs_period *p, int64_t timestamp_ms);

/* The group that the request names by name or ARN; new. NULL: answered, also when there is no such group. */
char *logs_need_group(struct cloud *cloud, const json_t *in, struct local_response *resp);

/* A whole number of the request in [1, max], or fallback when absent; 0: answered. */
size_t logs_read_limit(const json_t *in, size_t max, size_t fallback, struct local_response *resp);

void logs_respond_err(struct local_response *resp, const struct err *err);

/* logs_filter.c */
void logs_filter_events(struct cloud *cloud, const struct local_request *req, const json_t *in,
			struct local_response *resp);

#endif
