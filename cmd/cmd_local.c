#include <stdio.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#if SMPIPE_LOCAL
#include "local/cloud.h"

static int read_options(const struct cmd *cmd, const char *dir, struct cloud_options *o, struct err *err)
{
	const char *port = opt_get(&cmd->opts, OPT_PORT), *idle = opt_get(&cmd->opts, OPT_IDLE);
	int64_t number = 0, seconds = 0;

	if (port && !str_parse_i64(port, 1, 65535, &number))
		return err_set(err, ERR_USAGE, "--port takes a number from 1 to 65535, not '%s'", port);
	if (idle && !str_parse_i64(idle, 1, 24 * 3600, &seconds))
		return err_set(err, ERR_USAGE, "--idle takes whole seconds up to a day, not '%s'", idle);
	*o = (struct cloud_options){ .dir = dir,
				     .port = (int)number,
				     .exit_when_idle = idle != NULL,
				     .idle_s = (int)seconds,
				     .docker_host = cmd->session.docker_host };
	return 0;
}

static void print_env(const struct cloud_access *a)
{
	printf("export AWS_ENDPOINT_URL=%s\n", a->url);
	printf("export AWS_ACCESS_KEY_ID=%s\n", a->access_key_id);
	printf("export AWS_SECRET_ACCESS_KEY=%s\n", a->secret_access_key.value);
	printf("export AWS_DEFAULT_REGION=us-east-1\nexport AWS_REGION=us-east-1\n");
	printf("unset AWS_SESSION_TOKEN AWS_PROFILE\n");
}

static void on_ready(void *ctx, int port)
{
	(void)ctx;
	printf("http://127.0.0.1:%d\n", port);
	fflush(stdout);
}

static int up(const struct cmd *cmd, const struct cloud_options *o, struct err *err)
{
	static const enum opt_id same_cloud[] = { OPT_DIR, OPT_COUNT };
	auto_free char *executable = fs_realpath("/proc/self/exe");
	auto_free char *options = opt_again(&cmd->opts, same_cloud);
	auto_cloud_access access = { 0 };

	if (cloud_up(executable, o, &access, err) < 0)
		return -1;
	printf("%s\n", access.url);
	report_text(&cmd->ui.report, REPORT_NOTE, "local", "for other clients: eval \"$(smpipe local env%s)\"",
		    options);
	return 0;
}

static int env(const struct cloud_options *o, struct err *err)
{
	auto_cloud_access access = { 0 };
	int found = cloud_find(o->dir, &access, err);

	if (found < 0)
		return -1;
	if (!found) {
		err_set(err, ERR_NOT_FOUND, "no local cloud runs for '%s'", o->dir);
		return err_hint(err, "`smpipe local up` starts it");
	}
	print_env(&access);
	return 0;
}

static int down(const struct cmd *cmd, const struct cloud_options *o, struct err *err)
{
	int stopped = cloud_down(o->dir, err);

	if (stopped >= 0)
		report_text(&cmd->ui.report, REPORT_NOTE, "local", stopped ? "stopped" : "none was running");
	return stopped < 0 ? -1 : 0;
}

/* Inside a project the cloud is the project's; anywhere else, the folder's. */
static void find_project(struct cmd *cmd)
{
	auto_err none = { 0 };

	if (!opt_has(&cmd->opts, OPT_DIR))
		(void)cmd_meet_needs(cmd, NEEDS_PROJECT, &none);
}

int cmd_local(struct cmd *cmd, struct err *err)
{
	const char *verb = cmd->opts.operands.n ? cmd->opts.operands.v[0] : "";
	struct cloud_options options;
	auto_free char *dir = NULL;

	find_project(cmd);
	dir = cmd_local_dir(cmd);
	if (read_options(cmd, dir, &options, err) < 0)
		return -1;
	if (cmd->project.state_dir && !opt_has(&cmd->opts, OPT_DIR) && project_make_state_dir(&cmd->project, err) < 0)
		return -1;
	if (str_eq(verb, "serve"))
		return cloud_serve(&options, on_ready, NULL, err);
	if (str_eq(verb, "up"))
		return up(cmd, &options, err);
	if (str_eq(verb, "env"))
		return env(&options, err);
	if (str_eq(verb, "down"))
		return down(cmd, &options, err);
	return err_set(err, ERR_USAGE, "smpipe local takes one of up, down, env, serve");
}
#else
int cmd_local(struct cmd *cmd, struct err *err)
{
	(void)cmd;
	return err_set(err, ERR_USAGE, "this smpipe was built without the local cloud (LOCAL=0)");
}
#endif
