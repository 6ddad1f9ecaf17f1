#include "local/s3_store.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/lock.h"
#include "local/s3_keys.h"
#include "local/s3_names.h"
#include "local/s3_paths.h"

#define CONFIG_MAX_BYTES ((size_t)1 << 20)

void store_s3_free(struct store_s3 *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

char *s3_path_in_bucket(const struct store_s3 *s, const char *bucket, const char *name)
{
	return xasprintf("%s/%s/%s", s->dir, bucket, name);
}

bool store_s3_has_bucket(struct store_s3 *s, const char *bucket)
{
	auto_free char *path = NULL;

	if (!s3_name_is_bucket(bucket))
		return false;
	path = s3_path_in_bucket(s, bucket, "bucket.json");
	return fs_exists(path);
}

int s3_need_bucket(struct store_s3 *s, const char *bucket, struct err *err)
{
	if (store_s3_has_bucket(s, bucket))
		return 0;
	err_set(err, ERR_NOT_FOUND, "The specified bucket does not exist: '%s'", bucket);
	return err_service(err, "NoSuchBucket");
}

static int make_folders(const struct store_s3 *s, const char *bucket, struct err *err)
{
	static const char *const names[] = { "config", "objects", "meta", "uploads", "tmp" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *path = s3_path_in_bucket(s, bucket, names[i]);

		if (fs_mkdir_p(path, 0755, err) < 0)
			return -1;
	}
	return 0;
}

int store_s3_create_bucket(struct store_s3 *s, const char *bucket, const char *region, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *path = NULL, *text = NULL;
	auto_json *info = json_object();

	if (!s3_name_is_bucket(bucket)) {
		err_set(err, ERR_INVALID, "The specified bucket is not valid: '%s'", bucket);
		return err_service(err, "InvalidBucketName");
	}
	if (store_s3_has_bucket(s, bucket)) {
		err_set(err, ERR_CONFLICT, "The bucket '%s' is already owned by you", bucket);
		return err_service(err, "BucketAlreadyOwnedByYou");
	}
	if (make_folders(s, bucket, err) < 0)
		return -1;
	json_put_str(info, "region", region);
	json_put_int(info, "created", time(NULL));
	path = s3_path_in_bucket(s, bucket, "bucket.json");
	text = json_pretty(info);
	return fs_write_atomic(path, text, strlen(text), 0644, err);
}

int store_s3_delete_bucket(struct store_s3 *s, const char *bucket, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *dir = NULL, *info = NULL;
	auto_strlist keys = { 0 };

	if (s3_select_locked(s, bucket, &(struct s3_selection){ .prefix = "", .max = 1 }, &keys, err) < 0)
		return -1;
	if (keys.n > 0) {
		err_set(err, ERR_CONFLICT, "The bucket you tried to delete is not empty: '%s'", bucket);
		return err_service(err, "BucketNotEmpty");
	}
	/* Without bucket.json it is no bucket: killed on the way, what is left is not seen and is used again. */
	info = s3_path_in_bucket(s, bucket, "bucket.json");
	if (unlink(info) < 0)
		return err_errno(err, "remove '%s'", info);
	dir = fs_join(s->dir, bucket);
	return fs_remove_tree(dir, err);
}

int store_s3_buckets(struct store_s3 *s, struct strlist *ret, struct err *err)
{
	DIR *d = opendir(s->dir);
	struct dirent *e;

	if (!d)
		return err_errno(err, "open folder '%s'", s->dir);
	while ((e = readdir(d)))
		if (store_s3_has_bucket(s, e->d_name))
			strlist_add(ret, e->d_name);
	closedir(d);
	strlist_sort(ret);
	return 0;
}

int store_s3_bucket_info(struct store_s3 *s, const char *bucket, char **ret_region, time_t *ret_created,
			 struct err *err)
{
	auto_free char *path = NULL, *text = NULL;
	auto_json *info = NULL;
	const char *region;
	size_t n;

	if (s3_need_bucket(s, bucket, err) < 0)
		return -1;
	path = s3_path_in_bucket(s, bucket, "bucket.json");
	if (fs_read(path, CONFIG_MAX_BYTES, &text, &n, err) < 0)
		return -1;
	info = json_parse(text, n, path, err);
	region = info ? json_need_str(info, "region", path, err) : NULL;
	if (!region)
		return -1;
	*ret_region = xstrdup(region);
	*ret_created = json_integer_value(json_object_get(info, "created"));
	return 0;
}

static char *config_path(const struct store_s3 *s, const char *bucket, const char *name)
{
	auto_free char *below = xasprintf("config/%s", name);

	return s3_path_in_bucket(s, bucket, below);
}

int store_s3_put_config(struct store_s3 *s, const char *bucket, const char *name, const char *text, struct err *err)
{
	auto_free char *path = config_path(s, bucket, name);

	if (s3_need_bucket(s, bucket, err) < 0)
		return -1;
	return fs_write_atomic(path, text, strlen(text), 0644, err);
}

int store_s3_get_config(struct store_s3 *s, const char *bucket, const char *name, char **ret_text, struct err *err)
{
	auto_free char *path = config_path(s, bucket, name);

	if (s3_need_bucket(s, bucket, err) < 0)
		return -1;
	return fs_read(path, CONFIG_MAX_BYTES, ret_text, NULL, err);
}

int store_s3_delete_config(struct store_s3 *s, const char *bucket, const char *name, struct err *err)
{
	auto_free char *path = config_path(s, bucket, name);

	if (s3_need_bucket(s, bucket, err) < 0)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(err, "remove '%s'", path);
	return 0;
}

/* What a dead process was writing. */
static int empty_tmp_folders(struct store_s3 *s, struct err *err)
{
	auto_strlist names = { 0 };

	if (store_s3_buckets(s, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *path = s3_path_in_bucket(s, names.v[i], "tmp");

		if (fs_remove_tree(path, err) < 0 || make_folders(s, names.v[i], err) < 0)
			return -1;
	}
	return 0;
}

int store_s3_new(const char *dir, struct store_s3 **ret, struct err *err)
{
	struct store_s3 *s;

	if (fs_mkdir_p(dir, 0755, err) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->dir = xstrdup(dir);
	pthread_mutex_init(&s->lock, NULL);
	if (empty_tmp_folders(s, err) < 0) {
		store_s3_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

int s3_mapped_open(struct s3_mapped *m, int fd, uint64_t size, struct err *err)
{
	void *p;

	*m = (struct s3_mapped){ .p = "" };
	if (size == 0)
		return 0;
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_errno(err, "map %llu bytes", (unsigned long long)size);
	*m = (struct s3_mapped){ .p = p, .n = size, .mapping = p };
	return 0;
}

void s3_mapped_release(struct s3_mapped *m)
{
	if (m->mapping)
		munmap(m->mapping, m->n);
	*m = (struct s3_mapped){ 0 };
}
