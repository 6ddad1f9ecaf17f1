/* Which snapshots records name: data_gc_used of pipeline/data_gc.h. */

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/data_gc.h"
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
	struct s3 s3 = { &c.aws, plan->owner };
	struct session shared = *s;

	clients_init(&c, s);
	/* One client for all of them. */
	shared.http = c.http;
	if (s3_list(&s3, plan->bucket, prefix, MAX_RECORDS, &listing, err) < 0)
		return err_is_service(err, "NoSuchBucket") ? (err_release(err), 0) : -1;
	for (size_t i = 0; i < listing.n; i++) {
		auto_record r = { 0 };

		if (!str_ends(listing.v[i].key, "/statement.json"))
			continue;
		if (record_load_at(&shared, plan->bucket, listing.v[i].key, plan->owner, &r, err) < 0)
			return -1;
		add_subjects(r.statement, used);
	}
	return 0;
}

static bool shares_data(const struct plan *a, const struct plan *b)
{
	return str_eq(a->data_bucket, b->data_bucket) && str_eq(a->data_prefix, b->data_prefix);
}

/* The records of one environment (NULL: none), when it keeps its data where ours lie. */
static int add_environment(const struct session *s, const struct project *p, const struct target *target,
			   const struct plan *plan, const char *name, struct strlist *seen, struct strlist *used,
			   struct err *err)
{
	struct project other = { 0 };
	struct target there = *target;
	auto_plan its = { 0 };
	int rc = config_load(p->config.file, name, &other.config, err);

	if (rc == 0) {
		const char *region = config_str(&other.config, "region");

		there.region = region && !there.is_local ? region : there.region;
		rc = plan_make_data(&other, &there, &its, err);
	}
	if (rc == 0 && shares_data(&its, plan) && !strlist_has(seen, its.bucket)) {
		strlist_add(seen, its.bucket);
		rc = add_bucket(s, &its, used, err);
	}
	config_release(&other.config);
	return rc < 0 ? err_wrap(err, "read the records of environment '%s', which may use the same data",
				 name ? name : "(none)")
		      : 0;
}

int data_gc_used(const struct session *s, const struct project *p, const struct target *target, const struct plan *plan,
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
