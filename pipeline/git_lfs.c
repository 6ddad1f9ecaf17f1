/* Git LFS: a small blob that stands for a large file. */

#include <sys/stat.h>

#include "pipeline/git_internal.h"

#define LFS_VERSION "version https://git-lfs.github.com/spec/v1\n"
/* Pointers are below this by their specification. */
#define LFS_MAX_BYTES 1024

bool git_lfs_parse(const char *bytes, size_t n, struct git_lfs *ret)
{
	auto_strlist lines = { 0 };
	bool has_digest = false, has_size = false;
	int64_t size;

	if (n >= LFS_MAX_BYTES || !str_starts(bytes, LFS_VERSION))
		return false;
	str_split(&lines, bytes, '\n');
	for (size_t i = 1; i < lines.n; i++) {
		if (str_starts(lines.v[i], "oid sha256:"))
			has_digest = digest_parse(lines.v[i] + strlen("oid "), &ret->digest) == 0;
		if (str_starts(lines.v[i], "size "))
			has_size = str_parse_i64(lines.v[i] + strlen("size "), 0, INT64_MAX, &size);
	}
	if (has_size)
		ret->size = (uint64_t)size;
	return has_digest && has_size;
}

int git_lfs_of_blob(struct git *g, const git_oid *id, uint64_t size, struct git_lfs *ret, struct err *err)
{
	auto_free char *bytes = NULL;
	size_t n;

	if (size >= LFS_MAX_BYTES || size <= strlen(LFS_VERSION))
		return 0;
	if (git_blob_read(g, id, &bytes, &n, err) < 0)
		return -1;
	return git_lfs_parse(bytes, n, ret);
}

bool git_lfs_matches(const struct git_lfs *lfs, const char *disk_path)
{
	auto_err ignored = { 0 };
	struct digest digest;
	struct stat st;
	uint64_t size;

	if (lstat(disk_path, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != lfs->size)
		return false;
	return digest_of_file(disk_path, &digest, &size, &ignored) == 0 && size == lfs->size &&
	       digest_equal(&digest, &lfs->digest);
}
