#include "local/checkpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "local/lock.h"
#include "local/runner_artifacts.h"
#include "local/runner_tree.h"
#include "local/s3_store.h"
#include "s3/uri.h"

struct checkpoints {
	struct cloud *cloud;
	char *dir;
	struct s3_uri uri; /* the key ends in '/'; bucket NULL: nothing is kept */
	json_t *known;     /* path → "size mtime" of what S3 has */
	pthread_t thread;
	bool is_running;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	bool is_over;
};

static void init_lock(struct checkpoints *c)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
}

/* A folder, not any string: the files come back below the same key. */
static int parse_uri(struct checkpoints *c, const char *text, struct err *err)
{
	auto_free char *folder = xasprintf("%s%s", text, str_ends(text, "/") ? "" : "/");

	return s3_uri_parse(folder, &c->uri, err);
}

int checkpoints_new(struct cloud *cloud, const json_t *request, const char *dir, struct checkpoints **ret,
		    struct err *err)
{
	const char *uri = json_str(json_object_get(request, "CheckpointConfig"), "S3Uri");
	struct checkpoints *c = xcalloc(1, sizeof(*c));

	c->cloud = cloud;
	c->dir = xstrdup(dir);
	c->known = json_object();
	init_lock(c);
	if (tree_make_open(dir, err) < 0 || (uri && parse_uri(c, uri, err) < 0)) {
		checkpoints_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void checkpoints_free(struct checkpoints *c)
{
	if (!c)
		return;
	s3_uri_release(&c->uri);
	json_decref(c->known);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c->dir);
	free(c);
}

static char *state_of(const struct stat *st)
{
	return xasprintf("%lld %lld.%09ld", (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static int note_restored(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	struct checkpoints *c = ctx;
	auto_free char *state = state_of(st);

	(void)err;
	if (S_ISREG(st->st_mode))
		json_put_str(c->known, path, state);
	return 0;
}

int checkpoints_restore(struct checkpoints *c, struct err *err)
{
	size_t n;

	if (!c->uri.bucket)
		return 0;
	if (!store_s3_has_bucket(c->cloud->s3, c->uri.bucket)) {
		err_set(err, ERR_NOT_FOUND, "no S3 bucket '%s' was found", c->uri.bucket);
		return err_service(err, "ClientError");
	}
	if (store_s3_export(c->cloud->s3, c->uri.bucket, c->uri.key, c->dir, &n, err) < 0 ||
	    tree_open_all(c->dir, err) < 0 || fs_walk(c->dir, note_restored, c, err) < 0)
		return err_wrap(err, "restore the checkpoints");
	return 0;
}

/* The state is taken before the bytes: what changes meanwhile is sent again. */
static int upload_changed(struct checkpoints *c, const struct file_entry *e, struct err *err)
{
	auto_close int fd = open(e->disk_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_free char *key = xasprintf("%s%s", c->uri.key, e->path);
	auto_free char *state = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "open '%s'", e->disk_path);
	state = state_of(&st);
	if (!S_ISREG(st.st_mode) || str_eq(json_str(c->known, e->path), state))
		return 0;
	if (store_s3_import(c->cloud->s3, c->uri.bucket, key, fd, err) < 0)
		return -1;
	json_put_str(c->known, e->path, state);
	return 0;
}

/* What was sent or restored and is there no more. Other objects below the prefix are not ours. */
static int delete_vanished(struct checkpoints *c, const struct filelist *files, struct err *err)
{
	const char *path;
	json_t *state;
	void *next;

	json_object_foreach_safe(c->known, next, path, state)
	{
		auto_free char *key = xasprintf("%s%s", c->uri.key, path);

		if (filelist_find(files, path))
			continue;
		if (store_s3_delete(c->cloud->s3, c->uri.bucket, key, err) < 0)
			return -1;
		json_object_del(c->known, path);
	}
	return 0;
}

int checkpoints_sync(struct checkpoints *c, struct err *err)
{
	auto_filelist files = { 0 };
	auto_err first = { 0 };

	if (!c->uri.bucket)
		return 0;
	if (artifacts_list(c->dir, &files, err) < 0)
		return err_wrap(err, "upload the checkpoints");
	for (size_t i = 0; i < files.n; i++) {
		auto_err why = { 0 };

		/* S3 knows no links. */
		if (files.v[i].mode != FILE_MODE_LINK && upload_changed(c, &files.v[i], &why) < 0 && !first.msg)
			err_move(&first, &why);
	}
	if (delete_vanished(c, &files, err) < 0)
		return err_wrap(err, "upload the checkpoints");
	if (!first.msg)
		return 0;
	err_move(err, &first);
	return err_wrap(err, "upload the checkpoints");
}

/* Whether the hosts have ended within the period. */
static bool wait_over(struct checkpoints *c)
{
	auto_unlock pthread_mutex_t *held = lock_take(&c->lock);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += CHECKPOINTS_PERIOD_S;
	while (!c->is_over)
		if (pthread_cond_timedwait(&c->changed, &c->lock, &until) == ETIMEDOUT)
			break;
	return c->is_over;
}

static void *sync_main(void *ctx)
{
	struct checkpoints *c = ctx;

	while (!wait_over(c)) {
		auto_err ignored = { 0 };

		checkpoints_sync(c, &ignored);
	}
	return NULL;
}

void checkpoints_begin(struct checkpoints *c)
{
	c->is_running = c->uri.bucket && pthread_create(&c->thread, NULL, sync_main, c) == 0;
}

void checkpoints_end(struct checkpoints *c)
{
	pthread_mutex_t *held;

	if (!c || !c->is_running)
		return;
	held = lock_take(&c->lock);
	c->is_over = true;
	pthread_cond_broadcast(&c->changed);
	lock_drop(&held);
	pthread_join(c->thread, NULL);
	c->is_running = false;
}
