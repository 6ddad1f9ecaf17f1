#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/lock.h"
#include "local/s3_headers.h"
#include "local/s3_paths.h"
#include "local/s3_stage.h"
#include "local/s3_store.h"

/* Of 10,000 parts, each with its size and digest. */
#define META_MAX_BYTES ((size_t)4 << 20)

static int refuse_key(struct err *err, const char *key)
{
	return s3_refuse(err, ERR_NOT_FOUND, "NoSuchKey", "The specified key does not exist: '%s'", key);
}

json_int_t s3_mtime_ns(const struct stat *st)
{
	return (json_int_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static char *md5_of(const struct s3_bytes *bytes, struct err *err)
{
	struct s3_sums sums = { 0 };

	if (s3_sums_add(&sums, S3_SUM_SET(S3_SUM_MD5), bytes, err) < 0)
		return NULL;
	return str_hex(sums.v[S3_SUM_MD5], s3_sum_bytes(S3_SUM_MD5));
}

/* Of the bytes that are stored: those they were copied from may change meanwhile. */
static int sum_up(const struct s3_staged *t, const struct s3_put *put, char **ret_etag, json_t **ret_headers,
		  struct err *err)
{
	struct s3_bytes bytes = { .fd = t->fd, .size = put->bytes.size };
	auto_json *headers = put->headers ? json_copy((json_t *)put->headers) : json_object();
	auto_free char *text = NULL;
	struct s3_sums sums = { 0 };

	if (s3_sums_add(&sums, S3_SUM_SET(S3_SUM_MD5) | S3_SUM_SET(S3_SUM_DEFAULT), &bytes, err) < 0)
		return -1;
	text = s3_sum_text(&sums, S3_SUM_DEFAULT);
	s3_headers_set_checksum(headers, S3_SUM_DEFAULT, false, text);
	*ret_etag = str_hex(sums.v[S3_SUM_MD5], s3_sum_bytes(S3_SUM_MD5));
	*ret_headers = take(headers);
	return 0;
}

int store_s3_put(struct store_s3 *s, const struct s3_put *put, struct err *err)
{
	struct s3_publication p = { .bucket = put->bucket,
				    .key = put->key,
				    .etag = put->etag,
				    .headers = put->headers,
				    .if_absent = put->if_absent,
				    .if_match = put->if_match };
	auto_s3_staged t = { .fd = -1 };
	auto_free char *etag = NULL;
	auto_json *headers = NULL;

	if (s3_need_bucket(s, put->bucket, err) < 0 || s3_stage_bytes(&t, s, put->bucket, &put->bytes, err) < 0)
		return -1;
	if (!p.etag) {
		if (sum_up(&t, put, &etag, &headers, err) < 0)
			return -1;
		p.etag = etag;
		p.headers = headers;
	}
	return s3_publish(s, &t, &p, err);
}

void s3_stored_release(struct s3_stored *o)
{
	mem_close_p(&o->fd);
	free(o->etag);
	json_decref(o->headers);
	json_decref(o->parts);
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
	    json_integer_value(json_object_get(meta, "mtime_ns")) != s3_mtime_ns(st) || !json_is_object(headers))
		return;
	o->etag = xstrdup_or_null(json_str(meta, "etag"));
	o->headers = json_incref(headers);
	o->parts = json_incref(json_object_get(meta, "parts"));
}

int s3_open_locked(struct store_s3 *s, const char *bucket, const char *key, struct s3_stored *o, struct err *err)
{
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

static int open_now(struct store_s3 *s, const char *bucket, const char *key, struct s3_stored *o, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	return s3_open_locked(s, bucket, key, o, err);
}

int store_s3_open(struct store_s3 *s, const char *bucket, const char *key, struct s3_stored *ret, struct err *err)
{
	auto_s3_stored o = { .fd = -1 };

	if (open_now(s, bucket, key, &o, err) < 0)
		return -1;
	if (!o.headers)
		o.headers = json_object();
	if (!o.etag)
		o.etag = md5_of(&(struct s3_bytes){ .fd = o.fd, .size = o.size }, err);
	if (!o.etag)
		return -1;
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
