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

	(void)ctx;
	if (e->kind == REPORT_LINE)
		printf("%s\n", text);
	else if (e->kind != REPORT_PROGRESS)
		fprintf(stderr, "%-8s %s\n", e->stage, text);
	fflush(stdout);
}

int cmd_logs(struct cmd *cmd, struct err *err)
{
	const char *timeout = opt_get(&cmd->opts, OPT_WAIT_TIMEOUT);
	struct report report = { on_event, NULL };
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
	if (watch_job(&cmd->session, job, &options, &description, err) < 0)
		return -1;
	return options.follows ? watch_judge(description, err) : 0;
}
