#include <stdio.h>
#include <string.h>

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/outlook.h"

#define MAX_PATHS   20
#define MAX_BIGGEST 10

static void print_paths(const char *label, const struct strlist *paths)
{
	for (size_t i = 0; i < paths->n && i < MAX_PATHS; i++) {
		auto_free char *path = str_printable(paths->v[i]);

		printf("  %-9s %s\n", label, path);
	}
	if (paths->n > MAX_PATHS)
		printf("  %-9s … and %zu more\n", label, paths->n - MAX_PATHS);
}

static void print_head(const struct cmd *cmd)
{
	const struct project *p = &cmd->project;

	printf("%s at commit %.12s%s%s%s\n", config_str(&p->config, "name"), p->state.commit,
	       p->state.branch ? " on " : "", p->state.branch ? p->state.branch : "",
	       p->dirty.n ? ", with changes" : "");
	printf("into account %s, region %s%s\n\n", cmd->session.identity.account, cmd->session.identity.region,
	       cmd->session.is_local ? " (the local cloud)" : "");
	print_paths("changed", &p->dirty);
	print_paths("untracked", &p->untracked);
	if (p->dirty.n || p->untracked.n)
		putchar('\n');
}

static const char *name_note(const struct project *p, const struct plan *plan)
{
	if (plan->kind == JOB_TRAINING)
		return "";
	return strlen(config_str(&p->config, "name")) > PLAN_MAX_TUNING_NAME ? " (a tuning job; its name is cut)"
									     : " (a tuning job)";
}

/* What one would leave out first. */
static void print_biggest(const struct filelist *l)
{
	const struct file_entry *biggest[MAX_BIGGEST];
	size_t n = filelist_biggest(l, biggest, MAX_BIGGEST);

	for (size_t i = 0; i < n; i++) {
		auto_free char *bytes = str_bytes(biggest[i]->size), *path = str_printable(biggest[i]->path);

		printf("%28s  %s\n", bytes, path);
	}
	if (l->n > n)
		printf("%28s  and %zu smaller: `smpipe source list`\n", "…", l->n - n);
}

/* ", aws:kms alias/code"; empty for the bucket's default. New string. */
static char *words_of(const struct s3_encryption *e)
{
	if (!e->algorithm)
		return xstrdup("");
	return e->kms_key ? xasprintf(", %s %s", e->algorithm, e->kms_key) : xasprintf(", %s", e->algorithm);
}

static void print_source(const struct project *p, const struct plan *plan, bool has_source)
{
	auto_free char *bytes = str_bytes(filelist_total_bytes(&p->source));

	if (plan->source_key) {
		auto_free char *encryption = words_of(&plan->source_encryption);

		printf("  source  %-9s %s (%zu file%s, %s%s)\n", has_source ? "exists" : "upload", plan->source_uri,
		       p->source.n, p->source.n == 1 ? "" : "s", bytes, encryption);
		print_biggest(&p->source);
	} else if (plan->source_uri) {
		printf("  source  use       %s\n", plan->source_uri);
	}
}

/* o is NULL offline: then nothing is known of what exists. */
static void print_steps(const struct cmd *cmd, const struct plan *plan, const struct outlook *o)
{
	const struct project *p = &cmd->project;
	auto_free char *context_bytes = str_bytes(filelist_total_bytes(&p->context));
	auto_free char *encryption = words_of(&plan->data_encryption);
	const char *checksum = plan->checksum == S3_CRC64NVME ? ", CRC64NVME" : "";

	if (plan->image_uri)
		printf("  image   use       %s\n", plan->image_uri);
	else if (plan->build_key)
		printf("  image   %-9s %s/%s:%s (context: %zu files, %s)\n", o && o->has_image ? "exists" : "build",
		       plan->registry_host, plan->repository, plan->image_tag, p->context.n, context_bytes);
	print_source(p, plan, o && o->has_source);
	for (size_t i = 0; i < plan->n_channels; i++) {
		const struct plan_channel *pc = &plan->channels[i];
		auto_free char *bytes = str_bytes(filelist_total_bytes(&pc->channel->files));

		if (pc->digest)
			printf("  data    %-9s %s → %s (%zu file%s, %s%s%s)\n",
			       o && o->has_channel[i] ? "exists" : "upload", pc->channel->name, pc->uri,
			       pc->channel->files.n, pc->channel->files.n == 1 ? "" : "s", bytes, encryption, checksum);
		else
			printf("  data    use       %s → %s\n", pc->channel->name, pc->uri);
	}
	if (o && o->job_name)
		printf("  launch  exists    %s (%s)\n", o->job_name, o->job_status ? o->job_status : "?");
	else
		printf("  launch  create    %s%s\n", plan->job_base, name_note(p, plan));
}

/* What the container finds in /opt/ml/input/config/hyperparameters.json. */
static void print_parameters(const struct plan *plan, const json_t *request)
{
	const json_t *definition;
	auto_free char *text = NULL;

	if (plan->kind == JOB_TRAINING && json_object_get(request, "HyperParameters")) {
		text = json_pretty(json_object_get(request, "HyperParameters"));
		printf("\nhyperparameters.json %s", text);
	}
	for (size_t i = 0; plan->kind == JOB_TUNING && (definition = sagemaker_tuning_definition(request, i)); i++) {
		const json_t *parameters = json_object_get(definition, "StaticHyperParameters");
		const char *name = json_str(definition, "DefinitionName");
		auto_free char *fixed = parameters ? json_pretty(parameters) : NULL;

		if (fixed)
			printf("\nhyperparameters.json of each job%s%s, before a value of each range is put in %s",
			       name ? " of " : "", name ? name : "", fixed);
	}
}

static void print_raw(const struct cmd *cmd, const struct plan *plan)
{
	const json_t *raw = config_value(&cmd->project.config, job_form(plan->kind)->raw);
	auto_free char *text = raw ? json_pretty(raw) : NULL;

	if (raw)
		printf("\nraw, merged into it last %s", text);
}

static int print_plan(const struct cmd *cmd, const struct plan *plan, const struct outlook *o)
{
	auto_free char *image = o && o->has_image
					? xasprintf("%s/%s@%s", plan->registry_host, plan->repository, o->image_digest)
					: plan_image_placeholder(plan);
	auto_json *request = plan_request(plan, &cmd->project, image, plan->job_base);
	auto_free char *text = json_pretty(request);

	print_head(cmd);
	print_steps(cmd, plan, o);
	printf("\n%s %s", job_form(plan->kind)->api->create, text);
	print_raw(cmd, plan);
	print_parameters(plan, request);
	return 0;
}

int cmd_plan(struct cmd *cmd, struct err *err)
{
	bool is_offline = opt_has(&cmd->opts, OPT_OFFLINE);
	auto_plan plan = { 0 };
	auto_outlook outlook = { 0 };

	if (is_offline && opt_has(&cmd->opts, OPT_LOCAL))
		return err_set(err, ERR_USAGE, "--offline and --local exclude each other");
	if (!is_offline && cmd_meet_needs(cmd, NEEDS_CLOUD, err) < 0)
		return -1;
	if (cmd_make_plan(cmd, opt_has(&cmd->opts, OPT_TUNE) ? JOB_TUNING : JOB_TRAINING, NULL, &plan, err) < 0)
		return -1;
	if (opt_has(&cmd->opts, OPT_JSON)) {
		auto_json *j = plan_json(&plan, &cmd->project);

		cmd_print_json(j);
		return 0;
	}
	if (!is_offline && outlook_read(&cmd->session, &plan, &outlook, err) < 0)
		return -1;
	return print_plan(cmd, &plan, is_offline ? NULL : &outlook);
}
