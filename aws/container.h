#ifndef SMPIPE_AWS_CONTAINER_H
#define SMPIPE_AWS_CONTAINER_H

#include "aws/creds_source.h"

/*
 * Where a container's credentials are: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI below the ECS agent's address, else
 * AWS_CONTAINER_CREDENTIALS_FULL_URI, which must be https, or http to an address of link_local_is_container. 1 = found,
 * 0 = neither is set, -1 with ERR_CONFIG. New string.
 */
int container_url(env_fn env, char **ret, struct err *err);

#endif
