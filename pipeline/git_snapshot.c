/* A commit of the work tree as it is, that moves no branch. */

#include "pipeline/git_internal.h"

/* Send the bytes as they are: the release used them so, and no filter may come between. */
static int store_bytes(struct git *g, const struct file_entry *e, git_oid *ret, struct err *err)
{
	auto_of(git_odb_stream) *stream = NULL;
	struct file_reader reader;
	char buffer[65536];
	int64_t n;
	int rc = git_odb_open_wstream(&stream, g->odb, (git_object_size_t)e->size, GIT_OBJECT_BLOB);

	if (rc < 0)
		return git_refuse(err, rc, "store '%s' in git", e->path);
	if (file_reader_open(&reader, e, err) < 0)
		return -1;
	while ((n = file_reader_read(&reader, buffer, sizeof(buffer), e, err)) > 0 && rc == 0)
		rc = git_odb_stream_write(stream, buffer, (size_t)n);
	file_reader_close(&reader);
	if (n < 0)
		return -1;
	if (rc == 0)
		rc = git_odb_stream_finalize_write(ret, stream);
	return rc < 0 ? git_refuse(err, rc, "store '%s' in git", e->path) : 0;
}

static unsigned git_mode(unsigned mode)
{
	if (mode == FILE_MODE_LINK)
		return GIT_FILEMODE_LINK;
	return mode == FILE_MODE_EXEC ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
}

/* 1 with id and mode of what lies on disk, 0 when it is deleted. */
static int store_changed(struct git *g, git_index_entry *e, struct err *err)
{
	auto_filelist one = { 0 };
	int found = git_add_from_disk(g, &one, e->path, e->path, e->mode, err);

	if (found <= 0)
		return found;
	if (store_bytes(g, &one.v[0], &e->id, err) < 0)
		return -1;
	e->mode = git_mode(one.v[0].mode);
	return 1;
}

static int write_tree(struct git *g, git_oid *ret, struct err *err)
{
	auto_git_changes changes = { 0 };
	auto_of(git_index) *index = NULL, *tree = NULL;
	int rc;

	if (git_read_index(g, &index, err) < 0 || git_read_changes(g, "", &changes, err) < 0)
		return -1;
	rc = git_index_new(&tree);
	for (size_t i = 0; rc == 0 && i < git_index_entrycount(index); i++) {
		git_index_entry e = *git_index_get_byindex(index, i);
		bool is_changed =
			git_list_has(&changes.work, e.path) || e.flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD;
		int kept = 1;

		/* A submodule stays at the commit that the index names: its own changes are not ours. */
		if (is_changed && e.mode != GIT_FILEMODE_COMMIT)
			kept = store_changed(g, &e, err);
		if (kept < 0)
			return -1;
		e.flags_extended = 0;
		if (kept)
			rc = git_index_add(tree, &e);
	}
	if (rc == 0)
		rc = git_index_write_tree_to(ret, tree, g->repo);
	return rc < 0 ? git_refuse(err, rc, "store the work tree in git") : 0;
}

/* All but the tree and the parent is fixed, so that the same work gives the same commit, whoever records it. */
static int write_commit(struct git *g, git_commit *parent, const git_oid *tree_id, git_oid *ret, struct err *err)
{
	auto_of(git_signature) *who = NULL;
	auto_of(git_tree) *tree = NULL;
	const git_commit *parents[] = { parent };
	int rc = git_tree_lookup(&tree, g->repo, tree_id);

	if (rc == 0)
		rc = git_signature_new(&who, "smpipe", "smpipe@localhost", git_commit_time(parent), 0);
	if (rc == 0)
		rc = git_commit_create(ret, g->repo, NULL, who, who, NULL, "smpipe: work tree snapshot\n", tree, 1,
				       parents);
	return rc < 0 ? git_refuse(err, rc, "commit the snapshot of the work tree") : 0;
}

int git_snapshot_work(struct git *g, char **ret_commit, struct err *err)
{
	auto_of(git_commit) *parent = NULL;
	auto_of(git_reference) *ref = NULL;
	auto_free char *name = NULL;
	char hex[GIT_OID_HEXSZ + 1];
	git_oid tree_id, commit_id;
	int rc;

	if (git_head_commit(g, &parent, err) < 0 || write_tree(g, &tree_id, err) < 0 ||
	    write_commit(g, parent, &tree_id, &commit_id, err) < 0)
		return -1;
	git_oid_tostr(hex, sizeof(hex), &commit_id);
	name = xasprintf(GIT_SNAPSHOTS_PREFIX "%s", hex);
	for (int attempt = 1;; attempt++) {
		rc = git_reference_create(&ref, g->repo, name, &commit_id, true, NULL);
		if (rc != GIT_ELOCKED || !git_outlast_lock(g, name, attempt))
			break;
	}
	if (rc < 0)
		return git_refuse(err, rc, "write '%s'", name);
	*ret_commit = xstrdup(hex);
	return 0;
}
