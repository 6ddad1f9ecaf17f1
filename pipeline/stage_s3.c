/* The stages that fill the bucket: the bucket itself, the source archive, the data snapshots. */

#include "base/mem.h"
#include "base/str.h"
#include "pipeline/s3_location.h"
#include "pipeline/stages.h"
#include "s3/object.h"
#include "s3/pack.h"
#include "s3/snapshot.h"

/* Where no job is launched, the data go to where the bucket is. */
static int check_region(const struct session *s, const struct plan *plan, const char *bucket, const char *region,
			struct err *err)
{
	auto_err why = { 0 };

	if (s3_location_check_region(bucket, region, s->identity.region, &why) == 0)
		return 0;
	if (plan->request) {
		err_move(err, &why);
		return -1;
	}
	report_text(s->report, REPORT_WARNING, "bucket", "%s", why.msg);
	return 0;
}

static int check_bucket(const struct session *s, const struct project *p, const struct plan *plan, struct s3 *s3,
			const char *bucket, struct err *err)
{
	auto_free char *region = NULL;
	int has = s3_has_bucket(s3, bucket, &region, err);

	if (has < 0)
		return -1;
	if (has)
		return check_region(s, plan, bucket, region, err);
	if (!s->is_local && !config_is_true(&p->config, "create_bucket")) {
		err_set(err, ERR_NOT_FOUND, "bucket '%s' does not exist", bucket);
		return err_hint(err, "create it, name another with `bucket:`, or allow it with `create_bucket: true`");
	}
	report_text(s->report, REPORT_STEP, "bucket", "create bucket '%s'", bucket);
	return s3_create_bucket(s3, bucket, err);
}

int stage_bucket(const struct session *s, const struct project *p, const struct plan *plan, struct err *err)
{
	auto_clients c = { 0 };
	auto_strlist buckets = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = plan->owner };

	clients_init(&c, s);
	strlist_add(&buckets, plan->bucket);
	if (plan->source_bucket && !strlist_has(&buckets, plan->source_bucket))
		strlist_add(&buckets, plan->source_bucket);
	for (size_t i = 0; i < plan->n_channels; i++) {
		if (plan->channels[i].bucket && !strlist_has(&buckets, plan->channels[i].bucket))
			strlist_add(&buckets, plan->channels[i].bucket);
	}
	for (size_t i = 0; i < buckets.n; i++) {
		if (check_bucket(s, p, plan, &s3, buckets.v[i], err) < 0)
			return -1;
	}
	return 0;
}

int stage_source(const struct session *s, const struct project *p, const struct plan *plan, struct stage_result *ret,
		 struct err *err)
{
	int64_t start_ms = s->sys->ticks_ms(s->sys);
	auto_free char *size = NULL;
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = plan->owner, .encryption = plan->source_encryption };
	struct pack_result packed;

	ret->existed = true;
	if (!plan->source_key)
		return 0;
	clients_init(&c, s);
	if (pack_upload(&s3, &p->source, plan->source_bucket, plan->source_key, s->report, &packed, err) < 0)
		return err_wrap(err, "upload source to '%s'", plan->source_uri);
	*ret = (struct stage_result){
		.existed = packed.existed,
		.bytes_sent = packed.existed ? 0 : packed.bytes,
		.took_ms = s->sys->ticks_ms(s->sys) - start_ms,
		.has_digest = packed.has_digest,
		.digest = packed.digest,
	};
	size = str_bytes(packed.bytes);
	report_text(s->report, REPORT_DONE, "source", "%s %s%s%s", packed.existed ? "exists" : "uploaded",
		    plan->source_uri, packed.existed ? "" : ", ", packed.existed ? "" : size);
	return 0;
}

static int snapshot_channel(const struct session *s, const struct project *p, struct s3 *s3, const struct plan *plan,
			    const struct plan_channel *pc, struct stage_result *ret, struct err *err)
{
	const struct snapshot_target to = { pc->channel->name, pc->bucket, pc->prefix, plan->checksum };
	struct snapshot_result result = { 0 };
	auto_free char *size = NULL;
	auto_free char *copied = NULL;

	if (snapshot_upload(s3, &pc->channel->files, &to, s->report, &result, err) < 0) {
		if (err->code == ERR_FAILED)
			project_forget_index(p, pc->channel);
		return err_wrap(err, "upload channel '%s' to '%s'", pc->channel->name, pc->uri);
	}
	size = str_bytes(result.bytes_sent);
	if (result.files_copied)
		copied = xasprintf(", %llu copied from another snapshot", (unsigned long long)result.files_copied);
	if (result.existed)
		report_text(s->report, REPORT_DONE, "data", "%s exists, %.12s", pc->channel->name, pc->digest);
	else
		report_text(s->report, REPORT_DONE, "data", "%s uploaded %s, %llu file%s, %s%s", pc->channel->name,
			    pc->uri, (unsigned long long)result.files_sent, result.files_sent == 1 ? "" : "s", size,
			    copied ? copied : "");
	ret->existed = ret->existed && result.existed;
	ret->bytes_sent += result.bytes_sent;
	return 0;
}

int stage_data(const struct session *s, const struct project *p, const struct plan *plan, struct stage_result *ret,
	       struct err *err)
{
	int64_t start_ms = s->sys->ticks_ms(s->sys);
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = plan->owner, .encryption = plan->data_encryption };

	clients_init(&c, s);
	ret->existed = true;
	for (size_t i = 0; i < plan->n_channels; i++) {
		if (plan->channels[i].digest && snapshot_channel(s, p, &s3, plan, &plan->channels[i], ret, err) < 0)
			return -1;
	}
	ret->took_ms = s->sys->ticks_ms(s->sys) - start_ms;
	return 0;
}
