/* stop: end a job before its time. What it has written to /opt/ml/model is kept by the service. */

#include <string.h>

#include "aws/sagemaker.h"
#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/watch.h"

/* Whatever it was that ended the job: stopping was asked for, so that Stopped is a success. */
static int judge(struct cmd *cmd, const char *name, const json_t *job, struct err *err)
{
	const char *status = json_str(job, "TrainingJobStatus");

	cmd_complete_record(cmd, name);
	ui_clear(&cmd->ui);
	cmd_print("job     %s\nstatus  %s\n", name, status);
	return str_eq(status, "Stopped") ? 0 : watch_judge(job, err);
}

static int wait_for_end(struct cmd *cmd, const char *name, struct err *err)
{
	struct watch_options o = { .follows = true };
	auto_json *job = NULL;

	if (cmd_wait_timeout(cmd, &o.timeout_ms, err) < 0 || watch_job(&cmd->session, name, &o, &job, err) < 0)
		return -1;
	return judge(cmd, name, job, err);
}

static int ask(struct cmd *cmd, const char *name, json_t **ret_job, struct err *err)
{
	auto_clients c = { 0 };

	clients_init(&c, &cmd->session);
	if (sagemaker_describe_training_job(&c.aws, name, ret_job, err) < 0)
		return cmd_hint_jobs(err);
	if (sagemaker_is_final(json_str(*ret_job, "TrainingJobStatus")))
		return 0;
	return sagemaker_stop_training_job(&c.aws, name, err);
}

int cmd_stop(struct cmd *cmd, struct err *err)
{
	auto_free char *name = NULL;
	auto_json *job = NULL;
	const char *status;
	int64_t ignored;

	if (cmd_wait_timeout(cmd, &ignored, err) < 0 || cmd_find_job(cmd, &name, err) < 0 ||
	    ask(cmd, name, &job, err) < 0)
		return -1;
	status = json_str(job, "TrainingJobStatus");
	if (sagemaker_is_final(status)) {
		report_text(&cmd->ui.report, REPORT_NOTE, "stop", "the job has ended already: %s", status);
		cmd_print("job     %s\nstatus  %s\n", name, status);
		cmd_complete_record(cmd, name);
		return 0;
	}
	if (!opt_has(&cmd->opts, OPT_NO_WAIT))
		return wait_for_end(cmd, name, err);
	cmd_print("job     %s\nstatus  Stopping\n", name);
	return 0;
}
