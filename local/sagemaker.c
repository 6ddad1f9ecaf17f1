/* https://docs.aws.amazon.com/sagemaker/latest/APIReference/ */

#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "local/runnable.h"
#include "local/sagemaker_list.h"
#include "local/sagemaker_ops.h"
#include "local/sagemaker_store.h"

static const char *const validation = "ValidationException";

static void create_training_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
				struct local_response *resp)
{
	auto_free char *lower = NULL;
	auto_free char *resource = NULL;
	auto_free char *arn = NULL;
	auto_err err = { 0 };

	if (sagemaker_check_training_job(in, &err) < 0) {
		local_respond_json_error(resp, 400, validation, "1 validation error detected: %s", err.msg);
		return;
	}
	if (runnable_check(cloud, in, &err) < 0) {
		local_respond_json_error(resp, 400, validation, "%s", err.msg);
		return;
	}
	lower = str_lower(json_str(in, "TrainingJobName"));
	resource = xasprintf("training-job/%s", lower);
	arn = json_api_arn(cloud, req, "sagemaker", resource);
	if (store_sagemaker_add(cloud->sagemaker, in, arn, NULL, NULL, &err) == 0)
		local_respond_json(resp, 200, json_pack("{s:s}", "TrainingJobArn", arn));
	else if (err.code == ERR_CONFLICT)
		local_respond_json_error(resp, 400, "ResourceInUse",
					 "Training job names must be unique within an AWS account and region, and a "
					 "training job with this name already exists (%s)",
					 arn);
	else
		local_respond_json_error(resp, 500, "InternalFailure", "%s", err.msg);
}

/* The job that a request names, or NULL with the refusal. */
static struct job *need_job(struct cloud *cloud, const json_t *in, struct local_response *resp)
{
	const char *name = json_api_need(in, "TrainingJobName", validation, resp);
	struct job *j = name ? store_sagemaker_find(cloud->sagemaker, name) : NULL;

	if (name && !j)
		local_respond_json_error(resp, 400, validation, "Requested resource not found.");
	return j;
}

static void describe_training_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
				  struct local_response *resp)
{
	struct job *j = need_job(cloud, in, resp);

	(void)req;
	if (j)
		local_respond_json(resp, 200, job_describe(j));
}

static void stop_training_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
			      struct local_response *resp)
{
	struct job *j = need_job(cloud, in, resp);
	auto_err err = { 0 };

	(void)req;
	if (!j)
		return;
	if (job_stop(j, &err) < 0)
		local_respond_json_error(resp, 400, validation, "%s", err.msg);
	else
		local_respond_json(resp, 200, json_object());
}

static void list_training_jobs(struct cloud *cloud, const struct local_request *req, const json_t *in,
			       struct local_response *resp)
{
	json_t *all = json_array();
	size_t n;
	auto_free struct job **jobs = store_sagemaker_all(cloud->sagemaker, &n);

	(void)req;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, job_summary(jobs[i]));
	listing_respond(in, all, &sagemaker_training, "CreationTime", resp);
}

static const struct json_api_op ops[] = {
	{ "CreateTrainingJob", create_training_job },
	{ "DescribeTrainingJob", describe_training_job },
	{ "ListTrainingJobs", list_training_jobs },
	{ "StopTrainingJob", stop_training_job },
	{ "CreateHyperParameterTuningJob", sagemaker_op_create_tuning_job },
	{ "DescribeHyperParameterTuningJob", sagemaker_op_describe_tuning_job },
	{ "ListHyperParameterTuningJobs", sagemaker_op_list_tuning_jobs },
	{ "ListTrainingJobsForHyperParameterTuningJob", sagemaker_op_list_tuning_children },
	{ "StopHyperParameterTuningJob", sagemaker_op_stop_tuning_job },
	{ "AddTags", sagemaker_op_add_tags },
	{ "ListTags", sagemaker_op_list_tags },
	{ "DeleteTags", sagemaker_op_delete_tags },
	{ NULL, NULL },
};

void local_sagemaker_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	json_api_handle(cloud, req, resp, "SageMaker", ops);
}
