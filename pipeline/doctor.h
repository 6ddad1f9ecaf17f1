#ifndef SMPIPE_PIPELINE_DOCTOR_H
#define SMPIPE_PIPELINE_DOCTOR_H

/*
 * `smpipe doctor`: what a release needs, looked at one by one; nothing is changed. Each look is told as one check. What
 * rests on something that is missing is told as skipped, with the reason.
 */

#include <jansson.h>

#include "pipeline/project.h"
#include "pipeline/session.h"

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_WARNING, /* a release works, or may; the reader should know */
	DOCTOR_SKIPPED, /* cannot be looked at */
	DOCTOR_BAD,
};

struct doctor_check {
	enum doctor_status status;
	const char *what; /* "identity", "bucket", … */
	const char *text; /* one line; may come from outside */
	const char *hint; /* what to do, one line, or NULL */
};

typedef void (*doctor_fn)(void *ctx, const struct doctor_check *check);

struct doctor {
	const struct session *session;
	const struct config *config; /* NULL: there is none to go by */
	doctor_fn fn;
	void *ctx;
	size_t n_bad;
	enum err_code first; /* class of the first failure */
};

/* "ok", "warn", "--", "BAD" */
const char *doctor_status_word(enum doctor_status status);

/* Tell a check; hint may be NULL. */
void doctor_tell(struct doctor *d, enum doctor_status status, const char *what, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Tell a failure: the first line of its message, its hint. */
void doctor_tell_error(struct doctor *d, const char *what, const struct err *err);

/* The repository that holds folder; none is a failure only of a project. */
void doctor_git(struct doctor *d, const char *folder);
/* The Docker Engine: versions and platform. Not needed: none is no failure. */
void doctor_engine(struct doctor *d, bool is_needed);

/* The next need the session's region and endpoints. */
void doctor_endpoints(struct doctor *d);
/* Our clock against the service's, by the Date of an unsigned answer of STS. */
void doctor_clock(struct doctor *d);

/*
 * The next need an identity that STS has confirmed: buckets, repository, leave to push, the role and its trust, the
 * list of training jobs. metadata_file as in pipeline/role.h.
 */
void doctor_services(struct doctor *d, const char *metadata_file);

#endif
