#include "pipeline/policy_needs.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "ecr/reference.h"
#include "pipeline/plan.h"
#include "pipeline/role.h"
#include "pipeline/s3_location.h"
#include "s3/uri.h"

void policy_needs_release(struct policy_needs *g)
{
	struct strlist *const lists[] = { &g->names,         &g->repositories, &g->buckets,    &g->caller_reads,
					  &g->caller_writes, &g->role_buckets, &g->role_reads, &g->role_writes,
					  &g->output_keys,   &g->volume_keys,  &g->code_keys,  &g->data_keys,
					  &g->snapshots };

	free(g->bucket);
	free(g->role_arn);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		strlist_release(lists[i]);
}

static void add_once(struct strlist *l, const char *s)
{
	if (!strlist_has(l, s))
		strlist_add(l, s);
}

static char *bucket_arn(const struct policy_needs *g, const char *bucket)
{
	return xasprintf("arn:%s:s3:::%s", g->t->partition->id, bucket);
}

/* Wildcards of policies in what is meant literally: ${*}, ${?}, ${$}. */
static char *literal(const char *s)
{
	auto_str b = { 0 };

	for (; *s; s++) {
		if (strchr("*?", *s) || (*s == '$' && s[1] == '{'))
			str_addf(&b, "${%c}", *s);
		else
			str_add_char(&b, *s);
	}
	return str_detach(&b);
}

/* "arn:aws:s3:::bucket/prefix/tail" */
static char *objects_arn(const struct policy_needs *g, const char *bucket, const char *prefix, const char *tail)
{
	auto_free char *escaped = literal(prefix);
	size_t n = strlen(escaped);

	return xasprintf("arn:%s:s3:::%s/%s%s%s", g->t->partition->id, bucket, escaped,
			 n && escaped[n - 1] != '/' && *tail != '*' ? "/" : "", tail);
}

static void note_bucket(struct strlist *l, const struct policy_needs *g, const char *bucket)
{
	auto_free char *arn = bucket_arn(g, bucket);

	add_once(l, arn);
}

/* What smpipe uploads for the job to read: <location>/<name>/<folder>/… */
static int gather_upload(struct policy_needs *g, const char *key, const char *folder, struct err *err)
{
	auto_s3_uri at = { 0 };
	auto_free char *tail = xasprintf("%s/%s/*", g->name, folder);
	auto_free char *arn = NULL;

	if (s3_location_read(g->c, key, g->bucket, &at, err) < 0)
		return -1;
	arn = objects_arn(g, at.bucket, at.key, tail);
	note_bucket(&g->buckets, g, at.bucket);
	note_bucket(&g->role_buckets, g, at.bucket);
	add_once(&g->caller_writes, arn);
	add_once(&g->role_reads, arn);
	if (str_eq(folder, "data"))
		add_once(&g->snapshots, arn);
	return 0;
}

/* Something that lies in S3 already and that the job reads. */
static int gather_existing(struct policy_needs *g, const char *key, const char *uri, bool is_prefix, struct err *err)
{
	auto_s3_uri at = { 0 };
	auto_free char *arn = NULL;

	if (s3_uri_parse(uri, &at, err) < 0)
		return config_error(g->c, err, key, "%s", err->msg);
	arn = objects_arn(g, at.bucket, at.key, is_prefix ? "*" : "");
	note_bucket(&g->role_buckets, g, at.bucket);
	add_once(&g->role_reads, arn);
	return 0;
}

static int gather_code(struct policy_needs *g, struct err *err)
{
	const char *source_dir = config_str(g->c, "source.source_dir");

	if (!config_value(g->c, "source") || str_eq(config_str(g->c, "source.delivery"), "image"))
		return 0;
	if (source_dir && str_starts(source_dir, "s3://"))
		return gather_existing(g, "source.source_dir", source_dir, false, err);
	return gather_upload(g, "source.code_location", "source", err);
}

static int gather_inputs(struct policy_needs *g, struct err *err)
{
	const char *name;
	json_t *input;

	json_object_foreach((json_t *)config_value(g->c, "inputs"), name, input) {
		const char *path = json_str(input, "path");
		auto_free char *key = xasprintf("inputs.%s.path", name);

		if (!path)
			continue;
		if (str_starts(path, "s3://") ? gather_existing(g, key, path, true, err) < 0
					      : gather_upload(g, "data_location", "data", err) < 0)
			return -1;
	}
	return 0;
}

/* Places besides the output that the job writes when they are named. */
static int gather_reports(struct policy_needs *g, struct err *err)
{
	static const char *const keys[] = { "estimator.tensorboard_output_config.s3_output_path",
					    "estimator.debugger_hook_config.s3_output_path",
					    "estimator.profiler_config.s3_output_path" };
	const char *model = config_str(g->c, "estimator.model_uri");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *uri = config_str(g->c, keys[i]);
		auto_s3_uri at = { 0 };
		auto_free char *arn = NULL;

		if (!uri)
			continue;
		if (s3_uri_parse(uri, &at, err) < 0)
			return config_error(g->c, err, keys[i], "%s", err->msg);
		arn = objects_arn(g, at.bucket, at.key, "*");
		note_bucket(&g->role_buckets, g, at.bucket);
		add_once(&g->role_writes, arn);
	}
	return model ? gather_existing(g, "estimator.model_uri", model, true, err) : 0;
}

static int gather_output(struct policy_needs *g, struct err *err)
{
	const char *output = config_str(g->c, "estimator.output_path");
	const char *checkpoint = config_str(g->c, "estimator.checkpoint_s3_uri");
	auto_s3_uri at = { 0 }, saved = { 0 };
	auto_free char *own = xasprintf("s3://%s/%s/output", g->bucket, g->name);
	auto_free char *saved_arn = NULL;

	if (s3_uri_parse(output ? output : own, &at, err) < 0)
		return config_error(g->c, err, "estimator.output_path", "%s", err->msg);
	note_bucket(&g->role_buckets, g, at.bucket);
	note_bucket(&g->buckets, g, at.bucket);
	for (size_t i = 0; i < g->names.n; i++) {
		auto_free char *job = xasprintf("%s-*", g->names.v[i]);
		auto_free char *arn = objects_arn(g, at.bucket, at.key, job);

		add_once(&g->role_writes, arn);
		add_once(&g->caller_reads, arn);
	}
	if (!checkpoint)
		return 0;
	if (s3_uri_parse(checkpoint, &saved, err) < 0)
		return config_error(g->c, err, "estimator.checkpoint_s3_uri", "%s", err->msg);
	saved_arn = objects_arn(g, saved.bucket, saved.key, "*");
	note_bucket(&g->role_buckets, g, saved.bucket);
	add_once(&g->role_writes, saved_arn);
	add_once(&g->role_reads, saved_arn);
	return 0;
}

static void gather_records(struct policy_needs *g)
{
	auto_free char *tail = xasprintf("%s/records/*", g->name);
	auto_free char *arn = objects_arn(g, g->bucket, "", tail);

	note_bucket(&g->buckets, g, g->bucket);
	add_once(&g->caller_writes, arn);
}

/* "123456789012.dkr.ecr.eu-west-1.…" → account and region; false for hosts that are not ECR's. */
static bool parse_registry(const char *host, char **ret_account, char **ret_region)
{
	auto_strlist parts = { 0 };

	if (!host)
		return false;
	str_split(&parts, host, '.');
	if (parts.n >= 5 && partition_is_account(parts.v[0]) && !strcmp(parts.v[1], "dkr") &&
	    str_starts(parts.v[2], "ecr")) {
		*ret_account = xstrdup(parts.v[0]);
		*ret_region = xstrdup(parts.v[3]);
		return true;
	}
	return false;
}

static int gather_image(struct policy_needs *g, struct err *err)
{
	const char *uri = config_str(g->c, "image.uri"), *repository = config_str(g->c, "image.repository");
	auto_free char *own = str_lower(g->name), *account = NULL, *region = NULL, *arn = NULL;
	auto_reference reference = { 0 };

	if (!uri) {
		g->is_built = true;
		arn = xasprintf("arn:%s:ecr:%s:%s:repository/%s", g->t->partition->id, g->t->region, g->t->account,
				repository ? repository : own);
		add_once(&g->repositories, arn);
		return 0;
	}
	if (reference_parse(uri, &reference, err) < 0)
		return config_error(g->c, err, "image.uri", "%s", err->msg);
	if (!parse_registry(reference.host, &account, &region))
		return 0;
	arn = xasprintf("arn:%s:ecr:%s:%s:repository/%s", g->t->partition->id, region, account, reference.repository);
	add_once(&g->repositories, arn);
	return 0;
}

static int gather_role(struct policy_needs *g, char **ret_note, struct err *err)
{
	const char *role = config_str(g->c, "role");
	auto_arn arn = { 0 };

	if (role && arn_parse(role, &arn) == 0) {
		if (!str_eq(arn.partition, g->t->partition->id))
			return config_error(g->c, err, "role", "'%s' is of partition %s, region %s is of %s", role,
					    arn.partition, g->t->region, g->t->partition->id);
		g->role_arn = xstrdup(role);
	} else if (role && !strcmp(role, ROLE_AUTO)) {
		g->role_arn = xasprintf("arn:%s:iam::%s:role/*", g->t->partition->id, g->t->account);
		*ret_note =
			xasprintf("`role: auto` is known only inside SageMaker: narrow '%s' to its role", g->role_arn);
	} else if (role) {
		g->role_arn = xasprintf("arn:%s:iam::%s:role/%s", g->t->partition->id, g->t->account, role);
	} else {
		g->role_arn = xasprintf("arn:%s:iam::%s:role/smpipe-%s", g->t->partition->id, g->t->account, g->name);
		*ret_note = xasprintf(
			"the file names no role: this is for one that you make as 'smpipe-%s' and write down as "
			"`role: smpipe-%s`",
			g->name, g->name);
	}
	return 0;
}

static void gather_kms(const struct policy_needs *g, struct strlist *l, const char *key)
{
	const char *value = config_str(g->c, key);
	auto_free char *arn = NULL;

	if (!value)
		return;
	arn = xasprintf("arn:%s:kms:%s:%s:key/%s", g->t->partition->id, g->t->region, g->t->account, value);
	add_once(l, str_starts(value, "arn:") || str_starts(value, "alias/") ? value : arn);
}

/* AWS's own key for S3 is open to everyone who may use the bucket. */
static int gather_encryption(const struct policy_needs *g, struct strlist *l, const char *key, struct err *err)
{
	struct s3_encryption e;

	if (s3_location_encryption(g->c, key, &e, err) < 0)
		return -1;
	if (e.kms_key)
		gather_kms(g, l, key);
	return 0;
}

/* What a training job itself needs, as g->c has it. */
static int gather_job(struct policy_needs *g, struct err *err)
{
	auto_strlist subnets = { 0 };

	config_list(g->c, "estimator.subnets", &subnets);
	g->has_vpc |= subnets.n > 0;
	gather_kms(g, &g->output_keys, "estimator.output_kms_key");
	gather_kms(g, &g->volume_keys, "estimator.volume_kms_key");
	return gather_output(g, err) < 0 || gather_reports(g, err) < 0 || gather_image(g, err) < 0 ? -1 : 0;
}

/* Definitions of a tuning job may have images, outputs and keys of their own. */
static int gather_definitions(struct policy_needs *g, struct err *err)
{
	const struct config *whole = g->c;
	const char *name;
	json_t *settings;
	int result = 0;

	json_object_foreach((json_t *)config_value(whole, "tuner.definitions"), name, settings) {
		struct config definition = { 0 };

		config_open_definition(whole, name, &definition);
		g->c = &definition;
		result = gather_job(g, err);
		g->c = whole;
		config_close_definition(&definition);
		if (result < 0)
			break;
	}
	return result;
}

static void gather_names(struct policy_needs *g)
{
	auto_free char *cut = NULL;

	g->name = config_str(g->c, "name");
	g->tunes = config_value(g->c, "tuner");
	cut = xasprintf("%.*s", PLAN_MAX_TUNING_NAME, g->name);
	strlist_add(&g->names, g->name);
	if (g->tunes)
		add_once(&g->names, cut);
}

int policy_needs_gather(struct policy_needs *g, char **ret_note, struct err *err)
{
	const char *bucket = config_str(g->c, "bucket");

	gather_names(g);
	g->bucket = bucket ? xstrdup(bucket) : xasprintf("sagemaker-%s-%s", g->t->region, g->t->account);
	if (s3_check_bucket_name(g->bucket, err) < 0)
		return config_error(g->c, err, "bucket", "%s", err->msg);
	gather_records(g);
	if (gather_encryption(g, &g->code_keys, "source.encryption", err) < 0 ||
	    gather_encryption(g, &g->data_keys, "data_encryption", err) < 0 || gather_code(g, err) < 0 ||
	    gather_inputs(g, err) < 0 || gather_job(g, err) < 0 || gather_definitions(g, err) < 0)
		return -1;
	return gather_role(g, ret_note, err);
}
