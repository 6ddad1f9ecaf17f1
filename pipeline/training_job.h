#ifndef SMPIPE_PIPELINE_TRAINING_JOB_H
#define SMPIPE_PIPELINE_TRAINING_JOB_H

/* The CreateTrainingJob request from smpipe.yaml. Members that nobody set are not sent. */

#include "base/str.h"
#include "pipeline/config.h"
#include "pipeline/plan.h"

/* What the request needs besides the configuration. */
struct training_job_facts {
	const char *job_name;
	const char *image; /* NULL: image.algorithm_name or a serverless job */
	const char *role;
	const char *region;
	const char *output_path;
	const char *source_uri; /* or NULL */
	const struct plan_channel *channels;
	size_t n_channels;
	struct strlist *warnings; /* gets what looks wrong and is sent all the same, with positions */
};

/* *ret is a new reference. ERR_CONFIG with a position: also for what the service would refuse (aws/sagemaker_limits.h).
 */
int training_job_request(const struct config *c, const struct training_job_facts *facts, json_t **ret, struct err *err);

/* The same without what raw says, and neither checked nor looked through for what the user would regret. */
int training_job_members(const struct config *c, const struct training_job_facts *facts, json_t **ret, struct err *err);

/* Put another job name into a request: its own member, and the toolkit's hyperparameter when that is there. */
void training_job_set_name(json_t *request, const char *job_name);

#endif
