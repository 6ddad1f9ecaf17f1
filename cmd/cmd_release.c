#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/tuning_report.h"
#include "pipeline/provenance.h"
#include "pipeline/release.h"

static int read_options(struct cmd *cmd, struct release_options *o, struct err *err)
{
	const char *again = opt_get(&cmd->opts, OPT_AGAIN);
	const char *attempt = opt_get(&cmd->opts, OPT_ATTEMPT);
	int64_t timeout_ms;

	if (cmd_wait_timeout(cmd, &timeout_ms, err) < 0)
		return -1;
	if (again && *again && !str_eq(again, "failed"))
		return err_set(err, ERR_USAGE, "--again takes no value or 'failed', not '%s'", again);
	if (attempt &&
	    (!*attempt || attempt[strspn(attempt, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")]))
		return err_set(err, ERR_USAGE, "--attempt takes letters and digits, not '%s'", attempt);
	if (attempt && again)
		return err_set(err, ERR_USAGE, "--attempt and --again exclude each other");
	*o = (struct release_options){
		.waits = !opt_has(&cmd->opts, OPT_NO_WAIT),
		.shows_logs = !opt_has(&cmd->opts, OPT_NO_LOGS),
		.wait_timeout_ms = timeout_ms,
		.tuning = tuning_report_live(cmd),
		.launch = { .again = again && !*again, .only_failed = again && *again, .attempt = attempt },
	};
	return 0;
}

static bool did_nothing(const struct release_outcome *o)
{
	return o->image.stage.existed && o->source.existed && o->data.existed && o->launch.existed;
}

static const char *model_of(const struct release_outcome *o)
{
	const char *uri = NULL;

	return provenance_subject(o->record.statement, "model", &uri) ? uri : NULL;
}

static void add_time(struct str *to, const char *stage, const struct stage_result *r)
{
	auto_free char *time = str_duration_ms(r->took_ms);

	str_addf(to, "%s%s %s", to->len ? ", " : "", stage, time);
}

/* How long the stages took that this release has. */
static void tell_times(const struct cmd *cmd, const struct plan *plan, const struct release_outcome *o)
{
	auto_str times = { 0 };
	bool has_data = false;

	for (size_t i = 0; i < plan->n_channels; i++)
		has_data |= plan->channels[i].digest != NULL;
	if (plan->build_key)
		add_time(&times, "image", &o->image.stage);
	if (plan->source_key)
		add_time(&times, "source", &o->source);
	if (has_data)
		add_time(&times, "data", &o->data);
	if (times.len)
		report_text(&cmd->ui.report, REPORT_NOTE, "release", "%s", str_text(&times));
}

static void tell_work(const struct cmd *cmd, const struct plan *plan, const struct release_outcome *o)
{
	if (did_nothing(o))
		report_text(&cmd->ui.report, REPORT_NOTE, "release",
			    "nothing to do: everything exists (job of commit %.12s)",
			    provenance_commit(o->record.statement));
	else
		tell_times(cmd, plan, o);
}

static void print_outcome(const struct cmd *cmd, const struct release_outcome *o)
{
	const char *model = model_of(o);

	cmd_print("job     %s\n", o->launch.job_name);
	cmd_print("status  %s\n", provenance_status(o->record.statement));
	if (o->image.uri)
		cmd_print("image   %s\n", o->image.uri);
	if (model)
		cmd_print("model   %s\n", model);
	cmd_print("record  s3://%s/%s\n", o->record.bucket, o->record.key);
	if (!o->tuning.job)
		return;
	cmd_print("\n");
	tuning_report_board(cmd, &o->tuning);
	tuning_report_best(cmd, &o->tuning, o->record.statement);
}

static void print_json(const struct release_outcome *o)
{
	auto_json *j = o->tuning.job ? tuning_report_json(&o->tuning, o->record.statement) : json_object();
	auto_free char *record = xasprintf("s3://%s/%s", o->record.bucket, o->record.key);

	json_put_str(j, "job", o->launch.job_name);
	json_put_str(j, "job_arn", o->launch.job_arn);
	json_put_str(j, "status", provenance_status(o->record.statement));
	json_put_str(j, "commit", provenance_commit(o->record.statement));
	json_put_str(j, "image", o->image.uri);
	json_put_str(j, "model", model_of(o));
	json_put_str(j, "record", record);
	json_object_set_new(j, "existed",
			    json_pack("{sb sb sb sb}", "image", o->image.stage.existed, "source", o->source.existed,
				      "data", o->data.existed, "job", o->launch.existed));
	json_object_set(j, "metrics", json_object_get(provenance_internal(o->record.statement), "metrics"));
	cmd_print_json(j);
}

static int release(struct cmd *cmd, enum job_kind kind, struct err *err)
{
	struct release_options options;
	auto_release_outcome outcome = { 0 };
	auto_plan plan = { 0 };
	auto_json *bases = NULL;
	int result;

	if (read_options(cmd, &options, err) < 0 ||
	    project_check_clean(&cmd->project, opt_has(&cmd->opts, OPT_ALLOW_DIRTY), err) < 0)
		return -1;
	if (cmd_meet_needs(cmd, NEEDS_CLOUD, err) < 0 || cmd_make_plan(cmd, kind, &bases, &plan, err) < 0)
		return -1;
	result = release_run(&cmd->session, &cmd->project, &plan, bases, &options, &outcome, err);
	ui_clear(&cmd->ui);
	/* A job that ended badly, or still runs, has a name and a record too. */
	if (outcome.record.statement && outcome.record.sha256) {
		tell_work(cmd, &plan, &outcome);
		opt_has(&cmd->opts, OPT_JSON) ? print_json(&outcome) : print_outcome(cmd, &outcome);
	}
	return result;
}

int cmd_release(struct cmd *cmd, struct err *err)
{
	return release(cmd, JOB_TRAINING, err);
}

int cmd_tune(struct cmd *cmd, struct err *err)
{
	return release(cmd, JOB_TUNING, err);
}
