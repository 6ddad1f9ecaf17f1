#include "local/s3_keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "local/lock.h"
#include "local/s3_names.h"
#include "local/s3_paths.h"

struct walk {
	const struct s3_selection *want;
	char *passed; /* what begins with it is passed over; NULL: nothing */
	struct strlist *ret;
};

/* A file with its key, or a folder with what all keys in it begin with. */
struct found {
	char *name, *key;
	bool is_folder;
};

struct found_list {
	struct found *v;
	size_t n, cap;
};

static void found_list_release(struct found_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].key);
	}
	free(l->v);
}

#define auto_found_list __attribute__((cleanup(found_list_release))) struct found_list

char *s3_common_prefix(const char *key, const char *prefix, const char *delimiter)
{
	const char *at = delimiter && *delimiter ? strstr(key + strlen(prefix), delimiter) : NULL;

	return at ? xstrndup(key, (size_t)(at - key) + strlen(delimiter)) : NULL;
}

/* Whether this key, or one that begins so, may be among those that are wanted. */
static bool is_wanted(const struct walk *w, const char *key, bool is_folder)
{
	const struct s3_selection *want = w->want;

	if (!str_starts(key, want->prefix) && !(is_folder && str_starts(want->prefix, key)))
		return false;
	if (want->after && strcmp(key, want->after) <= 0 && !(is_folder && str_starts(want->after, key)))
		return false;
	return !w->passed || !str_starts(key, w->passed);
}

static bool is_enough(const struct walk *w)
{
	return w->want->max > 0 && w->ret->n >= w->want->max;
}

static int type_of(DIR *d, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	return fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? DT_UNKNOWN : IFTODT(st.st_mode);
}

/* What the name adds to a key; NULL: no key has this name. A folder's ends where the next name begins. */
static char *key_part(const char *name, bool is_folder)
{
	auto_free char *inside = is_folder ? xasprintf("%s/%%e", name) : NULL;

	return s3_name_key(is_folder ? inside : name);
}

static void note(const struct walk *w, struct found_list *l, const char *above, const char *name, bool is_folder)
{
	auto_free char *part = key_part(name, is_folder), *key = part ? xasprintf("%s%s", above, part) : NULL;

	if (!key || strlen(key) > S3_KEY_MAX_BYTES || !is_wanted(w, key, is_folder))
		return;
	array_grow(l->v, l->n, l->cap);
	l->v[l->n++] = (struct found){ .name = xstrdup(name), .key = take(key), .is_folder = is_folder };
}

static int compare_found(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->key, ((const struct found *)b)->key);
}

static int read_folder(const struct walk *w, const char *path, const char *above, struct found_list *ret,
		       struct err *err)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		return errno == ENOENT ? 0 : err_errno(err, "open folder '%s'", path);
	while ((e = readdir(d))) {
		int type = strcmp(e->d_name, ".") && strcmp(e->d_name, "..") ? type_of(d, e) : DT_UNKNOWN;

		if (type == DT_REG || type == DT_DIR)
			note(w, ret, above, e->d_name, type == DT_DIR);
	}
	closedir(d);
	if (ret->n > 0)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_found);
	return 0;
}

static void add_key(struct walk *w, const char *key)
{
	char *common = s3_common_prefix(key, w->want->prefix, w->want->delimiter);

	strlist_add(w->ret, key);
	if (common) {
		free(w->passed);
		w->passed = common;
	}
}

/* All that begins as a folder does stands together in the order, so that folder by folder is the order of the keys. */
static int walk_folder(struct walk *w, const char *path, const char *above, struct err *err)
{
	auto_found_list l = { 0 };

	if (read_folder(w, path, above, &l, err) < 0)
		return -1;
	for (size_t i = 0; i < l.n && !is_enough(w); i++) {
		const struct found *f = &l.v[i];
		auto_free char *below = f->is_folder ? fs_join(path, f->name) : NULL;

		if (!is_wanted(w, f->key, f->is_folder))
			continue;
		if (!f->is_folder)
			add_key(w, f->key);
		else if (walk_folder(w, below, f->key, err) < 0)
			return -1;
	}
	return 0;
}

int s3_select_locked(struct store_s3 *s, const char *bucket, const struct s3_selection *want, struct strlist *ret,
		     struct err *err)
{
	const char *slash = strrchr(want->prefix, '/');
	auto_free char *above = xstrndup(want->prefix, slash ? (size_t)(slash + 1 - want->prefix) : 0);
	auto_free char *folder = s3_name_folder(want->prefix);
	auto_free char *below = xasprintf("objects%s%s", *folder ? "/" : "", folder);
	auto_free char *root = s3_path_in_bucket(s, bucket, below);
	struct walk w = { .want = want, .passed = xstrdup_or_null(want->passed), .ret = ret };
	int rc;

	rc = s3_need_bucket(s, bucket, err) < 0 ? -1 : fs_is_dir(root) ? walk_folder(&w, root, above, err) : 0;
	free(w.passed);
	return rc;
}

int store_s3_select(struct store_s3 *s, const char *bucket, const struct s3_selection *want, struct strlist *ret,
		    struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	return s3_select_locked(s, bucket, want, ret, err);
}

int store_s3_keys(struct store_s3 *s, const char *bucket, const char *prefix, struct strlist *ret, struct err *err)
{
	return store_s3_select(s, bucket, &(struct s3_selection){ .prefix = prefix }, ret, err);
}
