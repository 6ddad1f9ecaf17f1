#ifndef SMPIPE_ECR_DOCKERFILE_H
#define SMPIPE_ECR_DOCKERFILE_H

/*
 * What smpipe must know of a Dockerfile without building it: its bases and what it copies from the context. What it
 * does not understand is left for the engine to refuse. https://docs.docker.com/reference/dockerfile/
 */

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct dockerfile_copy {
	int line;      /* from 1 */
	char *source;  /* as written, variables not expanded */
	char *command; /* "COPY" or "ADD" */
};

struct dockerfile {
	struct strlist bases; /* images of FROM and COPY --from that are no earlier stage, each once; "scratch" and
				 blank ones left out; ARGs with defaults and build args expanded */
	struct dockerfile_copy *copies; /* COPY and ADD from the context: no --from, no URL, no heredoc, no variable */
	size_t n_copies, cap_copies;
};

#define auto_dockerfile __attribute__((cleanup(dockerfile_release))) struct dockerfile

/* build_args: object of strings or NULL. ERR_CONFIG with name:line. */
struct json_t;
int dockerfile_parse(const char *text, const char *name, const struct json_t *build_args, struct dockerfile *ret,
		     struct err *err);
void dockerfile_release(struct dockerfile *d);

#endif
