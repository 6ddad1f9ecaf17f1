#ifndef SMPIPE_AWS_STS_H
#define SMPIPE_AWS_STS_H

#include "aws/call.h"

/* GetCallerIdentity: sets id->account and id->arn.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
int sts_get_caller_identity(struct http *http, struct aws_identity *id, struct err *err);

/* What AssumeRole and AssumeRoleWithWebIdentity are asked for. */
struct sts_role {
	const char *role_arn, *session_name;
	const char *external_id, *duration_s; /* or NULL */
	const char *web_identity_token;       /* NULL: AssumeRole, signed; else AssumeRoleWithWebIdentity, unsigned */
};

/*
 * Credentials of a role. `source` becomes theirs; the account id is that of the role.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
int sts_assume_role(struct aws *aws, const struct sts_role *role, const char *source, struct creds *ret,
		    struct err *err);

#endif
