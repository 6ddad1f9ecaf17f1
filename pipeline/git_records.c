/* What is written into the repository beside its history: notes and the tag objects of jobs. */

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "pipeline/git_internal.h"

/* How often a ref is written anew when another process moves it or holds its lock. */
#define REF_ATTEMPTS 100
#define LOCK_POLL_MS 50
#define LOCK_STALE_S 3

int git_identity(struct git *g, git_signature **ret, struct err *err)
{
	int rc = git_signature_default(ret, g->repo);

	if (rc < 0)
		rc = git_signature_now(ret, "smpipe", "smpipe@localhost");
	return rc < 0 ? git_refuse(err, rc, "make the identity of a git record") : 0;
}

static int parse_commit(const char *commit, git_oid *ret, struct err *err)
{
	if (strlen(commit) != GIT_OID_HEXSZ || git_oid_fromstr(ret, commit) < 0) {
		auto_free char *shown = str_printable(commit);

		return err_set(err, ERR_INVALID, "'%s' is no commit id", shown);
	}
	return 0;
}

bool git_has_commit(struct git *g, const char *commit)
{
	auto_of(git_object) *found = NULL;
	auto_err ignored = { 0 };
	git_oid id;

	return parse_commit(commit, &id, &ignored) == 0 &&
	       git_object_lookup(&found, g->repo, &id, GIT_OBJECT_COMMIT) == 0;
}

static int read_note(struct git *g, const git_oid *commit, struct strlist *lines, struct err *err)
{
	auto_of(git_note) *note = NULL;
	auto_strlist all = { 0 };
	int rc = git_note_read(&note, g->repo, GIT_NOTES_REF, commit);

	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc < 0)
		return git_refuse(err, rc, "read the note in " GIT_NOTES_REF);
	str_split(&all, git_note_message(note), '\n');
	for (size_t i = 0; i < all.n; i++) {
		if (*all.v[i])
			strlist_add(lines, all.v[i]);
	}
	return 0;
}

/* A line that is no JSON object is somebody else's, and stays. */
static bool is_line_of_job(const char *line, const char *job)
{
	auto_err ignored = { 0 };
	auto_json *j = json_parse(line, strlen(line), "note", &ignored);

	return j && str_eq(json_str(j, "job"), job);
}

static char *note_text(const struct strlist *lines, const char *job, const char *json_line)
{
	auto_str text = { 0 };
	bool is_placed = false;

	for (size_t i = 0; i < lines->n; i++) {
		bool is_same = is_line_of_job(lines->v[i], job);

		if (is_same && is_placed)
			continue;
		str_addf(&text, "%s\n", is_same ? json_line : lines->v[i]);
		is_placed |= is_same;
	}
	if (!is_placed)
		str_addf(&text, "%s\n", json_line);
	return str_detach(&text);
}

static int write_note(struct git *g, const git_oid *commit, const char *job, const char *json_line, struct err *err)
{
	auto_of(git_signature) *who = NULL;
	auto_strlist lines = { 0 };
	auto_free char *text = NULL;
	git_oid id;
	int rc;

	if (read_note(g, commit, &lines, err) < 0 || git_identity(g, &who, err) < 0)
		return -1;
	text = note_text(&lines, job, json_line);
	rc = git_note_create(&id, g->repo, GIT_NOTES_REF, who, who, commit, text, true);
	return rc < 0 ? git_refuse(err, rc, "write the note of job '%s' to " GIT_NOTES_REF, job) : 0;
}

bool git_outlast_lock(struct git *g, const char *ref, int attempt)
{
	auto_free char *path = xasprintf("%s/%s.lock", git_repository_commondir(g->repo), ref);
	struct stat st;

	if (attempt >= REF_ATTEMPTS || sys_is_cancelled())
		return false;
	if (lstat(path, &st) < 0)
		return true;
	if (time(NULL) - st.st_mtime >= LOCK_STALE_S)
		return unlink(path) == 0;
	sys_real.sleep_ms(&sys_real, LOCK_POLL_MS);
	return true;
}

int git_note_set(struct git *g, const char *commit, const char *job, const char *json_line, struct err *err)
{
	git_oid id;

	if (parse_commit(commit, &id, err) < 0)
		return -1;
	if (strchr(json_line, '\n'))
		return err_set(err, ERR_INVALID, "the note of job '%s' is more than one line", job);
	for (int attempt = 1;; attempt++) {
		auto_err local = { 0 };

		if (write_note(g, &id, job, json_line, &local) == 0)
			return 0;
		if (local.code != ERR_CONFLICT || !git_outlast_lock(g, GIT_NOTES_REF, attempt)) {
			err_move(err, &local);
			return -1;
		}
	}
}

int git_note_lines(struct git *g, const char *commit, struct strlist *ret, struct err *err)
{
	git_oid id;

	return parse_commit(commit, &id, err) < 0 ? -1 : read_note(g, &id, ret, err);
}

/* "refs/smpipe/jobs/<job>"; NULL when that can be no ref. */
static char *job_ref(const char *job, struct err *err)
{
	auto_free char *ref = xasprintf(GIT_JOBS_PREFIX "%s", job);
	int is_valid = 0;

	if (git_reference_name_is_valid(&is_valid, ref) < 0 || !is_valid || strchr(job, '/')) {
		auto_free char *shown = str_printable(job);

		err_set(err, ERR_INVALID, "'%s' is no name for a job's git ref", shown);
		return NULL;
	}
	return take(ref);
}

int git_job_ref_set(struct git *g, const char *job, const char *commit, const char *message, struct err *err)
{
	auto_free char *name = job_ref(job, err);
	auto_of(git_reference) *ref = NULL;
	auto_of(git_object) *target = NULL;
	auto_of(git_signature) *who = NULL;
	git_oid commit_id, tag_id;
	int rc;

	if (!name || parse_commit(commit, &commit_id, err) < 0 || git_identity(g, &who, err) < 0)
		return -1;
	rc = git_object_lookup(&target, g->repo, &commit_id, GIT_OBJECT_COMMIT);
	if (rc < 0)
		return git_refuse(err, rc, "find commit %s", commit);
	rc = git_tag_annotation_create(&tag_id, g->repo, job, target, who, message);
	for (int attempt = 1; rc == 0; attempt++) {
		rc = git_reference_create(&ref, g->repo, name, &tag_id, true, NULL);
		if (rc != GIT_ELOCKED || !git_outlast_lock(g, name, attempt))
			break;
		rc = 0;
	}
	return rc < 0 ? git_refuse(err, rc, "write '%s'", name) : 0;
}

int git_job_ref_get(struct git *g, const char *job, char **ret_message, struct err *err)
{
	auto_free char *name = job_ref(job, err);
	auto_of(git_reference) *ref = NULL;
	auto_of(git_object) *tag = NULL;
	int rc;

	if (!name)
		return -1;
	rc = git_reference_lookup(&ref, g->repo, name);
	if (rc == GIT_ENOTFOUND)
		return err_set(err, ERR_NOT_FOUND, "job '%s' has no record in this repository ('%s')", job, name);
	if (rc == 0)
		rc = git_reference_peel(&tag, ref, GIT_OBJECT_TAG);
	if (rc < 0)
		return git_refuse(err, rc, "read '%s'", name);
	*ret_message = xstrdup(git_tag_message((git_tag *)tag) ? git_tag_message((git_tag *)tag) : "");
	return 0;
}

int git_job_ref_list(struct git *g, struct strlist *ret, struct err *err)
{
	auto_of(git_reference_iterator) *refs = NULL;
	auto_strlist jobs = { 0 };
	const char *name;
	int rc = git_reference_iterator_glob_new(&refs, g->repo, GIT_JOBS_PREFIX "*");

	while (rc == 0 && (rc = git_reference_next_name(&name, refs)) == 0)
		strlist_add(&jobs, name + strlen(GIT_JOBS_PREFIX));
	if (rc != GIT_ITEROVER)
		return git_refuse(err, rc, "list '" GIT_JOBS_PREFIX "'");
	strlist_sort(&jobs);
	*ret = jobs;
	jobs = (struct strlist){ 0 };
	return 0;
}
