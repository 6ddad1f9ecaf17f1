#ifndef SMPIPE_LOCAL_RUNNER_CONTAINER_H
#define SMPIPE_LOCAL_RUNNER_CONTAINER_H

/* How a training job looks to the Docker Engine. */

#include <jansson.h>

#include "ecr/engine.h"

/* "bridge" when the Engine has that network, else "none". Borrowed. */
int runner_network(struct engine *e, const char **ret, struct err *err);

/*
 * The body of POST /containers/create: the image with the command that the service gives, the folders of ml at their
 * places below /opt/ml, the documented environment and no credentials.
 */
json_t *runner_container_spec(const json_t *request, const char *arn, const char *ml, const char *network);

/*
 * Remove a container although the process was told to end, when the HTTP client sends nothing any more. Nothing is
 * waited for longer than 5 s.
 */
void runner_remove_at_exit(const struct engine *e, const char *container_id);

#endif
