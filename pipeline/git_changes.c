/* What differs from the commit. */

#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "pipeline/git_internal.h"

#define STATUS_INDEX                                                                                                   \
	(GIT_STATUS_INDEX_NEW | GIT_STATUS_INDEX_MODIFIED | GIT_STATUS_INDEX_DELETED | GIT_STATUS_INDEX_TYPECHANGE)
#define STATUS_WORK                                                                                                    \
	(GIT_STATUS_WT_MODIFIED | GIT_STATUS_WT_DELETED | GIT_STATUS_WT_TYPECHANGE | GIT_STATUS_WT_UNREADABLE)

void git_changes_release(struct git_changes *c)
{
	strlist_release(&c->all);
	strlist_release(&c->work);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool git_list_has(const struct strlist *sorted, const char *path)
{
	return sorted->n && bsearch(&path, sorted->v, sorted->n, sizeof(*sorted->v), compare_text);
}

int git_read_index(struct git *g, git_index **ret, struct err *err)
{
	auto_of(git_index) *index = NULL;
	int rc = git_repository_index(&index, g->repo);

	if (rc < 0 || (rc = git_index_read(index, false)) < 0) {
		git_refuse(err, rc, "read the git index of '%s'", g->workdir);
		err->code = ERR_CONFIG;
		return -1;
	}
	for (size_t i = 0; i < git_index_entrycount(index); i++) {
		const git_index_entry *e = git_index_get_byindex(index, i);

		if (git_index_entry_is_conflict(e)) {
			auto_free char *shown = str_printable(e->path);

			err_set(err, ERR_CONFIG, "'%s' has a merge conflict", shown);
			return err_hint(err, "resolve it, then git add and git commit");
		}
	}
	*ret = take(index);
	return 0;
}

/* Git LFS's filter is a program, which libgit2 does not run: to it a file that was fetched always differs from its
 * pointer. */
static int is_fetched_lfs(struct git *g, const git_index_entry *e, bool *ret, struct err *err)
{
	auto_free char *disk_path = fs_join(g->workdir, e->path);
	struct git_lfs lfs;
	uint64_t size;
	int is_pointer;

	*ret = false;
	if (git_blob_size(g, &e->id, e->path, &size, err) < 0)
		return -1;
	is_pointer = git_lfs_of_blob(g, &e->id, size, &lfs, err);
	if (is_pointer > 0)
		*ret = git_lfs_matches(&lfs, disk_path);
	return is_pointer < 0 ? -1 : 0;
}

/* Take back from the flags what git itself would not call a change of the work tree. */
static int weigh(struct git *g, git_index *index, const char *path, unsigned *flags, struct err *err)
{
	const git_index_entry *e = git_index_get_bypath(index, path, 0);
	bool is_fetched = false;

	if (!e || !(*flags & STATUS_WORK))
		return 0;
	if (e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE)
		*flags &= ~(unsigned)STATUS_WORK;
	if (!(*flags & GIT_STATUS_WT_MODIFIED) || (e->mode & S_IFMT) != S_IFREG)
		return 0;
	if (is_fetched_lfs(g, e, &is_fetched, err) < 0)
		return -1;
	if (is_fetched)
		*flags &= ~(unsigned)GIT_STATUS_WT_MODIFIED;
	return 0;
}

static int add_change(struct git *g, git_index *index, const git_status_entry *s, struct git_changes *c,
		      struct err *err)
{
	const git_diff_delta *delta = s->index_to_workdir ? s->index_to_workdir : s->head_to_index;
	unsigned flags = s->status;

	/* What was taken out of the index but lies there still is both. */
	if (flags & GIT_STATUS_WT_NEW)
		c->untracked++;
	if (weigh(g, index, delta->old_file.path, &flags, err) < 0)
		return -1;
	if (flags & STATUS_WORK)
		strlist_add(&c->work, delta->old_file.path);
	if (flags & (STATUS_WORK | STATUS_INDEX))
		strlist_add(&c->all, delta->old_file.path);
	return 0;
}

static int read_status(struct git *g, const char *prefix, git_status_list **ret, struct err *err)
{
	git_status_options opts = { .version = GIT_STATUS_OPTIONS_VERSION };
	auto_free char *folder = xstrdup(prefix);
	int rc;

	opts.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
	opts.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
		     GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH;
	if (*folder) {
		folder[strlen(folder) - 1] = '\0';
		opts.pathspec.strings = &folder;
		opts.pathspec.count = 1;
	}
	rc = git_status_list_new(ret, g->repo, &opts);
	return rc < 0 ? git_refuse(err, rc, "compare '%s' with its commit", g->workdir) : 0;
}

int git_read_changes(struct git *g, const char *prefix, struct git_changes *ret, struct err *err)
{
	auto_git_changes changes = { 0 };
	auto_of(git_status_list) *status = NULL;
	auto_of(git_index) *index = NULL;

	if (git_read_index(g, &index, err) < 0 || read_status(g, prefix, &status, err) < 0)
		return -1;
	for (size_t i = 0; i < git_status_list_entrycount(status); i++) {
		if (add_change(g, index, git_status_byindex(status, i), &changes, err) < 0)
			return -1;
	}
	strlist_sort(&changes.all);
	strlist_sort(&changes.work);
	*ret = changes;
	changes = (struct git_changes){ 0 };
	return 0;
}
