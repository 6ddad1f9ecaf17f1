#ifndef SMPIPE_ECR_ENGINE_CONTAINER_H
#define SMPIPE_ECR_ENGINE_CONTAINER_H

/* Containers: what the local cloud's training jobs need. */

#include "ecr/engine.h"

/* spec: the body of POST /containers/create. *ret_id is new. ERR_CONFLICT when the name is taken. */
int container_create(struct engine *e, const char *name, const json_t *spec, char **ret_id, struct err *err);
/* One that runs already is fine. */
int container_start(struct engine *e, const char *id, struct err *err);
/*
 * Follow stdout and stderr from the beginning until the container ends: fn per line without the newline; lines above 64
 * KiB come in pieces. The container must have no terminal (Tty) and a log driver that can be read ("json-file").
 */
typedef int (*container_line_fn)(void *ctx, const char *line, size_t n, struct err *err);
int container_follow(struct engine *e, const char *id, container_line_fn fn, void *ctx, struct err *err);
/* Wait for the end; *ret_exit_code. *ret_error: the engine's own complaint (cannot start), new or NULL. */
int container_wait(struct engine *e, const char *id, int *ret_exit_code, char **ret_error, struct err *err);
/* SIGTERM, then SIGKILL after grace_s; returns when it has ended. One that has ended already is fine. */
int container_stop(struct engine *e, const char *id, int grace_s, struct err *err);
/* Absent is fine. */
int container_remove(struct engine *e, const char *id, struct err *err);

#endif
