#ifndef SMPIPE_PIPELINE_LOCKFILE_H
#define SMPIPE_PIPELINE_LOCKFILE_H

/*
 * smpipe.lock: which image each base of the Dockerfile is. A tag can move; the lock says what it pointed to when it was
 * first used, and is committed beside smpipe.yaml. JSON: {"version":1,"bases":{"debian:12":"sha256:…"}}.
 */

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"

#define LOCKFILE_NAME "smpipe.lock"

/* The bases object; empty when there is no file. ERR_CONFIG when it is malformed. */
int lockfile_read(const char *root, json_t **ret_bases, struct err *err);
/* Write it if it differs from what is there; nothing is written for no bases and no file. */
int lockfile_write(const char *root, const json_t *bases, struct err *err);

#endif
