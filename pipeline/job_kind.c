#include "pipeline/job_kind.h"

const struct job_form *job_form(enum job_kind kind)
{
	static const struct job_form forms[] = {
		[JOB_TRAINING] = { "CreateTrainingJob", "TrainingJobName", "raw", &sagemaker_training_job_shape },
		[JOB_TUNING] = { "CreateHyperParameterTuningJob", "HyperParameterTuningJobName", "tuner.raw",
				 &sagemaker_tuning_job_shape },
	};

	return &forms[kind];
}
