/* list, show, verify: reading records. Each completes the record of a job that has ended since. */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/show_tuning.h"
#include "pipeline/provenance.h"
#include "pipeline/record.h"
#include "pipeline/remote_job.h"
#include "pipeline/verify.h"

static int load(struct cmd *cmd, struct record *r, struct err *err)
{
	auto_free char *job = NULL;

	if (cmd_find_job(cmd, &job, err) < 0)
		return -1;
	if (record_load(&cmd->session, cmd->project.git, job, r, err) < 0) {
		cmd_hint_jobs(cmd, err);
		return err_wrap(err, "record of job '%s'", job);
	}
	return record_complete(&cmd->session, cmd->project.git, r, NULL, err);
}

static const char *started(const json_t *statement)
{
	const char *time =
		json_string_value(json_at(statement, "predicate", "runDetails", "metadata", "startedOn", NULL));

	return time ? time : "?";
}

static void print_metrics(const json_t *statement, const char *format_first, const char *separator)
{
	const char *name;
	json_t *value;
	bool first = true;

	json_object_foreach(json_object_get(provenance_internal(statement), "metrics"), name, value) {
		cmd_print("%s%s=%.6g", first ? format_first : separator, name, json_number_value(value));
		first = false;
	}
}

/* A job whose record cannot be asked for right now is listed as git knows it. */
static int refresh(struct cmd *cmd, const char *job, json_t **statement)
{
	auto_err ignored = { 0 };
	auto_record r = { 0 };

	if (!str_eq(provenance_status(*statement), "InProgress"))
		return 0;
	if (record_load(&cmd->session, cmd->project.git, job, &r, &ignored) < 0 ||
	    record_complete(&cmd->session, cmd->project.git, &r, NULL, &ignored) < 0)
		return -1;
	json_decref(*statement);
	*statement = json_incref(r.statement);
	return 0;
}

static void print_row(const char *job, const json_t *statement)
{
	bool has_metrics = json_object_size(json_object_get(provenance_internal(statement), "metrics")) > 0;

	cmd_print("%-20s  %-10s  %.12s  %-30s  %-*s", started(statement), provenance_status(statement),
		  provenance_commit(statement), job, has_metrics ? 8 : 0, job_form(provenance_kind(statement))->kind);
	print_metrics(statement, "  ", ", ");
	cmd_print("\n");
}

static int compare_started(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;

	return strcmp(started(y), started(x));
}

static json_t **load_all(struct cmd *cmd, const struct strlist *jobs)
{
	json_t **statements = xcalloc(jobs->n, sizeof(*statements));

	for (size_t i = 0; i < jobs->n; i++) {
		auto_err broken = { 0 };

		if (record_load_git(cmd->project.git, jobs->v[i], &statements[i], &broken) < 0) {
			report_text(&cmd->ui.report, REPORT_WARNING, "list", "%s", broken.msg);
			statements[i] = json_object();
			continue;
		}
		(void)refresh(cmd, jobs->v[i], &statements[i]);
	}
	if (jobs->n > 1)
		qsort(statements, jobs->n, sizeof(*statements), compare_started);
	return statements;
}

int cmd_list(struct cmd *cmd, struct err *err)
{
	auto_strlist jobs = { 0 };
	auto_free json_t **statements = NULL;
	auto_json *array = json_array();

	if (opt_has(&cmd->opts, OPT_REMOTE))
		return cmd_list_remote(cmd, err);
	if (git_job_ref_list(cmd->project.git, &jobs, err) < 0)
		return -1;
	statements = load_all(cmd, &jobs);
	for (size_t i = 0; i < jobs.n; i++) {
		const char *job = provenance_job(statements[i]);

		if (job && opt_has(&cmd->opts, OPT_JSON))
			json_array_append(array, statements[i]);
		else if (job)
			print_row(job, statements[i]);
		json_decref(statements[i]);
	}
	if (opt_has(&cmd->opts, OPT_JSON))
		cmd_print_json(array);
	else if (!jobs.n)
		report_text(&cmd->ui.report, REPORT_NOTE, "list", "this repository has no jobs yet");
	return 0;
}

static void print_git(const json_t *statement)
{
	const json_t *git = json_object_get(provenance_internal(statement), "git"),
		     *dirty = json_object_get(git, "dirtyFiles");
	size_t i;
	json_t *file;

	cmd_print("commit     %s%s\n", json_str(git, "commit"),
		  json_is_true(json_object_get(git, "dirty")) ? " (dirty)" : "");
	if (json_str(git, "subject"))
		cmd_print("           %s\n", json_str(git, "subject"));
	json_array_foreach(dirty, i, file)
		cmd_print("  changed  %s\n", json_string_value(file));
	if (json_str(git, "snapshotCommit"))
		cmd_print("  snapshot %s\n", json_str(git, "snapshotCommit"));
}

static void print_record(const struct record *r)
{
	const json_t *internal = provenance_internal(r->statement), *request = provenance_request(r->statement);
	const char *name, *reason = json_str(internal, "failureReason");
	size_t i;
	json_t *subject, *value;

	cmd_print("job        %s\n", provenance_job(r->statement));
	cmd_print("status     %s%s%s\n", provenance_status(r->statement), reason ? ": " : "", reason ? reason : "");
	cmd_print("started    %s\n", started(r->statement));
	if (json_object_get(internal, "billableSeconds"))
		cmd_print("billable   %lld s\n",
			  (long long)json_integer_value(json_object_get(internal, "billableSeconds")));
	print_git(r->statement);
	json_object_foreach(json_object_get(request, "HyperParameters"), name, value)
		cmd_print("parameter  %s=%s\n", name, json_string_value(value));
	if (provenance_kind(r->statement) == JOB_TUNING)
		show_tuning(r->statement);
	print_metrics(r->statement, "metric     ", "\nmetric     ");
	if (json_object_size(json_object_get(internal, "metrics")))
		cmd_print("\n");
	json_array_foreach(json_object_get(r->statement, "subject"), i, subject) {
		const char *sha256 = json_str(json_object_get(subject, "digest"), "sha256");

		cmd_print("%-10s %s\n           sha256:%s\n", json_str(subject, "name"), json_str(subject, "uri"),
			  sha256 ? sha256 : "?");
	}
	if (r->key)
		cmd_print("record     s3://%s/%s\n           sha256:%s\n", r->bucket, r->key, r->sha256);
}

int cmd_show(struct cmd *cmd, struct err *err)
{
	auto_record r = { 0 };

	if (load(cmd, &r, err) < 0)
		return -1;
	if (opt_has(&cmd->opts, OPT_JSON))
		cmd_print_json(r.statement);
	else
		print_record(&r);
	return 0;
}

void cmd_print_verified(json_t *results, json_t *about, const char *what, enum verified verified, const char *words)
{
	static const char *const marks[] = { "ok", "BAD", "?" };

	if (!results) {
		cmd_print("%-4s %s%s%s\n", marks[verified], what, words ? ": " : "", words ? words : "");
		json_decref(about);
		return;
	}
	json_object_set_new(about, "ok",
			    verified == VERIFIED_UNPROVEN ? json_null() : json_boolean(verified == VERIFIED_OK));
	json_put_str(about, "difference", words);
	json_array_append_new(results, about);
}

static void on_check(void *ctx, const char *what, enum verified verified, const char *words)
{
	cmd_print_verified(ctx, json_pack("{ss}", "what", what), what, verified, words);
}

int cmd_verify(struct cmd *cmd, struct err *err)
{
	auto_json *checks = opt_has(&cmd->opts, OPT_JSON) ? json_array() : NULL;
	auto_record r = { 0 };
	struct verify_result result = { 0 };

	if (load(cmd, &r, err) < 0 || verify_record(&cmd->session, cmd->project.git, &r, opt_has(&cmd->opts, OPT_DEEP),
						    on_check, checks, &result, err) < 0)
		return -1;
	if (checks)
		cmd_print_json(checks);
	if (result.bad)
		return err_set(err, ERR_FAILED, "the record of job '%s' differs from what is there in %d point%s",
			       provenance_job(r.statement), result.bad, result.bad == 1 ? "" : "s");
	if (!result.unproven)
		return 0;
	err_set(err, ERR_UNPROVEN, "the record of job '%s' holds, but for %d point%s that cannot be told",
		provenance_job(r.statement), result.unproven, result.unproven == 1 ? "" : "s");
	return err_hint(err, "`smpipe verify%s %s --deep` reads the bytes", session_options(&cmd->session),
			provenance_job(r.statement));
}
