#ifndef SMPIPE_PIPELINE_JOB_KIND_H
#define SMPIPE_PIPELINE_JOB_KIND_H

/* The two kinds of job that smpipe launches, and what their requests and descriptions have each in its own way. */

#include "aws/sagemaker.h"
#include "aws/sagemaker_limits_table.h"

enum job_kind {
	JOB_TRAINING, /* CreateTrainingJob */
	JOB_TUNING,   /* CreateHyperParameterTuningJob */
};

struct job_form {
	const char *kind; /* "training", as users are told */
	const char *end;  /* the member with the time of its end */
	const char *raw;  /* the key of smpipe.yaml that holds members in the API's own names */
	const struct sagemaker_job_kind *api;
	const struct shape *shape;
};

const struct job_form *job_form(enum job_kind kind);

#endif
