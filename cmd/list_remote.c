/* list --remote: the jobs of this name that the service has, also those whose record is in no ref of this clone. */

#include <string.h>

#include "aws/sagemaker.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/job_end.h"

/* Each one's tags are asked for; older ones are not looked at. */
#define MAX_JOBS 500

/* The service finds the name anywhere in a job's; ours begin with it. */
static bool may_be_ours(const char *job, const char *name)
{
	size_t n = strlen(name);

	return job && !strncmp(job, name, n) && job[n] == '-';
}

/* What is told of one job; NULL when smpipe did not launch it. */
static int describe(struct clients *c, const json_t *summary, const struct strlist *known, json_t **ret,
		    struct err *err)
{
	const char *job = json_str(summary, "TrainingJobName"), *arn = json_str(summary, "TrainingJobArn");
	auto_free char *created = job_time(summary, "CreationTime");
	auto_free char *ended = job_time(summary, "TrainingEndTime");
	auto_json *tags = NULL;
	json_t *j;

	if (!arn)
		return 0;
	if (sagemaker_list_tags(&c->aws, arn, &tags, err) < 0)
		return err_wrap(err, "read the tags of job '%s'", job);
	if (!json_str(tags, TAG_REQUEST))
		return 0;
	j = json_object();
	json_put_str(j, "job", job);
	json_put_str(j, "status", json_str(summary, "TrainingJobStatus"));
	json_put_str(j, "created", created);
	json_put_str(j, "ended", ended);
	json_put_str(j, "commit", json_str(tags, TAG_COMMIT));
	json_put_str(j, "record", json_str(tags, TAG_RECORD));
	json_object_set_new(j, "is_dirty", json_boolean(str_eq(json_str(tags, TAG_DIRTY), "true")));
	json_object_set_new(j, "is_in_clone", json_boolean(strlist_has(known, job)));
	*ret = j;
	return 0;
}

static int collect(struct cmd *cmd, const struct strlist *known, json_t *ret, struct err *err)
{
	const char *name = config_str(&cmd->project.config, "name");
	auto_free char *prefix = xasprintf("%s-", name);
	auto_clients c = { 0 };
	auto_json *summaries = NULL;
	json_t *summary;
	size_t i;

	clients_init(&c, &cmd->session);
	if (sagemaker_list_training_jobs(&c.aws, prefix, MAX_JOBS, &summaries, err) < 0)
		return -1;
	json_array_foreach(summaries, i, summary) {
		json_t *j = NULL;

		if (!may_be_ours(json_str(summary, "TrainingJobName"), name))
			continue;
		if (describe(&c, summary, known, &j, err) < 0)
			return -1;
		if (j)
			json_array_append_new(ret, j);
	}
	if (json_array_size(summaries) == MAX_JOBS)
		report_text(&cmd->ui.report, REPORT_NOTE, "list", "the newest %d jobs only", MAX_JOBS);
	return 0;
}

static const char *or_unknown(const char *s)
{
	return s ? s : "?";
}

int cmd_list_remote(struct cmd *cmd, struct err *err)
{
	auto_strlist known = { 0 };
	auto_json *jobs = json_array();
	json_t *j;
	size_t i;

	if (git_job_ref_list(cmd->project.git, &known, err) < 0 || collect(cmd, &known, jobs, err) < 0)
		return -1;
	if (opt_has(&cmd->opts, OPT_JSON)) {
		cmd_print_json(jobs);
		return 0;
	}
	json_array_foreach(jobs, i, j)
		cmd_print("%-20s  %-10s  %.12s  %-30s%s\n", or_unknown(json_str(j, "created")),
			  or_unknown(json_str(j, "status")), or_unknown(json_str(j, "commit")), json_str(j, "job"),
			  json_is_true(json_object_get(j, "is_in_clone")) ? "" : "  not in this clone");
	if (!json_array_size(jobs))
		report_text(&cmd->ui.report, REPORT_NOTE, "list", "the service has no jobs of this name");
	return 0;
}
