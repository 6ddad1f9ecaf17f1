/* What the commands about one job share: which job, how long to wait, its record. */

#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/record.h"
#include "pipeline/remote_job.h"

#define MAX_SPAN_MS (INT64_C(3650) * 24 * 3600 * 1000)

int cmd_hint_jobs(const struct cmd *cmd, struct err *err)
{
	if (err->code == ERR_NOT_FOUND && !err->hint)
		err_hint(err, "`smpipe list%s` shows the jobs of this repository", session_options(&cmd->session));
	return -1;
}

int cmd_find_job(struct cmd *cmd, char **ret, struct err *err)
{
	if (!cmd->opts.operands.n) {
		if (record_last_job(cmd->project.git, cmd->project.state.commit, ret, err) < 0)
			return cmd_hint_jobs(cmd, err);
		return 0;
	}
	*ret = xstrdup(cmd->opts.operands.v[0]);
	return 0;
}

int cmd_describe_job(struct cmd *cmd, char **ret_name, json_t **ret_job, struct err *err)
{
	auto_free char *name = NULL;
	auto_clients c = { 0 };

	if (cmd_find_job(cmd, &name, err) < 0)
		return -1;
	clients_init(&c, &cmd->session);
	if (remote_job_find(&c.aws, record_kind_in_git(cmd->project.git, name), name, ret_job, err) < 0)
		return cmd_hint_jobs(cmd, err);
	*ret_name = take(name);
	return 0;
}

bool cmd_parse_span(const char *text, int64_t *ret_ms)
{
	static const struct {
		char letter;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	size_t n = strlen(text);
	auto_free char *digits = xstrdup(text);
	int64_t ms = 1000, count;

	for (size_t i = 0; n > 1 && i < ARRAY_LEN(units); i++) {
		if (text[n - 1] != units[i].letter)
			continue;
		ms = units[i].ms;
		digits[n - 1] = '\0';
	}
	if (!str_parse_i64(digits, 0, MAX_SPAN_MS / ms, &count))
		return false;
	*ret_ms = count * ms;
	return true;
}

int cmd_wait_timeout(const struct cmd *cmd, int64_t *ret_ms, struct err *err)
{
	const char *timeout = opt_get(&cmd->opts, OPT_WAIT_TIMEOUT);
	int64_t ms = 0;

	if (timeout && (!cmd_parse_span(timeout, &ms) || !ms))
		return err_set(err, ERR_USAGE,
			       "--wait-timeout takes seconds, or a time like 90s, 30m, 4h or 4d, not '%s'", timeout);
	if (timeout && opt_has(&cmd->opts, OPT_NO_WAIT))
		return err_set(err, ERR_USAGE, "--wait-timeout and --no-wait exclude each other");
	*ret_ms = ms;
	return 0;
}

void cmd_complete_record(struct cmd *cmd, const char *job)
{
	auto_record r = { 0 };
	auto_err err = { 0 };

	if ((record_load(&cmd->session, cmd->project.git, job, &r, &err) < 0 ||
	     record_complete(&cmd->session, cmd->project.git, &r, NULL, &err) < 0) &&
	    err.code != ERR_NOT_FOUND)
		report_text(&cmd->ui.report, REPORT_WARNING, "record", "job '%s': %s", job, err.msg);
}
