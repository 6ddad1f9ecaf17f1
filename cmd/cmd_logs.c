#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/record.h"
#include "pipeline/watch.h"

/* Log lines are this command's result: they go to stdout as they are, made printable. */
static void on_event(void *ctx, const struct report_event *e)
{
	auto_free char *text = str_printable(e->text ? e->text : "");
	int *write_errno = ctx;

	if (e->kind == REPORT_LINE) {
		/* When nobody reads on, as after `| head`, nobody waits for the job's end either. */
		if (*write_errno == 0 && (printf("%s\n", text) < 0 || fflush(stdout) != 0)) {
			*write_errno = errno;
			sys_cancel();
		}
	} else if (e->kind != REPORT_PROGRESS) {
		fprintf(stderr, "%-8s %s\n", e->stage, text);
	}
}

int cmd_logs(struct cmd *cmd, struct err *err)
{
	const char *timeout = opt_get(&cmd->opts, OPT_WAIT_TIMEOUT);
	int write_errno = 0;
	struct report report = { on_event, &write_errno };
	struct watch_options options = { .shows_logs = true, .follows = opt_has(&cmd->opts, OPT_FOLLOW) };
	auto_free char *job = cmd->opts.operands.n ? xstrdup(cmd->opts.operands.v[0]) : NULL;
	auto_json *description = NULL;
	int64_t seconds = 0;

	if (timeout && !str_parse_i64(timeout, 1, 365LL * 24 * 3600, &seconds))
		return err_set(err, ERR_USAGE, "--wait-timeout takes whole seconds, not '%s'", timeout);
	options.timeout_ms = seconds * 1000;
	if (!job && record_last_job(cmd->project.git, cmd->project.state.commit, &job, err) < 0)
		return -1;
	cmd->session.report = &report;
	if (watch_job(&cmd->session, job, &options, &description, err) < 0 && !write_errno)
		return cmd_hint_jobs(err);
	if (write_errno) {
		err_release(err);
		errno = write_errno;
		return err_errno(err, "write to standard output");
	}
	return options.follows ? watch_judge(description, err) : 0;
}
