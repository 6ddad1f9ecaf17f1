/* The tracked files, of the work tree or of the commit. */

#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "pipeline/git_internal.h"

#define LINK_MAX_BYTES 4096

/* One tracked thing: where it is in the work tree, and what git holds of it. */
struct tracked {
	const char *path; /* below the work tree */
	unsigned mode;
	const git_oid *id;
};

struct listing {
	struct git *g;
	struct filelist files;
	struct strlist submodules;
	struct err *err;
};

static unsigned file_mode(unsigned git_mode)
{
	return git_mode == GIT_FILEMODE_BLOB_EXECUTABLE ? FILE_MODE_EXEC : FILE_MODE_PLAIN;
}

static int add_link(struct listing *l, const struct tracked *t, const char *path, struct err *err)
{
	auto_free char *bytes = NULL;
	struct file_entry *e;
	size_t n;

	if (git_blob_read(l->g, t->id, &bytes, &n, err) < 0)
		return err_wrap(err, "read link '%s'", path);
	if (n == 0 || n > LINK_MAX_BYTES || strlen(bytes) != n)
		return err_set(err, ERR_CONFIG, "link '%s' has no proper target", path);
	e = filelist_add(&l->files, path, FILE_MODE_LINK);
	e->bytes = take(bytes);
	e->size = n;
	e->is_tracked = true;
	return 0;
}

static int add_lfs(struct listing *l, const struct tracked *t, const char *path, const struct git_lfs *lfs,
		   struct err *err)
{
	auto_free char *disk_path = fs_join(l->g->workdir, t->path);
	struct file_entry *e;

	if (!git_lfs_matches(lfs, disk_path)) {
		err_set(err, ERR_CONFIG, "'%s' is a Git LFS file, and what the work tree has is not its content", path);
		return err_hint(err, "fetch it: git lfs pull");
	}
	e = filelist_add(&l->files, path, file_mode(t->mode));
	e->disk_path = take(disk_path);
	e->size = lfs->size;
	e->is_tracked = true;
	e->has_digest = true;
	e->digest = lfs->digest;
	return 0;
}

static int add_blob(struct listing *l, const struct tracked *t, const char *path, struct err *err)
{
	char id[GIT_OID_HEXSZ + 1];
	struct git_lfs lfs;
	struct file_entry *e;
	uint64_t size;
	int is_pointer;

	if (git_blob_size(l->g, t->id, path, &size, err) < 0)
		return -1;
	is_pointer = git_lfs_of_blob(l->g, t->id, size, &lfs, err);
	if (is_pointer < 0)
		return -1;
	if (is_pointer)
		return add_lfs(l, t, path, &lfs, err);
	e = filelist_add(&l->files, path, file_mode(t->mode));
	e->store = &l->g->blobs.base;
	git_oid_tostr(id, sizeof(id), t->id);
	e->id = xstrdup(id);
	e->size = size;
	e->is_tracked = true;
	return 0;
}

/* Data may have any name in UTF-8; what the code archive cannot hold besides is refused there. */
static int check_name(const char *path, struct err *err)
{
	auto_free char *shown = NULL;

	if (str_is_utf8(path, strlen(path)) && fs_is_relative(path))
		return 0;
	shown = str_escaped(path);
	return err_set(err, ERR_CONFIG,
		       "the name of the tracked file '%s' is not UTF-8, or leads out of the repository", shown);
}

/* From git: the blob, the link's target, or a submodule's name. */
static int add_committed(struct listing *l, const struct tracked *t, struct err *err)
{
	const char *path = t->path + strlen(l->g->prefix);

	if (check_name(path, err) < 0)
		return -1;
	switch (t->mode) {
	case GIT_FILEMODE_COMMIT:
		strlist_add(&l->submodules, path);
		return 0;
	case GIT_FILEMODE_LINK:
		return add_link(l, t, path, err);
	default:
		return add_blob(l, t, path, err);
	}
}

int git_add_from_disk(struct git *g, struct filelist *l, const char *name, const char *path, unsigned index_mode,
		      struct err *err)
{
	auto_free char *disk_path = fs_join(g->workdir, path);
	struct file_entry *e;
	struct stat st;

	/* A folder in a file's place: to git the file is deleted. */
	if (lstat(disk_path, &st) < 0 || S_ISDIR(st.st_mode))
		return 0;
	if (filelist_add_disk(l, name, disk_path, err) < 0)
		return -1;
	e = &l->v[l->n - 1];
	e->is_tracked = true;
	if (!g->trusts_modes && e->mode != FILE_MODE_LINK)
		e->mode = file_mode(index_mode);
	return 1;
}

static int add_changed(struct listing *l, const struct tracked *t, struct err *err)
{
	const char *path = t->path + strlen(l->g->prefix);

	if (check_name(path, err) < 0)
		return -1;
	return git_add_from_disk(l->g, &l->files, path, t->path, t->mode, err) < 0 ? -1 : 0;
}

/* One look at the work tree serves both the state and the list that is made right after it: they agree. */
static int work_changes(struct git *g, struct git_changes *ret, struct err *err)
{
	if (!g->has_seen)
		return git_read_changes(g, g->prefix, ret, err);
	*ret = g->seen;
	g->seen = (struct git_changes){ 0 };
	g->has_seen = false;
	return 0;
}

static int list_work(struct listing *l, struct err *err)
{
	auto_git_changes changes = { 0 };
	auto_of(git_index) *index = NULL;

	if (git_read_index(l->g, &index, err) < 0 || work_changes(l->g, &changes, err) < 0)
		return -1;
	for (size_t i = 0; i < git_index_entrycount(index); i++) {
		const git_index_entry *e = git_index_get_byindex(index, i);
		struct tracked t = { .path = e->path, .mode = e->mode, .id = &e->id };
		bool is_changed;

		if (!str_starts(e->path, l->g->prefix))
			continue;
		/* `git add -N` leaves a name without content in the index. */
		is_changed = git_list_has(&changes.work, e->path) || e->flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD;
		if (is_changed && e->mode != GIT_FILEMODE_COMMIT) {
			if (add_changed(l, &t, err) < 0)
				return -1;
		} else if (add_committed(l, &t, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int visit_tree_entry(const char *folder, const git_tree_entry *e, void *ctx)
{
	struct listing *l = ctx;
	auto_free char *path = xasprintf("%s%s%s", l->g->prefix, folder, git_tree_entry_name(e));
	struct tracked t = { .path = path, .mode = git_tree_entry_filemode(e), .id = git_tree_entry_id(e) };

	if (t.mode == GIT_FILEMODE_TREE)
		return 0;
	return add_committed(l, &t, l->err) < 0 ? GIT_EUSER : 0;
}

/* The commit's tree below the prefix; NULL when the commit has nothing there. */
static int find_tree(struct git *g, git_tree **ret, struct err *err)
{
	auto_of(git_commit) *commit = NULL;
	auto_of(git_tree) *root = NULL;
	auto_free char *folder = xstrdup(g->prefix);
	git_tree_entry *e = NULL;
	int rc;

	if (git_head_commit(g, &commit, err) < 0)
		return -1;
	rc = git_commit_tree(&root, commit);
	if (rc < 0)
		return git_refuse(err, rc, "read the tree of the commit");
	if (!*folder) {
		*ret = take(root);
		return 0;
	}
	folder[strlen(folder) - 1] = '\0';
	rc = git_tree_entry_bypath(&e, root, folder);
	if (rc == 0 && git_tree_entry_filemode(e) == GIT_FILEMODE_TREE)
		rc = git_tree_lookup(ret, g->repo, git_tree_entry_id(e));
	git_tree_entry_free(e);
	return rc < 0 && rc != GIT_ENOTFOUND ? git_refuse(err, rc, "read the tree of '%s'", folder) : 0;
}

static int list_commit(struct listing *l, struct err *err)
{
	auto_of(git_tree) *tree = NULL;
	int rc;

	if (find_tree(l->g, &tree, err) < 0)
		return -1;
	if (!tree)
		return 0;
	l->err = err;
	rc = git_tree_walk(tree, GIT_TREEWALK_PRE, visit_tree_entry, l);
	if (rc == GIT_EUSER)
		return -1;
	return rc < 0 ? git_refuse(err, rc, "read the tree of the commit") : 0;
}

int git_list_files(struct git *g, enum git_view view, struct filelist *ret, struct strlist *ret_submodules,
		   struct err *err)
{
	struct listing l = { .g = g };
	int rc;

	rc = view == GIT_VIEW_WORK ? list_work(&l, err) : list_commit(&l, err);
	if (rc == 0) {
		filelist_sort(&l.files);
		*ret = l.files;
		l.files = (struct filelist){ 0 };
	}
	if (rc == 0 && ret_submodules) {
		strlist_sort(&l.submodules);
		*ret_submodules = l.submodules;
		l.submodules = (struct strlist){ 0 };
	}
	filelist_release(&l.files);
	strlist_release(&l.submodules);
	return rc;
}
