#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "local/runnable.h"
#include "local/sagemaker_list.h"
#include "local/sagemaker_ops.h"
#include "local/sagemaker_store.h"
#include "local/tuning_report.h"

static const char *const validation = "ValidationException";

void sagemaker_op_create_tuning_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
				    struct local_response *resp)
{
	const char *name = json_str(in, "HyperParameterTuningJobName");
	auto_free char *lower = NULL;
	auto_free char *resource = NULL;
	auto_free char *arn = NULL;
	auto_err err = { 0 };

	if (sagemaker_check_tuning_job(in, &err) < 0) {
		local_respond_json_error(resp, 400, validation, "1 validation error detected: %s", err.msg);
		return;
	}
	if (runnable_check_tuning(cloud, in, &err) < 0) {
		local_respond_json_error(resp, 400, validation, "%s", err.msg);
		return;
	}
	lower = str_lower(name);
	resource = xasprintf("hyper-parameter-tuning-job/%s", lower);
	arn = json_api_arn(cloud, req, "sagemaker", resource);
	if (store_tuning_add(cloud->sagemaker, in, arn, &err) == 0)
		local_respond_json(resp, 200, json_pack("{s:s}", "HyperParameterTuningJobArn", arn));
	else if (err.code == ERR_CONFLICT)
		local_respond_json_error(resp, 400, "ResourceInUse",
					 "A hyperparameter tuning job with the name, %s, already exists. Choose a "
					 "different name.",
					 name);
	else
		local_respond_json_error(resp, 500, "InternalFailure", "%s", err.msg);
}

/* The job that a request names, or NULL with the refusal. */
static struct tuning *need_tuning(struct cloud *cloud, const json_t *in, struct local_response *resp)
{
	const char *name = json_api_need(in, "HyperParameterTuningJobName", validation, resp);
	struct tuning *t = name ? store_tuning_find(cloud->sagemaker, name) : NULL;

	if (name && !t)
		local_respond_json_error(resp, 400, "ResourceNotFound",
					 "Amazon SageMaker can't find a tuning job called %s. Type another name.",
					 name);
	return t;
}

void sagemaker_op_describe_tuning_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
				      struct local_response *resp)
{
	struct tuning *t = need_tuning(cloud, in, resp);

	(void)req;
	if (t)
		local_respond_json(resp, 200, tuning_describe(t));
}

void sagemaker_op_stop_tuning_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
				  struct local_response *resp)
{
	struct tuning *t = need_tuning(cloud, in, resp);
	auto_err err = { 0 };

	(void)req;
	if (!t)
		return;
	if (tuning_stop(t, &err) < 0)
		local_respond_json_error(resp, 400, validation, "%s", err.msg);
	else
		local_respond_json(resp, 200, json_object());
}

void sagemaker_op_list_tuning_jobs(struct cloud *cloud, const struct local_request *req, const json_t *in,
				   struct local_response *resp)
{
	json_t *all = json_array();
	size_t n;
	auto_free struct tuning **tunings = store_tuning_all(cloud->sagemaker, &n);

	(void)req;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, tuning_summary(tunings[i]));
	listing_respond(in, all, &sagemaker_tuning, "Name", resp);
}

void sagemaker_op_list_tuning_children(struct cloud *cloud, const struct local_request *req, const json_t *in,
				       struct local_response *resp)
{
	struct tuning *t = need_tuning(cloud, in, resp);

	(void)req;
	if (t)
		listing_respond(in, tuning_child_summaries(t), &sagemaker_training, "Name", resp);
}
