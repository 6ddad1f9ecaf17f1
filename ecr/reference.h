#ifndef SMPIPE_ECR_REFERENCE_H
#define SMPIPE_ECR_REFERENCE_H

/*
 * Image references: [host[:port]/]repository[:tag][@sha256:hex].
 * Grammar: https://github.com/distribution/reference and, for ECR's repositories, the CreateRepository page.
 */

#include "base/err.h"

struct reference {
	char *host; /* with port; NULL when there is none (Docker Hub) */
	char *repository;
	char *tag;    /* or NULL */
	char *digest; /* "sha256:…" or NULL */
};

#define auto_reference __attribute__((cleanup(reference_release))) struct reference

/* ERR_CONFIG with the text and a caret under the offending character ("name::latest": the second colon). */
int reference_parse(const char *s, struct reference *ret, struct err *err);
void reference_release(struct reference *r);
/* New string. */
char *reference_format(const char *host, const char *repository, const char *tag, const char *digest);
/* ECR: 2 to 256, lower case, digits, . _ - /. ERR_CONFIG. */
int reference_check_repository(const char *repository, struct err *err);

#endif
