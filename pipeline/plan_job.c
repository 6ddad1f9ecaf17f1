#include "pipeline/plan_job.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/identity.h"
#include "pipeline/request.h"
#include "pipeline/role.h"
#include "pipeline/training_job.h"
#include "pipeline/tuning_job.h"
#include "pipeline/tuning_ranges.h"
#include "s3/uri.h"

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

int plan_job(const struct project *p, const struct target *t, struct plan *plan, struct err *err)
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

char *plan_job_name(const struct plan *plan, const char *attempt)
{
	return !attempt || str_eq(attempt, "1") ? xstrdup(plan->job_base) : xasprintf("%s-%s", plan->job_base, attempt);
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
