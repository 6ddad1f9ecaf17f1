#include "cmd/tuning_report.h"

#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/leaderboard_view.h"
#include "pipeline/hyperparameters.h"
#include "pipeline/hyperparameters_yaml.h"
#include "pipeline/job_end.h"
#include "pipeline/provenance.h"
#include "pipeline/remote_job.h"

/* Rows of a terminal that are not the table's: head, heading, what is left out, the reports above; and each range has
 * one. */
#define OTHER_ROWS 8

static void show(void *ctx, const struct leaderboard *b)
{
	struct cmd *cmd = ctx;
	size_t rows = ui_rows(&cmd->ui), others = OTHER_ROWS + b->n_ranges;
	struct leaderboard_view view = { .max_children = rows > others + 3 ? rows - others : 3,
					 .now_ms = cmd->session.sys->now_ms(cmd->session.sys) };
	auto_free char *lines = leaderboard_view(b, &view);

	ui_show_board(&cmd->ui, lines);
}

struct watch_tuning_options tuning_report_live(struct cmd *cmd)
{
	if (cmd->ui.is_terminal)
		return (struct watch_tuning_options){ .show = show, .ctx = cmd };
	return (struct watch_tuning_options){ .tells_children = true };
}

void tuning_report_board(const struct cmd *cmd, const struct watched_tuning *w)
{
	struct leaderboard_view view = { .max_children = LEADERBOARD_MAX_CHILDREN + 1,
					 .now_ms = cmd->session.sys->now_ms(cmd->session.sys) };
	auto_leaderboard b = { 0 };
	auto_free char *lines = NULL;

	leaderboard_init(&b, w->job, w->children);
	lines = leaderboard_view(&b, &view);
	fputs(lines, stdout);
}

static void print_cost(const struct watched_tuning *w, const json_t *statement)
{
	const json_t *internal = provenance_internal(statement);
	const json_t *billable = json_object_get(internal, "billableSeconds");
	json_int_t saving = json_integer_value(json_object_get(internal, "spotSavingPercent"));
	auto_free char *took = job_duration(w->job);

	if (!took)
		return;
	cmd_print("took    %s", took);
	if (billable)
		cmd_print("; billable %lld s of all training jobs", (long long)json_integer_value(billable));
	if (saving)
		cmd_print("; spot saved %lld %%", (long long)saving);
	cmd_print("\n");
}

static void print_yaml(const struct cmd *cmd, const struct leaderboard *b, const json_t *job)
{
	auto_json *parameters = leaderboard_best_hyperparameters(b, job);
	bool is_json = hyperparameters_are_json(&cmd->project.config, cmd->project.delivers_source);
	auto_free char *lines = hyperparameters_yaml(parameters, is_json, 4);
	auto_free char *definition = NULL;

	if (!json_object_size(parameters))
		return;
	/* It stands in a comment: a line break in it would end that. */
	definition = b->best->definition ? str_printable(b->best->definition) : NULL;
	cmd_print(
		"\n# The best hyperparameters%s%s, to replace those of smpipe.yaml:\nestimator:\n  hyperparameters:\n%s",
		definition ? " of definition " : "", definition ? definition : "", lines);
}

void tuning_report_best(const struct cmd *cmd, const struct watched_tuning *w, const json_t *statement)
{
	auto_leaderboard b = { 0 };

	leaderboard_init(&b, w->job, w->children);
	if (b.best) {
		const char *metric = leaderboard_objective(&b, b.best->definition)->metric;

		cmd_print("best    %s  %s=%.6g\n", b.best->name, metric ? metric : "objective", b.best->objective);
	}
	print_cost(w, statement);
	print_yaml(cmd, &b, w->job);
}

json_t *tuning_report_json(const struct watched_tuning *w, const json_t *statement)
{
	auto_leaderboard b = { 0 };
	const json_t *internal = provenance_internal(statement);
	static const char *const copied[][2] = { { "billableSeconds", "billable_seconds" },
						 { "spotSavingPercent", "spot_saving_percent" } };
	json_t *j;

	leaderboard_init(&b, w->job, w->children);
	j = leaderboard_json(&b);
	json_put_str(j, "kind", job_form(JOB_TUNING)->kind);
	json_put_str(j, "job_arn", remote_job_arn(w->job));
	for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
		if (json_object_get(internal, copied[i][0]))
			json_object_set(j, copied[i][1], json_object_get(internal, copied[i][0]));
	}
	json_object_set_new(j, "best_hyperparameters", leaderboard_best_hyperparameters(&b, w->job));
	return j;
}
