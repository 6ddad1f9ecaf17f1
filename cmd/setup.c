/* Meeting a command's needs: project, identity, local cloud, plan. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/imds.h"
#include "aws/sts.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/role.h"
#if SMPIPE_LOCAL
#include "local/cloud.h"
#endif

#define LOCAL_IDLE_S 120
#define LOCAL_REGION "us-east-1"

char *cmd_local_dir(const struct cmd *cmd)
{
	const char *dir = opt_get(&cmd->opts, OPT_DIR);
	auto_free char *folder = getcwd(NULL, 0);

	if (dir)
		return fs_join(folder ? folder : "/", dir);
	if (cmd->project.state_dir)
		return fs_join(cmd->project.state_dir, "local");
	return fs_join(folder ? folder : "/", ".smpipe/local");
}

static const char *choose(const char *option, const char *configured)
{
	return option ? option : configured;
}

static int locate(struct cmd *cmd, const char *default_region, env_fn env, struct err *err)
{
	const struct config *c = &cmd->project.config;
	const char *region = choose(opt_get(&cmd->opts, OPT_REGION), config_str(c, "region"));

	return aws_identity_locate(&cmd->session.identity, region ? region : default_region,
				   choose(opt_get(&cmd->opts, OPT_PROFILE), config_str(c, "profile")), env, err);
}

#if SMPIPE_LOCAL
/* What is set for AWS (FIPS, endpoints, retries) is not meant for the local cloud. */
static const char *local_env(const char *name)
{
	bool is_file = !strcmp(name, "AWS_CONFIG_FILE") || !strcmp(name, "AWS_SHARED_CREDENTIALS_FILE");

	return is_file ? "/dev/null" : NULL;
}

static void use_access(struct aws_identity *id, const struct cloud_access *access)
{
	auto_creds creds = { .access_key_id = xstrdup(access->access_key_id), .source = xstrdup("local cloud") };

	secret_set(&creds.secret_access_key, access->secret_access_key.value);
	id->credentials = creds_provider_static(&creds);
	for (size_t i = 0; i < AWS_SERVICE_COUNT; i++) {
		endpoint_release(&id->endpoints[i]);
		id->endpoints[i] = (struct endpoint){ .url = xstrdup(access->url), .is_override = true };
	}
}

int cmd_use_local_cloud(struct cmd *cmd, struct err *err)
{
	auto_free char *executable = fs_realpath("/proc/self/exe");
	auto_free char *dir = cmd_local_dir(cmd);
	struct cloud_options options = { .dir = dir, .exit_when_idle = true, .idle_s = LOCAL_IDLE_S };
	auto_cloud_access access = { 0 };

	if (!executable)
		return err_errno(err, "find smpipe's own executable");
	/* Outside a project the cloud is the folder's: `smpipe local` likewise. */
	if ((cmd->project.state_dir && project_make_state_dir(&cmd->project, err) < 0) ||
	    cloud_up(executable, &options, &access, err) < 0)
		return err_wrap(err, "start the local cloud");
	cmd->session.is_local = true;
	if (locate(cmd, LOCAL_REGION, local_env, err) < 0)
		return -1;
	use_access(&cmd->session.identity, &access);
	return 0;
}
#else
int cmd_use_local_cloud(struct cmd *cmd, struct err *err)
{
	(void)cmd;
	return err_set(err, ERR_USAGE, "this smpipe was built without the local cloud (LOCAL=0)");
}
#endif

/* Nothing names a region, but an EC2 instance knows where it is. */
static int locate_instance(struct cmd *cmd, struct err *err)
{
	struct aws_identity *id = &cmd->session.identity;
	auto_free char *region = NULL;
	auto_err ignored = { 0 };

	if (imds_region(&(struct creds_options){ .sys = &sys_real }, &region, &ignored) <= 0)
		return -1;
	err_release(err);
	if (locate(cmd, region, NULL, err) < 0)
		return -1;
	free(id->region_source);
	id->region_source = xstrdup("EC2 instance metadata");
	return 0;
}

int cmd_locate(struct cmd *cmd, struct err *err)
{
	if (locate(cmd, NULL, NULL, err) == 0)
		return 0;
	return err_is_service(err, AWS_NO_REGION) ? locate_instance(cmd, err) : -1;
}

int cmd_find_credentials(struct cmd *cmd, struct creds *ret, struct err *err)
{
	const char *profile = choose(opt_get(&cmd->opts, OPT_PROFILE), config_str(&cmd->project.config, "profile"));
	struct aws_identity *id = &cmd->session.identity;

	if (!id->credentials)
		id->credentials = creds_provider_new(&(struct creds_options){
			.profile = profile, .region = id->region, .sys = id->sys, .report = id->report });
	return ret ? aws_identity_credentials(id, NULL, ret, err) : 0;
}

static int meet_aws(struct cmd *cmd, struct err *err)
{
	return cmd_locate(cmd, err) < 0 ? -1 : cmd_find_credentials(cmd, NULL, err);
}

/* Before anything else is asked in an account that this file is not for. */
static int check_account(const struct cmd *cmd, const char *guard, struct err *err)
{
	const struct aws_identity *id = &cmd->session.identity;
	auto_creds creds = { 0 };

	if (!guard || cmd->session.is_local || str_eq(guard, id->account))
		return 0;
	if (aws_identity_credentials(id, NULL, &creds, err) < 0)
		return -1;
	return config_error(&cmd->project.config, err, "account",
			    "the credentials (%s) are of account %s, this file is for %s", creds.source, id->account,
			    guard);
}

/* An S3-compatible store by itself: no STS stands beside it that knows its credentials. */
static bool is_store_alone(const struct aws_identity *id)
{
	return id->endpoints[AWS_S3].is_override && !id->endpoints[AWS_STS].is_override;
}

static int find_account(struct cmd *cmd, unsigned needs, struct err *err)
{
	const char *guard = config_str(&cmd->project.config, "account");
	struct aws_identity *id = &cmd->session.identity;

	if ((needs & NEEDS_STORE) && is_store_alone(id)) {
		id->account = xstrdup_or_null(guard);
		return 0;
	}
	if (sts_get_caller_identity(cmd->session.http, id, err) < 0)
		return -1;
	return check_account(cmd, guard, err);
}

static int meet_cloud(struct cmd *cmd, unsigned needs, struct err *err)
{
	static const enum opt_id same_cloud[] = { OPT_FILE,   OPT_ENVIRONMENT, OPT_LOCAL,
						  OPT_REGION, OPT_PROFILE,     OPT_COUNT };
	const char *owner;

	cmd->session.options = cmd->cloud_options = opt_again(&cmd->opts, same_cloud);
	cmd->session.identity.sys = &sys_real;
	cmd->session.identity.report = &cmd->ui.report;
	cmd->session.http = http_curl_new();
	if ((opt_has(&cmd->opts, OPT_LOCAL) ? cmd_use_local_cloud(cmd, err) : meet_aws(cmd, err)) < 0 ||
	    find_account(cmd, needs, err) < 0)
		return -1;
	owner = config_str(&cmd->project.config, "bucket_owner");
	cmd->session.bucket_owner = owner && !cmd->session.is_local ? owner : cmd->session.identity.account;
	return 0;
}

int cmd_set_parameters(const struct cmd *cmd, struct config *c, struct err *err)
{
	const struct strlist *assignments = opt_all(&cmd->opts, OPT_PARAMETER);

	for (size_t i = 0; i < assignments->n; i++) {
		if (config_set_hyperparameter(c, assignments->v[i], err) < 0)
			return -1;
	}
	return 0;
}

static int meet_project(struct cmd *cmd, struct err *err)
{
	if (project_open(opt_get(&cmd->opts, OPT_FILE), opt_get(&cmd->opts, OPT_ENVIRONMENT), &cmd->project, err) < 0)
		return -1;
	cmd->project.report = &cmd->ui.report;
	return cmd_set_parameters(cmd, &cmd->project.config, err);
}

int cmd_meet_needs(struct cmd *cmd, unsigned needs, struct err *err)
{
	cmd->session.sys = &sys_real;
	cmd->session.report = &cmd->ui.report;
	cmd->session.docker_host = getenv("DOCKER_HOST");
	if ((needs & NEEDS_PROJECT) && !cmd->project.git && meet_project(cmd, err) < 0)
		return -1;
	if ((needs & NEEDS_FILES) && project_read_files(&cmd->project, err) < 0)
		return -1;
	return needs & (NEEDS_CLOUD | NEEDS_STORE) ? meet_cloud(cmd, needs, err) : 0;
}

int cmd_meet_cloud_anywhere(struct cmd *cmd, enum cmd_needs needs, struct err *err)
{
	const char *file = opt_get(&cmd->opts, OPT_FILE);
	const char *owner = opt_get(&cmd->opts, OPT_ACCOUNT);
	struct config *c = &cmd->project.config;
	auto_err ignored = { 0 };
	auto_free char *found = file ? xstrdup(file) : config_discover(&ignored);

	if (owner && !partition_is_account(owner))
		return err_set(err, ERR_USAGE, "--account '%s' is no account number: it has twelve digits", owner);
	if (found && config_load(found, opt_get(&cmd->opts, OPT_ENVIRONMENT), c, err) < 0)
		return -1;
	if (found)
		cmd->project.state_dir = fs_join(c->root, ".smpipe");
	if (cmd_meet_needs(cmd, needs, err) < 0)
		return -1;
	if (owner)
		cmd->session.bucket_owner = owner;
	return 0;
}

void cmd_release_needs(struct cmd *cmd)
{
	project_release(&cmd->project);
	aws_identity_release(&cmd->session.identity);
	http_free(cmd->session.http);
	free(cmd->cloud_options);
}

void cmd_print(const char *fmt, ...)
{
	auto_free char *text = NULL;
	auto_strlist lines = { 0 };
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	str_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		auto_free char *line = str_printable(lines.v[i]);

		printf("%s%s", i ? "\n" : "", line);
	}
}

void cmd_print_json(const json_t *j)
{
	auto_free char *text = json_pretty(j);

	fputs(text, stdout);
}

/* --offline: account and region as given; what only a service knows is derived. */
static int offline_target(struct cmd *cmd, struct target *t, struct err *err)
{
	const char *account = choose(opt_get(&cmd->opts, OPT_ACCOUNT), config_str(&cmd->project.config, "account"));
	struct aws_identity *id = &cmd->session.identity;

	if (!account || !partition_is_account(account)) {
		err_set(err, ERR_USAGE, account ? "'%s' is no account number" : "an offline plan needs an account",
			account);
		return err_hint(err, "give --account with twelve digits, or `account:` in smpipe.yaml");
	}
	if (locate(cmd, NULL, NULL, err) < 0)
		return -1;
	id->account = xstrdup(account);
	id->sys = &sys_real;
	t->account = id->account;
	return 0;
}

int cmd_find_role(struct cmd *cmd, char **ret, struct err *err)
{
	const struct config *c = &cmd->project.config;
	const struct aws_identity *id = &cmd->session.identity;
	const char *role = config_str(c, "role");
	auto_clients clients = { 0 };

	if (cmd->session.is_local && (!role || !strcmp(role, ROLE_AUTO))) {
		*ret = xasprintf("arn:%s:iam::%s:role/smpipe-local", id->partition->id, id->account);
		return 0;
	}
	if (!role || role_is_arn(role)) {
		*ret = xstrdup_or_null(role);
		return 0;
	}
	clients_init(&clients, &cmd->session);
	if (role_resolve(&clients.aws, role, ROLE_METADATA_FILE, ret, err) == 0)
		return 0;
	return err->code == ERR_NOT_FOUND ? config_error(c, err, "role", "%s", err->msg) : -1;
}

void cmd_keep_indexes(struct cmd *cmd)
{
	auto_err err = { 0 };

	ui_clear(&cmd->ui);
	if (project_keep_indexes(&cmd->project, &err) < 0)
		report_text(&cmd->ui.report, REPORT_NOTE, "data", "the next run reads all data again: %s", err.msg);
}

int cmd_make_plan(struct cmd *cmd, enum job_kind kind, json_t **ret_bases, struct plan *ret, struct err *err)
{
	const struct aws_identity *id = &cmd->session.identity;
	auto_free char *host = NULL;
	auto_free char *role = NULL;
	auto_json *bases = NULL;
	struct target t = { .account = id->account, .is_local = cmd->session.is_local };

	if (opt_has(&cmd->opts, OPT_OFFLINE) && offline_target(cmd, &t, err) < 0)
		return -1;
	t.region = id->region;
	t.partition = id->partition;
	if (opt_has(&cmd->opts, OPT_OFFLINE))
		host = endpoint_registry_host(t.account, t.region);
	else if (session_registry_host(&cmd->session, &host, err) < 0)
		return -1;
	if (session_resolve_bases(&cmd->session, &cmd->project, &bases, err) < 0)
		return -1;
	if (!opt_has(&cmd->opts, OPT_OFFLINE) && cmd_find_role(cmd, &role, err) < 0)
		return -1;
	t.role = role;
	t.registry_host = host;
	t.bases = bases;
	if (plan_make(&cmd->project, &t, kind, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < ret->warnings.n; i++)
		report_text(&cmd->ui.report, REPORT_WARNING, "plan", "%s", ret->warnings.v[i]);
	cmd_keep_indexes(cmd);
	if (ret_bases)
		*ret_bases = take(bases);
	return 0;
}
