#include "pipeline/record.h"

#include <stdlib.h>
#include <string.h>

#include "aws/sagemaker.h"
#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/provenance.h"
#include "pipeline/record_outcome.h"
#include "pipeline/remote_job.h"
#include "s3/object.h"
#include "s3/uri.h"

#define MAX_STATEMENT_BYTES (16 * 1024 * 1024)

void record_release(struct record *r)
{
	json_decref(r->statement);
	free(r->bucket);
	free(r->key);
	free(r->owner);
	free(r->sha256);
	*r = (struct record){ 0 };
}

static int save_to_s3(const struct session *s, struct record *r, const char *text, bool is_new, struct err *err)
{
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = r->owner };

	clients_init(&c, s);
	if ((is_new ? s3_put_new_bytes : s3_put_bytes)(&s3, r->bucket, r->key, text, strlen(text),
						       "application/vnd.in-toto+json", err) < 0)
		return err_wrap(err, "write record 's3://%s/%s'", r->bucket, r->key);
	return 0;
}

int record_copy_to_git(struct git *git, const struct record *r, const char *commit, struct err *err)
{
	auto_free char *text = json_pretty(r->statement);
	const char *job = provenance_job(r->statement), *own = provenance_commit(r->statement);
	auto_free char *uri = s3_uri_format(r->bucket, r->key);
	auto_json *line = json_pack("{s:s, s:s, s:s, s:s, s:O}", "job", job, "commit", own, "record", uri, "sha256",
				    r->sha256, "statement", r->statement);
	auto_free char *line_text = json_compact(line);

	if (!git_has_commit(git, commit))
		return 0;
	if (git_note_set(git, commit, job, line_text, err) < 0)
		return err_wrap(err, "write git note of commit %.12s", commit);
	/* The tag object belongs to the commit that the job was made from; a later one that adopts the job has only its
	 * note. */
	if (str_eq(commit, own) && git_job_ref_set(git, job, own, text, err) < 0)
		return err_wrap(err, "write git ref of job '%s'", job);
	return 0;
}

int record_save(const struct session *s, struct git *git, struct record *r, const char *commit, struct err *err)
{
	auto_free char *text = json_pretty(r->statement);
	struct digest d = digest_of_text(text);

	free(r->sha256);
	r->sha256 = digest_hex(&d);
	if (save_to_s3(s, r, text, false, err) < 0)
		return -1;
	return git ? record_copy_to_git(git, r, commit, err) : 0;
}

static bool note_has(struct git *git, const struct record *r, const char *commit)
{
	auto_strlist lines = { 0 };
	auto_err ignored = { 0 };
	auto_free char *member = xasprintf("\"sha256\":\"%s\"", r->sha256);

	if (git_note_lines(git, commit, &lines, &ignored) < 0)
		return false;
	for (size_t i = 0; i < lines.n; i++) {
		if (strstr(lines.v[i], member))
			return true;
	}
	return false;
}

bool record_is_in_git(struct git *git, const struct record *r, const char *commit)
{
	auto_json *copy = NULL;
	auto_err ignored = { 0 };

	if (!note_has(git, r, commit))
		return false;
	return !str_eq(commit, provenance_commit(r->statement)) ||
	       (record_load_git(git, provenance_job(r->statement), &copy, &ignored) == 0 &&
		json_equal(copy, r->statement));
}

int record_create(const struct session *s, struct git *git, struct record *r, const char *commit, struct err *err)
{
	auto_free char *text = json_pretty(r->statement);
	struct digest d = digest_of_text(text);
	auto_record theirs = { 0 };
	auto_err why = { 0 };

	free(r->sha256);
	r->sha256 = digest_hex(&d);
	if (save_to_s3(s, r, text, true, &why) < 0) {
		if (why.code != ERR_CONFLICT) {
			err_move(err, &why);
			return -1;
		}
		if (record_load_at(s, r->bucket, r->key, r->owner, &theirs, err) < 0)
			return -1;
		record_release(r);
		*r = theirs;
		theirs = (struct record){ 0 };
	}
	return record_copy_to_git(git, r, commit, err);
}

static int check_statement(const json_t *statement, const char *what, struct err *err)
{
	const char *type = json_str(statement, "_type");
	size_t i;
	json_t *subject;

	if (!str_eq(type, "https://in-toto.io/Statement/v1") || !provenance_job(statement) ||
	    !provenance_commit(statement) || !provenance_status(statement) || !provenance_request(statement))
		return err_set(err, ERR_INVALID, "%s is no record of smpipe", what);
	json_array_foreach(json_object_get(statement, "subject"), i, subject) {
		const char *sha256 = json_str(json_object_get(subject, "digest"), "sha256");
		struct digest ignored;

		if (!json_str(subject, "name") || !json_str(subject, "uri") || !sha256 ||
		    str_unhex(sha256, ignored.b, sizeof(ignored.b)) < 0)
			return err_set(err, ERR_INVALID, "%s: subject %zu lacks a name, a URI or a SHA-256", what,
				       i + 1);
	}
	return 0;
}

int record_load_at(const struct session *s, const char *bucket, const char *key, const char *owner, struct record *ret,
		   struct err *err)
{
	auto_record r = { 0 };
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = owner };
	auto_free char *text = NULL;
	auto_free char *uri = s3_uri_format(bucket, key);
	struct digest d;
	size_t n;

	clients_init(&c, s);
	if (s3_get_bytes(&s3, bucket, key, MAX_STATEMENT_BYTES, &text, &n, err) < 0)
		return -1;
	r.statement = json_parse(text, n, uri, err);
	if (!r.statement || check_statement(r.statement, uri, err) < 0)
		return -1;
	d = digest_of(text, n);
	r.bucket = xstrdup(bucket);
	r.key = xstrdup(key);
	r.owner = xstrdup(owner);
	r.sha256 = digest_hex(&d);
	*ret = r;
	r = (struct record){ 0 };
	return 0;
}

int record_load_git(struct git *git, const char *job_name, json_t **ret_statement, struct err *err)
{
	auto_free char *message = NULL;
	auto_json *statement = NULL;

	if (git_job_ref_get(git, job_name, &message, err) < 0)
		return -1;
	statement = json_parse(message, strlen(message), "git's record", err);
	if (!statement || check_statement(statement, "git's record", err) < 0)
		return -1;
	*ret_statement = take(statement);
	return 0;
}

int record_last_job(struct git *git, const char *commit, char **ret, struct err *err)
{
	auto_strlist lines = { 0 };
	auto_json *line = NULL;

	if (git_note_lines(git, commit, &lines, err) < 0)
		return -1;
	if (!lines.n)
		return err_set(err, ERR_NOT_FOUND, "commit %.12s has no job", commit);
	line = json_parse(lines.v[lines.n - 1], strlen(lines.v[lines.n - 1]), "the commit's note", err);
	if (!line)
		return -1;
	if (!json_str(line, "job"))
		return err_set(err, ERR_INVALID, "the note of commit %.12s is no record of smpipe", commit);
	*ret = xstrdup(json_str(line, "job"));
	return 0;
}

enum job_kind record_kind_in_git(struct git *git, const char *job_name)
{
	auto_json *statement = NULL;
	auto_err ignored = { 0 };

	if (!git || record_load_git(git, job_name, &statement, &ignored) < 0)
		return JOB_TRAINING;
	return provenance_kind(statement);
}

/* The S3 place that the job's tags name. */
static int locate(struct clients *c, enum job_kind first, const char *job_name, struct s3_uri *ret, struct err *err)
{
	auto_json *job = NULL;
	auto_json *tags = NULL;
	const char *uri;

	if (remote_job_find(&c->aws, first, job_name, &job, err) < 0)
		return -1;
	if (sagemaker_list_tags(&c->aws, remote_job_arn(job), &tags, err) < 0)
		return -1;
	uri = json_str(tags, TAG_RECORD);
	if (!uri)
		return err_set(err, ERR_NOT_FOUND, "job '%s' has no tag '%s': smpipe did not launch it", job_name,
			       TAG_RECORD);
	return s3_uri_parse(uri, ret, err);
}

int record_load(const struct session *s, struct git *git, const char *job_name, struct record *ret, struct err *err)
{
	auto_clients c = { 0 };
	auto_s3_uri uri = { 0 };
	auto_err ignored = { 0 };

	clients_init(&c, s);
	if (locate(&c, record_kind_in_git(git, job_name), job_name, &uri, err) == 0 &&
	    record_load_at(s, uri.bucket, uri.key, s->bucket_owner, ret, err) == 0)
		return 0;
	if (git && err->code == ERR_NOT_FOUND && record_load_git(git, job_name, &ret->statement, &ignored) == 0) {
		err_release(err);
		return 0;
	}
	return -1;
}

static int tag_job(struct clients *c, const json_t *job, const struct record *r, struct err *err)
{
	auto_free char *text = json_pretty(r->statement);
	struct digest d = digest_of_text(text);
	auto_free char *hex = digest_hex(&d);
	auto_json *tags = json_pack("[{ssss}]", "Key", TAG_STATEMENT, "Value", hex);

	return sagemaker_add_tags(&c->aws, remote_job_arn(job), tags, err);
}

/*
 * Git's copy was made while the job ran, and another clone completed the record. What S3 has takes its place if the
 * job's own tag vouches for it; otherwise the difference is verify's to tell.
 */
static int catch_up(const struct session *s, struct git *git, const struct record *r, struct err *err)
{
	auto_clients c = { 0 };
	auto_json *copy = NULL;
	auto_json *job = NULL;
	auto_json *tags = NULL;
	auto_err ignored = { 0 };

	if (record_load_git(git, provenance_job(r->statement), &copy, &ignored) < 0 ||
	    sagemaker_is_final(provenance_status(copy)))
		return 0;
	clients_init(&c, s);
	if (remote_job_describe(&c.aws, provenance_kind(copy), provenance_job(copy), &job, err) < 0 ||
	    sagemaker_list_tags(&c.aws, remote_job_arn(job), &tags, err) < 0)
		return -1;
	if (!str_eq(json_str(tags, TAG_STATEMENT), r->sha256))
		return 0;
	return record_copy_to_git(git, r, provenance_commit(r->statement), err);
}

int record_complete(const struct session *s, struct git *git, struct record *r, bool *ret_changed, struct err *err)
{
	auto_clients c = { 0 };
	auto_json *job = NULL;

	if (ret_changed)
		*ret_changed = false;
	if (!r->key)
		return 0;
	if (sagemaker_is_final(provenance_status(r->statement)))
		return git ? catch_up(s, git, r, err) : 0;
	clients_init(&c, s);
	if (remote_job_describe(&c.aws, provenance_kind(r->statement), provenance_job(r->statement), &job, err) < 0)
		return -1;
	if (!remote_job_is_over(job))
		return 0;
	if (record_add_outcome(s, r, job, err) < 0)
		return -1;
	/* The tag first: once S3 has the end nobody completes the record again. */
	if (tag_job(&c, job, r, err) < 0 || record_save(s, git, r, provenance_commit(r->statement), err) < 0)
		return -1;
	if (ret_changed)
		*ret_changed = true;
	return 0;
}
