#ifndef SMPIPE_PIPELINE_GIT_INTERNAL_H
#define SMPIPE_PIPELINE_GIT_INTERNAL_H

/* What the git_*.c files share; nobody else includes this. Paths here are the work tree's unless said otherwise. */

#include <git2.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/str.h"
#include "pipeline/git.h"

#define GIT_NOTES_REF        "refs/notes/smpipe"
#define GIT_JOBS_PREFIX      "refs/smpipe/jobs/"
#define GIT_SNAPSHOTS_PREFIX "refs/smpipe/snapshots/"

/* The contents of blobs, by hex id. */
struct git_blobs {
	struct file_store base; /* first: a struct file_store * is one to this */
	struct git *g;
};

/* What differs from the commit below a prefix ("" or "a/b/"). */
struct git_changes {
	struct strlist all;  /* tracked paths that differ, staged or not; sorted */
	struct strlist work; /* those whose work tree file differs from the index; sorted */
	size_t untracked;
};
#define auto_git_changes __attribute__((cleanup(git_changes_release))) struct git_changes

struct git {
	git_repository *repo;
	char *workdir;     /* real path, ends in '/' */
	char *prefix;      /* the project's root below it: "" or "a/b/" */
	bool trusts_modes; /* core.fileMode: the executable bits on disk mean something */
	git_odb *odb;
	pthread_mutex_t odb_lock;
	struct git_blobs blobs;
	struct git_changes seen; /* by git_read_state(), for the list that follows */
	bool has_seen;
};

#define GIT_CLEANUP(type)                                                                                              \
	static inline void type##_cleanup(type **p)                                                                    \
	{                                                                                                              \
		type##_free(*p);                                                                                       \
	}
GIT_CLEANUP(git_repository)
GIT_CLEANUP(git_reference)
GIT_CLEANUP(git_object)
GIT_CLEANUP(git_commit)
GIT_CLEANUP(git_tree)
GIT_CLEANUP(git_tag)
GIT_CLEANUP(git_index)
GIT_CLEANUP(git_config)
GIT_CLEANUP(git_remote)
GIT_CLEANUP(git_note)
GIT_CLEANUP(git_signature)
GIT_CLEANUP(git_odb_object)
GIT_CLEANUP(git_odb_stream)
GIT_CLEANUP(git_status_list)
GIT_CLEANUP(git_config_iterator)
GIT_CLEANUP(git_reference_iterator)
/* auto_of(git_commit) *commit = NULL; */
#define auto_of(type) __attribute__((cleanup(type##_cleanup))) type

/* `words: libgit2's reason`. ERR_NOT_FOUND, ERR_CONFLICT (locked, moved by someone else), ERR_IO, else ERR_CONFIG. */
int git_refuse(struct err *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The commit of HEAD. */
int git_head_commit(struct git *g, git_commit **ret, struct err *err);

int git_read_changes(struct git *g, const char *prefix, struct git_changes *ret, struct err *err);
void git_changes_release(struct git_changes *c);
/* Whether a sorted list holds path. */
bool git_list_has(const struct strlist *sorted, const char *path);

/* ERR_CONFIG when the index has unmerged paths. */
int git_read_index(struct git *g, git_index **ret, struct err *err);

void git_blobs_init(struct git *g);
int git_blob_size(struct git *g, const git_oid *id, const char *path, uint64_t *ret_size, struct err *err);
/* The bytes, NUL added. */
int git_blob_read(struct git *g, const git_oid *id, char **ret_bytes, size_t *ret_n, struct err *err);

/*
 * Append, as name, a file that differs from the index as it lies on disk: 1, or 0 when it is deleted. index_mode is its
 * mode in the index.
 */
int git_add_from_disk(struct git *g, struct filelist *l, const char *name, const char *path, unsigned index_mode,
		      struct err *err);

/* What a Git LFS pointer says: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
struct git_lfs {
	uint64_t size;
	struct digest digest;
};
/* Whether these bytes are a pointer. */
bool git_lfs_parse(const char *bytes, size_t n, struct git_lfs *ret);
/* 1 when the blob is a pointer, 0 when not. */
int git_lfs_of_blob(struct git *g, const git_oid *id, uint64_t size, struct git_lfs *ret, struct err *err);
/* Whether the file on disk is a regular file of that size and digest; false also when it cannot be read. */
bool git_lfs_matches(const struct git_lfs *lfs, const char *disk_path);

/*
 * After the attempt-th try to move a ref met a lock or another process: wait a little, and remove the lock of a process
 * that was killed. Such a lock is held for milliseconds, so one that is seconds old has no owner. false: give up.
 */
bool git_outlast_lock(struct git *g, const char *ref, int attempt);

/* user.name and user.email, else smpipe <smpipe@localhost>. */
int git_identity(struct git *g, git_signature **ret, struct err *err);

#endif
