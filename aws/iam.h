#ifndef SMPIPE_AWS_IAM_H
#define SMPIPE_AWS_IAM_H

/* IAM: what a role is and whom it trusts. https://docs.aws.amazon.com/IAM/latest/APIReference/ */

#include <jansson.h>
#include <stdbool.h>

#include "aws/call.h"

struct iam_role {
	char *arn;
	json_t *trust; /* the policy that says who may assume it */
};

#define auto_iam_role __attribute__((cleanup(iam_role_release))) struct iam_role
void iam_role_release(struct iam_role *r);

/* 1 to 64 letters, digits and _+=,.@- */
bool iam_is_role_name(const char *name);

/* GetRole by its bare name, without path. ERR_NOT_FOUND (NoSuchEntity), ERR_AUTH (iam:GetRole is not allowed). */
int iam_get_role(struct aws *aws, const char *name, struct iam_role *ret, struct err *err);

/*
 * Whether a statement of the trust policy lets a service assume the role ("sagemaker.….com"). Conditions are not
 * judged: only the service knows what it will say of itself.
 */
bool iam_trusts_service(const json_t *trust, const char *principal);

#endif
