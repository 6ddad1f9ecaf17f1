#ifndef SMPIPE_ECR_DOCKERFILE_EXPAND_H
#define SMPIPE_ECR_DOCKERFILE_EXPAND_H

/*
 * Variables of a Dockerfile: $NAME, ${NAME}, ${NAME:-word}, ${NAME-word}, ${NAME:+word}, ${NAME+word}; quotes and
 * escapes as in the engine. https://docs.docker.com/reference/dockerfile/#environment-replacement
 */

#include <jansson.h>

#include "base/err.h"

/* values: object of strings; a variable that is not there is empty. New string. ERR_CONFIG. */
char *dockerfile_expand(const char *text, char escape, const json_t *values, struct err *err);

#endif
