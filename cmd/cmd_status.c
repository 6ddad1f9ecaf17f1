/* status: what the service says of a job now. */

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/tuning_report.h"
#include "pipeline/job_end.h"
#include "pipeline/record.h"
#include "pipeline/remote_job.h"
#include "pipeline/watch.h"

static const json_t *last_transition(const json_t *job)
{
	const json_t *transitions = json_object_get(job, "SecondaryStatusTransitions");

	return json_array_get(transitions, json_array_size(transitions) - 1);
}

/* "ml.m5.large", or those of the instance groups; new string. */
static char *instance_types(const json_t *job)
{
	const json_t *config = json_object_get(job, "ResourceConfig"),
		     *groups = json_object_get(config, "InstanceGroups");
	const char *type = json_str(config, "InstanceType");
	auto_str text = { 0 };
	size_t i;
	json_t *group;

	if (type)
		str_add(&text, type);
	json_array_foreach(groups, i, group) {
		type = json_str(group, "InstanceType");
		str_addf(&text, "%s%s", text.len ? ", " : "", type ? type : "?");
	}
	return str_detach(&text);
}

/* The job's page; NULL where the console knows nothing of it: the local cloud, an endpoint of the user's. */
static char *console_url(const struct cmd *cmd, const char *job)
{
	const struct aws_identity *id = &cmd->session.identity;

	return cmd->session.is_local || id->endpoints[AWS_SAGEMAKER].is_override
		       ? NULL
		       : endpoint_console_url(id->region, job);
}

static void put_time(json_t *j, const char *key, const json_t *job, const char *member)
{
	auto_free char *time = job_time(job, member);

	json_put_str(j, key, time);
}

static void put_number(json_t *j, const char *key, const json_t *job, const char *member)
{
	if (json_is_integer(json_object_get(job, member)))
		json_object_set(j, key, json_object_get(job, member));
}

static json_t *metrics_of(const json_t *job)
{
	json_t *metrics = json_object(), *datum;
	size_t i;

	json_array_foreach(json_object_get(job, "FinalMetricDataList"), i, datum) {
		const char *name = json_str(datum, "MetricName");

		if (name)
			json_object_set(metrics, name, json_object_get(datum, "Value"));
	}
	return metrics;
}

/* What is shown, and what --json prints; new reference. */
static json_t *facts_of(const struct cmd *cmd, const json_t *job)
{
	const json_t *last = last_transition(job);
	json_t *j = json_object();
	auto_free char *types = instance_types(job);
	auto_free char *console = console_url(cmd, json_str(job, "TrainingJobName"));

	json_put_str(j, "job", json_str(job, "TrainingJobName"));
	json_put_str(j, "kind", job_form(JOB_TRAINING)->kind);
	json_put_str(j, "job_arn", json_str(job, "TrainingJobArn"));
	json_put_str(j, "status", json_str(job, "TrainingJobStatus"));
	json_put_str(j, "secondary_status", json_str(job, "SecondaryStatus"));
	json_put_str(j, "message", json_str(last, "StatusMessage"));
	json_put_str(j, "failure_reason", json_str(job, "FailureReason"));
	put_time(j, "created", job, "CreationTime");
	put_time(j, "started", job, "TrainingStartTime");
	put_time(j, "ended", job, "TrainingEndTime");
	put_number(j, "training_seconds", job, "TrainingTimeInSeconds");
	if (job_billable_seconds(job) >= 0)
		json_put_int(j, "billable_seconds", job_billable_seconds(job));
	if (job_spot_saving(job))
		json_put_int(j, "spot_saving_percent", job_spot_saving(job));
	json_put_int(j, "instance_count", job_instances(job));
	json_put_str(j, "instance_type", types);
	json_object_set_new(j, "metrics", metrics_of(job));
	json_put_str(j, "model", json_string_value(json_at(job, "ModelArtifacts", "S3ModelArtifacts", NULL)));
	json_put_str(j, "console", console);
	return j;
}

static void print_line(const char *label, const char *value)
{
	if (value && *value)
		cmd_print("%-10s %s\n", label, value);
}

static void print_facts(const json_t *j, const json_t *job)
{
	auto_free char *cost = job_cost(job);
	const char *message = json_str(j, "message"), *secondary = json_str(j, "secondary_status"), *name;
	json_t *value;

	print_line("job", json_str(j, "job"));
	print_line("status", json_str(j, "status"));
	if (secondary)
		cmd_print("phase      %s%s%s\n", secondary, message && *message ? ": " : "", message ? message : "");
	print_line("reason", json_str(j, "failure_reason"));
	print_line("created", json_str(j, "created"));
	print_line("started", json_str(j, "started"));
	print_line("ended", json_str(j, "ended"));
	print_line("took", cost);
	cmd_print("instances  %lld × %s\n", (long long)json_integer_value(json_object_get(j, "instance_count")),
		  json_str(j, "instance_type"));
	json_object_foreach(json_object_get(j, "metrics"), name, value)
		cmd_print("metric     %s=%.6g\n", name, json_number_value(value));
	if (str_eq(json_str(j, "status"), "Completed"))
		print_line("model", json_str(j, "model"));
	print_line("console", json_str(j, "console"));
}

static int status_of_training(struct cmd *cmd, const json_t *job, struct err *err)
{
	auto_json *facts = facts_of(cmd, job);

	if (opt_has(&cmd->opts, OPT_JSON))
		cmd_print_json(facts);
	else
		print_facts(facts, job);
	return watch_judge(job, err);
}

static int status_of_tuning(struct cmd *cmd, const char *name, struct err *err)
{
	auto_watched_tuning w = { 0 };
	auto_record r = { 0 };
	auto_err ignored = { 0 };

	if (watch_tuning(&cmd->session, name, &(struct watch_tuning_options){ 0 }, &w, err) < 0)
		return -1;
	/* A job that nobody recorded has a leaderboard all the same. */
	if (remote_job_is_over(w.job))
		record_load(&cmd->session, cmd->project.git, name, &r, &ignored);
	if (opt_has(&cmd->opts, OPT_JSON)) {
		auto_json *j = tuning_report_json(&w, r.statement);

		cmd_print_json(j);
	} else {
		tuning_report_board(cmd, &w);
		tuning_report_best(cmd, &w, r.statement);
	}
	return watch_tuning_judge(&cmd->session, &w, err);
}

int cmd_status(struct cmd *cmd, struct err *err)
{
	auto_free char *name = NULL;
	auto_json *job = NULL;

	if (cmd_describe_job(cmd, &name, &job, err) < 0)
		return -1;
	if (remote_job_is_over(job))
		cmd_complete_record(cmd, name);
	return remote_job_kind(job) == JOB_TUNING ? status_of_tuning(cmd, name, err)
						  : status_of_training(cmd, job, err);
}
