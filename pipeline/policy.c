#include "pipeline/policy.h"

#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "ecr/reference.h"
#include "pipeline/role.h"
#include "s3/uri.h"

/* What is gathered from smpipe.yaml before anything is written. Lists hold ARNs. */
struct gathered {
	const struct config *c;
	const struct policy_target *t;
	const char *name;
	char *bucket; /* the default one */
	char *role_arn;
	char *repository_arn;   /* NULL: the image is not in ECR */
	bool is_built;          /* built and pushed here */
	struct strlist buckets; /* the caller looks whether they exist */
	struct strlist caller_reads, caller_writes;
	struct strlist role_buckets; /* the role lists them */
	struct strlist role_reads, role_writes;
	struct strlist output_keys, volume_keys; /* KMS */
};

static void gathered_release(struct gathered *g)
{
	struct strlist *const lists[] = { &g->buckets,    &g->caller_reads, &g->caller_writes, &g->role_buckets,
					  &g->role_reads, &g->role_writes,  &g->output_keys,   &g->volume_keys };

	free(g->bucket);
	free(g->role_arn);
	free(g->repository_arn);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		strlist_release(lists[i]);
}

#define auto_gathered __attribute__((cleanup(gathered_release))) struct gathered

static void add_once(struct strlist *l, const char *s)
{
	if (!strlist_has(l, s))
		strlist_add(l, s);
}

static char *bucket_arn(const struct gathered *g, const char *bucket)
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
static char *objects_arn(const struct gathered *g, const char *bucket, const char *prefix, const char *tail)
{
	auto_free char *escaped = literal(prefix);
	size_t n = strlen(escaped);

	return xasprintf("arn:%s:s3:::%s/%s%s%s", g->t->partition->id, bucket, escaped,
			 n && escaped[n - 1] != '/' && *tail != '*' ? "/" : "", tail);
}

/* A key of smpipe.yaml that holds s3://bucket/prefix or a bare bucket; absent: the default bucket. */
static int locate(const struct gathered *g, const char *key, struct s3_uri *ret, struct err *err)
{
	const char *value = config_str(g->c, key);
	auto_free char *text = !value                       ? s3_uri_format(g->bucket, "")
			       : str_starts(value, "s3://") ? xstrdup(value)
							    : s3_uri_format(value, "");

	return s3_uri_parse(text, ret, err) < 0 ? config_error(g->c, err, key, "%s", err->msg) : 0;
}

static void note_bucket(struct strlist *l, const struct gathered *g, const char *bucket)
{
	auto_free char *arn = bucket_arn(g, bucket);

	add_once(l, arn);
}

/* What smpipe uploads for the job to read: <location>/<name>/<folder>/… */
static int gather_upload(struct gathered *g, const char *key, const char *folder, struct err *err)
{
	auto_s3_uri at = { 0 };
	auto_free char *tail = xasprintf("%s/%s/*", g->name, folder);
	auto_free char *arn = NULL;

	if (locate(g, key, &at, err) < 0)
		return -1;
	arn = objects_arn(g, at.bucket, at.key, tail);
	note_bucket(&g->buckets, g, at.bucket);
	note_bucket(&g->role_buckets, g, at.bucket);
	add_once(&g->caller_writes, arn);
	add_once(&g->role_reads, arn);
	return 0;
}

/* Something that lies in S3 already and that the job reads. */
static int gather_existing(struct gathered *g, const char *key, const char *uri, bool is_prefix, struct err *err)
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

static int gather_code(struct gathered *g, struct err *err)
{
	const char *source_dir = config_str(g->c, "source.source_dir");

	if (!config_value(g->c, "source") || str_eq(config_str(g->c, "source.delivery"), "image"))
		return 0;
	if (source_dir && str_starts(source_dir, "s3://"))
		return gather_existing(g, "source.source_dir", source_dir, false, err);
	return gather_upload(g, "source.code_location", "source", err);
}

static int gather_inputs(struct gathered *g, struct err *err)
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
static int gather_reports(struct gathered *g, struct err *err)
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

static int gather_output(struct gathered *g, struct err *err)
{
	const char *output = config_str(g->c, "estimator.output_path");
	const char *checkpoint = config_str(g->c, "estimator.checkpoint_s3_uri");
	auto_s3_uri at = { 0 }, saved = { 0 };
	auto_free char *own = xasprintf("s3://%s/%s/output", g->bucket, g->name);
	auto_free char *job = xasprintf("%s-*", g->name);
	auto_free char *arn = NULL, *saved_arn = NULL;

	if (s3_uri_parse(output ? output : own, &at, err) < 0)
		return config_error(g->c, err, "estimator.output_path", "%s", err->msg);
	arn = objects_arn(g, at.bucket, at.key, job);
	note_bucket(&g->role_buckets, g, at.bucket);
	note_bucket(&g->buckets, g, at.bucket);
	add_once(&g->role_writes, arn);
	add_once(&g->caller_reads, arn);
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

static void gather_records(struct gathered *g)
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

static int gather_image(struct gathered *g, struct err *err)
{
	const char *uri = config_str(g->c, "image.uri"), *repository = config_str(g->c, "image.repository");
	auto_free char *own = str_lower(g->name), *account = NULL, *region = NULL;
	auto_reference reference = { 0 };

	g->is_built = !uri;
	if (!uri) {
		g->repository_arn = xasprintf("arn:%s:ecr:%s:%s:repository/%s", g->t->partition->id, g->t->region,
					      g->t->account, repository ? repository : own);
		return 0;
	}
	if (reference_parse(uri, &reference, err) < 0)
		return config_error(g->c, err, "image.uri", "%s", err->msg);
	if (parse_registry(reference.host, &account, &region))
		g->repository_arn = xasprintf("arn:%s:ecr:%s:%s:repository/%s", g->t->partition->id, region, account,
					      reference.repository);
	return 0;
}

static int gather_role(struct gathered *g, char **ret_note, struct err *err)
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

static void gather_kms(const struct gathered *g, struct strlist *l, const char *key)
{
	const char *value = config_str(g->c, key);

	if (!value)
		return;
	if (str_starts(value, "arn:"))
		strlist_add(l, value);
	else if (str_starts(value, "alias/"))
		strlist_add(l, value);
	else
		strlist_take(l, xasprintf("arn:%s:kms:%s:%s:key/%s", g->t->partition->id, g->t->region, g->t->account,
					  value));
}

static int gather(struct gathered *g, char **ret_note, struct err *err)
{
	const char *bucket = config_str(g->c, "bucket");

	g->name = config_str(g->c, "name");
	g->bucket = bucket ? xstrdup(bucket) : xasprintf("sagemaker-%s-%s", g->t->region, g->t->account);
	if (s3_check_bucket_name(g->bucket, err) < 0)
		return config_error(g->c, err, "bucket", "%s", err->msg);
	gather_records(g);
	gather_kms(g, &g->output_keys, "estimator.output_kms_key");
	gather_kms(g, &g->volume_keys, "estimator.volume_kms_key");
	if (gather_code(g, err) < 0 || gather_inputs(g, err) < 0 || gather_output(g, err) < 0 ||
	    gather_reports(g, err) < 0 || gather_image(g, err) < 0)
		return -1;
	return gather_role(g, ret_note, err);
}

/* --- writing --- */

static json_t *array_of(const struct strlist *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(a, json_string(l->v[i]));
	return a;
}

static json_t *words(const char *text)
{
	auto_strlist l = { 0 };

	str_split(&l, text, ' ');
	return array_of(&l);
}

/* condition may be NULL; resources and condition are taken over. */
static void allow(json_t *statements, const char *sid, const char *actions, json_t *resources, json_t *condition)
{
	json_t *s = json_object();

	json_put_str(s, "Sid", sid);
	json_put_str(s, "Effect", "Allow");
	json_object_set_new(s, "Action", words(actions));
	json_object_set_new(s, "Resource", resources);
	if (condition)
		json_object_set_new(s, "Condition", condition);
	json_array_append_new(statements, s);
}

static void allow_list(json_t *statements, const char *sid, const char *actions, const struct strlist *arns)
{
	if (arns->n)
		allow(statements, sid, actions, array_of(arns), NULL);
}

static json_t *document(json_t *statements)
{
	return json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", statements);
}

/* An alias has no ARN that a policy could name: any key that goes by it. */
static void allow_keys(json_t *statements, const struct gathered *g, const char *sid, const char *actions,
		       const struct strlist *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		const char *key = keys->v[i];
		auto_free char *any =
			xasprintf("arn:%s:kms:%s:%s:key/*", g->t->partition->id, g->t->region, g->t->account);
		const char *alias = str_starts(key, "arn:") ? strstr(key, ":alias/") : key;

		if (alias)
			allow(statements, sid, actions, json_pack("[s]", any),
			      json_pack("{s:{s:s}}", "ForAnyValue:StringEquals", "kms:ResourceAliases",
					alias + (*alias == ':')));
		else
			allow(statements, sid, actions, json_pack("[s]", key), NULL);
	}
}

static void caller_ecr(json_t *statements, const struct gathered *g)
{
	if (!g->is_built)
		return;
	allow(statements, "EcrLogin", "ecr:GetAuthorizationToken", json_string("*"), NULL);
	allow(statements, "EcrPush",
	      "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload ecr:CreateRepository "
	      "ecr:DescribeRepositories ecr:GetDownloadUrlForLayer ecr:InitiateLayerUpload ecr:PutImage ecr:TagResource "
	      "ecr:UploadLayerPart",
	      json_string(g->repository_arn), NULL);
}

/* The service writes the names of jobs in lower case into their ARNs; some pages show them as given. */
static json_t *job_arns(const struct gathered *g)
{
	auto_free char *lower = str_lower(g->name);
	json_t *a = json_array();

	json_array_append_new(a, json_sprintf("arn:%s:sagemaker:%s:%s:training-job/%s-*", g->t->partition->id,
					      g->t->region, g->t->account, g->name));
	if (strcmp(lower, g->name) != 0)
		json_array_append_new(a, json_sprintf("arn:%s:sagemaker:%s:%s:training-job/%s-*", g->t->partition->id,
						      g->t->region, g->t->account, lower));
	return a;
}

static json_t *log_arn(const struct gathered *g, const char *rest)
{
	return json_sprintf("arn:%s:logs:%s:%s:log-group:" SAGEMAKER_LOG_GROUP ":%s", g->t->partition->id, g->t->region,
			    g->t->account, rest);
}

static void caller_jobs(json_t *statements, const struct gathered *g)
{
	auto_free char *streams = xasprintf("log-stream:%s-*", g->name);

	allow(statements, "Jobs",
	      "sagemaker:AddTags sagemaker:CreateTrainingJob sagemaker:DescribeTrainingJob sagemaker:ListTags",
	      job_arns(g), NULL);
	allow(statements, "JobList", "sagemaker:ListTrainingJobs", json_string("*"), NULL);
	allow(statements, "LogStreams", "logs:DescribeLogStreams", log_arn(g, "*"), NULL);
	allow(statements, "Log", "logs:GetLogEvents", log_arn(g, streams), NULL);
	allow(statements, "PassRole", "iam:PassRole", json_string(g->role_arn),
	      json_pack("{s:{s:s}}", "StringEquals", "iam:PassedToService",
			partition_sagemaker_principal(g->t->partition)));
	/* `doctor` reads the role's trust, and a name becomes an ARN by it. */
	allow(statements, "ReadRole", "iam:GetRole", json_string(g->role_arn), NULL);
}

/* What tells a notebook or Studio application which role it runs as. */
static void caller_auto(json_t *statements, const struct gathered *g)
{
	static const char *const kinds[] = { "domain", "notebook-instance", "space", "user-profile" };
	json_t *arns = json_array();

	if (!str_eq(config_str(g->c, "role"), ROLE_AUTO)) {
		json_decref(arns);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		json_array_append_new(arns, json_sprintf("arn:%s:sagemaker:%s:%s:%s/*", g->t->partition->id,
							 g->t->region, g->t->account, kinds[i]));
	allow(statements, "OwnRole",
	      "sagemaker:DescribeDomain sagemaker:DescribeNotebookInstance sagemaker:DescribeSpace sagemaker:DescribeUserProfile",
	      arns, NULL);
}

static json_t *caller_policy(const struct gathered *g)
{
	json_t *statements = json_array();

	caller_ecr(statements, g);
	allow_list(statements, "Buckets", "s3:ListBucket s3:ListBucketMultipartUploads", &g->buckets);
	if (config_is_true(g->c, "create_bucket"))
		allow_list(statements, "MakeBuckets", "s3:CreateBucket s3:PutBucketPublicAccessBlock", &g->buckets);
	allow_list(statements, "Upload",
		   "s3:GetObject s3:PutObject s3:AbortMultipartUpload s3:ListMultipartUploadParts", &g->caller_writes);
	allow_list(statements, "Model", "s3:GetObject", &g->caller_reads);
	allow_keys(statements, g, "ModelKey", "kms:Decrypt", &g->output_keys);
	caller_jobs(statements, g);
	caller_auto(statements, g);
	return document(statements);
}

static void role_vpc(json_t *statements, const struct gathered *g)
{
	auto_strlist subnets = { 0 };

	config_list(g->c, "estimator.subnets", &subnets);
	if (subnets.n)
		allow(statements, "Vpc",
		      "ec2:CreateNetworkInterface ec2:CreateNetworkInterfacePermission ec2:DeleteNetworkInterface "
		      "ec2:DeleteNetworkInterfacePermission ec2:DescribeDhcpOptions ec2:DescribeNetworkInterfaces "
		      "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs",
		      json_string("*"), NULL);
}

static json_t *role_policy(const struct gathered *g)
{
	json_t *statements = json_array();

	if (g->repository_arn) {
		allow(statements, "EcrLogin", "ecr:GetAuthorizationToken", json_string("*"), NULL);
		allow(statements, "EcrPull",
		      "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
		      json_string(g->repository_arn), NULL);
	}
	allow_list(statements, "Buckets", "s3:ListBucket", &g->role_buckets);
	allow_list(statements, "Read", "s3:GetObject", &g->role_reads);
	allow_list(statements, "Write", "s3:PutObject", &g->role_writes);
	allow(statements, "Log", "logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents",
	      log_arn(g, "*"), NULL);
	allow(statements, "Metrics", "cloudwatch:PutMetricData", json_string("*"), NULL);
	role_vpc(statements, g);
	allow_keys(statements, g, "OutputKey", "kms:Decrypt kms:Encrypt kms:GenerateDataKey", &g->output_keys);
	allow_keys(statements, g, "VolumeKey", "kms:CreateGrant kms:DescribeKey", &g->volume_keys);
	return document(statements);
}

/* Only for jobs of this account:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html */
static json_t *trust_policy(const struct gathered *g)
{
	return document(json_pack("[{s:s, s:{s:s}, s:s, s:{s:{s:s}}}]", "Effect", "Allow", "Principal", "Service",
				  partition_sagemaker_principal(g->t->partition), "Action", "sts:AssumeRole",
				  "Condition", "StringEquals", "aws:SourceAccount", g->t->account));
}

int policy_make(const struct config *c, const struct policy_target *t, json_t **ret, char **ret_note, struct err *err)
{
	auto_gathered g = { .c = c, .t = t };
	auto_free char *note = NULL;

	if (gather(&g, &note, err) < 0)
		return -1;
	*ret = json_pack("{s:o, s:o, s:o}", "caller", caller_policy(&g), "role", role_policy(&g), "trust",
			 trust_policy(&g));
	*ret_note = take(note);
	return 0;
}
