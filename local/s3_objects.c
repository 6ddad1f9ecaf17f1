#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/lock.h"
#include "local/s3_paths.h"
#include "local/s3_store.h"

#define META_MAX_BYTES ((size_t)1 << 20)

static int refuse_key(struct err *err, const char *key)
{
	err_set(err, ERR_NOT_FOUND, "The specified key does not exist: '%s'", key);
	return err_service(err, "NoSuchKey");
}

static char *md5_hex(const char *p, size_t n)
{
	struct digest_md5 md5 = digest_md5_of(p, n);

	return str_hex(md5.b, sizeof(md5.b));
}

static json_int_t mtime_ns(const struct stat *st)
{
	return (json_int_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* The bytes of a put, written to a file of the bucket's tmp folder. */
struct staged {
	char *path;
	int fd;
};

static void staged_release(struct staged *t)
{
	if (t->path)
		unlink(t->path);
	free(t->path);
	mem_close_p(&t->fd);
}

#define auto_staged __attribute__((cleanup(staged_release))) struct staged

/* A nameless file gets a name and is not copied: that of a large request body. */
static bool adopt_nameless(struct staged *t, int from)
{
	auto_free char *link = xasprintf("%s.link", t->path);
	auto_free char *source = xasprintf("/proc/self/fd/%d", from);
	struct stat st;
	int fd;

	if (fstat(from, &st) < 0 || st.st_nlink != 0 || linkat(AT_FDCWD, source, AT_FDCWD, link, AT_SYMLINK_FOLLOW) < 0)
		return false;
	fd = open(link, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || rename(link, t->path) < 0) {
		mem_close_p(&fd);
		unlink(link);
		return false;
	}
	close(t->fd);
	t->fd = fd;
	return true;
}

static int stage(struct staged *t, const struct store_s3 *s, const struct s3_put *put, struct err *err)
{
	auto_free char *name = s3_path_in_bucket(s, put->bucket, "tmp/put-XXXXXX");
	auto_s3_mapped map = { 0 };

	t->fd = mkostemp(name, O_CLOEXEC);
	if (t->fd < 0)
		return err_errno(err, "create '%s'", name);
	t->path = take(name);
	fchmod(t->fd, 0644);
	if (put->bytes)
		return fs_write_all(t->fd, put->bytes, put->size, t->path, err);
	if (adopt_nameless(t, put->fd))
		return 0;
	if (s3_mapped_open(&map, put->fd, put->size, err) < 0)
		return -1;
	return fs_write_all(t->fd, map.p, map.n, t->path, err);
}

static int write_meta(const char *path, const struct stat *st, const char *etag, const json_t *headers, struct err *err)
{
	auto_json *meta = json_object();
	auto_free char *text = NULL;

	json_put_int(meta, "size", st->st_size);
	json_put_int(meta, "mtime_ns", mtime_ns(st));
	json_put_str(meta, "etag", etag);
	json_object_set_new(meta, "headers", headers ? json_deep_copy(headers) : json_object());
	text = json_compact(meta);
	return fs_write_atomic(path, text, strlen(text), 0644, err);
}

/* The object first: a meta file that does not fit its object is ignored, so that no reader ever takes one for the
 * other's. */
static int publish(struct store_s3 *s, struct staged *t, const struct s3_put *put, const char *etag, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *old = NULL, *path = NULL, *meta = NULL;
	struct stat st;

	if (s3_need_bucket(s, put->bucket, err) < 0)
		return -1;
	old = s3_path_find(s, put->bucket, put->key);
	if (put->if_absent && old) {
		err_set(err, ERR_CONFLICT, "At least one of the pre-conditions you specified did not hold: '%s' exists",
			put->key);
		return err_service(err, "PreconditionFailed");
	}
	path = s3_path_prepare(s, put->bucket, put->key, err);
	if (!path)
		return -1;
	if (fstat(t->fd, &st) < 0 || rename(t->path, path) < 0)
		return err_errno(err, "store '%s'", path);
	free(take(t->path));
	meta = s3_path_meta(s, put->bucket, put->key);
	return write_meta(meta, &st, etag, put->headers, err);
}

int store_s3_put(struct store_s3 *s, const struct s3_put *put, char **ret_etag, struct err *err)
{
	auto_staged t = { .fd = -1 };
	auto_s3_mapped map = { 0 };
	auto_free char *etag = NULL;

	if (s3_need_bucket(s, put->bucket, err) < 0 || stage(&t, s, put, err) < 0)
		return -1;
	if (fsync(t.fd) < 0)
		return err_errno(err, "write '%s' to disk", t.path);
	if (s3_mapped_open(&map, t.fd, put->size, err) < 0)
		return -1;
	etag = md5_hex(map.p, map.n);
	if (publish(s, &t, put, etag, err) < 0)
		return -1;
	*ret_etag = take(etag);
	return 0;
}

void s3_stored_release(struct s3_stored *o)
{
	mem_close_p(&o->fd);
	free(o->etag);
	json_decref(o->headers);
	*o = (struct s3_stored){ .fd = -1 };
}

/* What the meta file says, if it speaks of these very bytes. */
static void read_meta(const char *path, const struct stat *st, struct s3_stored *o)
{
	auto_free char *text = NULL;
	auto_json *meta = NULL;
	auto_err ignored = { 0 };
	json_t *headers;
	size_t n;

	if (fs_read(path, META_MAX_BYTES, &text, &n, &ignored) < 0)
		return;
	meta = json_parse(text, n, path, &ignored);
	headers = json_object_get(meta, "headers");
	if (json_integer_value(json_object_get(meta, "size")) != st->st_size ||
	    json_integer_value(json_object_get(meta, "mtime_ns")) != mtime_ns(st) || !json_is_object(headers))
		return;
	o->etag = xstrdup_or_null(json_str(meta, "etag"));
	o->headers = json_incref(headers);
}

static int open_locked(struct store_s3 *s, const char *bucket, const char *key, struct s3_stored *o, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *path = NULL, *meta = NULL;
	struct stat st;

	if (s3_need_bucket(s, bucket, err) < 0)
		return -1;
	path = s3_path_find(s, bucket, key);
	if (!path)
		return refuse_key(err, key);
	o->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (o->fd < 0 || fstat(o->fd, &st) < 0)
		return err_errno(err, "open '%s'", path);
	o->size = (uint64_t)st.st_size;
	o->modified = st.st_mtim.tv_sec;
	meta = s3_path_meta(s, bucket, key);
	read_meta(meta, &st, o);
	return 0;
}

int store_s3_open(struct store_s3 *s, const char *bucket, const char *key, struct s3_stored *ret, struct err *err)
{
	auto_s3_stored o = { .fd = -1 };

	if (open_locked(s, bucket, key, &o, err) < 0)
		return -1;
	if (!o.headers)
		o.headers = json_object();
	if (!o.etag) {
		auto_s3_mapped map = { 0 };

		if (s3_mapped_open(&map, o.fd, o.size, err) < 0)
			return -1;
		o.etag = md5_hex(map.p, map.n);
	}
	*ret = o;
	o = (struct s3_stored){ .fd = -1 };
	return 0;
}

int store_s3_delete(struct store_s3 *s, const char *bucket, const char *key, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *objects = s3_path_in_bucket(s, bucket, "objects"),
		       *metas = s3_path_in_bucket(s, bucket, "meta");
	auto_free char *path = NULL, *meta = NULL;

	if (s3_need_bucket(s, bucket, err) < 0)
		return -1;
	path = s3_path_find(s, bucket, key);
	if (!path)
		return 0;
	if (unlink(path) < 0)
		return err_errno(err, "remove '%s'", path);
	meta = s3_path_meta(s, bucket, key);
	unlink(meta);
	s3_path_prune(path, objects);
	s3_path_prune(meta, metas);
	return 0;
}

int store_s3_keys(struct store_s3 *s, const char *bucket, const char *prefix, struct strlist *ret, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	return s3_collect_keys(s, bucket, prefix, ret, err);
}
