/* Whether a snapshot in S3 still is what its name says. */

#include <stdlib.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/parts.h"
#include "s3/snapshot.h"

/* Some 150 bytes a file: more than a million files. */
#define MANIFEST_MAX_BYTES ((size_t)256 * 1024 * 1024)

static int add_manifest_file(struct filelist *l, const json_t *file, struct err *err)
{
	const char *path = json_str(file, "path");
	const char *sha256 = json_str(file, "sha256");
	const json_t *size = json_object_get(file, "size");
	const char *dash = sha256 ? strchr(sha256, '-') : NULL;
	auto_free char *hex = sha256 ? xstrndup(sha256, strcspn(sha256, "-")) : NULL;
	struct file_entry *e;
	struct digest digest;
	int64_t n_parts = 0;

	if (!path || !fs_is_safe_relative(path) || !hex || strlen(hex) != DIGEST_HEX ||
	    digest_parse(hex, &digest) < 0 || (dash && !str_parse_i64(dash + 1, 1, S3_MAX_PARTS, &n_parts)) ||
	    !json_is_integer(size) || json_integer_value(size) < 0)
		return err_set(err, ERR_FAILED, "an entry of the manifest has no proper path, size or digest");
	e = filelist_add(l, path, FILE_MODE_PLAIN);
	e->size = (uint64_t)json_integer_value(size);
	e->digest = digest;
	e->n_parts = (uint32_t)n_parts;
	e->has_digest = true;
	return 0;
}

/* The manifest's files; they must give the digest that the snapshot is named by. */
static int read_manifest(const char *text, size_t n, const char *tree_digest_hex, struct filelist *l, struct err *err)
{
	auto_json *manifest = json_parse(text, n, "manifest", err);
	auto_free char *hex = NULL;
	struct digest digest;
	const json_t *file;
	size_t i;

	if (!manifest)
		return -1;
	if (json_integer_value(json_object_get(manifest, "format")) != 1)
		return err_set(err, ERR_FAILED, "the manifest has an unknown format");
	json_array_foreach(json_object_get(manifest, "files"), i, file) {
		if (add_manifest_file(l, file, err) < 0)
			return -1;
	}
	filelist_sort(l);
	digest = filelist_tree_digest(l, true);
	hex = digest_hex(&digest);
	if (!str_eq(hex, tree_digest_hex))
		return err_set(err, ERR_FAILED, "the manifest's files have the tree digest %s", hex);
	return 0;
}

static int get_manifest(struct s3 *s3, const char *bucket, const char *key, const char *tree_digest_hex,
			struct filelist *l, struct err *err)
{
	auto_free char *text = NULL;
	auto_err local = { 0 };
	size_t n;

	if (s3_get_bytes(s3, bucket, key, MANIFEST_MAX_BYTES, &text, &n, &local) < 0) {
		if (local.code == ERR_NOT_FOUND)
			return err_set(err, ERR_FAILED, "the manifest is not there");
		err_move(err, &local);
		return -1;
	}
	if (read_manifest(text, n, tree_digest_hex, l, &local) == 0)
		return 0;
	local.code = ERR_FAILED;
	err_move(err, &local);
	return -1;
}

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
		if (check_object(s3, bucket, folder, &l->v[i], err) < 0)
			return -1;
	}
	return 0;
}

int snapshot_verify(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex, struct err *err)
{
	auto_free char *manifest_key = xasprintf("%s/%s.json", prefix, tree_digest_hex);
	auto_free char *folder = xasprintf("%s/%s/", prefix, tree_digest_hex);
	auto_filelist files = { 0 };

	if (get_manifest(s3, bucket, manifest_key, tree_digest_hex, &files, err) < 0 ||
	    check_objects(s3, bucket, folder, &files, err) < 0)
		return err_wrap(err, "verify the snapshot 's3://%s/%s'", bucket, folder);
	return 0;
}
