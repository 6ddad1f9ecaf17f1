#include "local/s3_uploads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/lock.h"
#include "local/s3_parts.h"
#include "local/s3_paths.h"

#define ID_CHARACTERS      32
#define DOCUMENT_MAX_BYTES ((size_t)64 << 10)

void s3_upload_release(struct s3_upload *u)
{
	free(u->id);
	free(u->key);
	json_decref(u->headers);
	*u = (struct s3_upload){ 0 };
}

void s3_part_release(struct s3_part *part)
{
	free(part->etag);
	*part = (struct s3_part){ 0 };
}

void s3_upload_list_release(struct s3_upload_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		s3_upload_release(&l->v[i]);
	free(l->v);
}

static char *path_of(const struct store_s3 *s, const char *bucket, const char *id, const char *name)
{
	auto_free char *below = xasprintf("uploads/%s%s%s", id, *name ? "/" : "", name);

	return s3_path_in_bucket(s, bucket, below);
}

char *s3_upload_path(const struct store_s3 *s, const char *bucket, const struct s3_upload *u)
{
	return path_of(s, bucket, u->id, "upload.json");
}

static char *part_path(const struct store_s3 *s, const char *bucket, const struct s3_upload *u, int number)
{
	auto_free char *name = xasprintf("%05d.json", number);

	return path_of(s, bucket, u->id, name);
}

static char *bytes_path(const struct store_s3 *s, const char *bucket, const struct s3_upload *u,
			const struct s3_part *part)
{
	auto_free char *md5 = str_hex(part->sums.v[S3_SUM_MD5], s3_sum_bytes(S3_SUM_MD5));
	auto_free char *name = xasprintf("%05d-%s", part->number, md5);

	return path_of(s, bucket, u->id, name);
}

/* Write a document and give it its name by a rename. */
static int write_document(struct store_s3 *s, const char *bucket, const char *path, const json_t *document,
			  struct err *err)
{
	auto_s3_staged t = { .fd = -1 };
	auto_free char *text = json_compact(document);

	if (s3_stage_new(&t, s, bucket, err) < 0 || fs_write_all(t.fd, text, strlen(text), t.path, err) < 0)
		return -1;
	if (rename(t.path, path) < 0)
		return err_errno(err, "store '%s'", path);
	free(take(t.path));
	return 0;
}

static json_t *read_document(const char *path, struct err *err)
{
	auto_free char *text = NULL;
	size_t n;

	return fs_read(path, DOCUMENT_MAX_BYTES, &text, &n, err) < 0 ? NULL : json_parse(text, n, path, err);
}

int s3_upload_create(struct store_s3 *s, const char *bucket, const struct s3_upload *u, struct err *err)
{
	auto_free char *folder = path_of(s, bucket, u->id, ""), *path = s3_upload_path(s, bucket, u);
	auto_json *document = json_object();

	if (s3_need_bucket(s, bucket, err) < 0 || s3_path_check_key(u->key, err) < 0 ||
	    fs_mkdir_p(folder, 0755, err) < 0)
		return -1;
	json_put_str(document, "key", u->key);
	json_object_set(document, "headers", u->headers);
	json_put_str(document, "sum", s3_sum_name(u->sum));
	json_object_set_new(document, "chosen", json_boolean(u->is_chosen));
	json_object_set_new(document, "composite", json_boolean(u->is_composite));
	json_put_int(document, "initiated", u->initiated);
	return write_document(s, bucket, path, document, err);
}

static int refuse_id(struct err *err)
{
	return s3_refuse(err, ERR_NOT_FOUND, "NoSuchUpload",
			 "The specified upload does not exist. The upload ID may be invalid, or the upload may have "
			 "been aborted or completed.");
}

/* Ids come from outside and become names of folders. */
static bool is_id(const char *id)
{
	return strlen(id) == ID_CHARACTERS && strspn(id, "0123456789abcdef") == ID_CHARACTERS;
}

static int read_upload(struct store_s3 *s, const char *bucket, const char *id, struct s3_upload *ret, struct err *err)
{
	auto_free char *path = path_of(s, bucket, id, "upload.json");
	auto_json *document = read_document(path, err);
	const char *key = document ? json_need_str(document, "key", path, err) : NULL;
	const char *sum = key ? json_need_str(document, "sum", path, err) : NULL;
	enum s3_sum parsed;

	if (!sum)
		return -1;
	if (!s3_sum_parse(sum, &parsed))
		return err_set(err, ERR_INVALID, "'%s' names no checksum", path);
	*ret = (struct s3_upload){ .id = xstrdup(id),
				   .key = xstrdup(key),
				   .headers = json_incref(json_object_get(document, "headers")),
				   .sum = parsed,
				   .is_chosen = json_is_true(json_object_get(document, "chosen")),
				   .is_composite = json_is_true(json_object_get(document, "composite")),
				   .initiated = json_integer_value(json_object_get(document, "initiated")) };
	return 0;
}

int s3_upload_open(struct store_s3 *s, const char *bucket, const char *key, const char *id, struct s3_upload *ret,
		   struct err *err)
{
	auto_s3_upload u = { 0 };
	auto_err read_err = { 0 };

	if (s3_need_bucket(s, bucket, err) < 0)
		return -1;
	if (!is_id(id))
		return refuse_id(err);
	if (read_upload(s, bucket, id, &u, &read_err) < 0) {
		if (read_err.code == ERR_NOT_FOUND)
			return refuse_id(err);
		err_move(err, &read_err);
		return -1;
	}
	if (strcmp(u.key, key))
		return refuse_id(err);
	*ret = u;
	u = (struct s3_upload){ 0 };
	return 0;
}

static json_t *part_document(const struct s3_upload *u, const struct s3_part *part)
{
	auto_free char *md5 = str_base64(part->sums.v[S3_SUM_MD5], s3_sum_bytes(S3_SUM_MD5));
	auto_free char *sum = s3_sum_text(&part->sums, u->sum);
	json_t *document = json_object();

	json_put_int(document, "size", (json_int_t)part->size);
	json_put_str(document, "etag", part->etag);
	json_put_str(document, "md5", md5);
	json_put_str(document, "sum", sum);
	return document;
}

static bool read_sum(const json_t *document, const char *name, enum s3_sum sum, struct s3_sums *sums)
{
	const char *text = json_str(document, name);
	size_t n = 0;
	auto_free char *value = text ? str_unbase64(text, &n) : NULL;

	if (!value || n != s3_sum_bytes(sum))
		return false;
	memcpy(sums->v[sum], value, n);
	sums->known |= S3_SUM_SET(sum);
	return true;
}

int s3_upload_part(struct store_s3 *s, const char *bucket, const struct s3_upload *u, int number, struct s3_part *ret,
		   struct err *err)
{
	auto_free char *path = part_path(s, bucket, u, number);
	auto_json *document = read_document(path, err);
	struct s3_part part = { .number = number };
	const char *etag = document ? json_need_str(document, "etag", path, err) : NULL;
	struct stat st;

	if (!etag)
		return -1;
	if (!read_sum(document, "md5", S3_SUM_MD5, &part.sums) || !read_sum(document, "sum", u->sum, &part.sums) ||
	    stat(path, &st) < 0)
		return err_set(err, ERR_INVALID, "'%s' is not whole", path);
	part.size = (uint64_t)json_integer_value(json_object_get(document, "size"));
	part.modified = st.st_mtim.tv_sec;
	part.etag = xstrdup(etag);
	*ret = part;
	return 0;
}

/* The bytes first, under a name that says which they are: the document in use may speak of others. */
int s3_upload_put_part(struct store_s3 *s, const char *bucket, const struct s3_upload *u, struct s3_staged *t,
		       const struct s3_part *part, struct err *err)
{
	auto_free char *marker = s3_upload_path(s, bucket, u), *path = part_path(s, bucket, u, part->number);
	auto_free char *bytes = bytes_path(s, bucket, u, part), *old_bytes = NULL;
	auto_json *document = part_document(u, part);
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_s3_part old = { 0 };
	auto_err ignored = { 0 };

	if (!fs_exists(marker))
		return refuse_id(err);
	if (s3_upload_part(s, bucket, u, part->number, &old, &ignored) == 0)
		old_bytes = bytes_path(s, bucket, u, &old);
	if (rename(t->path, bytes) < 0)
		return err_errno(err, "store '%s'", bytes);
	free(take(t->path));
	if (write_document(s, bucket, path, document, err) < 0)
		return -1;
	if (old_bytes && strcmp(old_bytes, bytes))
		unlink(old_bytes);
	return 0;
}

int s3_upload_copy_part(struct store_s3 *s, const char *bucket, const struct s3_upload *u, const struct s3_part *part,
			struct s3_staged *to, struct err *err)
{
	auto_free char *path = bytes_path(s, bucket, u, part);
	auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "part %d is not there any more", part->number);
	if (fd < 0)
		return err_errno(err, "open '%s'", path);
	return s3_copy_range(fd, 0, part->size, to->fd, to->path, err);
}

static int compare_numbers(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int s3_upload_numbers(struct store_s3 *s, const char *bucket, const struct s3_upload *u, int **ret, size_t *ret_n,
		      struct err *err)
{
	auto_free char *path = path_of(s, bucket, u->id, "");
	DIR *d = opendir(path);
	size_t n = 0, cap = 0;
	int *numbers = NULL;
	struct dirent *e;

	if (!d)
		return errno == ENOENT ? refuse_id(err) : err_errno(err, "open folder '%s'", path);
	while ((e = readdir(d))) {
		if (strlen(e->d_name) != strlen("00000.json") || strspn(e->d_name, "0123456789") != 5)
			continue;
		array_grow(numbers, n, cap);
		numbers[n++] = (int)strtol(e->d_name, NULL, 10);
	}
	closedir(d);
	if (n > 0)
		qsort(numbers, n, sizeof(*numbers), compare_numbers);
	*ret = numbers;
	*ret_n = n;
	return 0;
}

void s3_upload_drop(struct store_s3 *s, const char *bucket, const struct s3_upload *u)
{
	auto_free char *folder = path_of(s, bucket, u->id, ""), *marker = s3_upload_path(s, bucket, u);
	auto_err ignored = { 0 };

	{
		auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

		unlink(marker);
	}
	fs_remove_tree(folder, &ignored);
}

static int compare_uploads(const void *a, const void *b)
{
	const struct s3_upload *x = a, *y = b;
	int by_key = strcmp(x->key, y->key);

	if (by_key)
		return by_key;
	return x->initiated != y->initiated ? (x->initiated < y->initiated ? -1 : 1) : strcmp(x->id, y->id);
}

int s3_upload_list(struct store_s3 *s, const char *bucket, const char *prefix, struct s3_upload_list *ret,
		   struct err *err)
{
	auto_free char *path = s3_path_in_bucket(s, bucket, "uploads");
	auto_s3_upload_list l = { 0 };
	struct dirent *e;
	DIR *d;

	if (s3_need_bucket(s, bucket, err) < 0)
		return -1;
	d = opendir(path);
	while (d && (e = readdir(d))) {
		auto_s3_upload u = { 0 };
		auto_err ignored = { 0 }; /* one that has ended */

		if (!is_id(e->d_name) || read_upload(s, bucket, e->d_name, &u, &ignored) < 0 ||
		    !str_starts(u.key, prefix))
			continue;
		array_grow(l.v, l.n, l.cap);
		l.v[l.n++] = u;
		u = (struct s3_upload){ 0 };
	}
	if (d)
		closedir(d);
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), compare_uploads);
	*ret = l;
	l = (struct s3_upload_list){ 0 };
	return 0;
}
