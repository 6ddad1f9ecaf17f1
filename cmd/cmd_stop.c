/* stop: end a job before its time, a tuning job with all that it runs. What a job has written to /opt/ml/model is kept
 * by the service. */

#include "base/mem.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/tuning_report.h"
#include "pipeline/remote_job.h"
#include "pipeline/watch.h"

/* Whatever it was that ended the job: stopping was asked for, so that Stopped is a success. */
static int judge(struct cmd *cmd, const char *name, const json_t *job, struct err *err)
{
	const char *status = remote_job_status(job);

	cmd_complete_record(cmd, name);
	ui_clear(&cmd->ui);
	cmd_print("job     %s\nstatus  %s\n", name, status);
	return str_eq(status, "Stopped") ? 0 : watch_judge(job, err);
}

static int wait_for_training(struct cmd *cmd, const char *name, int64_t timeout_ms, struct err *err)
{
	struct watch_options o = { .follows = true, .timeout_ms = timeout_ms };
	auto_json *job = NULL;

	if (watch_job(&cmd->session, name, &o, &job, err) < 0)
		return -1;
	return judge(cmd, name, job, err);
}

static int wait_for_tuning(struct cmd *cmd, const char *name, int64_t timeout_ms, struct err *err)
{
	struct watch_tuning_options o = tuning_report_live(cmd);
	auto_watched_tuning w = { 0 };

	o.follows = true;
	o.timeout_ms = timeout_ms;
	if (watch_tuning(&cmd->session, name, &o, &w, err) < 0)
		return -1;
	return judge(cmd, name, w.job, err);
}

static int stop(struct cmd *cmd, const json_t *job, struct err *err)
{
	auto_clients c = { 0 };

	clients_init(&c, &cmd->session);
	return remote_job_stop(&c.aws, job, err);
}

int cmd_stop(struct cmd *cmd, struct err *err)
{
	auto_free char *name = NULL;
	auto_json *job = NULL;
	int64_t timeout_ms;

	if (cmd_wait_timeout(cmd, &timeout_ms, err) < 0 || cmd_describe_job(cmd, &name, &job, err) < 0)
		return -1;
	if (remote_job_is_over(job)) {
		report_text(&cmd->ui.report, REPORT_NOTE, "stop", "the job has ended already: %s",
			    remote_job_status(job));
		cmd_print("job     %s\nstatus  %s\n", name, remote_job_status(job));
		cmd_complete_record(cmd, name);
		return 0;
	}
	if (stop(cmd, job, err) < 0)
		return -1;
	if (!opt_has(&cmd->opts, OPT_NO_WAIT))
		return (remote_job_kind(job) == JOB_TUNING ? wait_for_tuning : wait_for_training)(cmd, name, timeout_ms,
												  err);
	cmd_print("job     %s\nstatus  Stopping\n", name);
	return 0;
}
