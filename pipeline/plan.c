#include "pipeline/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "ecr/reference.h"
#include "pipeline/identity.h"
#include "pipeline/image_uri.h"
#include "pipeline/request.h"
#include "pipeline/role.h"
#include "pipeline/training_job.h"
#include "pipeline/tuning_job.h"
#include "pipeline/tuning_ranges.h"
#include "s3/uri.h"

/* More would only say the same. */
#define MAX_CASE_TWINS 3

/* "s3://bucket/prefix" or a bare bucket; absent: the plan's bucket and no prefix. *ret_prefix ends without '/'. */
static int locate(const struct project *p, const struct plan *plan, const char *key, char **ret_bucket,
		  char **ret_prefix, struct err *err)
{
	const char *value = config_str(&p->config, key);
	auto_free char *text = !value                       ? s3_uri_format(plan->bucket, "")
			       : str_starts(value, "s3://") ? xstrdup(value)
							    : s3_uri_format(value, "");
	auto_s3_uri uri = { 0 };
	size_t n;

	if (s3_uri_parse(text, &uri, err) < 0)
		return config_error(&p->config, err, key, "%s", err->msg);
	n = strlen(uri.key);
	while (n && uri.key[n - 1] == '/')
		uri.key[--n] = '\0';
	*ret_bucket = take(uri.bucket);
	*ret_prefix = take(uri.key);
	return 0;
}

static int read_encryption(const struct project *p, const char *key, struct s3_encryption *ret, struct err *err)
{
	auto_err why = { 0 };

	if (s3_encryption_parse(config_str(&p->config, key), ret, &why) == 0)
		return 0;
	config_error(&p->config, err, key, "%s", why.msg);
	return err_hint(err, "%s", why.hint);
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
	if (read_encryption(p, "source.encryption", &plan->source_encryption, err) < 0 ||
	    read_encryption(p, "data_encryption", &plan->data_encryption, err) < 0)
		return -1;
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

static int choose_role(const struct project *p, const struct target *t, const char **ret, struct err *err)
{
	auto_arn arn = { 0 };
	const char *role = config_str(&p->config, "role");

	*ret = t->role ? t->role : role;
	if (!*ret) {
		err_set(err, ERR_CONFIG, "%s has no 'role'", p->config.file);
		return err_hint(err, "name the role that the job assumes: role: NAME, or arn:%s:iam::%s:role/…",
				t->partition->id, t->account);
	}
	if (!role_is_arn(*ret)) {
		config_error(&p->config, err, "role", "'%s' is no role's ARN, and only IAM knows the ARN of a name",
			     *ret);
		return err_hint(err, "plan without --offline, or write the ARN: arn:%s:iam::%s:role/…",
				t->partition->id, t->account);
	}
	if (arn_parse(*ret, &arn) < 0 || !str_eq(arn.partition, t->partition->id))
		return config_error(&p->config, err, "role", "'%s' is of partition %s, region %s is of %s", *ret,
				    arn.partition ? arn.partition : "?", t->region, t->partition->id);
	return 0;
}

/* Put a built image's name in the place of what stands for it. */
static void put_image(const struct plan *plan, json_t *request, const char *old, const char *image)
{
	if (plan->kind == JOB_TUNING)
		tuning_job_set_image(request, old, image);
	else if (image)
		json_put_str(json_object_get(request, "AlgorithmSpecification"), "TrainingImage", image);
}

static void set_name(const struct plan *plan, json_t *request, const char *job_name)
{
	if (plan->kind == JOB_TUNING)
		tuning_job_set_name(request, job_name);
	else
		training_job_set_name(request, job_name);
}

int plan_check_request(const struct plan *plan, const struct project *p, const json_t *request, struct err *err)
{
	return request_check_again(&p->config, plan->kind, request, err);
}

/* The release adds tags of its own: with them the request must still be one that the service takes. */
static int check_tags(const struct project *p, const struct plan *plan, const char *image, struct err *err)
{
	auto_json *request = plan_request(plan, p, image, plan->job_base);

	if (plan_check_request(plan, p, request, err) == 0)
		return 0;
	return config_error(&p->config, err, "estimator.tags", "with the tags of smpipe: %s", err->msg);
}

/* "<name>-<12 hex>". Names of tuning jobs have 32 characters at most: that leaves 15, and 3 for an attempt. */
static char *job_base(const char *name, const struct plan *plan)
{
	auto_free char *cut = xstrndup(name, plan->kind == JOB_TUNING ? PLAN_MAX_TUNING_NAME : strlen(name));
	size_t n = strlen(cut);

	while (n && cut[n - 1] == '-')
		cut[--n] = '\0';
	return xasprintf("%s-%.12s", cut, plan->request_key);
}

/* What is wrong with `tuner` is wrong whatever the file is used for. */
static int check_tuner(const struct project *p, const struct training_job_facts *facts, struct err *err)
{
	auto_strlist warnings = { 0 };
	auto_json *request = NULL;
	struct training_job_facts own = *facts;

	own.warnings = &warnings;
	return config_value(&p->config, "tuner") ? tuning_job_request(&p->config, &own, &request, err) : 0;
}

static int make_request(const struct project *p, const struct training_job_facts *facts, struct plan *plan,
			struct err *err)
{
	if (plan->kind == JOB_TUNING) {
		if (tuning_ranges_check_options(&p->config, err) < 0 ||
		    tuning_job_request(&p->config, facts, &plan->request, err) < 0)
			return -1;
		plan->request_key = identity_tuning_key(plan->request);
		return 0;
	}
	if (training_job_request(&p->config, facts, &plan->request, err) < 0 || check_tuner(p, facts, err) < 0)
		return -1;
	plan->request_key = identity_request_key(plan->request, facts->image);
	return 0;
}

static int plan_job(const struct project *p, const struct target *t, struct plan *plan, struct err *err)
{
	auto_free char *image = plan_image_placeholder(plan);
	struct training_job_facts facts = {
		.job_name = "job",
		.image = plan->build_key ? plan->build_key : plan->image_uri,
		.warnings = &plan->warnings,
		.region = t->region,
		.output_path = plan->output_path,
		.source_uri = plan->source_uri,
		.channels = plan->channels,
		.n_channels = plan->n_channels,
	};

	if (choose_role(p, t, &facts.role, err) < 0 || make_request(p, &facts, plan, err) < 0)
		return -1;
	plan->job_base = job_base(config_str(&p->config, "name"), plan);
	set_name(plan, plan->request, plan->job_base);
	put_image(plan, plan->request, facts.image, image);
	return check_tags(p, plan, facts.image, err);
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

char *plan_job_name(const struct plan *plan, const char *attempt)
{
	return !attempt || str_eq(attempt, "1") ? xstrdup(plan->job_base) : xasprintf("%s-%s", plan->job_base, attempt);
}

char *plan_record_key(const struct plan *plan, const char *job_name)
{
	return xasprintf("%s/%s/statement.json", plan->record_prefix, job_name);
}

static void add_tag(json_t *tags, const char *key, const char *value)
{
	json_array_append_new(tags, json_pack("{ssss}", "Key", key, "Value", value));
}

json_t *plan_request(const struct plan *plan, const struct project *p, const char *image, const char *job_name)
{
	json_t *request = json_deep_copy(plan->request);
	json_t *tags = json_object_get(request, "Tags");
	auto_free char *key = plan_record_key(plan, job_name);
	auto_free char *record = s3_uri_format(plan->bucket, key);
	auto_free char *placeholder = plan_image_placeholder(plan);

	if (!tags) {
		tags = json_array();
		json_object_set_new(request, "Tags", tags);
	}
	set_name(plan, request, job_name);
	put_image(plan, request, placeholder, image);
	add_tag(tags, TAG_REQUEST, plan->request_key);
	add_tag(tags, TAG_COMMIT, p->state.commit);
	add_tag(tags, TAG_DIRTY, p->dirty.n ? "true" : "false");
	if (plan->build_key)
		add_tag(tags, TAG_BUILD, plan->build_key);
	if (strlen(record) <= 256)
		add_tag(tags, TAG_RECORD, record);
	return request;
}

/* As /opt/ml/input/config/hyperparameters.json will be; of a tuning job without what is tuned, and by definition where
 * there are several. */
static const json_t *hyperparameters_of(const struct plan *plan, json_t *by_name)
{
	const json_t *definition = json_object_get(plan->request, "TrainingJobDefinition");

	if (plan->kind == JOB_TRAINING)
		return json_object_get(plan->request, "HyperParameters");
	if (definition)
		return json_object_get(definition, "StaticHyperParameters");
	for (size_t i = 0; (definition = tuning_job_definition(plan->request, i)); i++)
		json_object_set(by_name, json_str(definition, "DefinitionName"),
				json_object_get(definition, "StaticHyperParameters"));
	return by_name;
}

json_t *plan_json(const struct plan *plan, const struct project *p)
{
	auto_free char *image = plan_image_placeholder(plan);
	auto_json *by_name = json_object();
	const json_t *raw;
	json_t *j = json_object(), *channels = json_array();

	json_put_str(j, "commit", p->state.commit);
	json_object_set_new(j, "dirty", json_boolean(p->dirty.n > 0));
	json_put_str(j, "bucket", plan->bucket);
	json_put_str(j, "build_key", plan->build_key);
	json_put_str(j, "repository", plan->repository);
	json_put_str(j, "image_tag", plan->image_tag);
	json_put_str(j, "source", plan->source_uri);
	for (size_t i = 0; i < plan->n_channels; i++)
		json_array_append_new(channels, json_pack("{ssss}", "name", plan->channels[i].channel->name, "uri",
							  plan->channels[i].uri));
	json_object_set_new(j, "channels", channels);
	json_put_str(j, "request_key", plan->request_key);
	json_put_str(j, "job", plan->job_base);
	json_object_set_new(j, "request", plan_request(plan, p, image, plan->job_base));
	json_put_str(j, "operation", job_form(plan->kind)->operation);
	json_object_set(j, "hyperparameters", (json_t *)hyperparameters_of(plan, by_name));
	raw = config_value(&p->config, job_form(plan->kind)->raw);
	if (raw)
		json_object_set_new(j, "raw", json_deep_copy(raw));
	return j;
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
