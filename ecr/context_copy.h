#ifndef SMPIPE_ECR_CONTEXT_COPY_H
#define SMPIPE_ECR_CONTEXT_COPY_H

/* Whether what a Dockerfile copies is in the build context: said before the build, in words that name the cure. */

#include "base/filelist.h"
#include "ecr/dockerfile.h"

struct context_copy {
	const char *dockerfile;         /* its name, for the words */
	const struct filelist *context; /* what will be sent; sorted */
	const struct filelist *known;   /* what git lists below the context folder, ignored files too; sorted */
	const char *disk;               /* the context folder on disk */
	const char *folder;             /* … relative to the project's root, "." for the root itself */
	const char *ignore;             /* name of the .dockerignore in force, or NULL */
};

/*
 * ERR_CONFIG for the first source that is on disk, or that git lists, but is not in the context. What is nowhere is
 * left for the engine to miss.
 */
int context_copy_check(const struct context_copy *c, const struct dockerfile *d, struct err *err);

#endif
