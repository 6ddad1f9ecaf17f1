#ifndef SMPIPE_TESTS_UNIT_MADE_PROJECT_H
#define SMPIPE_TESTS_UNIT_MADE_PROJECT_H

/* A project that was never on a disk: smpipe.yaml as text, digests and git state by hand. */

#include "base/json.h"
#include "pipeline/plan.h"
#include "tests/unit/shell.h"

#define MADE_COMMIT "0123456789abcdef0123456789abcdef01234567"

static inline void made_channels(struct project *p)
{
	json_t *inputs = (json_t *)config_value(&p->config, "inputs");
	auto_err err = { 0 };
	const char *name;
	json_t *settings;

	p->channels = xcalloc(json_object_size(inputs), sizeof(*p->channels));
	json_object_foreach(inputs, name, settings) {
		struct channel *c = &p->channels[p->n_channels++];

		if (channel_open(&p->config, name, settings, c, &err) < 0)
			fail_msg("%s", err.msg);
		c->tree = digest_of_text(c->path ? c->path : "");
	}
}

static inline void make_project_of(struct project *p, const char *text)
{
	auto_err err = { 0 };
	const char *source_dir;

	*p = (struct project){ 0 };
	if (config_parse(text, strlen(text), "smpipe.yaml", NULL, &p->config, &err) < 0)
		fail_msg("%s", err.msg);
	p->state.commit = xstrdup(MADE_COMMIT);
	p->state.tree = xstrdup("89abcdef0123456789abcdef0123456789abcdef");
	p->state.branch = xstrdup("main");
	p->state.subject = xstrdup("Start");
	p->builds_image = !config_str(&p->config, "image.uri") && !config_str(&p->config, "image.algorithm_name") &&
			  !config_value(&p->config, "estimator.serverless_job_config");
	p->dockerfile = xstrdup("Dockerfile");
	p->context_tree = digest_of_text("context");
	source_dir = config_str(&p->config, "source.source_dir");
	p->delivers_source = config_value(&p->config, "source") != NULL;
	p->packs_source = p->delivers_source && !(source_dir && str_starts(source_dir, "s3://"));
	p->source_tree = digest_of_text("source");
	made_channels(p);
}

/* `yaml` follows version and name. */
static inline void make_project(struct project *p, const char *yaml)
{
	auto_free char *text = xasprintf("version: 1\nname: Iris\n%s", yaml);

	make_project_of(p, text);
}

static inline struct target made_target(const char *region, const json_t *bases)
{
	return (struct target){ .account = "123456789012",
				.region = region,
				.partition = partition_of_region(region),
				.registry_host = "123456789012.dkr.ecr.example",
				.bases = bases };
}

#endif
