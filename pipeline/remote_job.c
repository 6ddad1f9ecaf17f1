#include "pipeline/remote_job.h"

#include "aws/sagemaker.h"
#include "aws/sagemaker_limits.h"
#include "base/json.h"

enum job_kind remote_job_kind(const json_t *job)
{
	return json_object_get(job, sagemaker_tuning.name) ? JOB_TUNING : JOB_TRAINING;
}

static const struct sagemaker_job_kind *api_of(const json_t *job)
{
	return job_form(remote_job_kind(job))->api;
}

const char *remote_job_name(const json_t *job)
{
	return json_str(job, api_of(job)->name);
}

const char *remote_job_arn(const json_t *job)
{
	return json_str(job, api_of(job)->arn);
}

const char *remote_job_status(const json_t *job)
{
	return json_str(job, api_of(job)->status);
}

bool remote_job_is_over(const json_t *job)
{
	/* A tuning job that could not be deleted stays as it is. */
	return sagemaker_is_final(remote_job_status(job)) || str_eq(remote_job_status(job), "DeleteFailed");
}

int remote_job_describe(struct aws *aws, enum job_kind kind, const char *name, json_t **ret, struct err *err)
{
	return sagemaker_describe_job(aws, job_form(kind)->api, name, ret, err);
}

int remote_job_look(struct aws *aws, enum job_kind kind, const char *name, json_t **ret, struct err *err)
{
	auto_err why = { 0 };

	if (remote_job_describe(aws, kind, name, ret, &why) == 0 || why.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &why);
	return -1;
}

int remote_job_find(struct aws *aws, enum job_kind first, const char *name, json_t **ret, struct err *err)
{
	enum job_kind second = first == JOB_TUNING ? JOB_TRAINING : JOB_TUNING;
	auto_err why = { 0 };

	if (remote_job_describe(aws, first, name, ret, err) == 0)
		return 0;
	/* A name that is too long for a tuning job is no tuning job's. */
	if (err->code != ERR_NOT_FOUND && !(first == JOB_TUNING && err_is_service(err, "ValidationException")))
		return -1;
	if (remote_job_describe(aws, second, name, ret, &why) == 0) {
		err_release(err);
		return 0;
	}
	/* Policies for a file without a tuner do not allow to ask about tuning jobs: what the first answer said holds.
	 */
	if (why.code == ERR_AUTH)
		return -1;
	if (why.code == ERR_NOT_FOUND || err_is_service(&why, "ValidationException"))
		return err_set(err, ERR_NOT_FOUND, "there is no training or tuning job '%s'", name);
	err_move(err, &why);
	return -1;
}

int remote_job_create(struct aws *aws, const json_t *request, char **ret_arn, struct err *err)
{
	return sagemaker_create_job(aws, api_of(request), request, ret_arn, err);
}

int remote_job_stop(struct aws *aws, const json_t *job, struct err *err)
{
	return sagemaker_stop_job(aws, api_of(job), remote_job_name(job), err);
}
