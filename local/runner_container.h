#ifndef SMPIPE_LOCAL_RUNNER_CONTAINER_H
#define SMPIPE_LOCAL_RUNNER_CONTAINER_H

/* How a host of a training job looks to the Docker Engine. */

#include <jansson.h>
#include <stdbool.h>

struct container_place {
	const char *host;        /* "algo-1" */
	const char *ml;          /* its folders … */
	const char *checkpoints; /* … and the one that all hosts share */
	const char *network;     /* "bridge", "none", or … */
	bool is_private;         /* … one of the job's own, in which the hosts know each other */
};

/*
 * The body of POST /containers/create: the image with the command that the service gives, the folders at their places
 * below /opt/ml, the documented environment and no credentials.
 */
json_t *runner_container_spec(const json_t *request, const char *arn, const struct container_place *place);

#endif
