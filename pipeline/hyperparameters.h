#ifndef SMPIPE_PIPELINE_HYPERPARAMETERS_H
#define SMPIPE_PIPELINE_HYPERPARAMETERS_H

/*
 * hyperparameters.json as the container will see it: a flat object of strings.
 *
 * plain: scalars exactly as YAML has them, lists and mappings as JSON. json: strings in JSON quotes too, as the
 * SageMaker SDK writes them when its toolkit delivers the code; that is then the default.
 */

#include "pipeline/training_job.h"

/* The encoded hyperparameters, the toolkit's own five included. ERR_CONFIG: a name that the toolkit needs is taken.
 * *ret is a new reference. */
int hyperparameters_encode(const struct config *c, const struct training_job_facts *facts, json_t **ret,
			   struct err *err);

/* One value of the document (config.h) as the container will see it. New string. */
char *hyperparameters_text(const struct config *c, const struct training_job_facts *facts, const json_t *value);

/* Whether they are in the encoding json; delivers_source: the job gets code. */
bool hyperparameters_are_json(const struct config *c, bool delivers_source);

/* Text as a JSON string, with its quotes. New string. */
char *hyperparameters_quote(const char *text);

#endif
