#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "local/sagemaker_ops.h"
#include "local/sagemaker_store.h"

static const char *const validation = "ValidationException";

/* What an ARN names: one of the two. */
struct resource {
	struct job *job;
	struct tuning *tuning;
};

/* false: refused. */
static bool need_resource(struct cloud *cloud, const json_t *in, struct resource *ret, struct local_response *resp)
{
	const char *arn = json_api_need(in, "ResourceArn", validation, resp);

	if (!arn)
		return false;
	*ret = (struct resource){ .job = store_sagemaker_find_arn(cloud->sagemaker, arn),
				  .tuning = store_tuning_find_arn(cloud->sagemaker, arn) };
	if (ret->job || ret->tuning)
		return true;
	local_respond_json_error(resp, 400, "ResourceNotFound", "There is no resource '%s'", arn);
	return false;
}

static void respond_tags(const struct resource *r, struct local_response *resp)
{
	json_t *tags = r->job ? job_tags(r->job) : tuning_tags(r->tuning);

	local_respond_json(resp, 200, json_pack("{s:o}", "Tags", tags));
}

void sagemaker_op_add_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
			   struct local_response *resp)
{
	const json_t *tags = json_object_get(in, "Tags");
	struct resource r;
	auto_err err = { 0 };

	(void)req;
	if (!need_resource(cloud, in, &r, resp))
		return;
	if (sagemaker_check_tags(tags, &err) < 0)
		local_respond_json_error(resp, 400, validation, "1 validation error detected: %s", err.msg);
	else if ((r.job ? job_add_tags(r.job, tags, &err) : tuning_add_tags(r.tuning, tags, &err)) < 0)
		local_respond_json_error(resp, 400, validation, "%s", err.msg);
	else
		respond_tags(&r, resp);
}

void sagemaker_op_list_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
			    struct local_response *resp)
{
	struct resource r;

	(void)req;
	if (need_resource(cloud, in, &r, resp))
		respond_tags(&r, resp);
}

void sagemaker_op_delete_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
			      struct local_response *resp)
{
	const json_t *keys = json_object_get(in, "TagKeys");
	struct resource r;
	auto_err err = { 0 };

	(void)req;
	if (!need_resource(cloud, in, &r, resp))
		return;
	if ((r.job ? job_delete_tags(r.job, keys, &err) : tuning_delete_tags(r.tuning, keys, &err)) < 0)
		local_respond_json_error(resp, 500, "InternalFailure", "%s", err.msg);
	else
		local_respond_json(resp, 200, json_object());
}
