#include "pipeline/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "ecr/reference.h"
#include "pipeline/identity.h"
#include "pipeline/image_uri.h"
#include "pipeline/plan_job.h"
#include "pipeline/s3_location.h"
#include "s3/uri.h"

/* More would only say the same. */
#define MAX_CASE_TWINS 3

/* "s3://bucket/prefix" or a bare bucket; absent: the plan's bucket and no prefix. *ret_prefix ends without '/'. */
static int locate(const struct project *p, const struct plan *plan, const char *key, char **ret_bucket,
		  char **ret_prefix, struct err *err)
{
	auto_s3_uri uri = { 0 };
	size_t n;

	if (s3_location_read(&p->config, key, plan->bucket, &uri, err) < 0)
		return -1;
	n = strlen(uri.key);
	while (n && uri.key[n - 1] == '/')
		uri.key[--n] = '\0';
	*ret_bucket = take(uri.bucket);
	*ret_prefix = take(uri.key);
	return 0;
}

static char *below(const char *prefix, const char *key)
{
	return *prefix ? xasprintf("%s/%s", prefix, key) : xstrdup(key);
}

static int plan_buckets(const struct project *p, const struct target *t, struct plan *plan, struct err *err)
{
	const char *bucket = config_str(&p->config, "bucket");
	const char *owner = config_str(&p->config, "bucket_owner");
	const char *guard = config_str(&p->config, "account");
	const char *name = config_str(&p->config, "name");

	if (guard && !t->is_local && !str_eq(guard, t->account))
		return config_error(&p->config, err, "account",
				    "the credentials are of account %s, this file is for %s", t->account, guard);
	plan->owner = xstrdup(owner && !t->is_local ? owner : t->account);
	plan->bucket = bucket ? xstrdup(bucket) : xasprintf("sagemaker-%s-%s", t->region, t->account);
	if (s3_check_bucket_name(plan->bucket, err) < 0)
		return config_error(&p->config, err, "bucket", "%s", err->msg);
	if (s3_location_encryption(&p->config, "source.encryption", &plan->source_encryption, err) < 0 ||
	    s3_location_encryption(&p->config, "data_encryption", &plan->data_encryption, err) < 0)
		return -1;
	plan->checksum = s3_checksum_kind(config_str(&p->config, "checksum"));
	plan->record_prefix = xasprintf("%s/records", name);
	plan->output_path = config_str(&p->config, "estimator.output_path")
				    ? xstrdup(config_str(&p->config, "estimator.output_path"))
				    : xasprintf("s3://%s/%s/output", plan->bucket, name);
	return 0;
}

static int plan_built_image(const struct project *p, const struct target *t, struct plan *plan, struct err *err)
{
	const char *repository = config_str(&p->config, "image.repository");
	struct build_inputs in = {
		.context_tree = &p->context_tree,
		.dockerfile = p->dockerfile,
		.target = config_str(&p->config, "image.target"),
		.platform = config_str(&p->config, "image.platform"),
		.build_args = config_value(&p->config, "image.build_args"),
		.bases = t->bases,
	};

	if (!str_eq(in.platform, "linux/amd64") && !str_eq(in.platform, "linux/arm64"))
		return config_error(&p->config, err, "image.platform", "'%s' is no platform that SageMaker runs",
				    in.platform);
	plan->registry_host = xstrdup(t->registry_host);
	plan->repository = repository ? xstrdup(repository) : str_lower(config_str(&p->config, "name"));
	if (reference_check_repository(plan->repository, err) < 0)
		return config_error(&p->config, err, repository ? "image.repository" : "name", "%s", err->msg);
	plan->build_key = identity_build_key(&in);
	plan->image_tag = xasprintf("c-%.16s", plan->build_key);
	return 0;
}

static int plan_image(const struct project *p, const struct target *t, struct plan *plan, struct err *err)
{
	if (p->builds_image)
		return plan_built_image(p, t, plan, err);
	if (!config_str(&p->config, "image.uri"))
		return 0; /* an algorithm's name, or a serverless job */
	return image_uri_pinned(&p->config, &plan->image_uri, err);
}

static int plan_source(const struct project *p, struct plan *plan, struct err *err)
{
	const char *delivery = config_str(&p->config, "source.delivery");
	auto_free char *prefix = NULL;
	auto_free char *key = NULL;

	if (!p->delivers_source)
		return 0;
	if (str_eq(delivery, "toolkit") && config_is_true(&p->config, "estimator.enable_network_isolation"))
		strlist_add(&plan->warnings, "an isolated container cannot download its code; use `delivery: channel`");
	if (!p->packs_source) {
		const char *uri = config_str(&p->config, "source.source_dir");

		if (!str_ends(uri, ".tar.gz"))
			return config_error(&p->config, err, "source.source_dir",
					    "code in S3 must be a file that ends in .tar.gz");
		plan->source_uri = xstrdup(uri);
		return 0;
	}
	if (locate(p, plan, "source.code_location", &plan->source_bucket, &prefix, err) < 0)
		return -1;
	plan->source_digest = digest_hex(&p->source_tree);
	key = xasprintf("%s/source/%s/sourcedir.tar.gz", config_str(&p->config, "name"), plan->source_digest);
	plan->source_key = below(prefix, key);
	plan->source_uri = s3_uri_format(plan->source_bucket, plan->source_key);
	return 0;
}

/* What people call the data that a channel reads in place. New string. */
static char *channel_uri(const struct channel *c)
{
	if (c->kind == CHANNEL_S3)
		return xstrdup(c->path);
	if (c->kind == CHANNEL_DATASET)
		return xstrdup(json_str(c->settings, "dataset_arn"));
	return xasprintf("%s:%s", json_str(c->settings, "file_system_id"), json_str(c->settings, "directory_path"));
}

/* A prefix is a string of characters: `…/train` is also the beginning of `…/train_old/`. */
static void warn_of_prefix(const struct project *p, struct plan *plan, const struct channel *c)
{
	const char *type = json_str(c->settings, "s3_data_type");
	auto_free char *path = xasprintf("inputs.%s", c->name);

	if (c->kind == CHANNEL_S3 && (!type || str_eq(type, "S3Prefix")) && !str_ends(c->path, "/"))
		strlist_take(&plan->warnings,
			     config_warning(&p->config, path,
					    "inputs.%s: '%s' also matches longer names; end a folder with '/'", c->name,
					    c->path));
}

static void warn_of_data(struct plan *plan, const struct channel *c)
{
	auto_strlist twins = { 0 };

	if (c->facts.note)
		strlist_take(&plan->warnings, xasprintf("channel '%s': %s", c->name, c->facts.note));
	scan_find_case_twins(&c->files, MAX_CASE_TWINS, &twins);
	for (size_t i = 0; i < twins.n; i++)
		strlist_take(&plan->warnings, xasprintf("channel '%s': %s", c->name, twins.v[i]));
}

static void plan_one_channel(const struct project *p, struct plan *plan, const struct channel *c,
			     struct plan_channel *pc)
{
	auto_free char *folder = NULL;

	pc->channel = c;
	if (c->kind != CHANNEL_LOCAL) {
		pc->uri = channel_uri(c);
		warn_of_prefix(p, plan, c);
		return;
	}
	pc->bucket = xstrdup(plan->data_bucket);
	pc->digest = digest_hex(&c->tree);
	warn_of_data(plan, c);
	pc->prefix = xasprintf("%s/%s", plan->data_prefix, c->name);
	folder = xasprintf("%s/%s/", pc->prefix, pc->digest);
	pc->uri = s3_uri_format(pc->bucket, folder);
}

static int plan_channels(const struct project *p, struct plan *plan, struct err *err)
{
	auto_free char *prefix = NULL;
	auto_free char *key = xasprintf("%s/data", config_str(&p->config, "name"));

	if (locate(p, plan, "data_location", &plan->data_bucket, &prefix, err) < 0)
		return -1;
	plan->data_prefix = below(prefix, key);
	plan->channels = xcalloc(p->n_channels, sizeof(*plan->channels));
	for (size_t i = 0; i < p->n_channels; i++)
		plan_one_channel(p, plan, &p->channels[plan->n_channels++], &plan->channels[i]);
	return 0;
}

int plan_make(const struct project *p, const struct target *t, enum job_kind kind, struct plan *ret, struct err *err)
{
	auto_plan plan = { .kind = kind };

	if (plan_buckets(p, t, &plan, err) < 0 || plan_image(p, t, &plan, err) < 0 || plan_source(p, &plan, err) < 0 ||
	    plan_channels(p, &plan, err) < 0 || plan_job(p, t, &plan, err) < 0)
		return -1;
	*ret = plan;
	plan = (struct plan){ 0 };
	return 0;
}

int plan_make_data(const struct project *p, const struct target *t, struct plan *ret, struct err *err)
{
	auto_plan plan = { 0 };

	if (plan_buckets(p, t, &plan, err) < 0 || plan_channels(p, &plan, err) < 0)
		return -1;
	*ret = plan;
	plan = (struct plan){ 0 };
	return 0;
}

char *plan_image_placeholder(const struct plan *plan)
{
	if (!plan->build_key)
		return xstrdup_or_null(plan->image_uri);
	return xasprintf("%s/%s@(known after build %s)", plan->registry_host, plan->repository, plan->image_tag);
}

char *plan_record_key(const struct plan *plan, const char *job_name)
{
	return xasprintf("%s/%s/statement.json", plan->record_prefix, job_name);
}

void plan_release(struct plan *plan)
{
	char **const strings[] = { &plan->owner,       &plan->bucket,        &plan->registry_host, &plan->repository,
				   &plan->image_tag,   &plan->build_key,     &plan->image_uri,     &plan->source_bucket,
				   &plan->source_key,  &plan->source_digest, &plan->source_uri,    &plan->output_path,
				   &plan->request_key, &plan->job_base,      &plan->record_prefix, &plan->data_bucket,
				   &plan->data_prefix };

	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		free(*strings[i]);
	for (size_t i = 0; i < plan->n_channels; i++) {
		free(plan->channels[i].bucket);
		free(plan->channels[i].prefix);
		free(plan->channels[i].digest);
		free(plan->channels[i].uri);
	}
	free(plan->channels);
	json_decref(plan->request);
	strlist_release(&plan->warnings);
	*plan = (struct plan){ 0 };
}
