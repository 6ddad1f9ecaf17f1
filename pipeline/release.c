#include "pipeline/release.h"

#include <pthread.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/journal.h"
#include "pipeline/lockfile.h"
#include "pipeline/provenance.h"
#include "pipeline/watch.h"
#include "s3/object.h"

struct release {
	const struct session *s;
	struct project *p;
	const struct plan *plan;
	const json_t *bases;
	struct release_outcome *out;
};

/* One stage in its thread, and how it ended. */
struct stage_thread {
	struct release *r;
	int (*run)(struct release *r, struct err *err);
	pthread_t thread;
	int result;
	struct err err;
};

static int run_image(struct release *r, struct err *err)
{
	return stage_image(r->s, r->p, r->plan, r->bases, &r->out->image, err);
}

static int run_source(struct release *r, struct err *err)
{
	return stage_source(r->s, r->p, r->plan, &r->out->source, err);
}

static int run_data(struct release *r, struct err *err)
{
	return stage_data(r->s, r->p, r->plan, &r->out->data, err);
}

static void *stage_main(void *arg)
{
	struct stage_thread *t = arg;

	t->result = t->run(t->r, &t->err);
	return NULL;
}

/* All three run to their end: what one of them finished is there for the next try, whatever happened to the others. */
static int run_stages(struct release *r, struct err *err)
{
	struct session apart = *r->s;
	struct release beside = { &apart, r->p, r->plan, r->bases, r->out };
	struct stage_thread threads[] = { { .r = &beside, .run = run_image },
					  { .r = &beside, .run = run_source },
					  { .r = &beside, .run = run_data } };
	int result = 0;

	apart.http = NULL;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		if (pthread_create(&threads[i].thread, NULL, stage_main, &threads[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i].thread, NULL);
		if (threads[i].result < 0 && result == 0)
			err_move(err, &threads[i].err);
		if (threads[i].result < 0)
			result = -1;
		err_release(&threads[i].err);
	}
	return result;
}

/* Another release of this work tree does most of what this one wants: wait for it, then look. */
static int open_journal(const struct release *r, struct journal **ret, struct err *err)
{
	bool told = false;

	if (project_make_state_dir(r->p, err) < 0)
		return -1;
	while (journal_open(r->p->state_dir, r->s->sys, ret, err) < 0) {
		if (err->code != ERR_CONFLICT || sys_check_cancelled(err) < 0)
			return -1;
		if (!told)
			report_text(r->s->report, REPORT_NOTE, "release", "waiting: %s", err->msg);
		told = true;
		err_release(err);
		r->s->sys->sleep_ms(r->s->sys, 200);
	}
	return 0;
}

static int source_digest(const struct release *r, struct digest *ret, const struct digest **ret_known, struct err *err)
{
	auto_clients c = { 0 };
	auto_s3_head head = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = r->plan->owner };

	*ret_known = NULL;
	if (!r->plan->source_key)
		return 0;
	clients_init(&c, r->s);
	if (s3_head_object(&s3, r->plan->source_bucket, r->plan->source_key, &head, err) < 0)
		return -1;
	if (!head.has_digest)
		return err_set(err, ERR_INVALID, "'%s' has no stored SHA-256", r->plan->source_uri);
	/* A record is for good: S3's word is taken when it says the same twice, or what was sent. */
	if (r->out->source.has_digest && !digest_equal(&r->out->source.digest, &head.digest)) {
		err_set(err, ERR_INVALID, "'%s': S3 names another SHA-256 than before", r->plan->source_uri);
		return err_hint(err, "run it again; what is at fault then stands in `smpipe verify`");
	}
	*ret = head.digest;
	*ret_known = ret;
	return 0;
}

static int make_statement(struct release *r, json_t **ret, struct err *err)
{
	auto_free char *snapshot = NULL;
	struct digest source;
	struct provenance_facts facts = {
		.project = r->p,
		.plan = r->plan,
		.image = &r->out->image,
		.launch = &r->out->launch,
		.bases = r->bases,
		.now_ms = r->s->sys->now_ms(r->s->sys),
	};

	if (r->p->dirty.n && git_snapshot_work(r->p->git, &snapshot, err) < 0)
		return -1;
	if (source_digest(r, &source, &facts.source, err) < 0)
		return -1;
	facts.snapshot_commit = snapshot;
	*ret = provenance_statement(&facts);
	return 0;
}

/* The record at launch: written anew for a new job, completed in git for one whose S3 record is there. */
static int record_launch(struct release *r, struct err *err)
{
	struct record *record = &r->out->record;
	auto_free char *key = plan_record_key(r->plan, r->out->launch.job_name);
	auto_err why = { 0 };

	if (record_load_at(r->s, r->plan->bucket, key, r->plan->owner, record, &why) == 0)
		return record_is_in_git(r->p->git, record, r->p->state.commit)
			       ? 0
			       : record_copy_to_git(r->p->git, record, r->p->state.commit, err);
	if (why.code != ERR_NOT_FOUND) {
		err_move(err, &why);
		return -1;
	}
	if (make_statement(r, &record->statement, err) < 0)
		return -1;
	record->bucket = xstrdup(r->plan->bucket);
	record->key = take(key);
	record->owner = xstrdup(r->plan->owner);
	return record_create(r->s, r->p->git, record, r->p->state.commit, err);
}

static int launch_and_record(struct release *r, const struct release_options *o, struct journal *journal,
			     struct err *err)
{
	auto_json *entry = NULL;

	if (stage_launch(r->s, r->p, r->plan, r->out->image.uri, &o->launch, journal, &r->out->launch, err) < 0)
		return -1;
	if (record_launch(r, err) < 0)
		return err_wrap(err, "record job '%s'", r->out->launch.job_name);
	entry = json_pack("{ssss}", "request_key", r->plan->request_key, "job", r->out->launch.job_name);
	return journal_open_attempt(journal, r->plan->request_key) ? journal_add(journal, "recorded", entry, err) : 0;
}

static int do_release(struct release *r, const struct release_options *o, struct err *err)
{
	auto_journal *journal = NULL;

	if (open_journal(r, &journal, err) < 0 || stage_bucket(r->s, r->p, r->plan, err) < 0 || run_stages(r, err) < 0)
		return -1;
	if (r->plan->build_key && lockfile_write(r->p->config.root, r->bases, err) < 0)
		return -1;
	return launch_and_record(r, o, journal, err);
}

/* A finished job that was recorded whole has been followed by somebody: its course is a command away. */
static bool was_followed(const struct release *r)
{
	return r->out->launch.existed && !str_eq(provenance_status(r->out->record.statement), "InProgress");
}

static int follow_training(struct release *r, const struct release_options *o, struct err *err)
{
	struct watch_options watch = { .shows_logs = o->shows_logs, .follows = true, .timeout_ms = o->wait_timeout_ms };

	if (was_followed(r))
		watch = (struct watch_options){ .shows_only_end = true };
	return watch_job(r->s, r->out->launch.job_name, &watch, &r->out->job, err);
}

static int follow_tuning(struct release *r, const struct release_options *o, struct err *err)
{
	struct watch_tuning_options watch = o->tuning;

	watch.follows = true;
	watch.timeout_ms = o->wait_timeout_ms;
	if (was_followed(r))
		watch = (struct watch_tuning_options){ 0 };
	return watch_tuning(r->s, r->out->launch.job_name, &watch, &r->out->tuning, err);
}

static int complete(struct release *r, struct err *err)
{
	struct record *record = &r->out->record;
	bool changed;

	if (record_complete(r->s, r->p->git, record, &changed, err) < 0)
		return err_wrap(err, "complete the record of job '%s'", r->out->launch.job_name);
	/* A later commit that adopts the job keeps a copy of its own. */
	if (!changed || str_eq(provenance_commit(record->statement), r->p->state.commit))
		return 0;
	return record_copy_to_git(r->p->git, record, r->p->state.commit, err);
}

static int follow(struct release *r, const struct release_options *o, struct err *err)
{
	bool is_tuning = r->plan->kind == JOB_TUNING;

	if ((is_tuning ? follow_tuning : follow_training)(r, o, err) < 0 || complete(r, err) < 0)
		return -1;
	return is_tuning ? watch_tuning_judge(r->s, &r->out->tuning, err) : watch_judge(r->out->job, err);
}

int release_run(const struct session *s, struct project *p, const struct plan *plan, const json_t *bases,
		const struct release_options *options, struct release_outcome *ret, struct err *err)
{
	struct release r = { s, p, plan, bases, ret };

	if (do_release(&r, options, err) < 0)
		return -1;
	return options->waits ? follow(&r, options, err) : 0;
}

void release_outcome_release(struct release_outcome *o)
{
	image_result_release(&o->image);
	launch_result_release(&o->launch);
	record_release(&o->record);
	json_decref(o->job);
	watched_tuning_release(&o->tuning);
	*o = (struct release_outcome){ 0 };
}
