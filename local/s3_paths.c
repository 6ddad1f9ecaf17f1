#include "local/s3_paths.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_names.h"

/* Below what fs_walk and fs_remove_tree follow. */
#define DEPTH_MAX 100

static bool is_file(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *s3_path_plain(const struct store_s3 *s, const char *bucket, const char *key)
{
	auto_free char *name = s3_name_path(key);
	auto_free char *below = xasprintf("objects/%s", name);

	return s3_path_in_bucket(s, bucket, below);
}

char *s3_path_meta(const struct store_s3 *s, const char *bucket, const char *key)
{
	auto_free char *name = s3_name_path(key);
	auto_free char *below = xasprintf("meta/%s%%m", name);

	return s3_path_in_bucket(s, bucket, below);
}

char *s3_path_find(const struct store_s3 *s, const char *bucket, const char *key)
{
	auto_free char *path = s3_path_plain(s, bucket, key);
	auto_free char *aside = xasprintf("%s%%f", path);

	if (is_file(aside))
		return take(aside);
	return is_file(path) ? take(path) : NULL;
}

static int make_folder(const char *path, struct err *err)
{
	if (mkdir(path, 0755) == 0)
		return 0;
	if (errno == EEXIST && is_file(path)) {
		auto_free char *aside = xasprintf("%s%%f", path);

		if (rename(path, aside) < 0 || mkdir(path, 0755) < 0)
			return err_errno(err, "move '%s' aside for a folder", path);
		return 0;
	}
	return errno == EEXIST && fs_is_dir(path) ? 0 : err_errno(err, "create folder '%s'", path);
}

/* Every folder above path, from the one after the first root_n bytes on. */
static int make_folders_above(const char *path, size_t root_n, struct err *err)
{
	auto_free char *copy = xstrdup(path);

	for (char *slash = strchr(copy + root_n + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (make_folder(copy, err) < 0)
			return -1;
		*slash = '/';
	}
	return 0;
}

int s3_path_check_key(const char *key, struct err *err)
{
	size_t depth = 0;

	for (const char *p = key; (p = strchr(p, '/')); p++)
		depth++;
	if (*key && strlen(key) <= S3_KEY_MAX_BYTES && depth <= DEPTH_MAX)
		return 0;
	err_set(err, ERR_INVALID, "Your key is too long: at most %d bytes and %d slashes", S3_KEY_MAX_BYTES, DEPTH_MAX);
	return err_service(err, "KeyTooLongError");
}

char *s3_path_prepare(const struct store_s3 *s, const char *bucket, const char *key, struct err *err)
{
	auto_free char *objects = s3_path_in_bucket(s, bucket, "objects");
	auto_free char *metas = s3_path_in_bucket(s, bucket, "meta");
	auto_free char *path = NULL, *aside = NULL, *meta = NULL;

	if (s3_path_check_key(key, err) < 0)
		return NULL;
	path = s3_path_plain(s, bucket, key);
	meta = s3_path_meta(s, bucket, key);
	if (make_folders_above(path, strlen(objects), err) < 0 || make_folders_above(meta, strlen(metas), err) < 0)
		return NULL;
	aside = xasprintf("%s%%f", path);
	return is_file(aside) || fs_is_dir(path) ? take(aside) : take(path);
}

void s3_path_prune(const char *path, const char *root)
{
	auto_free char *folder = fs_dirname(path);

	while (strlen(folder) > strlen(root) && rmdir(folder) == 0) {
		char *up = fs_dirname(folder);

		free(folder);
		folder = up;
	}
}
