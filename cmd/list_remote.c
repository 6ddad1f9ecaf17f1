/* list --remote: the jobs of this name that the service has, also those whose record is in no ref of this clone. */

#include <stdlib.h>
#include <string.h>

#include "aws/sagemaker.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/job_end.h"
#include "pipeline/remote_job.h"

/* Each one's tags are asked for; older ones are not looked at. */
#define MAX_JOBS 500

/* The service finds the name anywhere in a job's; ours begin with it. */
static bool may_be_ours(const char *job, const char *name)
{
	size_t n = strlen(name);

	return job && !strncmp(job, name, n) && job[n] == '-';
}

/* "-001-1a2b3c4d": what the service puts behind a tuning job's name. */
static bool is_number_of_child(const char *s)
{
	size_t digits = *s == '-' ? strspn(s + 1, "0123456789") : 0;
	const char *hex = s + 1 + digits;

	return digits >= 3 && *hex == '-' && strlen(hex + 1) == 8 && strspn(hex + 1, "0123456789abcdef") == 8;
}

/* The training jobs of a tuning job have its tags, and are no jobs of their own here. */
static bool is_child(const char *job, const json_t *tuning_jobs)
{
	size_t i;
	json_t *summary;

	json_array_foreach(tuning_jobs, i, summary) {
		const char *parent = remote_job_name(summary);

		if (parent && str_starts(job, parent) && is_number_of_child(job + strlen(parent)))
			return true;
	}
	return false;
}

/* What is told of one job; NULL when smpipe did not launch it. */
static int describe(struct clients *c, const json_t *summary, const struct strlist *known, json_t **ret,
		    struct err *err)
{
	const struct job_form *form = job_form(remote_job_kind(summary));
	const char *job = remote_job_name(summary), *arn = remote_job_arn(summary);
	auto_free char *created = job_time(summary, "CreationTime");
	auto_free char *ended = job_time(summary, form->end);
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
	json_put_str(j, "kind", form->kind);
	json_put_str(j, "status", remote_job_status(summary));
	json_put_str(j, "created", created);
	json_put_str(j, "ended", ended);
	json_put_str(j, "commit", json_str(tags, TAG_COMMIT));
	json_put_str(j, "record", json_str(tags, TAG_RECORD));
	json_object_set_new(j, "is_dirty", json_boolean(str_eq(json_str(tags, TAG_DIRTY), "true")));
	json_object_set_new(j, "is_in_clone", json_boolean(strlist_has(known, job)));
	*ret = j;
	return 0;
}

static int add_jobs(struct clients *c, const char *name, const json_t *summaries, const json_t *parents,
		    const struct strlist *known, json_t *ret, struct err *err)
{
	json_t *summary;
	size_t i;

	json_array_foreach(summaries, i, summary) {
		const char *job = remote_job_name(summary);
		json_t *j = NULL;

		if (!may_be_ours(job, name) || is_child(job, parents))
			continue;
		if (describe(c, summary, known, &j, err) < 0)
			return -1;
		if (j)
			json_array_append_new(ret, j);
	}
	return 0;
}

static int compare_created(const void *a, const void *b)
{
	const char *x = json_str(*(json_t *const *)a, "created"), *y = json_str(*(json_t *const *)b, "created");

	return strcmp(y ? y : "", x ? x : "");
}

/* New reference. */
static json_t *newest_first(const json_t *jobs)
{
	size_t n = json_array_size(jobs);
	auto_free json_t **v = xcalloc(n + 1, sizeof(*v));
	json_t *sorted = json_array();

	for (size_t i = 0; i < n; i++)
		v[i] = json_array_get(jobs, i);
	qsort(v, n, sizeof(*v), compare_created);
	for (size_t i = 0; i < n; i++)
		json_array_append(sorted, v[i]);
	return sorted;
}

/* Policies for a file without a tuner do not allow to list tuning jobs. */
static int list_tuning(const struct cmd *cmd, struct clients *c, const char *prefix, json_t **ret, struct err *err)
{
	if (sagemaker_list_jobs(&c->aws, &sagemaker_tuning, prefix, MAX_JOBS, ret, err) == 0)
		return 0;
	if (err->code != ERR_AUTH)
		return -1;
	report_text(&cmd->ui.report, REPORT_NOTE, "list", "tuning jobs are not shown: %s", err->msg);
	err_release(err);
	return 0;
}

static int collect(struct cmd *cmd, const struct strlist *known, json_t **ret, struct err *err)
{
	const char *name = config_str(&cmd->project.config, "name");
	/* The name of a tuning job has room for less of it. */
	auto_free char *cut = xasprintf("%.*s", PLAN_MAX_TUNING_NAME, name);
	auto_free char *prefix = xasprintf("%s-", name);
	auto_free char *cut_prefix = xasprintf("%s-", cut);
	auto_clients c = { 0 };
	auto_json *training = NULL;
	auto_json *tuning = NULL;
	auto_json *jobs = json_array();

	clients_init(&c, &cmd->session);
	if (list_tuning(cmd, &c, cut_prefix, &tuning, err) < 0 ||
	    sagemaker_list_jobs(&c.aws, &sagemaker_training, prefix, MAX_JOBS, &training, err) < 0 ||
	    add_jobs(&c, cut, tuning, NULL, known, jobs, err) < 0 ||
	    add_jobs(&c, name, training, tuning, known, jobs, err) < 0)
		return -1;
	if (json_array_size(training) == MAX_JOBS || json_array_size(tuning) == MAX_JOBS)
		report_text(&cmd->ui.report, REPORT_NOTE, "list", "the newest %d jobs only", MAX_JOBS);
	*ret = newest_first(jobs);
	return 0;
}

static const char *or_unknown(const char *s)
{
	return s ? s : "?";
}

int cmd_list_remote(struct cmd *cmd, struct err *err)
{
	auto_strlist known = { 0 };
	auto_json *jobs = NULL;
	json_t *j;
	size_t i;

	if (git_job_ref_list(cmd->project.git, &known, err) < 0 || collect(cmd, &known, &jobs, err) < 0)
		return -1;
	if (opt_has(&cmd->opts, OPT_JSON)) {
		cmd_print_json(jobs);
		return 0;
	}
	json_array_foreach(jobs, i, j)
		cmd_print("%-20s  %-10s  %.12s  %-30s  %s%s\n", or_unknown(json_str(j, "created")),
			  or_unknown(json_str(j, "status")), or_unknown(json_str(j, "commit")), json_str(j, "job"),
			  json_str(j, "kind"),
			  json_is_true(json_object_get(j, "is_in_clone")) ? "" : "  not in this clone");
	if (!json_array_size(jobs))
		report_text(&cmd->ui.report, REPORT_NOTE, "list", "the service has no jobs of this name");
	return 0;
}
