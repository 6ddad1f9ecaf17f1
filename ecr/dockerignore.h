#ifndef SMPIPE_ECR_DOCKERIGNORE_H
#define SMPIPE_ECR_DOCKERIGNORE_H

/*
 * .dockerignore, as moby's patternmatcher reads it: last match wins, `!` re-includes, `**` spans folders, a match of a
 * folder covers what is below it. https://docs.docker.com/build/concepts/context/#dockerignore-files
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define DOCKERIGNORE_PATTERN_MAX  4096
#define DOCKERIGNORE_PATTERNS_MAX 10000

struct dockerignore {
	struct strlist patterns; /* cleaned, '!' kept in front */
};

#define auto_dockerignore __attribute__((cleanup(dockerignore_release))) struct dockerignore

/* ERR_CONFIG with name:line for a malformed pattern. */
int dockerignore_parse(const char *text, const char *name, struct dockerignore *ret, struct err *err);
bool dockerignore_excludes(const struct dockerignore *d, const char *path);
void dockerignore_release(struct dockerignore *d);

#endif
