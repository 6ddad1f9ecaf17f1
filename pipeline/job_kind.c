#include "pipeline/job_kind.h"

const struct job_form *job_form(enum job_kind kind)
{
	static const struct job_form forms[] = {
		[JOB_TRAINING] = { "training", "TrainingEndTime", "raw", &sagemaker_training,
				   &sagemaker_training_job_shape },
		[JOB_TUNING] = { "tuning", "HyperParameterTuningEndTime", "tuner.raw", &sagemaker_tuning,
				 &sagemaker_tuning_job_shape },
	};

	return &forms[kind];
}
