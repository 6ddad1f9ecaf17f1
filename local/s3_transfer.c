#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_stage.h"
#include "s3/scan.h"

/*
 * The path of a key below the folder of its channel: what follows the prefix, or, where the prefix is no whole folder,
 * what follows the prefix's last '/'.
 */
static const char *path_below(const char *key, const char *prefix)
{
	size_t n = strlen(prefix);
	const char *slash = strrchr(prefix, '/');

	if (n == 0 || prefix[n - 1] == '/')
		return key + n;
	if (key[n] == '/')
		return key + n + 1;
	return slash ? key + (slash - prefix) + 1 : key;
}

static int export_one(struct store_s3 *s, const char *bucket, const char *key, const char *path, struct err *err)
{
	auto_s3_stored object = { .fd = -1 };
	auto_free char *folder = fs_dirname(path);
	auto_close int fd = -1;

	if (store_s3_open(s, bucket, key, &object, err) < 0 || fs_mkdir_p(folder, 0755, err) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, "create '%s'", path);
	return s3_copy_range(object.fd, 0, object.size, fd, path, err);
}

int store_s3_export_keys(struct store_s3 *s, const char *bucket, const char *prefix, const struct strlist *keys,
			 const char *dir, size_t *ret_n, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < keys->n; i++) {
		const char *below = path_below(keys->v[i], prefix);
		auto_free char *path = fs_join(dir, below);

		/* The marker of a folder, as consoles make it. */
		if (!*below || str_ends(below, "/"))
			continue;
		if (!scan_is_data_path(below))
			return err_set(err, ERR_INVALID, "download 's3://%s/%s': '%s' cannot be a file's path", bucket,
				       keys->v[i], below);
		if (export_one(s, bucket, keys->v[i], path, err) < 0)
			return err_wrap(err, "download 's3://%s/%s'", bucket, keys->v[i]);
		n++;
	}
	*ret_n = n;
	return 0;
}

int store_s3_export(struct store_s3 *s, const char *bucket, const char *prefix, const char *dir, size_t *ret_n,
		    struct err *err)
{
	auto_strlist keys = { 0 };

	if (store_s3_keys(s, bucket, prefix, &keys, err) < 0)
		return -1;
	return store_s3_export_keys(s, bucket, prefix, &keys, dir, ret_n, err);
}

int store_s3_import(struct store_s3 *s, const char *bucket, const char *key, int fd, struct err *err)
{
	struct s3_put put = { .bucket = bucket, .key = key, .bytes = { .fd = fd } };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, "stat the file for 's3://%s/%s'", bucket, key);
	put.bytes.size = (uint64_t)st.st_size;
	if (store_s3_put(s, &put, err) < 0)
		return err_wrap(err, "store 's3://%s/%s'", bucket, key);
	return 0;
}
