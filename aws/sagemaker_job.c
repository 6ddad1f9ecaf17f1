#include "aws/sagemaker_job.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define PAGE_SIZE 100

/* An absent job is a ResourceNotFound in the model, and in practice a ValidationException with such words. */
int sagemaker_job_mark_absent(const struct sagemaker_job_calls *calls, const char *name, struct err *err)
{
	if (err->code == ERR_NOT_FOUND ||
	    (err_is_service(err, "ValidationException") && strcasestr(err->msg, "not found")))
		err_set(err, ERR_NOT_FOUND, "there is no %s '%s'", calls->noun, name);
	return -1;
}

/* A member without which an answer is none. Borrowed. */
static const char *need(const json_t *answer, const char *member, const char *operation, struct err *err)
{
	auto_free char *what = xasprintf("the answer to %s", operation);

	return json_need_str(answer, member, what, err);
}

int sagemaker_job_create(struct aws *aws, const struct sagemaker_job_calls *calls, const json_t *request,
			 char **ret_arn, struct err *err)
{
	auto_json *answer = NULL;
	const char *arn;

	if (aws_call_json(aws, AWS_SAGEMAKER, calls->create, request, &answer, err) < 0)
		return -1;
	arn = need(answer, calls->arn, calls->create, err);
	if (!arn)
		return -1;
	*ret_arn = xstrdup(arn);
	return 0;
}

int sagemaker_job_describe(struct aws *aws, const struct sagemaker_job_calls *calls, const char *name,
			   json_t **ret_answer, struct err *err)
{
	auto_json *request = json_pack("{s:s}", calls->name, name);
	auto_json *answer = NULL;

	if (aws_call_json(aws, AWS_SAGEMAKER, calls->describe, request, &answer, err) < 0)
		return sagemaker_job_mark_absent(calls, name, err);
	if (!need(answer, calls->arn, calls->describe, err) || !need(answer, calls->name, calls->describe, err) ||
	    !need(answer, calls->status, calls->describe, err))
		return -1;
	*ret_answer = take(answer);
	return 0;
}

/* "The request was rejected because the training job is in status Completed." */
static bool is_ended_already(const struct err *err)
{
	return err_is_service(err, "ValidationException") && strstr(err->msg, "in status");
}

int sagemaker_job_stop(struct aws *aws, const struct sagemaker_job_calls *calls, const char *name, struct err *err)
{
	auto_json *request = json_pack("{s:s}", calls->name, name);
	auto_err why = { 0 };

	if (aws_call_json(aws, AWS_SAGEMAKER, calls->stop, request, NULL, &why) == 0 || is_ended_already(&why))
		return 0;
	err_move(err, &why);
	return sagemaker_job_mark_absent(calls, name, err);
}

json_t *sagemaker_job_newest_first(size_t max_items)
{
	return json_pack("{s:s, s:s, s:i}", "SortBy", "CreationTime", "SortOrder", "Descending", "MaxResults",
			 max_items && max_items < PAGE_SIZE ? (int)max_items : PAGE_SIZE);
}

int sagemaker_job_list(struct aws *aws, const struct sagemaker_job_calls *calls, const char *contains, size_t max_items,
		       json_t **ret_array, struct err *err)
{
	auto_json *request = sagemaker_job_newest_first(max_items);

	json_put_str(request, "NameContains", contains);
	return aws_call_json_pages(aws, AWS_SAGEMAKER, calls->list, request, calls->summaries, "NextToken", max_items,
				   ret_array, err);
}
