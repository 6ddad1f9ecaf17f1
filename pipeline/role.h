#ifndef SMPIPE_PIPELINE_ROLE_H
#define SMPIPE_PIPELINE_ROLE_H

/*
 * The role that a job assumes: what `role:` of smpipe.yaml means. An ARN is taken as it is; a name, or path/name, is
 * looked up with iam:GetRole; `auto` is the execution role inside SageMaker (notebook instance, Studio), else the role
 * whose session the caller is, as the SageMaker Python SDK's get_execution_role has it.
 */

#include <stdbool.h>

#include "aws/call.h"

#define ROLE_AUTO "auto"

/* Where SageMaker tells a notebook or Studio application what it is. */
#define ROLE_METADATA_FILE "/opt/ml/metadata/resource-metadata.json"

/* "arn:<partition>:iam::<account>:role/…" */
bool role_is_arn(const char *role);

/*
 * *ret_arn is new. metadata_file: ROLE_METADATA_FILE, or another in tests. aws->id must know its account and ARN.
 *
 * ERR_CONFIG: no name of a role; `auto` outside of SageMaker for a caller that is no role. ERR_NOT_FOUND: no such role.
 * ERR_AUTH: iam:GetRole is not allowed.
 */
int role_resolve(struct aws *aws, const char *role, const char *metadata_file, char **ret_arn, struct err *err);

/* The bare name within a role's ARN or path/name. Borrowed. */
const char *role_bare_name(const char *role);

#endif
