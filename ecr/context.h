#ifndef SMPIPE_ECR_CONTEXT_H
#define SMPIPE_ECR_CONTEXT_H

/*
 * The build context: git's files below the context folder, minus .dockerignore, plus what image.include names. The
 * folders .git and .smpipe are never in it.
 */

#include "base/filelist.h"

struct context_spec {
	const char *root;             /* the project's root on disk */
	const struct filelist *files; /* git's list (or, with files: all, every file), relative to root, sorted */
	const char *context;          /* folder relative to root; "." for the root */
	const char *dockerfile;       /* relative to root, as docker's -f is to the working folder */
	const char *const *include; /* NULL, or ended by NULL: files or folders relative to root that are packed though
				       git does not track them or .dockerignore excludes them */
};

/* A Dockerfile outside of the context folder stands in it under this name, which COPY does not see. */
#define CONTEXT_DOCKERFILE ".smpipe.Dockerfile"

/*
 * The context's files, sorted and hashed; paths relative to the context folder. *ret_dockerfile: the Dockerfile's path
 * in the context (new). The ignore file is <dockerfile>.dockerignore, else .dockerignore in the context folder. The
 * Dockerfile and .dockerignore are always in the list; the engine takes them out again when they are ignored.
 *
 * ERR_CONFIG: no Dockerfile; a Dockerfile or ignore file that git does not track and that is not included; an include
 * that is absent or outside; a COPY or ADD whose source is not in the context though it exists on disk (file:line, hint
 * names image.include).
 */
int context_list(const struct context_spec *spec, struct filelist *ret, char **ret_dockerfile, struct err *err);

#endif
