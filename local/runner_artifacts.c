#include "local/runner_artifacts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/fs.h"
#include "base/json.h"
#include "s3/uri.h"

struct listing {
	const char *root;
	struct filelist *files;
};

static int add_entry(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	struct listing *l = ctx;
	auto_free char *full = fs_join(l->root, path);

	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		return 0;
	return filelist_add_disk(l->files, path, full, err);
}

int artifacts_list(const char *root, struct filelist *ret, struct err *err)
{
	struct listing l = { .root = root, .files = ret };
	struct stat st;

	/* The container may have replaced the folder by a link to a place of its choice. */
	if (lstat(root, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (fs_walk(root, add_entry, &l, err) < 0)
		return -1;
	filelist_sort(ret);
	return 0;
}

/* Whether the list has a file below the path. */
static bool has_below(const struct filelist *l, const char *path)
{
	auto_free char *folder = xasprintf("%s/", path);
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(l->v[middle].path, folder) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->n && str_starts(l->v[low].path, folder);
}

/* Whether the list has the path, a part of it that is a file, or a file below it. */
static bool has_clash(const struct filelist *l, const char *path)
{
	auto_free char *part = xstrdup(path);
	char *slash;

	if (filelist_find(l, path) || has_below(l, path))
		return true;
	while ((slash = strrchr(part, '/'))) {
		*slash = '\0';
		if (filelist_find(l, part))
			return true;
	}
	return false;
}

int artifacts_merge(const char *root, artifacts_clash_fn on_clash, void *ctx, struct filelist *ret, struct err *err)
{
	auto_filelist files = { 0 };
	auto_filelist fresh = { 0 };

	if (artifacts_list(root, &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.n; i++) {
		if (!has_clash(ret, files.v[i].path))
			filelist_add_copy(&fresh, &files.v[i], files.v[i].path);
		else if (on_clash(ctx, files.v[i].path, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < fresh.n; i++)
		filelist_add_copy(ret, &fresh.v[i], fresh.v[i].path);
	filelist_sort(ret);
	return 0;
}

/* The key of something below the job's output folder: "<prefix>/<job>/output/<leaf>"; uri is parsed into bucket and
 * key. */
static int output_place(const json_t *request, const char *leaf, struct s3_uri *ret, struct err *err)
{
	const char *base = json_str(json_object_get(request, "OutputDataConfig"), "S3OutputPath");
	auto_free char *uri = xasprintf("%s%s%s/output/%s", base, str_ends(base, "/") ? "" : "/",
					json_str(request, "TrainingJobName"), leaf);

	return s3_uri_parse(uri, ret, err);
}

static int upload_archive(struct cloud *cloud, const struct filelist *files, const struct s3_uri *to, struct err *err)
{
	auto_close int fd = -1;
	struct digest digest;
	uint64_t size;

	if (archive_write_temp(files, true, &fd, &digest, &size, err) < 0)
		return -1;
	return store_s3_import(cloud->s3, to->bucket, to->key, fd, err);
}

/* Each file as an object of its own. S3 knows no links, so those are left out. */
static int upload_files(struct cloud *cloud, const struct filelist *files, const struct s3_uri *folder, struct err *err)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct file_entry *e = &files->v[i];
		auto_free char *key = fs_join(folder->key, e->path);
		auto_close int fd = -1;

		if (e->mode == FILE_MODE_LINK)
			continue;
		fd = open(e->disk_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_errno(err, "open '%s'", e->disk_path);
		if (store_s3_import(cloud->s3, folder->bucket, key, fd, err) < 0)
			return -1;
	}
	return 0;
}

int artifacts_upload_model(struct cloud *cloud, const struct filelist *files, const json_t *request, char **ret_uri,
			   struct err *err)
{
	const char *compression = json_str(json_object_get(request, "OutputDataConfig"), "CompressionType");
	bool is_plain = str_eq(compression, "NONE");
	auto_s3_uri to = { 0 };

	if (output_place(request, is_plain ? "model/" : "model.tar.gz", &to, err) < 0 ||
	    (is_plain ? upload_files : upload_archive)(cloud, files, &to, err) < 0)
		return err_wrap(err, "upload the model");
	*ret_uri = s3_uri_format(to.bucket, to.key);
	return 0;
}

int artifacts_upload_output(struct cloud *cloud, const struct filelist *files, const json_t *request, struct err *err)
{
	auto_s3_uri to = { 0 };

	if (files->n == 0)
		return 0;
	if (output_place(request, "output.tar.gz", &to, err) < 0 || upload_archive(cloud, files, &to, err) < 0)
		return err_wrap(err, "upload the output data");
	return 0;
}
