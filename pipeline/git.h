#ifndef SMPIPE_PIPELINE_GIT_H
#define SMPIPE_PIPELINE_GIT_H

/*
 * The git repository behind a release, by libgit2 (pipeline/git_*.c). Nothing here uses the network. Paths are relative
 * to the project's root: the folder of smpipe.yaml, which may lie below the work tree's.
 */

#include <stdbool.h>

#include "base/filelist.h"
#include "base/str.h"

struct git;

/* "libgit2 1.5.1", for records. */
const char *git_library(void);

struct git_state {
	char *commit;           /* 40 hex */
	char *tree;             /* the commit's tree, 40 hex */
	char *branch;           /* short name, or NULL when detached */
	char *remote;           /* URL of origin (else the first) without password and token, or NULL */
	char *subject;          /* first line of the commit's message */
	int64_t commit_time;    /* seconds */
	struct strlist tags;    /* that point at the commit, sorted */
	struct strlist changes; /* tracked paths below the root that differ from the commit, staged or not; sorted */
	size_t untracked;       /* number of untracked, not ignored files below the root */
	bool is_shallow;
};

/*
 * Open the repository that contains root (an existing folder). ERR_CONFIG: no repository (hint: git init); owned by
 * another user and not in safe.directory (hint: git's command); HEAD unborn (hint: commit first); bare; an extension
 * that libgit2 does not know.
 */
int git_open(const char *root, struct git **ret, struct err *err);
void git_free(struct git *g);
void git_free_p(struct git **g);
#define auto_git __attribute__((cleanup(git_free_p))) struct git

int git_read_state(struct git *g, struct git_state *ret, struct err *err);
void git_state_release(struct git_state *s);

enum git_view {
	GIT_VIEW_WORK, /* as they are now: clean ones from their blobs, changed ones from disk, deleted ones left out */
	GIT_VIEW_COMMIT, /* the commit's tree */
};

/*
 * Tracked files below the root, sorted; contents stay where they are (blobs by the list's store, which lives as long as
 * g). Symbolic links have their target as bytes. Submodules are left out and named in *ret_submodules (may be NULL).
 * Git LFS pointers: the file comes from the work tree, its size and SHA-256 checked against the pointer (ERR_CONFIG:
 * hint git lfs pull).
 */
int git_list_files(struct git *g, enum git_view view, struct filelist *ret, struct strlist *ret_submodules,
		   struct err *err);

/* Whether the repository holds a commit: a clone may lack one that another clone released. */
bool git_has_commit(struct git *g, const char *commit);

/*
 * Keep one line of text per job in the note of a commit in refs/notes/smpipe, replacing the line that holds the same
 * `"job":"<job>"` member. Lines are compact JSON. Identity: user.name and user.email, else smpipe <smpipe@localhost>.
 */
int git_note_set(struct git *g, const char *commit, const char *job, const char *json_line, struct err *err);
/* The lines of the note of a commit; empty when there is none. */
int git_note_lines(struct git *g, const char *commit, struct strlist *ret, struct err *err);

/*
 * An annotated tag object for a commit, its message the record, at refs/smpipe/jobs/<job> (no branch, no ordinary tag).
 * Replaces an earlier one of the same job.
 */
int git_job_ref_set(struct git *g, const char *job, const char *commit, const char *message, struct err *err);
/* The message; ERR_NOT_FOUND. */
int git_job_ref_get(struct git *g, const char *job, char **ret_message, struct err *err);
/* Names of all jobs that have a ref, sorted. */
int git_job_ref_list(struct git *g, struct strlist *ret, struct err *err);

/*
 * A commit object of the work tree's tracked files as GIT_VIEW_WORK sees them plus nothing else, parent HEAD, kept at
 * refs/smpipe/snapshots/<commit>; no branch moves. The same tree on the same parent gives the same commit (time of the
 * parent). *ret_commit is new.
 */
int git_snapshot_work(struct git *g, char **ret_commit, struct err *err);

/* Make a repository in an existing folder, branch main, unless it lies in one already. *ret_created. */
int git_init(const char *dir, bool *ret_created, struct err *err);

#endif
