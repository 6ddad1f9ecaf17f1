#ifndef SMPIPE_PIPELINE_JOB_KIND_H
#define SMPIPE_PIPELINE_JOB_KIND_H

/* The two kinds of job that smpipe launches, and what their requests and descriptions have each in its own way. */

#include "aws/sagemaker_limits_table.h"

enum job_kind {
	JOB_TRAINING, /* CreateTrainingJob */
	JOB_TUNING,   /* CreateHyperParameterTuningJob */
};

struct job_form {
	const char *kind;                      /* "training", as users are told */
	const char *operation;                 /* "CreateTrainingJob" */
	const char *name, *arn, *status, *end; /* members: "TrainingJobName", … */
	const char *raw;                       /* the key of smpipe.yaml that holds members in the API's own names */
	const struct shape *shape;
};

const struct job_form *job_form(enum job_kind kind);

#endif
