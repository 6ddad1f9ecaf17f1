#include "pipeline/project.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sys.h"
#include "ecr/context.h"
#include "ecr/dockerfile.h"
#include "pipeline/source.h"
#include "pipeline/view.h"
#include "s3/snapshot.h"

#define MAX_DOCKERFILE_BYTES (1024 * 1024)

int project_open(const char *file, const char *environment, struct project *ret, struct err *err)
{
	auto_project p = { 0 };
	auto_free char *found = file ? xstrdup(file) : config_discover(err);

	if (!found || config_load(found, environment, &p.config, err) < 0)
		return -1;
	if (git_open(p.config.root, &p.git, err) < 0 || git_read_state(p.git, &p.state, err) < 0)
		return -1;
	p.state_dir = fs_join(p.config.root, ".smpipe");
	*ret = p;
	p = (struct project){ 0 };
	return 0;
}

static int read_bases(struct project *p, struct err *err)
{
	const struct file_entry *e = filelist_find(&p->context, p->dockerfile);
	auto_dockerfile parsed = { 0 };
	auto_free char *text = NULL;
	size_t n;

	if (file_entry_read(e, MAX_DOCKERFILE_BYTES, &text, &n, err) < 0)
		return -1;
	if (dockerfile_parse(text, p->dockerfile, config_value(&p->config, "image.build_args"), &parsed, err) < 0)
		return -1;
	p->bases = parsed.bases;
	parsed.bases = (struct strlist){ 0 };
	return 0;
}

static int list_context(const struct project *p, const struct filelist *tracked, struct filelist *ret,
			char **ret_dockerfile, struct err *err)
{
	auto_filelist files = { 0 };
	auto_strlist include = { 0 };
	struct context_spec spec = {
		.root = p->config.root,
		.files = &files,
		.context = config_str(&p->config, "image.context"),
		.dockerfile = config_str(&p->config, "image.dockerfile"),
	};

	config_list(&p->config, "image.include", &include);
	strlist_take(&include, NULL);
	spec.include = (const char *const *)include.v;
	include.n--;
	if (view_list(p, "image.files", tracked, &files, err) < 0)
		return -1;
	return context_list(&spec, ret, ret_dockerfile, err);
}

/* Where a packed file lies in the project; folder is what the packed paths are relative to. New string. */
static char *project_path(const struct file_entry *e, const char *folder)
{
	return e->origin || str_eq(folder, ".") ? xstrdup(e->origin ? e->origin : e->path) : fs_join(folder, e->path);
}

static void note_untracked(struct project *p, const struct filelist *l, const char *folder)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].is_tracked)
			strlist_take(&p->untracked, project_path(&l->v[i], folder));
	}
}

/* Add the tracked files in which two lists of one archive differ. */
static void note_differences(struct project *p, const struct filelist *work, const struct filelist *commit)
{
	size_t i = 0, j = 0;

	while (i < work->n || j < commit->n) {
		const struct file_entry *a = i < work->n ? &work->v[i] : NULL;
		const struct file_entry *b = j < commit->n ? &commit->v[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
		bool differs = order || a->mode != b->mode || !digest_equal(&a->digest, &b->digest);
		const struct file_entry *e = order > 0 ? b : a;

		if (differs && e->is_tracked)
			strlist_take(&p->dirty, project_path(e, "."));
		i += order <= 0;
		j += order >= 0;
	}
}

static int read_context(struct project *p, const struct filelist *work, const struct filelist *commit, struct err *err)
{
	auto_filelist committed = { 0 };
	auto_free char *ignored = NULL;
	auto_err why = { 0 };

	p->builds_image = !config_str(&p->config, "image.uri") && !config_str(&p->config, "image.algorithm_name") &&
			  !config_value(&p->config, "estimator.serverless_job_config");
	if (!p->builds_image)
		return 0;
	if (list_context(p, work, &p->context, &p->dockerfile, err) < 0)
		return -1;
	p->context_tree = filelist_tree_digest(&p->context, false);
	note_untracked(p, &p->context, config_str(&p->config, "image.context"));
	/* A commit whose own context is broken (its Dockerfile is new, say) differs in every file that is not in it. */
	if (commit && list_context(p, commit, &committed, &ignored, &why) < 0)
		filelist_release(&committed);
	if (commit)
		note_differences(p, &p->context, &committed);
	return read_bases(p, err);
}

static int read_source(struct project *p, const struct filelist *work, const struct filelist *commit, struct err *err)
{
	const char *source_dir = config_str(&p->config, "source.source_dir");
	auto_filelist committed = { 0 };
	auto_err why = { 0 };

	if (!config_value(&p->config, "source") || str_eq(config_str(&p->config, "source.delivery"), "image"))
		return 0;
	if (!config_str(&p->config, "source.entry_point"))
		return config_error(&p->config, err, "source", "'source' needs an 'entry_point'");
	p->delivers_source = true;
	if (source_dir && str_starts(source_dir, "s3://"))
		return 0;
	p->packs_source = true;
	if (source_list(p, work, true, &p->source, err) < 0)
		return -1;
	p->source_tree = filelist_tree_digest(&p->source, false);
	note_untracked(p, &p->source, ".");
	if (commit && source_list(p, commit, false, &committed, &why) < 0)
		filelist_release(&committed);
	if (commit)
		note_differences(p, &p->source, &committed);
	return 0;
}

/* A path as git writes it: "./data//train/" is "data/train", "." is "". New string. */
static char *plain_path(const char *path)
{
	auto_strlist parts = { 0 };
	struct str out = { 0 };

	str_split(&parts, path, '/');
	for (size_t i = 0; i < parts.n; i++) {
		if (*parts.v[i] && !str_eq(parts.v[i], "."))
			str_addf(&out, "%s%s", out.len ? "/" : "", parts.v[i]);
	}
	return str_detach(&out);
}

static bool tracks_anything(const struct filelist *tracked, const char *path)
{
	auto_free char *below = xasprintf("%s/", path);
	bool found = filelist_find(tracked, path) != NULL;

	for (size_t i = 0; i < tracked->n && !found; i++)
		found = str_starts(tracked->v[i].path, below);
	return found;
}

/* As in `git status`, a folder in which git tracks nothing is one line, however much it holds. */
static void note_channel(struct project *p, const struct channel *c, const struct filelist *tracked)
{
	auto_free char *disk_path = fs_join(p->config.root, c->path);
	auto_free char *folder = *c->path == '/' ? xstrdup(c->path) : plain_path(c->path);
	bool is_file = !fs_is_dir(disk_path);

	if (!tracks_anything(tracked, folder)) {
		strlist_take(&p->untracked, xasprintf("%s%s", folder, is_file ? "" : "/"));
		return;
	}
	for (size_t i = 0; i < c->files.n; i++) {
		auto_free char *path = is_file ? xstrdup(folder) : fs_join(folder, c->files.v[i].path);

		if (file_entry_is_folder(&c->files.v[i]))
			continue;
		if (!filelist_find(tracked, path))
			strlist_add(&p->untracked, path);
		else if (strlist_has_sorted(&p->state.changes, path))
			strlist_add(&p->dirty, path);
	}
}

/* With the project would come .git and smpipe's own state: nobody means to upload them, and they change all the time.
 */
static bool holds_project(const struct project *p, const char *data_path)
{
	auto_free char *data = fs_realpath(data_path);
	auto_free char *root = fs_realpath(p->config.root);
	size_t n = data ? strlen(data) : 0;

	if (!data || !root || !str_starts(root, data))
		return false;
	return n == 1 || root[n] == '/' || root[n] == '\0';
}

/* "<state>/index/<channel>-<of the folder>"; new string. */
static char *index_file(const struct project *p, const struct channel *c)
{
	struct digest of_path = digest_of_text(c->path);
	auto_free char *hex = digest_hex(&of_path);

	return xasprintf("%s/index/%s-%.8s", p->state_dir, c->name, hex);
}

/* At the line that names the folder; the hint stays. */
static int blame_channel(const struct project *p, const struct channel *c, const char *key, struct err *why,
			 struct err *err)
{
	if (why->code != ERR_CONFIG) {
		err_move(err, why);
		return err_wrap(err, "channel '%s'", c->name);
	}
	config_error(&p->config, err, key, "channel '%s': %s", c->name, why->msg);
	return why->hint ? err_hint(err, "%s", why->hint) : -1;
}

int project_read_channel(const struct project *p, struct channel *c, struct err *err)
{
	auto_free char *disk_path = fs_join(p->config.root, c->path);
	auto_free char *index = index_file(p, c);
	auto_free char *key = xasprintf("inputs.%s", c->name);
	struct snapshot_source src = { disk_path, &c->scan, index, &sys_real, p->report };
	auto_err why = { 0 };

	if (holds_project(p, disk_path))
		return config_error(&p->config, err, key, "channel '%s': the data folder '%s' holds the project itself",
				    c->name, c->path);
	if (snapshot_read(&src, &c->files, &c->facts, &why) < 0)
		return blame_channel(p, c, key, &why, err);
	c->tree = filelist_tree_digest(&c->files, true);
	return 0;
}

/* To read these again takes no longer than to write down that it need not be. */
static bool is_worth_an_index(const struct channel *c)
{
	return c->facts.n_hashed >= 64 || c->facts.bytes_hashed >= 1024 * 1024;
}

int project_keep_indexes(const struct project *p, struct err *err)
{
	for (size_t i = 0; i < p->n_channels; i++) {
		const struct channel *c = &p->channels[i];
		auto_free char *disk_path = NULL;
		auto_free char *index = NULL;

		if (c->kind != CHANNEL_LOCAL || !is_worth_an_index(c))
			continue;
		disk_path = fs_join(p->config.root, c->path);
		index = index_file(p, c);
		if (project_make_state_dir(p, err) < 0 ||
		    snapshot_keep_index(&(struct snapshot_source){ .path = disk_path, .index_file = index }, &c->facts,
					&c->files, err) < 0)
			return err_wrap(err, "keep the index of channel '%s'", c->name);
	}
	return 0;
}

void project_forget_index(const struct project *p, const struct channel *c)
{
	auto_free char *index = index_file(p, c);

	unlink(index);
}

static int read_channel(struct project *p, struct channel *c, const struct filelist *tracked, struct err *err)
{
	if (c->kind != CHANNEL_LOCAL)
		return 0;
	if (project_read_channel(p, c, err) < 0)
		return -1;
	note_channel(p, c, tracked);
	return 0;
}

int project_open_channels(struct project *p, struct err *err)
{
	json_t *inputs = (json_t *)config_value(&p->config, "inputs");
	const char *name;
	json_t *settings;

	p->channels = xcalloc(json_object_size(inputs), sizeof(*p->channels));
	json_object_foreach(inputs, name, settings) {
		if (channel_open(&p->config, name, settings, &p->channels[p->n_channels], err) < 0)
			return -1;
		p->n_channels++;
	}
	return 0;
}

static int read_channels(struct project *p, const struct filelist *tracked, struct err *err)
{
	if (project_open_channels(p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n_channels; i++) {
		if (read_channel(p, &p->channels[i], tracked, err) < 0)
			return -1;
	}
	return 0;
}

/* smpipe.yaml says what is released: one that differs from the commit's makes the release dirty like any other file. */
static void note_configuration(struct project *p, const struct filelist *tracked)
{
	const char *file = fs_basename(p->config.file);

	if (strlist_has(&p->state.changes, file) || !filelist_find(tracked, file))
		strlist_add(&p->dirty, file);
}

/* What git has of the files, twice: as they lie there and, where something changed, as they were committed. */
struct views {
	struct filelist work, commit;
	bool has_changes;
};

static void views_release(struct views *v)
{
	filelist_release(&v->work);
	filelist_release(&v->commit);
}
#define auto_views __attribute__((cleanup(views_release))) struct views

static int read_views(const struct project *p, struct views *v, struct err *err)
{
	v->has_changes = p->state.changes.n > 0;
	if (git_list_files(p->git, GIT_VIEW_WORK, &v->work, NULL, err) < 0)
		return -1;
	if (v->has_changes && git_list_files(p->git, GIT_VIEW_COMMIT, &v->commit, NULL, err) < 0)
		return -1;
	view_drop_private(&v->work);
	view_drop_private(&v->commit);
	return 0;
}

int project_read_files(struct project *p, struct err *err)
{
	auto_views v = { 0 };
	const struct filelist *commit;

	if (read_views(p, &v, err) < 0)
		return -1;
	commit = v.has_changes ? &v.commit : NULL;
	note_configuration(p, &v.work);
	if (read_context(p, &v.work, commit, err) < 0 || read_source(p, &v.work, commit, err) < 0 ||
	    read_channels(p, &v.work, err) < 0)
		return -1;
	strlist_sort_unique(&p->dirty);
	strlist_sort_unique(&p->untracked);
	return 0;
}

int project_read_source(struct project *p, struct err *err)
{
	auto_views v = { 0 };

	if (read_views(p, &v, err) < 0 || read_source(p, &v.work, v.has_changes ? &v.commit : NULL, err) < 0)
		return -1;
	strlist_sort_unique(&p->dirty);
	strlist_sort_unique(&p->untracked);
	return 0;
}

int project_check_clean(const struct project *p, bool allow_dirty, struct err *err)
{
	auto_str names = { 0 };

	if (!p->dirty.n || allow_dirty)
		return 0;
	for (size_t i = 0; i < p->dirty.n && i < 5; i++) {
		auto_free char *shown = str_escaped(p->dirty.v[i]);

		str_addf(&names, "%s'%s'", i ? ", " : "", shown);
	}
	if (p->dirty.n > 5)
		str_addf(&names, " and %zu more", p->dirty.n - 5);
	err_set(err, ERR_CONFIG, "what would be released differs from commit %.12s: %s", p->state.commit,
		str_text(&names));
	return err_hint(err, "commit first, or release it as it is with --allow-dirty (the record will say so)");
}

int project_make_state_dir(const struct project *p, struct err *err)
{
	auto_free char *ignore = fs_join(p->state_dir, ".gitignore");

	if (fs_mkdir_p(p->state_dir, 0755, err) < 0)
		return -1;
	return fs_exists(ignore) ? 0 : fs_write_atomic(ignore, "*\n", 2, 0644, err);
}

void project_release(struct project *p)
{
	/* The lists read git's blobs until they are gone. */
	filelist_release(&p->context);
	filelist_release(&p->source);
	for (size_t i = 0; i < p->n_channels; i++) {
		filelist_release(&p->channels[i].files);
		scan_options_release(&p->channels[i].scan);
		free(p->channels[i].facts.note);
	}
	free(p->channels);
	free(p->dockerfile);
	strlist_release(&p->bases);
	strlist_release(&p->dirty);
	strlist_release(&p->untracked);
	git_state_release(&p->state);
	git_free(p->git);
	free(p->state_dir);
	config_release(&p->config);
	*p = (struct project){ 0 };
}
