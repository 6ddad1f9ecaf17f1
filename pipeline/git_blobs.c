/* The contents of blobs. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/git_internal.h"

/* Blobs are read into memory; what is larger does not belong into git. */
#define BLOB_MAX_BYTES ((uint64_t)1 << 30)

int git_blob_size(struct git *g, const git_oid *id, const char *path, uint64_t *ret_size, struct err *err)
{
	git_object_t type;
	size_t size;
	int rc;

	pthread_mutex_lock(&g->odb_lock);
	rc = git_odb_read_header(&size, &type, g->odb, id);
	pthread_mutex_unlock(&g->odb_lock);
	if (rc < 0) {
		git_refuse(err, rc, "read the content of '%s' from git", path);
		return err_hint(err, "a partial clone may lack it: git checkout, or git fetch --refetch");
	}
	if (type != GIT_OBJECT_BLOB)
		return err_set(err, ERR_CONFIG, "'%s' is no file in git, though its mode says so", path);
	*ret_size = size;
	return 0;
}

static int copy_blob(git_odb_object *object, const char *hex, char **ret_bytes, size_t *ret_n, struct err *err)
{
	size_t n = git_odb_object_size(object);
	char *bytes;

	if (git_odb_object_type(object) != GIT_OBJECT_BLOB)
		return err_set(err, ERR_CONFIG, "git object %s is no blob", hex);
	if (n > BLOB_MAX_BYTES)
		return err_set(err, ERR_CONFIG, "git object %s is larger than 1 GiB", hex);
	bytes = xmalloc(n + 1);
	memcpy(bytes, git_odb_object_data(object), n);
	bytes[n] = '\0';
	*ret_bytes = bytes;
	*ret_n = n;
	return 0;
}

int git_blob_read(struct git *g, const git_oid *id, char **ret_bytes, size_t *ret_n, struct err *err)
{
	auto_of(git_odb_object) *object = NULL;
	char hex[GIT_OID_HEXSZ + 1];
	int rc;

	git_oid_tostr(hex, sizeof(hex), id);
	pthread_mutex_lock(&g->odb_lock);
	rc = git_odb_read(&object, g->odb, id);
	pthread_mutex_unlock(&g->odb_lock);
	if (rc < 0)
		return git_refuse(err, rc, "read git object %s", hex);
	return copy_blob(object, hex, ret_bytes, ret_n, err);
}

/* The id of a blob with these bytes: SHA-1 of a header and of them. */
static bool has_id(const char *bytes, size_t n, const char *id)
{
	auto_free char *header = xasprintf("blob %zu", n);
	auto_free char *hex = digest_sha1_hex(header, strlen(header) + 1, bytes, n);

	return str_eq(hex, id);
}

static bool read_whole(int fd, char *bytes, size_t n)
{
	ssize_t got = 1;

	for (size_t at = 0; at < n && got > 0; at += (size_t)got)
		got = read(fd, bytes + at, n - at);
	return n == 0 || got > 0;
}

/*
 * The work tree's file of that name, when it has the blob's very bytes: the id says so, whatever is on disk. It is
 * read several times as fast as the blob is inflated, and by several threads at once. NULL: the blob must be read.
 */
static char *read_from_work_tree(struct git *g, const struct file_entry *e)
{
	auto_free char *disk_path = xasprintf("%s%s%s", g->workdir, g->prefix, e->origin ? e->origin : e->path);
	auto_close int fd = open(disk_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	auto_free char *bytes = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size ||
	    e->size > BLOB_MAX_BYTES)
		return NULL;
	bytes = xmalloc(e->size + 1);
	if (!read_whole(fd, bytes, e->size) || !has_id(bytes, e->size, e->id))
		return NULL;
	bytes[e->size] = '\0';
	return take(bytes);
}

static int read_from_store(const struct file_store *store, const struct file_entry *e, char **ret_bytes, size_t *ret_n,
			   struct err *err)
{
	struct git *g = ((const struct git_blobs *)store)->g;
	char *bytes = read_from_work_tree(g, e);
	git_oid oid;

	if (bytes) {
		*ret_bytes = bytes;
		*ret_n = e->size;
		return 0;
	}
	if (git_oid_fromstr(&oid, e->id) < 0)
		return err_set(err, ERR_INVALID, "'%s' is no git object id", e->id);
	return git_blob_read(g, &oid, ret_bytes, ret_n, err);
}

void git_blobs_init(struct git *g)
{
	g->blobs = (struct git_blobs){ .base = { .read = read_from_store }, .g = g };
}
