#include "aws/sagemaker.h"

#include "aws/sagemaker_job.h"
#include "base/json.h"
#include "base/mem.h"

#define MAX_TAGS 1000 /* the service keeps 50 per resource */

static const struct sagemaker_job_calls training = {
	.noun = "training job",
	.create = "CreateTrainingJob",
	.describe = "DescribeTrainingJob",
	.stop = "StopTrainingJob",
	.list = "ListTrainingJobs",
	.name = "TrainingJobName",
	.arn = "TrainingJobArn",
	.status = "TrainingJobStatus",
	.summaries = "TrainingJobSummaries",
};

int sagemaker_create_training_job(struct aws *aws, const json_t *request, char **ret_arn, struct err *err)
{
	return sagemaker_job_create(aws, &training, request, ret_arn, err);
}

int sagemaker_describe_training_job(struct aws *aws, const char *name, json_t **ret_answer, struct err *err)
{
	return sagemaker_job_describe(aws, &training, name, ret_answer, err);
}

int sagemaker_stop_training_job(struct aws *aws, const char *name, struct err *err)
{
	return sagemaker_job_stop(aws, &training, name, err);
}

int sagemaker_list_training_jobs(struct aws *aws, const char *contains, size_t max_items, json_t **ret_array,
				 struct err *err)
{
	return sagemaker_job_list(aws, &training, contains, max_items, ret_array, err);
}

int sagemaker_add_tags(struct aws *aws, const char *arn, const json_t *tags, struct err *err)
{
	auto_json *request = json_pack("{s:s, s:O}", "ResourceArn", arn, "Tags", tags);

	return aws_call_json(aws, AWS_SAGEMAKER, "AddTags", request, NULL, err);
}

int sagemaker_list_tags(struct aws *aws, const char *arn, json_t **ret_tags, struct err *err)
{
	auto_json *request = json_pack("{s:s}", "ResourceArn", arn);
	auto_json *list = NULL, *tags = json_object();
	json_t *tag;
	size_t i;

	if (aws_call_json_pages(aws, AWS_SAGEMAKER, "ListTags", request, "Tags", "NextToken", MAX_TAGS, &list, err) < 0)
		return -1;
	json_array_foreach(list, i, tag) {
		const char *key = json_str(tag, "Key");

		if (key)
			json_put_str(tags, key, json_str(tag, "Value"));
	}
	*ret_tags = take(tags);
	return 0;
}
