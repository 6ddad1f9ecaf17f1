#ifndef SMPIPE_PIPELINE_TUNING_DEFINITION_H
#define SMPIPE_PIPELINE_TUNING_DEFINITION_H

/*
 * A training job definition of a tuning job, made as the CreateTrainingJob request is and from the same keys; what the
 * service has no member for is left out with a warning.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobDefinition.html
 */

#include "pipeline/training_job.h"

/*
 * Put the definition `name` of tuner.definitions (NULL: the file has none, and the tuner itself is one) into a request,
 * with its objective and ranges where they belong, and the tags when they are not there yet. facts.image is for those
 * that name no image of their own. ERR_CONFIG, with a position in smpipe.yaml.
 */
int tuning_definition_add(const struct config *c, const char *name, const struct training_job_facts *facts,
			  json_t *request, struct err *err);

#endif
