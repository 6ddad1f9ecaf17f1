#ifndef SMPIPE_LOCAL_RUNNER_NETWORK_H
#define SMPIPE_LOCAL_RUNNER_NETWORK_H

/* What a training job has of the Docker Engine beside its image: networks and containers, and their end. */

#include "ecr/engine.h"
#include "local/job.h"

/* "bridge" when the Engine has that network, else "none". Borrowed. */
int runner_network(struct engine *e, const char **ret, struct err *err);

/* A network of the job's own that leads nowhere else, noted as a leftover; *ret_name is new. */
int runner_network_create(struct engine *e, struct job *job, char **ret_name, struct err *err);

/* "smpipe-<job>-<what>-<random>": several local clouds may share an Engine and run jobs of the same name. New. */
char *runner_engine_name(struct job *job, const char *what);

/*
 * Remove what the job has left in the Engine, the last first; what cannot be removed stays noted. When the process was
 * told to end the HTTP client sends nothing any more: then it is done without, and no answer is awaited beyond 5 s.
 */
void runner_remove_leftovers(struct engine *e, struct job *job);

#endif
