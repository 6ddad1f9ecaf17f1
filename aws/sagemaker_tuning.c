#include "aws/sagemaker_tuning.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define PAGE_SIZE 100

/* An absent job is ResourceNotFound in the model, and a ValidationException with such words in practice. */
static int mark_not_found(const char *name, struct err *err)
{
	if (err->code == ERR_NOT_FOUND ||
	    (err_is_service(err, "ValidationException") && strcasestr(err->msg, "not found")))
		err_set(err, ERR_NOT_FOUND, "there is no tuning job '%s'", name);
	return -1;
}

int sagemaker_create_tuning_job(struct aws *aws, const json_t *request, char **ret_arn, struct err *err)
{
	auto_json *answer = NULL;
	const char *arn;

	if (aws_call_json(aws, AWS_SAGEMAKER, "CreateHyperParameterTuningJob", request, &answer, err) < 0)
		return -1;
	arn = json_need_str(answer, "HyperParameterTuningJobArn", "the answer to CreateHyperParameterTuningJob", err);
	if (!arn)
		return -1;
	*ret_arn = xstrdup(arn);
	return 0;
}

static json_t *request_of(const char *name)
{
	return json_pack("{s:s}", "HyperParameterTuningJobName", name);
}

int sagemaker_describe_tuning_job(struct aws *aws, const char *name, json_t **ret_answer, struct err *err)
{
	static const char *const needed[] = { "HyperParameterTuningJobArn", "HyperParameterTuningJobName",
					      "HyperParameterTuningJobStatus" };
	auto_json *request = request_of(name);
	auto_json *answer = NULL;

	if (aws_call_json(aws, AWS_SAGEMAKER, "DescribeHyperParameterTuningJob", request, &answer, err) < 0)
		return mark_not_found(name, err);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (!json_need_str(answer, needed[i], "the answer to DescribeHyperParameterTuningJob", err))
			return -1;
	}
	*ret_answer = take(answer);
	return 0;
}

/* "The request was rejected because the tuning job is in status Completed." */
static bool is_ended_already(const struct err *err)
{
	return err_is_service(err, "ValidationException") && strstr(err->msg, "in status");
}

int sagemaker_stop_tuning_job(struct aws *aws, const char *name, struct err *err)
{
	auto_json *request = request_of(name);
	auto_err why = { 0 };

	if (aws_call_json(aws, AWS_SAGEMAKER, "StopHyperParameterTuningJob", request, NULL, &why) == 0 ||
	    is_ended_already(&why))
		return 0;
	mark_not_found(name, &why);
	err_move(err, &why);
	return -1;
}

/* What every list asks for. New reference. */
static json_t *newest_first(size_t max_items)
{
	return json_pack("{s:s, s:s, s:i}", "SortBy", "CreationTime", "SortOrder", "Descending", "MaxResults",
			 max_items && max_items < PAGE_SIZE ? (int)max_items : PAGE_SIZE);
}

int sagemaker_list_tuning_jobs(struct aws *aws, const char *contains, size_t max_items, json_t **ret_array,
			       struct err *err)
{
	auto_json *request = newest_first(max_items);

	json_put_str(request, "NameContains", contains);
	return aws_call_json_pages(aws, AWS_SAGEMAKER, "ListHyperParameterTuningJobs", request,
				   "HyperParameterTuningJobSummaries", "NextToken", max_items, ret_array, err);
}

int sagemaker_list_tuning_children(struct aws *aws, const char *name, size_t max_items, json_t **ret_array,
				   struct err *err)
{
	auto_json *request = newest_first(max_items);

	json_put_str(request, "HyperParameterTuningJobName", name);
	if (aws_call_json_pages(aws, AWS_SAGEMAKER, "ListTrainingJobsForHyperParameterTuningJob", request,
				"TrainingJobSummaries", "NextToken", max_items, ret_array, err) < 0)
		return mark_not_found(name, err);
	return 0;
}
