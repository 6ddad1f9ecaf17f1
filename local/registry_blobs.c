#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "local/registry_store.h"

#define COPY_BYTES (256u << 10)
#define ID_BYTES   16

static char *blob_path(struct store_ecr *s, const char *repository, const struct digest *digest)
{
	auto_free char *hex = digest_hex(digest);

	return store_ecr_path(s, repository, "blobs", hex);
}

int store_ecr_open_blob(struct store_ecr *s, const char *repository, const struct digest *digest, int *ret_fd,
			uint64_t *ret_size, struct err *err)
{
	auto_free char *path = blob_path(s, repository, digest);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "there is no blob '%s'", fs_basename(path));
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "open '%s'", path);
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = take_fd(&fd);
	return 0;
}

bool store_ecr_has_blob(struct store_ecr *s, const char *repository, const struct digest *digest)
{
	auto_free char *path = blob_path(s, repository, digest);

	return fs_exists(path);
}

static int sync_folder_of(const char *path, struct err *err)
{
	auto_free char *folder = fs_dirname(path);
	auto_close int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, "sync '%s'", folder);
	return 0;
}

int store_ecr_mount_blob(struct store_ecr *s, const char *from, const char *to, const struct digest *digest,
			 struct err *err)
{
	auto_free char *source = blob_path(s, from, digest);
	auto_free char *target = blob_path(s, to, digest);

	if (link(source, target) < 0 && errno != EEXIST) {
		if (errno == ENOENT)
			return err_set(err, ERR_NOT_FOUND, "there is no blob '%s' in '%s'", fs_basename(source), from);
		return err_errno(err, "link '%s'", target);
	}
	return sync_folder_of(target, err);
}

int store_ecr_start_upload(struct store_ecr *s, const char *repository, const struct sys *sys, char **ret_id,
			   struct err *err)
{
	unsigned char raw[ID_BYTES];
	auto_free char *id = NULL;
	auto_free char *path = NULL;
	auto_close int fd = -1;

	sys->random(sys, raw, sizeof(raw));
	id = str_hex(raw, sizeof(raw));
	path = store_ecr_path(s, repository, "uploads", id);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "create '%s'", path);
	*ret_id = take(id);
	return 0;
}

/*
 * Open an upload and hold it against other requests for the same one. The lock belongs to the open file, so it works
 * between threads.
 */
static int open_upload(struct store_ecr *s, const char *repository, const char *id, int *ret_fd, struct err *err)
{
	unsigned char raw[ID_BYTES];
	auto_free char *path = NULL;
	auto_close int fd = -1;

	if (str_unhex(id, raw, sizeof(raw)) < 0)
		return err_set(err, ERR_NOT_FOUND, "there is no such upload");
	path = store_ecr_path(s, repository, "uploads", id);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "there is no upload '%s'", id);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_errno(err, "open '%s'", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

static int copy_file(int to, const struct ecr_bytes *bytes, struct err *err)
{
	auto_free char *buffer = xmalloc(COPY_BYTES);

	for (uint64_t done = 0; done < bytes->size;) {
		ssize_t n = pread(bytes->fd, buffer, COPY_BYTES, (off_t)done);

		if (n < 0)
			return err_errno(err, "read the request's body");
		if (n == 0)
			return err_set(err, ERR_IO, "the request's body ends at %llu of %llu bytes",
				       (unsigned long long)done, (unsigned long long)bytes->size);
		if (fs_write_all(to, buffer, (size_t)n, "upload", err) < 0)
			return -1;
		done += (uint64_t)n;
	}
	return 0;
}

int store_ecr_append_upload(struct store_ecr *s, const char *repository, const char *id, int64_t at,
			    const struct ecr_bytes *bytes, uint64_t *ret_size, struct err *err)
{
	auto_close int fd = -1;
	off_t end;

	if (open_upload(s, repository, id, &fd, err) < 0)
		return -1;
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return err_errno(err, "seek in upload '%s'", id);
	if (at >= 0 && at != end)
		return err_set(err, ERR_CONFLICT, "upload '%s' has %lld bytes, the request continues at %lld", id,
			       (long long)end, (long long)at);
	if (bytes->p ? fs_write_all(fd, bytes->p, bytes->size, "upload", err) < 0 : copy_file(fd, bytes, err) < 0) {
		/* The client may send the same part again. */
		if (ftruncate(fd, end) < 0)
			return err_wrap(err, "upload '%s' is spoilt", id);
		return -1;
	}
	*ret_size = (uint64_t)end + bytes->size;
	return 0;
}

int store_ecr_upload_size(struct store_ecr *s, const char *repository, const char *id, uint64_t *ret_size,
			  struct err *err)
{
	auto_close int fd = -1;
	struct stat st;

	if (open_upload(s, repository, id, &fd, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_errno(err, "look at upload '%s'", id);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int store_ecr_finish_upload(struct store_ecr *s, const char *repository, const char *id, const struct digest *digest,
			    struct err *err)
{
	auto_free char *from = store_ecr_path(s, repository, "uploads", id);
	auto_free char *to = blob_path(s, repository, digest);
	auto_close int fd = -1;
	struct digest real;
	uint64_t size;

	if (open_upload(s, repository, id, &fd, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, "seek in upload '%s'", id);
	if (digest_of_fd(fd, &real, &size, err) < 0)
		return -1;
	if (!digest_equal(&real, digest)) {
		auto_free char *is = digest_oci(&real);

		unlink(from);
		return err_set(err, ERR_INVALID, "the upload's digest is '%s'", is);
	}
	if (fsync(fd) < 0)
		return err_errno(err, "sync '%s'", from);
	if (rename(from, to) < 0)
		return err_errno(err, "rename '%s' to '%s'", from, to);
	return sync_folder_of(to, err);
}

int store_ecr_drop_upload(struct store_ecr *s, const char *repository, const char *id, struct err *err)
{
	auto_free char *path = store_ecr_path(s, repository, "uploads", id);
	auto_close int fd = -1;

	if (open_upload(s, repository, id, &fd, err) < 0)
		return -1;
	if (unlink(path) < 0)
		return err_errno(err, "remove '%s'", path);
	return 0;
}
