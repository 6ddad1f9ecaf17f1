#ifndef SMPIPE_PIPELINE_LINT_H
#define SMPIPE_PIPELINE_LINT_H

/* What the service would take and the user would regret. Errors are ERR_CONFIG with a position; what may be meant so is
 * a warning of the facts. */

#include "pipeline/training_job.h"

/*
 * Passwords, keys and tokens in hyperparameters, environment, build arguments, tags and arguments: all of them are
 * shown by the service to whoever may describe the job, or kept in the image. What is clearly one is an error;
 * random-looking text is a warning. The value is never part of a message.
 */
int lint_secrets(const struct config *c, const struct training_job_facts *facts, struct err *err);

/* Whether a value, or a name with that value, gives away a secret; for lint_secrets and its tests. */
bool lint_is_secret_value(const char *value);
bool lint_is_secret_name(const char *name, const char *value);
bool lint_looks_random(const char *value);

/* Regexes of metrics: without a group an error; that cannot match 1e-05, -0.3 or nan a warning. */
int lint_metrics(const struct config *c, const struct training_job_facts *facts, struct err *err);

/* Keys that exclude each other, names and times. */
int lint_keys(const struct config *c, const struct training_job_facts *facts, struct err *err);

#endif
