/*
 * Why the training cannot go on: one line for the person who reads it on the job's page.
 *
 * What can fail returns 0, or -1 with the reason in *failure; on success *failure is untouched.
 */
#ifndef FAILURE_H
#define FAILURE_H

/* SageMaker shows the first 1024 characters of the failure file. */
struct failure {
	char reason[1024];
};

/* Set the reason, on one line whatever the arguments hold; always returns -1. */
int fail(struct failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
