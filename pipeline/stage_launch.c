#include <stdlib.h>
#include <string.h>

#include "aws/sagemaker.h"
#include "base/json.h"
#include "base/mem.h"
#include "ecr/engine.h"
#include "pipeline/attempts.h"
#include "pipeline/job_end.h"
#include "pipeline/journal.h"
#include "pipeline/remote_job.h"
#include "pipeline/stages.h"
#include "pipeline/training_job.h"

struct launch_stage {
	const struct session *s;
	const struct project *p;
	const struct plan *plan;
	const char *image;
	struct journal *journal;
	struct clients c;
};

static void release(struct launch_stage *st)
{
	clients_release(&st->c);
}

/* The job is ours when its tag holds our request key. */
static int check_ours(struct launch_stage *st, const char *name, const json_t *job, char **ret_commit, struct err *err)
{
	auto_json *tags = NULL;

	if (sagemaker_list_tags(&st->c.aws, remote_job_arn(job), &tags, err) < 0)
		return err_wrap(err, "read the tags of job '%s'", name);
	if (!str_eq(json_str(tags, TAG_REQUEST), st->plan->request_key)) {
		err_set(err, ERR_CONFLICT, "a job named '%s' exists that is not of this request", name);
		return err_hint(err, "choose another `name` in smpipe.yaml, or --attempt ID");
	}
	free(*ret_commit);
	*ret_commit = xstrdup_or_null(json_str(tags, TAG_COMMIT));
	return 0;
}

static int adopt(struct launch_stage *st, const char *attempt, const char *name, const json_t *job,
		 struct launch_result *ret, struct err *err)
{
	if (check_ours(st, name, job, &ret->first_commit, err) < 0)
		return -1;
	ret->existed = true;
	ret->attempt = xstrdup(attempt);
	ret->job_name = xstrdup(name);
	ret->job_arn = xstrdup(remote_job_arn(job));
	ret->request = plan_request(st->plan, st->p, st->image, name);
	return 0;
}

static int journal_launch(struct launch_stage *st, const char *attempt, const char *name, struct err *err)
{
	auto_json *entry = json_pack("{ssssssss}", "request_key", st->plan->request_key, "attempt", attempt, "job",
				     name, "commit", st->p->state.commit);

	return journal_add(st->journal, "launch", entry, err);
}

/* The answer was lost, or another release was quicker: the name tells whether the job is there. */
static int find_after_doubt(struct launch_stage *st, const char *attempt, const char *name, struct launch_result *ret,
			    struct err *err)
{
	auto_json *job = NULL;
	auto_err again = { 0 };

	if (remote_job_look(&st->c.aws, st->plan->kind, name, &job, &again) < 0 || !job)
		return -1;
	err_release(err);
	return adopt(st, attempt, name, job, ret, err);
}

/* Where jobs train in the Docker Engine, one that is not there would end each of them as Failed. */
static int check_engine(struct launch_stage *st, struct err *err)
{
	auto_engine engine = { 0 };

	return st->s->is_local ? engine_connect(st->c.http, st->s->docker_host, &engine, err) : 0;
}

static int create(struct launch_stage *st, const char *attempt, const char *name, struct launch_result *ret,
		  struct err *err)
{
	auto_json *request = plan_request(st->plan, st->p, st->image, name);
	auto_free char *arn = NULL;

	if (plan_check_request(st->plan, st->p, request, err) < 0)
		return err_wrap(err, "job '%s'", name);
	if (check_engine(st, err) < 0 || journal_launch(st, attempt, name, err) < 0)
		return -1;
	if (remote_job_create(&st->c.aws, request, &arn, err) < 0) {
		if (err_is_service(err, "ResourceInUse") || err->code == ERR_NETWORK)
			return find_after_doubt(st, attempt, name, ret, err);
		return -1;
	}
	ret->attempt = xstrdup(attempt);
	ret->job_name = xstrdup(name);
	ret->job_arn = take(arn);
	ret->request = take(request);
	return 0;
}

static bool ended_badly(const char *status)
{
	return str_eq(status, "Failed") || str_eq(status, "Stopped");
}

static int refuse_old_failure(const char *name, const json_t *job, struct err *err)
{
	auto_free char *words = job_end_words(job);

	err_set(err, job_end_class(job), "job '%s' of the same request %s", name, words);
	return err_hint(err, "change what made it so, or start another attempt with --again");
}

static int launch_named(struct launch_stage *st, const char *attempt, struct launch_result *ret, struct err *err)
{
	auto_free char *name = plan_job_name(st->plan, attempt);
	auto_json *job = NULL;

	if (remote_job_look(&st->c.aws, st->plan->kind, name, &job, err) < 0)
		return -1;
	return job ? adopt(st, attempt, name, job, ret, err) : create(st, attempt, name, ret, err);
}

/* In this order: the attempt that the user names, the one that a cut-off release left open, the last, a new one. */
static int launch(struct launch_stage *st, const struct launch_options *options, struct launch_result *ret,
		  struct err *err)
{
	const char *open_attempt = journal_open_attempt(st->journal, st->plan->request_key), *status;
	auto_free char *last = NULL;
	auto_free char *next = NULL;
	auto_free char *name = NULL;
	auto_json *job = NULL;
	bool wants_more;

	if (options->attempt)
		return launch_named(st, options->attempt, ret, err);
	if (open_attempt) {
		next = xstrdup(open_attempt); /* the journal grows while we launch */
		return launch_named(st, next, ret, err);
	}
	if (attempts_find_last(&st->c.aws, st->plan, &last, &job, err) < 0)
		return -1;
	if (!job)
		return launch_named(st, "1", ret, err);
	name = plan_job_name(st->plan, last);
	status = remote_job_status(job);
	wants_more = remote_job_is_over(job) && (options->again || (options->only_failed && ended_badly(status)));
	if (wants_more) {
		next = xasprintf("%ld", strtol(last, NULL, 10) + 1);
		return launch_named(st, next, ret, err);
	}
	if (adopt(st, last, name, job, ret, err) < 0)
		return -1;
	return ended_badly(status) ? refuse_old_failure(name, job, err) : 0;
}

int stage_launch(const struct session *s, const struct project *p, const struct plan *plan, const char *image,
		 const struct launch_options *options, struct journal *journal, struct launch_result *ret,
		 struct err *err)
{
	struct launch_stage __attribute__((cleanup(release))) st = { s, p, plan, image, journal, { 0 } };
	struct launch_result result = { 0 };

	clients_init(&st.c, s);
	if (launch(&st, options, &result, err) < 0) {
		launch_result_release(&result);
		return -1;
	}
	*ret = result;
	report_text(s->report, REPORT_DONE, "launch", "%s %s", ret->existed ? "exists" : "launched", ret->job_name);
	return 0;
}

void launch_result_release(struct launch_result *r)
{
	free(r->job_name);
	free(r->job_arn);
	free(r->attempt);
	free(r->first_commit);
	json_decref(r->request);
	*r = (struct launch_result){ 0 };
}
