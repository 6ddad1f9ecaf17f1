#include "pipeline/policy.h"

#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "pipeline/policy_needs.h"
#include "pipeline/role.h"

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
static void allow_keys(json_t *statements, const struct policy_needs *g, const char *sid, const char *actions,
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

static void caller_ecr(json_t *statements, const struct policy_needs *g)
{
	if (!g->is_built)
		return;
	allow(statements, "EcrLogin", "ecr:GetAuthorizationToken", json_string("*"), NULL);
	allow(statements, "EcrPush",
	      "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload ecr:CreateRepository "
	      "ecr:DescribeRepositories ecr:GetDownloadUrlForLayer ecr:InitiateLayerUpload ecr:PutImage ecr:TagResource "
	      "ecr:UploadLayerPart",
	      json_string(g->repositories.v[0]), NULL);
}

static void add_job_arns(json_t *arns, const struct policy_needs *g, const char *resource, const char *name)
{
	json_array_append_new(arns, json_sprintf("arn:%s:sagemaker:%s:%s:%s/%s-*", g->t->partition->id, g->t->region,
						 g->t->account, resource, name));
}

/* The service writes the names of jobs in lower case into their ARNs; some pages show them as given. */
static json_t *job_arns(const struct policy_needs *g, const char *resource, const struct strlist *names)
{
	json_t *arns = json_array();

	for (size_t i = 0; i < names->n; i++) {
		auto_free char *lower = str_lower(names->v[i]);

		add_job_arns(arns, g, resource, names->v[i]);
		if (strcmp(lower, names->v[i]) != 0)
			add_job_arns(arns, g, resource, lower);
	}
	return arns;
}

static json_t *log_arn(const struct policy_needs *g, const char *rest)
{
	return json_sprintf("arn:%s:logs:%s:%s:log-group:" SAGEMAKER_LOG_GROUP ":%s", g->t->partition->id, g->t->region,
			    g->t->account, rest);
}

/* A tuning job hands its tags on to its training jobs, and they are described one by one for the record. */
static void caller_tuning(json_t *statements, const struct policy_needs *g)
{
	if (!g->tunes)
		return;
	allow(statements, "TuningJobs",
	      "sagemaker:AddTags sagemaker:CreateHyperParameterTuningJob sagemaker:DescribeHyperParameterTuningJob "
	      "sagemaker:ListTags sagemaker:ListTrainingJobsForHyperParameterTuningJob "
	      "sagemaker:StopHyperParameterTuningJob",
	      job_arns(g, "hyper-parameter-tuning-job", &g->names), NULL);
	allow(statements, "TuningJobList", "sagemaker:ListHyperParameterTuningJobs", json_string("*"), NULL);
}

static json_t *log_arns(const struct policy_needs *g)
{
	json_t *arns = json_array();

	for (size_t i = 0; i < g->names.n; i++) {
		auto_free char *streams = xasprintf("log-stream:%s-*", g->names.v[i]);

		json_array_append_new(arns, log_arn(g, streams));
	}
	return arns;
}

static void caller_jobs(json_t *statements, const struct policy_needs *g)
{
	allow(statements, "Jobs",
	      "sagemaker:AddTags sagemaker:CreateTrainingJob sagemaker:DescribeTrainingJob sagemaker:ListTags "
	      "sagemaker:StopTrainingJob",
	      job_arns(g, "training-job", &g->names), NULL);
	allow(statements, "JobList", "sagemaker:ListTrainingJobs", json_string("*"), NULL);
	caller_tuning(statements, g);
	allow(statements, "LogStreams", "logs:DescribeLogStreams", log_arn(g, "*"), NULL);
	allow(statements, "Log", "logs:GetLogEvents", log_arns(g), NULL);
	allow(statements, "PassRole", "iam:PassRole", json_string(g->role_arn),
	      json_pack("{s:{s:s}}", "StringEquals", "iam:PassedToService",
			partition_sagemaker_principal(g->t->partition)));
	/* `doctor` reads the role's trust, and a name becomes an ARN by it. */
	allow(statements, "ReadRole", "iam:GetRole", json_string(g->role_arn), NULL);
}

/* What tells a notebook or Studio application which role it runs as. */
static void caller_auto(json_t *statements, const struct policy_needs *g)
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

static json_t *caller_policy(const struct policy_needs *g)
{
	json_t *statements = json_array();

	caller_ecr(statements, g);
	allow_list(statements, "Buckets", "s3:ListBucket s3:ListBucketMultipartUploads", &g->buckets);
	if (config_is_true(g->c, "create_bucket"))
		allow_list(statements, "MakeBuckets",
			   "s3:CreateBucket s3:PutBucketPublicAccessBlock s3:PutEncryptionConfiguration", &g->buckets);
	allow_list(statements, "Upload",
		   "s3:GetObject s3:PutObject s3:AbortMultipartUpload s3:ListMultipartUploadParts", &g->caller_writes);
	allow_list(statements, "Model", "s3:GetObject", &g->caller_reads);
	allow_keys(statements, g, "ModelKey", "kms:Decrypt", &g->output_keys);
	allow_keys(statements, g, "CodeKey", "kms:Decrypt kms:GenerateDataKey", &g->code_keys);
	allow_keys(statements, g, "DataKey", "kms:Decrypt kms:GenerateDataKey", &g->data_keys);
	caller_jobs(statements, g);
	caller_auto(statements, g);
	return document(statements);
}

/* What `gc --yes` needs besides what a release does. */
static json_t *gc_policy(const struct policy_needs *g)
{
	json_t *statements = json_array();

	allow_list(statements, "Snapshots", "s3:DeleteObject", &g->snapshots);
	return document(statements);
}

static void role_vpc(json_t *statements, const struct policy_needs *g)
{
	if (g->has_vpc)
		allow(statements, "Vpc",
		      "ec2:CreateNetworkInterface ec2:CreateNetworkInterfacePermission ec2:DeleteNetworkInterface "
		      "ec2:DeleteNetworkInterfacePermission ec2:DescribeDhcpOptions ec2:DescribeNetworkInterfaces "
		      "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs",
		      json_string("*"), NULL);
}

static json_t *role_policy(const struct policy_needs *g)
{
	json_t *statements = json_array();

	if (g->repositories.n) {
		allow(statements, "EcrLogin", "ecr:GetAuthorizationToken", json_string("*"), NULL);
		allow(statements, "EcrPull",
		      "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
		      array_of(&g->repositories), NULL);
	}
	allow_list(statements, "Buckets", "s3:ListBucket", &g->role_buckets);
	allow_list(statements, "Read", "s3:GetObject", &g->role_reads);
	allow_list(statements, "Write", "s3:PutObject", &g->role_writes);
	allow(statements, "Log", "logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents",
	      log_arn(g, "*"), NULL);
	allow(statements, "Metrics", "cloudwatch:PutMetricData", json_string("*"), NULL);
	role_vpc(statements, g);
	allow_keys(statements, g, "CodeKey", "kms:Decrypt", &g->code_keys);
	allow_keys(statements, g, "DataKey", "kms:Decrypt", &g->data_keys);
	allow_keys(statements, g, "OutputKey", "kms:Decrypt kms:Encrypt kms:GenerateDataKey", &g->output_keys);
	allow_keys(statements, g, "VolumeKey", "kms:CreateGrant kms:DescribeKey", &g->volume_keys);
	return document(statements);
}

/* Only for jobs of this account:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html */
static json_t *trust_policy(const struct policy_needs *g)
{
	return document(json_pack("[{s:s, s:{s:s}, s:s, s:{s:{s:s}}}]", "Effect", "Allow", "Principal", "Service",
				  partition_sagemaker_principal(g->t->partition), "Action", "sts:AssumeRole",
				  "Condition", "StringEquals", "aws:SourceAccount", g->t->account));
}

int policy_make(const struct config *c, const struct policy_target *t, json_t **ret, char **ret_note, struct err *err)
{
	auto_policy_needs g = { .c = c, .t = t };
	auto_free char *note = NULL;

	if (policy_needs_gather(&g, &note, err) < 0)
		return -1;
	*ret = json_pack("{s:o, s:o, s:o}", "caller", caller_policy(&g), "role", role_policy(&g), "trust",
			 trust_policy(&g));
	if (g.snapshots.n)
		json_object_set_new(*ret, "gc", gc_policy(&g));
	*ret_note = take(note);
	return 0;
}
