#ifndef SMPIPE_AWS_STS_H
#define SMPIPE_AWS_STS_H

#include "aws/call.h"

/* GetCallerIdentity: sets id->account and id->arn.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
int sts_get_caller_identity(struct http *http, struct aws_identity *id, struct err *err);

#endif
