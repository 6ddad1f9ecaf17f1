/* Whether a snapshot in S3 still is what its name says. */

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "s3/manifest.h"
#include "s3/snapshot.h"

/* What is there and belongs to no file would reach the training job all the same. */
static int check_listing(const struct s3_listing *present, const char *folder, const struct filelist *l,
			 struct err *err)
{
	for (size_t i = 0; i < present->n; i++) {
		const char *path = present->v[i].key + strlen(folder);
		const struct file_entry *e = str_starts(present->v[i].key, folder) ? filelist_find(l, path) : NULL;
		auto_free char *shown = NULL;

		if (e && e->size == present->v[i].size)
			continue;
		shown = str_printable(present->v[i].key);
		if (!e)
			return err_set(err, ERR_FAILED, "'%s' is there, but not in the manifest", shown);
		return err_set(err, ERR_FAILED, "'%s' has %llu bytes instead of %llu", shown,
			       (unsigned long long)present->v[i].size, (unsigned long long)e->size);
	}
	return 0;
}

static int check_object(struct s3 *s3, const char *bucket, const char *folder, const struct file_entry *e,
			struct err *err)
{
	auto_free char *key = xasprintf("%s%s", folder, e->path);
	struct s3_checksum wanted = { .kind = S3_SHA256, .n_parts = e->n_parts, .sha256 = e->digest };
	auto_s3_head head = { 0 };
	auto_err local = { 0 };

	if (sys_check_cancelled(err) < 0)
		return -1;
	if (s3_head_object(s3, bucket, key, &head, &local) < 0) {
		if (local.code == ERR_NOT_FOUND)
			return err_set(err, ERR_FAILED, "'%s' is not there", key);
		err_move(err, &local);
		return -1;
	}
	if (head.size != e->size)
		return err_set(err, ERR_FAILED, "'%s' has %llu bytes instead of %llu", key,
			       (unsigned long long)head.size, (unsigned long long)e->size);
	if (head.sha256.kind == S3_CHECKSUM_NONE)
		return err_set(err, ERR_FAILED, "'%s' was stored without a SHA-256: somebody else wrote it", key);
	if (!s3_checksum_equal(&head.sha256, &wanted))
		return err_set(err, ERR_FAILED, "'%s' has other content than the manifest says", key);
	return 0;
}

static int check_objects(struct s3 *s3, const char *bucket, const char *folder, const struct filelist *l,
			 struct err *err)
{
	auto_s3_listing present = { 0 };

	if (s3_list(s3, bucket, folder, l->n + 1000, &present, err) < 0 || check_listing(&present, folder, l, err) < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		if (!file_entry_is_folder(&l->v[i]) && check_object(s3, bucket, folder, &l->v[i], err) < 0)
			return -1;
	}
	return 0;
}

static int load_manifest(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex,
			 struct filelist *ret, struct err *err)
{
	int rc = manifest_load(s3, bucket, prefix, tree_digest_hex, ret, err);

	if (rc < 0 && err->code == ERR_NOT_FOUND)
		err->code = ERR_FAILED;
	return rc;
}

int snapshot_verify(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex, struct err *err)
{
	auto_free char *folder = xasprintf("%s/%s/", prefix, tree_digest_hex);
	auto_filelist files = { 0 };

	if (load_manifest(s3, bucket, prefix, tree_digest_hex, &files, err) < 0 ||
	    check_objects(s3, bucket, folder, &files, err) < 0)
		return err_wrap(err, "verify the snapshot 's3://%s/%s'", bucket, folder);
	return 0;
}
