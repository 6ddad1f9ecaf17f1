#include "aws/sagemaker_tuning.h"

#include "aws/sagemaker_job.h"
#include "base/json.h"

static const struct sagemaker_job_calls tuning = {
	.noun = "tuning job",
	.create = "CreateHyperParameterTuningJob",
	.describe = "DescribeHyperParameterTuningJob",
	.stop = "StopHyperParameterTuningJob",
	.list = "ListHyperParameterTuningJobs",
	.name = "HyperParameterTuningJobName",
	.arn = "HyperParameterTuningJobArn",
	.status = "HyperParameterTuningJobStatus",
	.summaries = "HyperParameterTuningJobSummaries",
};

int sagemaker_create_tuning_job(struct aws *aws, const json_t *request, char **ret_arn, struct err *err)
{
	return sagemaker_job_create(aws, &tuning, request, ret_arn, err);
}

int sagemaker_describe_tuning_job(struct aws *aws, const char *name, json_t **ret_answer, struct err *err)
{
	return sagemaker_job_describe(aws, &tuning, name, ret_answer, err);
}

int sagemaker_stop_tuning_job(struct aws *aws, const char *name, struct err *err)
{
	return sagemaker_job_stop(aws, &tuning, name, err);
}

int sagemaker_list_tuning_jobs(struct aws *aws, const char *contains, size_t max_items, json_t **ret_array,
			       struct err *err)
{
	return sagemaker_job_list(aws, &tuning, contains, max_items, ret_array, err);
}

int sagemaker_list_tuning_children(struct aws *aws, const char *name, size_t max_items, json_t **ret_array,
				   struct err *err)
{
	auto_json *request = sagemaker_job_newest_first(max_items);

	json_put_str(request, tuning.name, name);
	if (aws_call_json_pages(aws, AWS_SAGEMAKER, "ListTrainingJobsForHyperParameterTuningJob", request,
				"TrainingJobSummaries", "NextToken", max_items, ret_array, err) < 0)
		return sagemaker_job_mark_absent(&tuning, name, err);
	return 0;
}
