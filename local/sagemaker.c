/* https://docs.aws.amazon.com/sagemaker/latest/APIReference/ */

#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "local/json_api.h"
#include "local/runnable.h"
#include "local/sagemaker_store.h"

#define PAGE_MAX     100
#define PAGE_DEFAULT 10

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
	if (store_sagemaker_add(cloud->sagemaker, in, arn, &err) == 0)
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

/* What ListTrainingJobs is asked for. */
struct listing {
	const char *contains, *status, *sort_by;
	bool is_descending;
	double after, before; /* CreationTime */
	int64_t first, limit;
};

static int read_listing(const json_t *in, struct listing *ret, struct err *err)
{
	const char *token = json_str(in, "NextToken");
	const json_t *limit = json_object_get(in, "MaxResults");
	const json_t *before = json_object_get(in, "CreationTimeBefore");

	*ret = (struct listing){ .contains = json_str(in, "NameContains"),
				 .status = json_str(in, "StatusEquals"),
				 .sort_by = json_str(in, "SortBy"),
				 .is_descending = str_eq(json_str(in, "SortOrder"), "Descending"),
				 .after = json_number_value(json_object_get(in, "CreationTimeAfter")),
				 .before = before ? json_number_value(before) : 1e300,
				 .limit = limit ? json_integer_value(limit) : PAGE_DEFAULT };
	if (ret->limit < 1 || ret->limit > PAGE_MAX)
		return err_set(err, ERR_INVALID, "Value at 'maxResults' failed to satisfy constraint: 1 to %d",
			       PAGE_MAX);
	if (token && !str_parse_i64(token, 0, INT32_MAX, &ret->first))
		return err_set(err, ERR_INVALID, "The NextToken is not valid");
	return 0;
}

static bool is_wanted(const struct listing *l, const json_t *summary)
{
	double created = json_number_value(json_object_get(summary, "CreationTime"));

	return (!l->contains || strstr(json_str(summary, "TrainingJobName"), l->contains)) &&
	       (!l->status || str_eq(json_str(summary, "TrainingJobStatus"), l->status)) && created > l->after &&
	       created < l->before;
}

static int compare_summaries(const void *a, const void *b, void *ctx)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const struct listing *l = ctx;
	const char *member = str_eq(l->sort_by, "Name")     ? "TrainingJobName"
			     : str_eq(l->sort_by, "Status") ? "TrainingJobStatus"
							    : NULL;
	double tx = json_number_value(json_object_get(x, "CreationTime"));
	double ty = json_number_value(json_object_get(y, "CreationTime"));
	int order = member ? strcmp(json_str(x, member), json_str(y, member)) : (tx > ty) - (tx < ty);

	return l->is_descending ? -order : order;
}

/* The wanted summaries in order; new array of *ret_n, each the caller's. */
static json_t **collect(struct cloud *cloud, struct listing *l, size_t *ret_n)
{
	size_t n, kept = 0;
	auto_free struct job **jobs = store_sagemaker_all(cloud->sagemaker, &n);
	json_t **list = xcalloc(n + 1, sizeof(json_t *));

	for (size_t i = 0; i < n; i++) {
		json_t *summary = job_summary(jobs[i]);

		if (is_wanted(l, summary))
			list[kept++] = summary;
		else
			json_decref(summary);
	}
	qsort_r(list, kept, sizeof(*list), compare_summaries, l);
	*ret_n = kept;
	return list;
}

static void list_training_jobs(struct cloud *cloud, const struct local_request *req, const json_t *in,
			       struct local_response *resp)
{
	auto_free json_t **all = NULL;
	json_t *page, *answer;
	struct listing l;
	auto_err err = { 0 };
	size_t n;

	(void)req;
	if (read_listing(in, &l, &err) < 0) {
		local_respond_json_error(resp, 400, validation, "1 validation error detected: %s", err.msg);
		return;
	}
	all = collect(cloud, &l, &n);
	page = json_array();
	for (size_t i = 0; i < n; i++) {
		if ((int64_t)i >= l.first && (int64_t)i < l.first + l.limit)
			json_array_append(page, all[i]);
		json_decref(all[i]);
	}
	answer = json_pack("{s:o}", "TrainingJobSummaries", page);
	if (l.first + l.limit < (int64_t)n) {
		auto_free char *token = xasprintf("%lld", (long long)(l.first + l.limit));

		json_put_str(answer, "NextToken", token);
	}
	local_respond_json(resp, 200, answer);
}

static struct job *need_resource(struct cloud *cloud, const json_t *in, struct local_response *resp)
{
	const char *arn = json_api_need(in, "ResourceArn", validation, resp);
	struct job *j = arn ? store_sagemaker_find_arn(cloud->sagemaker, arn) : NULL;

	if (arn && !j)
		local_respond_json_error(resp, 400, "ResourceNotFound", "There is no resource '%s'", arn);
	return j;
}

static void respond_tags(struct job *j, struct local_response *resp)
{
	local_respond_json(resp, 200, json_pack("{s:o}", "Tags", job_tags(j)));
}

static bool are_tags(const json_t *tags)
{
	size_t i;
	json_t *tag;

	json_array_foreach(tags, i, tag) {
		const char *key = json_str(tag, "Key"), *value = json_str(tag, "Value");

		if (!key || !*key || strlen(key) > 128 || !value || strlen(value) > 256 || str_starts(key, "aws:"))
			return false;
	}
	return json_is_array(tags);
}

static void add_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
		     struct local_response *resp)
{
	const json_t *tags = json_object_get(in, "Tags");
	struct job *j = need_resource(cloud, in, resp);
	auto_err err = { 0 };

	(void)req;
	if (!j)
		return;
	if (!are_tags(tags))
		local_respond_json_error(resp, 400, validation,
					 "1 validation error detected: Value at 'tags' failed to satisfy constraint");
	else if (job_add_tags(j, tags, &err) < 0)
		local_respond_json_error(resp, 400, validation, "%s", err.msg);
	else
		respond_tags(j, resp);
}

static void list_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
		      struct local_response *resp)
{
	struct job *j = need_resource(cloud, in, resp);

	(void)req;
	if (j)
		respond_tags(j, resp);
}

static void delete_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
			struct local_response *resp)
{
	struct job *j = need_resource(cloud, in, resp);
	auto_err err = { 0 };

	(void)req;
	if (!j)
		return;
	if (job_delete_tags(j, json_object_get(in, "TagKeys"), &err) < 0)
		local_respond_json_error(resp, 500, "InternalFailure", "%s", err.msg);
	else
		local_respond_json(resp, 200, json_object());
}

static const struct json_api_op ops[] = {
	{ "CreateTrainingJob", create_training_job },
	{ "DescribeTrainingJob", describe_training_job },
	{ "ListTrainingJobs", list_training_jobs },
	{ "StopTrainingJob", stop_training_job },
	{ "AddTags", add_tags },
	{ "ListTags", list_tags },
	{ "DeleteTags", delete_tags },
	{ NULL, NULL },
};

void local_sagemaker_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	json_api_handle(cloud, req, resp, "SageMaker", ops);
}
