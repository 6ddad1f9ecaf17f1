/* Finding and opening the repository, and making one. */

#include <stdarg.h>
#include <stdlib.h>

#include "base/fs.h"
#include "pipeline/git_internal.h"

static enum err_code class_of(int rc, const git_error *last)
{
	switch (rc) {
	case GIT_ENOTFOUND:
		return ERR_NOT_FOUND;
	case GIT_ELOCKED:
	case GIT_EMODIFIED:
	case GIT_EEXISTS:
		return ERR_CONFLICT;
	default:
		return last && last->klass == GIT_ERROR_OS ? ERR_IO : ERR_CONFIG;
	}
}

int git_refuse(struct err *err, int rc, const char *fmt, ...)
{
	const git_error *last = git_error_last();
	auto_free char *reason = str_printable(last && last->message ? last->message : "libgit2 gives no reason");
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(err, class_of(rc, last), "%s: %s", words, reason);
}

/* One value of safe.directory: "*", a path, a path with "/" and "*" behind it, or "", which takes back all before it.
 */
static void weigh_safe_directory(const char *value, const char *workdir, bool *is_safe)
{
	auto_free char *path = NULL;
	git_buf expanded = { 0 };
	size_t n;

	if (!*value) {
		*is_safe = false;
		return;
	}
	if (git_config_parse_path(&expanded, value) < 0)
		return;
	n = strlen(expanded.ptr);
	if (str_eq(expanded.ptr, "*")) {
		*is_safe = true;
	} else if (str_ends(expanded.ptr, "/*")) {
		if (!strncmp(workdir, expanded.ptr, n - 1))
			*is_safe = true;
	} else {
		path = xasprintf("%s%s", expanded.ptr, str_ends(expanded.ptr, "/") ? "" : "/");
		if (str_eq(path, workdir))
			*is_safe = true;
	}
	git_buf_dispose(&expanded);
}

/* Only the user's and the system's configuration count: a repository must not vouch for itself. */
static bool is_safe_directory(const char *workdir)
{
	auto_of(git_config) *config = NULL;
	auto_of(git_config_iterator) *values = NULL;
	git_config_entry *entry;
	bool is_safe = false;

	if (git_config_open_default(&config) < 0 ||
	    git_config_multivar_iterator_new(&values, config, "safe.directory", NULL) < 0)
		return false;
	while (git_config_next(&entry, values) == 0)
		weigh_safe_directory(entry->value ? entry->value : "", workdir, &is_safe);
	return is_safe;
}

static char *real_folder(const char *path)
{
	auto_free char *real = fs_realpath(path);

	return real ? xasprintf("%s%s", real, str_ends(real, "/") ? "" : "/") : NULL;
}

static int refuse_open(const char *root, int rc, struct err *err)
{
	if (rc == GIT_ENOTFOUND) {
		err_set(err, ERR_CONFIG, "'%s' lies in no git repository", root);
		return err_hint(err, "a release is made from a commit: git init, git add, git commit");
	}
	git_refuse(err, rc, "open the git repository of '%s'", root);
	err->code = ERR_CONFIG;
	return -1;
}

/*
 * libgit2 1.5 does not know every form of safe.directory, so ask again without its check, and decide here. It also
 * answers "not found", about the configuration's key, when it refuses a repository and nobody has safe.directory.
 */
static int open_foreign(const char *root, git_repository **ret, struct err *err)
{
	auto_of(git_repository) *repo = NULL;
	auto_free char *workdir = NULL;
	int rc;

	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	rc = git_repository_open_ext(&repo, root, 0, NULL);
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
	if (rc < 0)
		return refuse_open(root, rc, err);
	workdir = real_folder(git_repository_workdir(repo) ? git_repository_workdir(repo) : git_repository_path(repo));
	if (workdir && is_safe_directory(workdir)) {
		*ret = take(repo);
		return 0;
	}
	err_set(err, ERR_CONFIG, "the git repository of '%s' belongs to another user", root);
	if (!workdir)
		return -1;
	workdir[strlen(workdir) - 1] = '\0';
	return err_hint(err, "if you trust it: git config --global --add safe.directory '%s'", workdir);
}

static int open_repository(const char *root, git_repository **ret, struct err *err)
{
	int rc = git_repository_open_ext(ret, root, 0, NULL);

	if (rc == GIT_EOWNER || rc == GIT_ENOTFOUND)
		return open_foreign(root, ret, err);
	return rc < 0 ? refuse_open(root, rc, err) : 0;
}

/* Where the project's root lies in the work tree. */
static int locate(struct git *g, const char *root, struct err *err)
{
	auto_free char *real_root = real_folder(root);

	if (!real_root)
		return err_errno(err, "resolve '%s'", root);
	if (git_repository_is_bare(g->repo) || !git_repository_workdir(g->repo))
		return err_set(err, ERR_CONFIG, "the git repository of '%s' is bare: it has no files to release", root);
	g->workdir = real_folder(git_repository_workdir(g->repo));
	if (!g->workdir)
		return err_errno(err, "resolve '%s'", git_repository_workdir(g->repo));
	if (!str_starts(real_root, g->workdir))
		return err_set(err, ERR_CONFIG, "'%s' does not lie in its repository's work tree '%s'", root,
			       g->workdir);
	g->prefix = xstrdup(real_root + strlen(g->workdir));
	if (str_starts(g->prefix, ".git/"))
		return err_set(err, ERR_CONFIG, "'%s' lies inside .git", root);
	return 0;
}

static int check_head(struct git *g, const char *root, struct err *err)
{
	int rc = git_repository_head_unborn(g->repo);

	if (rc < 0)
		return git_refuse(err, rc, "read HEAD of '%s'", root);
	if (rc == 0)
		return 0;
	err_set(err, ERR_CONFIG, "the git repository of '%s' has no commit yet", root);
	return err_hint(err, "commit first: git add, git commit");
}

static bool trusts_modes(git_repository *repo)
{
	auto_of(git_config) *config = NULL;
	int value = 1;

	if (git_repository_config_snapshot(&config, repo) < 0 ||
	    git_config_get_bool(&value, config, "core.filemode") < 0)
		return true;
	return value;
}

int git_open(const char *root, struct git **ret, struct err *err)
{
	/* Extensions of the repository format that change nothing in what is read and added here. */
	static const char *extensions[] = { "worktreeconfig", "partialclone", "preciousobjects" };
	auto_git *g = xcalloc(1, sizeof(*g));
	int rc;

	pthread_mutex_init(&g->odb_lock, NULL);
	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, ARRAY_LEN(extensions));
	if (open_repository(root, &g->repo, err) < 0 || locate(g, root, err) < 0 || check_head(g, root, err) < 0)
		return -1;
	rc = git_repository_odb(&g->odb, g->repo);
	if (rc < 0)
		return git_refuse(err, rc, "open the object database of '%s'", root);
	g->trusts_modes = trusts_modes(g->repo);
	git_blobs_init(g);
	*ret = take(g);
	return 0;
}

void git_free(struct git *g)
{
	if (!g)
		return;
	git_changes_release(&g->seen);
	git_odb_free(g->odb);
	git_repository_free(g->repo);
	git_libgit2_shutdown();
	pthread_mutex_destroy(&g->odb_lock);
	free(g->workdir);
	free(g->prefix);
	free(g);
}

void git_free_p(struct git **g)
{
	git_free(*g);
}

static int init_repository(const char *dir, bool *ret_created, struct err *err)
{
	git_repository_init_options opts = { .version = GIT_REPOSITORY_INIT_OPTIONS_VERSION };
	auto_of(git_repository) *repo = NULL;
	git_buf found = { 0 };
	int rc = git_repository_discover(&found, dir, 0, NULL);

	git_buf_dispose(&found);
	if (rc == 0 || rc == GIT_EOWNER) {
		*ret_created = false;
		return 0;
	}
	if (rc != GIT_ENOTFOUND)
		return git_refuse(err, rc, "look for the git repository of '%s'", dir);
	opts.flags = GIT_REPOSITORY_INIT_NO_REINIT;
	opts.initial_head = "main";
	rc = git_repository_init_ext(&repo, dir, &opts);
	if (rc < 0)
		return git_refuse(err, rc, "make a git repository in '%s'", dir);
	*ret_created = true;
	return 0;
}

int git_init(const char *dir, bool *ret_created, struct err *err)
{
	int rc;

	git_libgit2_init();
	rc = init_repository(dir, ret_created, err);
	git_libgit2_shutdown();
	return rc;
}

const char *git_library(void)
{
	return "libgit2 " LIBGIT2_VERSION;
}
