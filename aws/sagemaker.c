#include "aws/sagemaker.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define PAGE_SIZE 100
#define MAX_TAGS  1000 /* the service keeps 50 per resource */

/* An absent job is a ValidationException with these words, not a code of its own. */
static void mark_not_found(const char *name, struct err *err)
{
	if (!err_is_service(err, "ValidationException") || !strcasestr(err->msg, "resource not found"))
		return;
	err_set(err, ERR_NOT_FOUND, "there is no training job '%s'", name);
}

int sagemaker_create_training_job(struct aws *aws, const json_t *request, char **ret_arn, struct err *err)
{
	auto_json *answer = NULL;
	const char *arn;

	if (aws_call_json(aws, AWS_SAGEMAKER, "CreateTrainingJob", request, &answer, err) < 0)
		return -1;
	arn = json_need_str(answer, "TrainingJobArn", "the answer to CreateTrainingJob", err);
	if (!arn)
		return -1;
	*ret_arn = xstrdup(arn);
	return 0;
}

int sagemaker_describe_training_job(struct aws *aws, const char *name, json_t **ret_answer, struct err *err)
{
	static const char *const needed[] = { "TrainingJobArn", "TrainingJobName", "TrainingJobStatus" };
	auto_json *request = json_pack("{s:s}", "TrainingJobName", name);
	auto_json *answer = NULL;

	if (aws_call_json(aws, AWS_SAGEMAKER, "DescribeTrainingJob", request, &answer, err) < 0) {
		mark_not_found(name, err);
		return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (!json_need_str(answer, needed[i], "the answer to DescribeTrainingJob", err))
			return -1;
	}
	*ret_answer = take(answer);
	return 0;
}

/* "The request was rejected because the training job is in status Completed." */
static bool is_ended_already(const struct err *err)
{
	return err_is_service(err, "ValidationException") && strstr(err->msg, "in status");
}

int sagemaker_stop_training_job(struct aws *aws, const char *name, struct err *err)
{
	auto_json *request = json_pack("{s:s}", "TrainingJobName", name);
	auto_err why = { 0 };

	if (aws_call_json(aws, AWS_SAGEMAKER, "StopTrainingJob", request, NULL, &why) == 0 || is_ended_already(&why))
		return 0;
	mark_not_found(name, &why);
	err_move(err, &why);
	return -1;
}

int sagemaker_list_training_jobs(struct aws *aws, const char *contains, size_t max_items, json_t **ret_array,
				 struct err *err)
{
	auto_json *request = json_pack("{s:s, s:s, s:i}", "SortBy", "CreationTime", "SortOrder", "Descending",
				       "MaxResults", max_items && max_items < PAGE_SIZE ? (int)max_items : PAGE_SIZE);

	json_put_str(request, "NameContains", contains);
	return aws_call_json_pages(aws, AWS_SAGEMAKER, "ListTrainingJobs", request, "TrainingJobSummaries", "NextToken",
				   max_items, ret_array, err);
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
