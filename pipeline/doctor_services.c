/* The part of `doctor` that asks the account: may this caller do what a release does, and is what it needs there? */

#include <string.h>

#include "aws/iam.h"
#include "aws/sagemaker.h"
#include "base/json.h"
#include "base/mem.h"
#include "ecr/repository.h"
#include "pipeline/doctor.h"
#include "pipeline/role.h"
#include "pipeline/s3_location.h"
#include "s3/object.h"
#include "s3/uri.h"

/* One check's clients: an error of one must not reach the next. */
struct look {
	struct doctor *d;
	struct clients c;
	const struct aws_identity *id;
};

static const char *setting(const struct look *l, const char *key)
{
	return l->d->config ? config_str(l->d->config, key) : NULL;
}

/* The bucket of a location that is written as s3://bucket/prefix or as a bucket; what is malformed the plan refuses. */
static void add_bucket(struct strlist *buckets, const char *location)
{
	auto_s3_uri uri = { 0 };
	auto_err ignored = { 0 };
	const char *bucket = location;

	if (!location)
		return;
	if (str_starts(location, "s3://")) {
		if (s3_uri_parse(location, &uri, &ignored) < 0)
			return;
		bucket = uri.bucket;
	}
	if (!strlist_has(buckets, bucket))
		strlist_add(buckets, bucket);
}

static void look_at_bucket(struct look *l, const char *bucket, const char *owner)
{
	struct s3 s3 = { .aws = &l->c.aws, .bucket_owner = owner };
	auto_free char *region = NULL;
	auto_err err = { 0 };
	int has = s3_has_bucket(&s3, bucket, &region, &err);

	if (has < 0 || (has && s3_location_check_region(bucket, region, l->id->region, &err) < 0)) {
		if (err.code == ERR_AUTH && !err.hint)
			err_hint(&err, "allow s3:ListBucket on it, or name a bucket of this account with `bucket:`");
		doctor_tell_error(l->d, "bucket", &err);
	} else if (has) {
		doctor_tell(l->d, DOCTOR_OK, "bucket", NULL, "%s (of account %s)", bucket, owner);
	} else if (l->d->session->is_local || (l->d->config && config_is_true(l->d->config, "create_bucket"))) {
		doctor_tell(l->d, DOCTOR_OK, "bucket", NULL, "%s would be created", bucket);
	} else {
		err_set(&err, ERR_NOT_FOUND, "%s does not exist", bucket);
		err_hint(&err, "create it, name another with `bucket:`, or allow it with `create_bucket: true`");
		doctor_tell_error(l->d, "bucket", &err);
	}
}

static void look_at_buckets(struct look *l)
{
	const char *bucket = setting(l, "bucket"), *owner = setting(l, "bucket_owner");
	auto_free char *standard = xasprintf("sagemaker-%s-%s", l->id->region, l->id->account);
	auto_strlist buckets = { 0 };

	add_bucket(&buckets, bucket ? bucket : standard);
	add_bucket(&buckets, setting(l, "source.code_location"));
	add_bucket(&buckets, setting(l, "data_location"));
	add_bucket(&buckets, setting(l, "estimator.output_path"));
	for (size_t i = 0; i < buckets.n; i++)
		look_at_bucket(l, buckets.v[i], owner && !l->d->session->is_local ? owner : l->id->account);
}

static void look_at_push(struct look *l, const char *repository, bool exists)
{
	auto_registry_auth auth = { 0 };
	auto_err err = { 0 };

	if (ecr_get_authorization(&l->c.aws, &auth, &err) < 0 ||
	    (exists && ecr_check_push(&l->c.aws, repository, &err) < 0)) {
		if (err.code == ERR_AUTH && !err.hint)
			err_hint(&err, "`smpipe doctor --policy` prints what the caller needs");
		doctor_tell_error(l->d, "push", &err);
	} else {
		doctor_tell(l->d, DOCTOR_OK, "push", NULL, "allowed, to %s", auth.host);
	}
}

static void look_at_repository(struct look *l)
{
	const char *repository = setting(l, "image.repository"), *name = setting(l, "name"),
		   *uri = setting(l, "image.uri");
	auto_free char *own = name ? str_lower(name) : NULL;
	auto_err err = { 0 };
	int has;

	if (uri || !name) {
		doctor_tell(l->d, DOCTOR_SKIPPED, "repository", NULL, "%s",
			    uri ? "nothing is pushed: image.uri is used" : "no smpipe.yaml says which");
		return;
	}
	repository = repository ? repository : own;
	has = ecr_has_repository(&l->c.aws, repository, &err);
	if (has < 0) {
		if (err.code == ERR_AUTH && !err.hint)
			err_hint(&err, "`smpipe doctor --policy` prints what the caller needs");
		doctor_tell_error(l->d, "repository", &err);
		return;
	}
	doctor_tell(l->d, DOCTOR_OK, "repository", NULL, "%s%s", repository, has ? "" : " would be created");
	look_at_push(l, repository, has > 0);
}

/* The role exists: does it let SageMaker in? */
static void look_at_trust(struct look *l, const char *arn)
{
	const char *principal = partition_sagemaker_principal(l->id->partition);
	auto_iam_role role = { 0 };
	auto_err err = { 0 };

	if (iam_get_role(&l->c.aws, role_bare_name(arn), &role, &err) < 0) {
		if (err.code == ERR_AUTH)
			doctor_tell(l->d, DOCTOR_WARNING, "role", "allow iam:GetRole to have its trust looked at",
				    "%s: not known whether it exists and trusts SageMaker", arn);
		else
			doctor_tell_error(l->d, "role", &err);
	} else if (strcmp(role.arn, arn) != 0) {
		err_set(&err, ERR_CONFIG, "'%s' does not exist, '%s' does", arn, role.arn);
		doctor_tell_error(l->d, "role", &err);
	} else if (!iam_trusts_service(role.trust, principal)) {
		err_set(&err, ERR_CONFIG, "%s does not trust %s", arn, principal);
		err_hint(&err, "give it the trust policy that `smpipe doctor --policy` prints");
		doctor_tell_error(l->d, "role", &err);
	} else {
		doctor_tell(l->d, DOCTOR_OK, "role", NULL, "%s, trusts %s", arn, principal);
	}
}

/* Roles of other accounts cannot be read with these credentials, nor passed. */
static bool is_ours(const struct look *l, const char *role_arn)
{
	auto_arn arn = { 0 };

	return arn_parse(role_arn, &arn) == 0 && str_eq(arn.account, l->id->account) &&
	       str_eq(arn.partition, l->id->partition->id);
}

static void look_at_role(struct look *l, const char *metadata_file)
{
	const char *role = setting(l, "role");
	auto_free char *arn = NULL;
	auto_err err = { 0 };

	if (l->d->session->is_local && (!role || !strcmp(role, ROLE_AUTO))) {
		doctor_tell(l->d, DOCTOR_OK, "role", NULL, "the local cloud's own");
		return;
	}
	if (!role) {
		if (!l->d->config) {
			doctor_tell(l->d, DOCTOR_SKIPPED, "role", NULL, "no smpipe.yaml says which");
			return;
		}
		err_set(&err, ERR_CONFIG, "smpipe.yaml names no role");
		err_hint(
			&err,
			"name the role that the job assumes: role: NAME; `smpipe doctor --policy` prints what it needs");
		doctor_tell_error(l->d, "role", &err);
		return;
	}
	if (role_resolve(&l->c.aws, role, metadata_file, &arn, &err) == 0 && !is_ours(l, arn)) {
		err_set(&err, ERR_CONFIG, "%s is of another account or partition than %s", arn, l->id->account);
		err_hint(&err, "only a role of the account in which the job runs can be passed to it");
	}
	if (err.code != ERR_NONE)
		doctor_tell_error(l->d, "role", &err);
	else
		look_at_trust(l, arn);
}

static void look_at_jobs(struct look *l)
{
	auto_json *jobs = NULL;
	auto_err err = { 0 };

	if (sagemaker_list_jobs(&l->c.aws, &sagemaker_training, NULL, 1, &jobs, &err) == 0) {
		doctor_tell(l->d, DOCTOR_OK, "jobs", NULL, "training jobs can be listed");
		return;
	}
	if (err.code == ERR_AUTH && !err.hint)
		err_hint(&err, "`smpipe doctor --policy` prints what the caller needs");
	doctor_tell_error(l->d, "jobs", &err);
}

void doctor_services(struct doctor *d, const char *metadata_file)
{
	struct look l = { .d = d, .id = &d->session->identity };

	clients_init(&l.c, d->session);
	look_at_buckets(&l);
	look_at_repository(&l);
	look_at_role(&l, metadata_file);
	look_at_jobs(&l);
	clients_release(&l.c);
}
