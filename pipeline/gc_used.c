/* Which snapshots records name: gc_used of pipeline/gc.h. */

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/gc.h"
#include "pipeline/record.h"
#include "s3/object.h"
#include "s3/uri.h"

#define MAX_RECORDS 1000000

static void add_subjects(const json_t *statement, struct strlist *used)
{
	size_t i;
	json_t *subject;

	json_array_foreach(json_object_get(statement, "subject"), i, subject) {
		const char *name = json_str(subject, "name"), *uri = json_str(subject, "uri");

		if (name && uri && str_starts(name, "data/"))
			strlist_add(used, uri);
	}
}

static int add_git(struct git *git, struct strlist *used, struct err *err)
{
	auto_strlist jobs = { 0 };

	if (git_job_ref_list(git, &jobs, err) < 0)
		return -1;
	for (size_t i = 0; i < jobs.n; i++) {
		auto_json *statement = NULL;

		if (record_load_git(git, jobs.v[i], &statement, err) < 0)
			return err_wrap(err, "read git's copy of the record of '%s'", jobs.v[i]);
		add_subjects(statement, used);
	}
	return 0;
}

/* The records of one bucket. */
static int add_bucket(const struct session *s, const struct plan *plan, struct strlist *used, struct err *err)
{
	auto_free char *prefix = xasprintf("%s/", plan->record_prefix);
	auto_s3_listing listing = { 0 };
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = plan->owner };

	clients_init(&c, s);
	if (s3_list(&s3, plan->bucket, prefix, MAX_RECORDS, &listing, err) < 0)
		return err_is_service(err, "NoSuchBucket") ? (err_release(err), 0) : -1;
	for (size_t i = 0; i < listing.n; i++) {
		auto_record r = { 0 };

		if (!str_ends(listing.v[i].key, "/statement.json"))
			continue;
		if (record_load_at(s, plan->bucket, listing.v[i].key, plan->owner, &r, err) < 0)
			return -1;
		add_subjects(r.statement, used);
	}
	return 0;
}

/* An environment that is not for this account: its data lies elsewhere unless it names our bucket. */
static bool names_our_bucket(const struct config *c, const struct plan *plan)
{
	const char *location = config_str(c, "data_location"), *text = location ? location : config_str(c, "bucket");
	const char *bucket = text && str_starts(text, "s3://") ? text + strlen("s3://") : text;
	size_t n = bucket ? strcspn(bucket, "/") : 0;

	return n == strlen(plan->data_bucket) && !strncmp(bucket, plan->data_bucket, n);
}

/* Plan an environment's data: 1 when it lies where ours does, 0 when elsewhere. */
static int plan_environment(struct project *other, const struct target *target, const struct plan *plan,
			    struct plan *ret, struct err *err)
{
	const char *region = config_str(&other->config, "region");
	struct target there = *target;

	there.region = region && !there.is_local ? region : there.region;
	if (plan_make_data(other, &there, ret, err) < 0) {
		if (err->code != ERR_CONFIG || names_our_bucket(&other->config, plan))
			return -1;
		err_release(err);
		return 0;
	}
	return str_eq(ret->data_bucket, plan->data_bucket) && str_eq(ret->data_prefix, plan->data_prefix);
}

/* The records of one environment (NULL: none), when it keeps its data where ours lie. */
static int add_environment(const struct session *s, const struct project *p, const struct target *target,
			   const struct plan *plan, const char *name, struct strlist *seen, struct strlist *used,
			   struct err *err)
{
	struct project other = { 0 };
	auto_plan its = { 0 };
	int rc = config_load(p->config.file, name, &other.config, err);

	if (rc == 0)
		rc = plan_environment(&other, target, plan, &its, err);
	if (rc > 0 && !strlist_has(seen, its.bucket)) {
		strlist_add(seen, its.bucket);
		rc = add_bucket(s, &its, used, err);
	}
	config_release(&other.config);
	return rc < 0 ? err_wrap(err, "read the records of environment '%s', which may use the same data",
				 name ? name : "(none)")
		      : 0;
}

int gc_used(const struct session *s, const struct project *p, const struct target *target, const struct plan *plan,
	    struct strlist *ret, struct err *err)
{
	auto_strlist used = { 0 };
	auto_strlist seen = { 0 };
	const char *name;
	json_t *ignored;

	strlist_add(&seen, plan->bucket);
	if (add_git(p->git, &used, err) < 0 || add_bucket(s, plan, &used, err) < 0 ||
	    add_environment(s, p, target, plan, NULL, &seen, &used, err) < 0)
		return -1;
	json_object_foreach((json_t *)config_value(&p->config, "environments"), name, ignored) {
		if (add_environment(s, p, target, plan, name, &seen, &used, err) < 0)
			return -1;
	}
	strlist_sort_unique(&used);
	*ret = used;
	used = (struct strlist){ 0 };
	return 0;
}
