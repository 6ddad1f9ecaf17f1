#include "pipeline/outlook.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "ecr/repository.h"
#include "pipeline/attempts.h"
#include "pipeline/remote_job.h"
#include "s3/object.h"

/* 1, 0, or -1: absence is an answer. */
static int has_object(struct s3 *s3, const char *bucket, const char *key, struct err *err)
{
	auto_err why = { 0 };

	if (s3_head_object(s3, bucket, key, NULL, &why) == 0)
		return 1;
	if (why.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &why);
	return -1;
}

static int look_at_image(struct clients *c, const struct plan *plan, struct outlook *o, struct err *err)
{
	auto_registry_auth auth = { 0 };
	auto_registry_image image = { 0 };
	auto_err why = { 0 };
	int has;

	if (!plan->build_key)
		return 0;
	has = ecr_has_repository(&c->aws, plan->repository, err);
	if (has <= 0)
		return has;
	if (ecr_get_authorization(&c->aws, &auth, err) < 0)
		return -1;
	if (registry_get_image(c->http, &auth, plan->repository, plan->image_tag, &image, &why) < 0) {
		if (why.code == ERR_NOT_FOUND)
			return 0;
		err_move(err, &why);
		return -1;
	}
	o->has_image = true;
	o->image_digest = take(image.digest);
	return 0;
}

static int look_at_objects(struct s3 *s3, const struct plan *plan, struct outlook *o, struct err *err)
{
	if (plan->source_key) {
		int has = has_object(s3, plan->source_bucket, plan->source_key, err);

		if (has < 0)
			return -1;
		o->has_source = has;
	}
	o->has_channel = xcalloc(plan->n_channels, sizeof(*o->has_channel));
	for (size_t i = 0; i < plan->n_channels; i++) {
		const struct plan_channel *pc = &plan->channels[i];
		auto_free char *key = pc->digest ? xasprintf("%s/%s.json", pc->prefix, pc->digest) : NULL;
		int has = key ? has_object(s3, pc->bucket, key, err) : 1;

		if (has < 0)
			return -1;
		o->has_channel[i] = has;
	}
	return 0;
}

static int look_at_job(struct clients *c, const struct plan *plan, struct outlook *o, struct err *err)
{
	auto_free char *attempt = NULL;
	auto_json *job = NULL;

	if (attempts_find_last(&c->aws, plan, &attempt, &job, err) < 0)
		return -1;
	if (!job)
		return 0;
	o->job_name = plan_job_name(plan, attempt);
	o->job_status = xstrdup_or_null(remote_job_status(job));
	return 0;
}

int outlook_read(const struct session *s, const struct plan *plan, struct outlook *ret, struct err *err)
{
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = plan->owner };

	clients_init(&c, s);
	if (look_at_image(&c, plan, ret, err) < 0 || look_at_objects(&s3, plan, ret, err) < 0)
		return -1;
	return look_at_job(&c, plan, ret, err);
}

void outlook_release(struct outlook *o)
{
	free(o->has_channel);
	free(o->image_digest);
	free(o->job_name);
	free(o->job_status);
	*o = (struct outlook){ 0 };
}
