#include "local/s3_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/lock.h"
#include "local/s3_paths.h"

#define COPY_BUFFER_BYTES ((size_t)1 << 20)
#define COPY_STEP_BYTES   ((size_t)1 << 30)

int s3_refuse(struct err *err, enum err_code class, const char *code, const char *fmt, ...)
{
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	err_set(err, class, "%s", words);
	return err_service(err, code);
}

void s3_staged_release(struct s3_staged *t)
{
	if (t->path)
		unlink(t->path);
	free(t->path);
	mem_close_p(&t->fd);
	*t = (struct s3_staged){ .fd = -1 };
}

/* A name that no other thread has; what a dead process left is removed when the store is opened. */
static char *staged_path(struct store_s3 *s, const char *bucket)
{
	auto_free char *name = xasprintf("tmp/%llu", (unsigned long long)atomic_fetch_add(&s->n_staged, 1));

	return s3_path_in_bucket(s, bucket, name);
}

int s3_stage_new(struct s3_staged *t, struct store_s3 *s, const char *bucket, struct err *err)
{
	auto_free char *path = staged_path(s, bucket);

	t->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (t->fd < 0)
		return errno == ENOENT ? s3_need_bucket(s, bucket, err) : err_errno(err, "create '%s'", path);
	t->path = take(path);
	return 0;
}

/* A nameless file gets a name and is not copied. */
static bool adopt_nameless(struct s3_staged *t, struct store_s3 *s, const char *bucket, int from)
{
	auto_free char *path = staged_path(s, bucket), *source = xasprintf("/proc/self/fd/%d", from);
	struct stat st;

	if (fstat(from, &st) < 0 || st.st_nlink != 0 || linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
		return false;
	t->path = take(path);
	t->fd = open(t->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (t->fd >= 0)
		return true;
	s3_staged_release(t);
	return false;
}

int s3_stage_bytes(struct s3_staged *t, struct store_s3 *s, const char *bucket, const struct s3_bytes *bytes,
		   struct err *err)
{
	if (!bytes->p && bytes->offset == 0 && adopt_nameless(t, s, bucket, bytes->fd))
		return 0;
	if (s3_stage_new(t, s, bucket, err) < 0)
		return -1;
	if (bytes->p)
		return fs_write_all(t->fd, bytes->p, (size_t)bytes->size, t->path, err);
	return s3_copy_range(bytes->fd, bytes->offset, bytes->size, t->fd, t->path, err);
}

static int copy_by_hand(int from, uint64_t offset, uint64_t size, int to, const char *what, struct err *err)
{
	auto_free char *buffer = xmalloc(COPY_BUFFER_BYTES);

	while (size > 0) {
		ssize_t n =
			pread(from, buffer, size < COPY_BUFFER_BYTES ? (size_t)size : COPY_BUFFER_BYTES, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read for '%s'", what);
		if (n == 0)
			return err_set(err, ERR_IO, "the source of '%s' became shorter while it was copied", what);
		if (fs_write_all(to, buffer, (size_t)n, what, err) < 0)
			return -1;
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

int s3_copy_range(int from, uint64_t offset, uint64_t size, int to, const char *what, struct err *err)
{
	off_t at = (off_t)offset;
	ssize_t n;

	while (size > 0 &&
	       (n = copy_file_range(from, &at, to, NULL, size < COPY_STEP_BYTES ? size : COPY_STEP_BYTES, 0)) > 0)
		size -= (uint64_t)n;
	return copy_by_hand(from, (uint64_t)at, size, to, what, err);
}

bool s3_etag_matches(const char *list, const char *etag)
{
	auto_strlist tags = { 0 };

	str_split(&tags, list, ',');
	for (size_t i = 0; i < tags.n; i++) {
		auto_free char *tag = str_trim(tags.v[i]);
		size_t n = strlen(tag);
		bool is_quoted = n >= 2 && tag[0] == '"' && tag[n - 1] == '"';

		if (is_quoted)
			tag[n - 1] = '\0';
		if (!strcmp(tag, "*") || !strcmp(tag + is_quoted, etag))
			return true;
	}
	return false;
}

/* What is known of the object, in a staged file: it is written before the lock is taken. */
static int stage_meta(struct s3_staged *meta, struct store_s3 *s, const struct s3_staged *t,
		      const struct s3_publication *p, struct err *err)
{
	auto_json *known = json_object();
	auto_free char *text = NULL;
	struct stat st;

	if (fstat(t->fd, &st) < 0)
		return err_errno(err, "stat '%s'", t->path);
	json_put_int(known, "size", st.st_size);
	json_put_int(known, "mtime_ns", s3_mtime_ns(&st));
	json_put_str(known, "etag", p->etag);
	json_object_set_new(known, "headers", p->headers ? json_incref((json_t *)p->headers) : json_object());
	if (p->parts)
		json_object_set(known, "parts", (json_t *)p->parts);
	text = json_compact(known);
	if (s3_stage_new(meta, s, p->bucket, err) < 0)
		return -1;
	return fs_write_all(meta->fd, text, strlen(text), meta->path, err);
}

static int check_conditions(struct store_s3 *s, const struct s3_publication *p, const char *old, struct err *err)
{
	auto_s3_stored now = { .fd = -1 };

	if (p->upload && !fs_exists(p->upload))
		return s3_refuse(err, ERR_NOT_FOUND, "NoSuchUpload", "The specified upload does not exist");
	if (p->if_absent && old)
		return s3_refuse(err, ERR_CONFLICT, "PreconditionFailed",
				 "At least one of the pre-conditions you specified did not hold: '%s' exists", p->key);
	if (!p->if_match)
		return 0;
	if (s3_open_locked(s, p->bucket, p->key, &now, err) < 0)
		return -1;
	if (s3_etag_matches(p->if_match, now.etag ? now.etag : ""))
		return 0;
	return s3_refuse(err, ERR_CONFLICT, "PreconditionFailed",
			 "At least one of the pre-conditions you specified did not hold: '%s' is another", p->key);
}

int s3_check_publication(struct store_s3 *s, const struct s3_publication *p, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *old = s3_path_find(s, p->bucket, p->key);

	return check_conditions(s, p, old, err);
}

static char *object_path(struct store_s3 *s, const struct s3_publication *p, const char *old, bool is_new_place,
			 struct err *err)
{
	if (is_new_place)
		return s3_path_prepare(s, p->bucket, p->key, err);
	return old ? xstrdup(old) : s3_path_plain(s, p->bucket, p->key);
}

/* Its folders are there more often than not; only when a rename says that they are not are they made. */
static int move_object(struct store_s3 *s, struct s3_staged *t, const struct s3_publication *p, const char *old,
		       struct err *err)
{
	for (int try = 0; try < 2; try++) {
		auto_free char *path = s3_path_check_key(p->key, err) < 0 ? NULL : object_path(s, p, old, try > 0, err);

		if (!path)
			return -1;
		if (rename(t->path, path) == 0) {
			free(take(t->path));
			return 0;
		}
		if (try > 0 || (errno != ENOENT && errno != ENOTDIR && errno != EISDIR))
			return err_errno(err, "store '%s'", path);
	}
	return -1;
}

static int move_meta(struct store_s3 *s, struct s3_staged *meta, const struct s3_publication *p, struct err *err)
{
	auto_free char *path = s3_path_meta(s, p->bucket, p->key), *prepared = NULL;

	if (rename(meta->path, path) < 0) {
		prepared = errno == ENOENT ? s3_path_prepare(s, p->bucket, p->key, err) : NULL;
		if (!prepared || rename(meta->path, path) < 0)
			return err_errno(err, "store '%s'", path);
	}
	free(take(meta->path));
	return 0;
}

/* The object first: a meta file that does not fit its object is ignored, so that no reader ever takes one for the
 * other's. */
int s3_publish(struct store_s3 *s, struct s3_staged *t, const struct s3_publication *p, struct err *err)
{
	auto_s3_staged meta = { .fd = -1 };
	auto_unlock pthread_mutex_t *held = NULL;
	auto_free char *old = NULL;

	if (stage_meta(&meta, s, t, p, err) < 0)
		return -1;
	held = lock_take(&s->lock);
	if (s3_need_bucket(s, p->bucket, err) < 0)
		return -1;
	old = s3_path_find(s, p->bucket, p->key);
	if (check_conditions(s, p, old, err) < 0 || move_object(s, t, p, old, err) < 0 ||
	    move_meta(s, &meta, p, err) < 0)
		return -1;
	if (p->upload)
		unlink(p->upload);
	return 0;
}
