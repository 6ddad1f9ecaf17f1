#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/remote_job.h"
#include "pipeline/watch.h"
#include "pipeline/watch_tuning_logs.h"

struct output {
	struct cmd *cmd;
	int write_errno; /* of standard output; 0 while somebody reads it */
};

/* Log lines are this command's result: they go to stdout as they are, made printable. */
static void on_event(void *ctx, const struct report_event *e)
{
	auto_free char *text = str_printable(e->text ? e->text : "");
	struct output *o = ctx;

	if (e->kind != REPORT_LINE) {
		o->cmd->ui.report.fn(o->cmd->ui.report.ctx, e);
		return;
	}
	ui_clear(&o->cmd->ui);
	/* When nobody reads on, as after `| head`, nobody waits for the job's end either. */
	if (o->write_errno == 0 && (printf("%s\n", text) < 0 || fflush(stdout) != 0)) {
		o->write_errno = errno;
		sys_cancel();
	}
}

/* "10m" ago, or a time. */
static int read_since(const struct cmd *cmd, int64_t *ret_ms, struct err *err)
{
	const char *since = opt_get(&cmd->opts, OPT_SINCE);
	int64_t ago_ms;
	time_t t;

	if (!since)
		return 0;
	/* Seconds ago have their letter here: a bare number could as well be a year. */
	if (*since && strchr("smhd", since[strlen(since) - 1]) && cmd_parse_span(since, &ago_ms)) {
		*ret_ms = cmd->session.sys->now_ms(cmd->session.sys) - ago_ms;
		return 0;
	}
	if (str_parse_time_iso(since, &t) < 0 || t < 0)
		return err_set(err, ERR_USAGE,
			       "--since takes 30s, 10m, 2h, 3d or a time like 2023-11-23T01:38:54Z, not '%s'", since);
	*ret_ms = (int64_t)t * 1000;
	return 0;
}

int cmd_logs(struct cmd *cmd, struct err *err)
{
	struct output output = { .cmd = cmd };
	struct report report = { on_event, &output };
	struct watch_options options = { .shows_logs = true,
					 .follows = opt_has(&cmd->opts, OPT_FOLLOW),
					 .host = opt_get(&cmd->opts, OPT_HOST) };
	auto_free char *job = NULL;
	auto_json *first = NULL;
	auto_json *description = NULL;

	if (cmd_wait_timeout(cmd, &options.timeout_ms, err) < 0 || read_since(cmd, &options.since_ms, err) < 0)
		return -1;
	if (cmd_describe_job(cmd, &job, &first, err) < 0)
		return -1;
	cmd->session.report = &report;
	if ((remote_job_kind(first) == JOB_TUNING ? watch_tuning_logs : watch_job)(&cmd->session, job, &options,
										   &description, err) < 0 &&
	    !output.write_errno)
		return cmd_hint_jobs(cmd, err);
	if (output.write_errno) {
		err_release(err);
		errno = output.write_errno;
		return err_errno(err, "write to standard output");
	}
	return options.follows ? watch_judge(description, err) : 0;
}
