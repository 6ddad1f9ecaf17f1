#ifndef SMPIPE_ECR_REPOSITORY_H
#define SMPIPE_ECR_REPOSITORY_H

/* ECR's API. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/ */

#include "aws/call.h"
#include "ecr/registry.h"

/* GetAuthorizationToken; the host is checked against account, region and partition (endpoint_check_registry). */
int ecr_get_authorization(struct aws *aws, struct registry_auth *ret, struct err *err);

/*
 * DescribeRepositories, else CreateRepository (immutable tags, scan on push, tagged smpipe). *ret_created: 1 when made
 * now.
 */
int ecr_ensure_repository(struct aws *aws, const char *repository, int *ret_created, struct err *err);
/* 1 = exists, 0 = absent. */
int ecr_has_repository(struct aws *aws, const char *repository, struct err *err);
/*
 * Whether a push may begin: BatchCheckLayerAvailability, the first of its calls and the only one that leaves no trace.
 * ERR_AUTH when not; ERR_NOT_FOUND.
 */
int ecr_check_push(struct aws *aws, const char *repository, struct err *err);

#endif
