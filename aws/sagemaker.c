#include "aws/sagemaker.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define PAGE_SIZE 100
#define MAX_TAGS  1000 /* the service keeps 50 per resource */

const struct sagemaker_job_kind sagemaker_training = {
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

const struct sagemaker_job_kind sagemaker_tuning = {
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

/* An absent job is a ResourceNotFound in the model, and in practice a ValidationException with such words. Returns -1.
 */
static int mark_absent(const struct sagemaker_job_kind *kind, const char *name, struct err *err)
{
	if (err->code == ERR_NOT_FOUND ||
	    (err_is_service(err, "ValidationException") && strcasestr(err->msg, "not found")))
		err_set(err, ERR_NOT_FOUND, "there is no %s '%s'", kind->noun, name);
	return -1;
}

/* A member without which an answer is none. Borrowed. */
static const char *need(const json_t *answer, const char *member, const char *operation, struct err *err)
{
	auto_free char *what = xasprintf("the answer to %s", operation);

	return json_need_str(answer, member, what, err);
}

int sagemaker_create_job(struct aws *aws, const struct sagemaker_job_kind *kind, const json_t *request, char **ret_arn,
			 struct err *err)
{
	auto_json *answer = NULL;
	const char *arn;

	if (aws_call_json(aws, AWS_SAGEMAKER, kind->create, request, &answer, err) < 0)
		return -1;
	arn = need(answer, kind->arn, kind->create, err);
	if (!arn)
		return -1;
	*ret_arn = xstrdup(arn);
	return 0;
}

int sagemaker_describe_job(struct aws *aws, const struct sagemaker_job_kind *kind, const char *name,
			   json_t **ret_answer, struct err *err)
{
	auto_json *request = json_pack("{s:s}", kind->name, name);
	auto_json *answer = NULL;

	if (aws_call_json(aws, AWS_SAGEMAKER, kind->describe, request, &answer, err) < 0)
		return mark_absent(kind, name, err);
	if (!need(answer, kind->arn, kind->describe, err) || !need(answer, kind->name, kind->describe, err) ||
	    !need(answer, kind->status, kind->describe, err))
		return -1;
	*ret_answer = take(answer);
	return 0;
}

/* "The request was rejected because the training job is in status Completed." */
static bool is_ended_already(const struct err *err)
{
	return err_is_service(err, "ValidationException") && strstr(err->msg, "in status");
}

int sagemaker_stop_job(struct aws *aws, const struct sagemaker_job_kind *kind, const char *name, struct err *err)
{
	auto_json *request = json_pack("{s:s}", kind->name, name);
	auto_err why = { 0 };

	if (aws_call_json(aws, AWS_SAGEMAKER, kind->stop, request, NULL, &why) == 0 || is_ended_already(&why))
		return 0;
	err_move(err, &why);
	return mark_absent(kind, name, err);
}

/* What a request for a list begins with: newest first, in pages of as many items as are wanted. New reference. */
static json_t *newest_first(size_t max_items)
{
	return json_pack("{s:s, s:s, s:i}", "SortBy", "CreationTime", "SortOrder", "Descending", "MaxResults",
			 max_items && max_items < PAGE_SIZE ? (int)max_items : PAGE_SIZE);
}

int sagemaker_list_jobs(struct aws *aws, const struct sagemaker_job_kind *kind, const char *contains, size_t max_items,
			json_t **ret_array, struct err *err)
{
	auto_json *request = newest_first(max_items);

	json_put_str(request, "NameContains", contains);
	return aws_call_json_pages(aws, AWS_SAGEMAKER, kind->list, request, kind->summaries, "NextToken", max_items,
				   ret_array, err);
}

int sagemaker_list_tuning_children(struct aws *aws, const char *name, size_t max_items, json_t **ret_array,
				   struct err *err)
{
	auto_json *request = newest_first(max_items);

	json_put_str(request, sagemaker_tuning.name, name);
	if (aws_call_json_pages(aws, AWS_SAGEMAKER, "ListTrainingJobsForHyperParameterTuningJob", request,
				"TrainingJobSummaries", "NextToken", max_items, ret_array, err) < 0)
		return mark_absent(&sagemaker_tuning, name, err);
	return 0;
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
