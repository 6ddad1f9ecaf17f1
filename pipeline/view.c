#include "pipeline/view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "pipeline/lockfile.h"

/* What is ours or git's own and never part of a context or an archive. */
static bool is_private(const char *path)
{
	return !strcmp(path, ".git") || str_starts(path, ".git/") || strstr(path, "/.git/") ||
	       str_ends(path, "/.git") || str_starts(path, ".smpipe/") || !strcmp(path, ".smpipe") ||
	       !strcmp(path, LOCKFILE_NAME);
}

void view_drop_private(struct filelist *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct file_entry e = l->v[i];

		if (is_private(e.path))
			file_entry_release(&e);
		else
			l->v[kept++] = e;
	}
	l->n = kept;
}

struct disk_walk {
	const char *root, *below; /* paths get below/ in front */
	const struct filelist *tracked;
	struct filelist *files;
};

static int add_from_disk(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	struct disk_walk *w = ctx;
	auto_free char *relative = *w->below ? xasprintf("%s/%s", w->below, path) : xstrdup(path);
	auto_free char *disk_path = fs_join(w->root, relative);

	if (is_private(relative))
		return 1;
	if (S_ISDIR(st->st_mode))
		return 0;
	if (filelist_add_disk(w->files, relative, disk_path, err) < 0)
		return -1;
	w->files->v[w->files->n - 1].is_tracked = filelist_find(w->tracked, relative) != NULL;
	return 0;
}

/* Every file below the root, as the classic tools pack them. */
static int list_all(const struct project *p, const struct filelist *tracked, struct filelist *ret, struct err *err)
{
	struct disk_walk w = { p->config.root, "", tracked, ret };

	if (fs_walk(p->config.root, add_from_disk, &w, err) < 0)
		return -1;
	filelist_sort(ret);
	return 0;
}

int view_list(const struct project *p, const char *key, const struct filelist *tracked, struct filelist *ret,
	      struct err *err)
{
	if (str_eq(config_str(&p->config, key), "all"))
		return list_all(p, tracked, ret, err);
	filelist_add_below(ret, tracked, ".", "");
	return 0;
}

int view_add(const struct project *p, const char *path, const struct filelist *tracked, struct filelist *files,
	     struct err *err)
{
	struct disk_walk w = { p->config.root, path, tracked, files };
	auto_free char *disk_path = fs_join(p->config.root, path);

	if (fs_is_dir(disk_path))
		return fs_walk(disk_path, add_from_disk, &w, err);
	if (filelist_add_disk(files, path, disk_path, err) < 0)
		return -1;
	files->v[files->n - 1].is_tracked = filelist_find(tracked, path) != NULL;
	return 0;
}
