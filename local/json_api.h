#ifndef SMPIPE_LOCAL_JSON_API_H
#define SMPIPE_LOCAL_JSON_API_H

/* Services of AWS's JSON 1.1 protocol: an operation named by X-Amz-Target, one object in, one object out. */

#include "local/cloud.h"

/* in is an object; resp is filled. */
typedef void (*json_api_fn)(struct cloud *cloud, const struct local_request *req, const json_t *in,
			    struct local_response *resp);

struct json_api_op {
	const char *name;
	json_api_fn fn;
};

/* Call the operation that the request names behind "<target_prefix>."; ops end with a NULL name. */
void json_api_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp,
		     const char *target_prefix, const struct json_api_op *ops);

/* A member that must be a string of at least one character; else the answer is a refusal with code and the result NULL.
 */
const char *json_api_need(const json_t *in, const char *member, const char *code, struct local_response *resp);

/* Seconds since 1970 with milliseconds, as the protocol writes times. */
json_t *json_api_time(int64_t ms);

/* "arn:<partition of the request's region>:<service>:<region>:<account>:<resource>"; new string. */
char *json_api_arn(const struct cloud *cloud, const struct local_request *req, const char *service,
		   const char *resource);

#endif
