#ifndef SMPIPE_LOCAL_TUNER_SOURCE_H
#define SMPIPE_LOCAL_TUNER_SOURCE_H

/* The training job definitions of a tuning job, and where the values of each come from. */

#include "local/tuning_rules.h"
#include "local/tuning_sample.h"

struct tuner_source {
	const json_t *definition, *objective; /* borrowed from the request */
	enum tuning_direction direction;      /* of the objective */
	struct sampler *sampler;
	struct hyperband hyperband;
	size_t n_started; /* training jobs */
};

/* The service's limit of TrainingJobDefinitions. */
#define TUNER_SOURCES_MAX 10

/* One for each definition of a valid request, in order; seed: of the random values. ERR_CONFIG: sampler_new(). */
int tuner_sources_read(const json_t *request, uint64_t seed, struct tuner_source v[TUNER_SOURCES_MAX], size_t *ret_n,
		       struct err *err);
void tuner_sources_release(struct tuner_source *v, size_t n);

#endif
