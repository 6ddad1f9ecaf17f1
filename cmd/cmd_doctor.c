/* doctor: what a release needs, looked at one by one; doctor --policy: what it needs of IAM. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aws/sts.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/doctor.h"
#include "pipeline/policy.h"
#include "pipeline/role.h"

static void on_check(void *ctx, const struct doctor_check *check)
{
	json_t *checks = ctx;
	const char *word = doctor_status_word(check->status);

	if (checks) {
		json_array_append_new(checks, json_pack("{ss ss ss ss*}", "check", check->what, "status", word, "text",
							check->text, "hint", check->hint));
		return;
	}
	cmd_print("%-4s %-13s %s\n", word, check->what, check->text);
	if (check->hint)
		cmd_print("                   → %s\n", check->hint);
}

static void look_at_config(struct cmd *cmd, struct doctor *d)
{
	const char *file = opt_get(&cmd->opts, OPT_FILE);
	struct config *c = &cmd->project.config;
	auto_err err = { 0 };
	auto_free char *found = file ? xstrdup(file) : config_discover(&err);

	if (!found) {
		doctor_tell(d, DOCTOR_SKIPPED, "configuration", NULL,
			    "no " CONFIG_FILE " here; `smpipe init` writes one");
	} else if (config_load(found, opt_get(&cmd->opts, OPT_ENVIRONMENT), c, &err) < 0) {
		doctor_tell_error(d, "configuration", &err);
	} else {
		d->config = c;
		cmd->project.state_dir = fs_join(c->root, ".smpipe");
		doctor_tell(d, DOCTOR_OK, "configuration", NULL, "%s (%s)", found, config_str(c, "name"));
	}
}

static const char *region_source(const struct cmd *cmd)
{
	const struct aws_identity *id = &cmd->session.identity;

	if (id->region_source)
		return id->region_source;
	if (opt_has(&cmd->opts, OPT_REGION))
		return "--region";
	return config_str(&cmd->project.config, "region") ? CONFIG_FILE : "the local cloud's";
}

static void tell_region(const struct cmd *cmd, struct doctor *d)
{
	const struct aws_identity *id = &cmd->session.identity;

	doctor_tell(d, DOCTOR_OK, "region", NULL, "%s, partition %s (%s)", id->region, id->partition->id,
		    region_source(cmd));
}

/* The account that smpipe.yaml is for, before anything is asked in another. */
static int check_guard(struct cmd *cmd, struct err *err)
{
	const char *guard = config_str(&cmd->project.config, "account"), *account = cmd->session.identity.account;

	if (!guard || cmd->session.is_local || str_eq(guard, account))
		return 0;
	err_set(err, ERR_CONFIG, "the credentials are of account %s, " CONFIG_FILE " is for %s", account, guard);
	return err_hint(err, "use credentials of account %s (AWS_PROFILE, --profile), or change `account:`", guard);
}

static int look_at_identity(struct cmd *cmd, struct doctor *d)
{
	struct aws_identity *id = &cmd->session.identity;
	auto_err err = { 0 };

	if (sts_get_caller_identity(d->session->http, id, &err) < 0 || check_guard(cmd, &err) < 0) {
		doctor_tell_error(d, "identity", &err);
		return -1;
	}
	doctor_tell(d, DOCTOR_OK, "identity", NULL, "%s (account %s)", id->arn, id->account);
	return 0;
}

static int look_at_credentials(struct cmd *cmd, struct doctor *d)
{
	auto_creds creds = { 0 };
	auto_err err = { 0 };
	auto_free char *until = NULL;

	if (cmd_find_credentials(cmd, &creds, &err) < 0) {
		doctor_tell_error(d, "credentials", &err);
		return -1;
	}
	until = creds.expires_ms ? str_time_iso((time_t)(creds.expires_ms / 1000)) : NULL;
	doctor_tell(d, DOCTOR_OK, "credentials", NULL, "%s%s%s", creds.source, until ? ", until " : "",
		    until ? until : "");
	return 0;
}

/* Region and credentials stand apart: the one is told even where the other is missing. */
static int look_at_access(struct cmd *cmd, struct doctor *d)
{
	auto_err err = { 0 }, no_region = { 0 };
	bool has_region, has_credentials = true;

	if (opt_has(&cmd->opts, OPT_LOCAL)) {
		if (!d->config)
			err_set(&err, ERR_CONFIG, "the local cloud belongs to a project, and there is no %s",
				CONFIG_FILE);
		else
			(void)cmd_use_local_cloud(cmd, &err);
		if (err.code != ERR_NONE) {
			doctor_tell_error(d, "local cloud", &err);
			return -1;
		}
	} else if (cmd_locate(cmd, &no_region) < 0) {
		doctor_tell_error(d, "region", &no_region);
	}
	has_region = no_region.code == ERR_NONE;
	if (has_region)
		tell_region(cmd, d);
	if (look_at_credentials(cmd, d) < 0)
		has_credentials = false;
	if (has_region) {
		doctor_endpoints(d);
		doctor_clock(d);
	}
	return has_region && has_credentials ? 0 : -1;
}

static void look_at_all(struct cmd *cmd, struct doctor *d)
{
	auto_free char *here = getcwd(NULL, 0);

	look_at_config(cmd, d);
	doctor_git(d, d->config ? d->config->root : here ? here : "/");
	/* An image that is there already needs none, but a job in the local cloud does. */
	doctor_engine(d, opt_has(&cmd->opts, OPT_LOCAL) || !d->config || !config_str(d->config, "image.uri"));
	if (look_at_access(cmd, d) < 0 || look_at_identity(cmd, d) < 0)
		doctor_tell(d, DOCTOR_SKIPPED, "services", NULL,
			    "bucket, repository, role and jobs: no account to look in");
	else
		doctor_services(d, ROLE_METADATA_FILE);
}

/* Of --account, the guard, or the role's own: no service is asked. */
static char *policy_account(const struct cmd *cmd, struct err *err)
{
	const struct config *c = &cmd->project.config;
	const char *account = opt_get(&cmd->opts, OPT_ACCOUNT), *role = config_str(c, "role");
	auto_arn arn = { 0 };

	if (!account)
		account = config_str(c, "account");
	if (!account && role && arn_parse(role, &arn) == 0)
		account = arn.account;
	if (account && partition_is_account(account))
		return xstrdup(account);
	err_set(err, ERR_USAGE, account ? "'%s' is no account number" : "a policy needs an account", account);
	err_hint(err, "give --account with twelve digits, or `account:` in " CONFIG_FILE);
	return NULL;
}

static int print_policy(struct cmd *cmd, struct err *err)
{
	const struct aws_identity *id = &cmd->session.identity;
	struct config *c = &cmd->project.config;
	auto_free char *file = NULL, *account = NULL, *note = NULL;
	auto_json *policy = NULL;

	file = opt_has(&cmd->opts, OPT_FILE) ? xstrdup(opt_get(&cmd->opts, OPT_FILE)) : config_discover(err);
	if (!file || config_load(file, opt_get(&cmd->opts, OPT_ENVIRONMENT), c, err) < 0 || cmd_locate(cmd, err) < 0)
		return -1;
	account = policy_account(cmd, err);
	if (!account ||
	    policy_make(c, &(struct policy_target){ account, id->region, id->partition }, &policy, &note, err) < 0)
		return -1;
	if (note)
		report_text(&cmd->ui.report, REPORT_WARNING, "policy", "%s", note);
	cmd_print_json(policy);
	return 0;
}

int cmd_doctor(struct cmd *cmd, struct err *err)
{
	auto_json *checks = opt_has(&cmd->opts, OPT_JSON) ? json_array() : NULL;
	struct doctor d = { .session = &cmd->session, .fn = on_check, .ctx = checks };

	if (opt_has(&cmd->opts, OPT_POLICY))
		return print_policy(cmd, err);
	cmd->session.identity.sys = &sys_real;
	cmd->session.identity.report = &cmd->ui.report;
	cmd->session.http = http_curl_new();
	look_at_all(cmd, &d);
	if (checks)
		cmd_print_json(checks);
	if (d.n_bad)
		return err_set(err, d.first, "%zu thing%s in the way of a release", d.n_bad,
			       d.n_bad == 1 ? " is" : "s are");
	return 0;
}
