#ifndef SMPIPE_PIPELINE_RECORD_H
#define SMPIPE_PIPELINE_RECORD_H

/*
 * Where statements live: in S3 (the truth), and copies in git: one line in the note of the commit, the tag object of
 * the job. The job's tags name the S3 object. Writing is repeatable: the same statement again changes nothing.
 */

#include "pipeline/git.h"
#include "pipeline/session.h"

struct record {
	json_t *statement;
	char *bucket, *key; /* of the S3 object; NULL when only git has it */
	char *owner;        /* account of the bucket */
	char *sha256;       /* of the S3 object's bytes */
};

#define auto_record __attribute__((cleanup(record_release))) struct record
void record_release(struct record *r);

/*
 * Write the statement to S3, the note of `commit` (the statement's own unless a later commit adopts the job), and the
 * job's ref. git may be NULL: then S3 only. Sets r->sha256.
 */
int record_save(const struct session *s, struct git *git, struct record *r, const char *commit, struct err *err);

/* The same for a job that has no record yet. Another release may have been quicker: then its record replaces *r. */
int record_create(const struct session *s, struct git *git, struct record *r, const char *commit, struct err *err);
/* Only git's part of it; nothing where git has no such commit. */
int record_copy_to_git(struct git *git, const struct record *r, const char *commit, struct err *err);
/* Whether git has what record_copy_to_git() writes for this commit. */
bool record_is_in_git(struct git *git, const struct record *r, const char *commit);

/*
 * Find the record of a job: S3 by the tag smpipe:record, else git's copy; then bucket, key and sha256 stay NULL.
 * ERR_NOT_FOUND. git may be NULL.
 */
int record_load(const struct session *s, struct git *git, const char *job_name, struct record *ret, struct err *err);

/* Read it at a known place. ERR_NOT_FOUND. */
int record_load_at(const struct session *s, const char *bucket, const char *key, const char *owner, struct record *ret,
		   struct err *err);

/*
 * Add the end of the job if the record lacks it and the job has ended: reads the model (of a tuning job: that of its
 * best training job) once for its SHA-256, saves, and tags the job with smpipe:statement. *ret_changed may be NULL.
 */
int record_complete(const struct session *s, struct git *git, struct record *r, bool *ret_changed, struct err *err);

/* The record in git's tag object of the job. ERR_NOT_FOUND. */
int record_load_git(struct git *git, const char *job_name, json_t **ret_statement, struct err *err);

/* Which kind of job git's record says that it is; JOB_TRAINING where there is none. git may be NULL. */
enum job_kind record_kind_in_git(struct git *git, const char *job_name);

/* The job that a commit's note speaks of last. ERR_NOT_FOUND. New string. */
int record_last_job(struct git *git, const char *commit, char **ret, struct err *err);

#define TAG_STATEMENT "smpipe:statement"

#endif
