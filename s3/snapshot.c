/* Listing a channel's local data, naming and sending it. */

#include "s3/snapshot.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/hashers.h"
#include "s3/parts.h"
#include "s3/transfer.h"

struct listing {
	const char *root;
	char *real_root; /* with '/' at its end; NULL for a single file */
	struct filelist files;
};

static int check_name(const char *path, struct err *err)
{
	auto_free char *shown = str_printable(path);

	if (!str_is_utf8(path, strlen(path)) || !fs_is_safe_relative(path))
		return err_set(err, ERR_CONFIG,
			       "the data file '%s' has a name that S3 cannot carry: it must be UTF-8 without "
			       "control characters",
			       shown);
	if (strlen(path) + DIGEST_HEX + 1 > S3_KEY_MAX_BYTES)
		return err_set(err, ERR_CONFIG, "the data file '%s' has a name that is too long for S3", shown);
	return 0;
}

static int add_file(struct listing *l, const char *path, const char *disk_path, const struct stat *st, struct err *err)
{
	struct file_entry *e;

	if (check_name(path, err) < 0)
		return -1;
	if ((uint64_t)st->st_size > S3_MAX_OBJECT_BYTES)
		return err_set(err, ERR_INVALID,
			       "the data file '%s' is larger than 48.8 TiB, the most that S3 stores as one object",
			       disk_path);
	e = filelist_add(&l->files, path, FILE_MODE_PLAIN);
	e->disk_path = xstrdup(disk_path);
	e->size = (uint64_t)st->st_size;
	e->stamp = file_stamp_of(st);
	e->has_stamp = true;
	return 0;
}

/* S3 has no links; one that leads out of the folder would send what nobody named. */
static int add_link(struct listing *l, const char *path, const char *disk_path, struct err *err)
{
	auto_free char *real = fs_realpath(disk_path);
	auto_free char *shown = str_printable(path);
	struct stat st;

	if (!real || lstat(real, &st) < 0)
		return err_set(err, ERR_CONFIG, "the link '%s' in '%s' leads nowhere", shown, l->root);
	if (!str_starts(real, l->real_root))
		return err_set(err, ERR_CONFIG, "the link '%s' leads out of the data folder '%s'", shown, l->root);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "the link '%s' in '%s' does not lead to a file", shown, l->root);
	return add_file(l, path, real, &st, err);
}

static int visit(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	struct listing *l = ctx;
	auto_free char *disk_path = NULL;
	auto_free char *shown = NULL;

	/* Our own state, when the data folder is the project's. */
	if (S_ISDIR(st->st_mode) || str_starts(path, ".smpipe/"))
		return 0;
	disk_path = fs_join(l->root, path);
	if (S_ISLNK(st->st_mode))
		return add_link(l, path, disk_path, err);
	if (S_ISREG(st->st_mode))
		return add_file(l, path, disk_path, st, err);
	shown = str_printable(path);
	return err_set(err, ERR_CONFIG, "'%s' in '%s' is neither a file nor a folder", shown, l->root);
}

static int list_folder(struct listing *l, struct err *err)
{
	auto_free char *real = fs_realpath(l->root);

	if (!real)
		return err_errno(err, "resolve '%s'", l->root);
	l->real_root = xasprintf("%s%s", real, str_ends(real, "/") ? "" : "/");
	return fs_walk(l->root, visit, l, err);
}

static int list_any(struct listing *l, struct err *err)
{
	struct stat st;

	if (stat(l->root, &st) < 0)
		return err_set(err, ERR_CONFIG, "the data path '%s' does not exist", l->root);
	if (S_ISDIR(st.st_mode)) {
		if (list_folder(l, err) < 0)
			return -1;
	} else if (S_ISREG(st.st_mode)) {
		/* The path itself may be a link: the user named it. */
		auto_free char *real = fs_realpath(l->root);

		if (!real)
			return err_errno(err, "resolve '%s'", l->root);
		if (lstat(real, &st) < 0)
			return err_errno(err, "stat '%s'", real);
		if (add_file(l, fs_basename(l->root), real, &st, err) < 0)
			return -1;
	} else {
		return err_set(err, ERR_CONFIG, "the data path '%s' is neither a file nor a folder", l->root);
	}
	if (!l->files.n)
		return err_set(err, ERR_CONFIG, "the data folder '%s' holds no file", l->root);
	filelist_sort(&l->files);
	return 0;
}

int snapshot_list(const char *path, struct filelist *ret, struct err *err)
{
	auto_filelist files = { 0 };

	if (snapshot_list_unhashed(path, &files, err) < 0 || s3_hash_files(&files, err) < 0)
		return -1;
	*ret = files;
	files = (struct filelist){ 0 };
	return 0;
}

int snapshot_list_unhashed(const char *path, struct filelist *ret, struct err *err)
{
	struct listing l = { .root = path };
	int rc = list_any(&l, err);

	if (rc == 0) {
		*ret = l.files;
		l.files = (struct filelist){ 0 };
	}
	filelist_release(&l.files);
	free(l.real_root);
	return rc;
}

char *snapshot_manifest(const struct filelist *files, const char *channel)
{
	struct digest digest = filelist_tree_digest(files, true);
	auto_free char *hex = digest_hex(&digest);
	json_t *list = json_array();
	auto_json *manifest = json_object();

	for (size_t i = 0; i < files->n; i++) {
		const struct file_entry *e = &files->v[i];
		auto_free char *digest_text = digest_hex(&e->digest);
		auto_free char *sha256 =
			e->n_parts ? xasprintf("%s-%u", digest_text, (unsigned)e->n_parts) : xstrdup(digest_text);
		json_t *file = json_object();

		json_put_str(file, "path", e->path);
		json_put_int(file, "size", (json_int_t)e->size);
		json_put_str(file, "sha256", sha256);
		json_array_append_new(list, file);
	}
	json_put_int(manifest, "format", 1);
	json_put_str(manifest, "channel", channel);
	json_put_str(manifest, "digest", hex);
	json_object_set_new(manifest, "files", list);
	return json_canonical(manifest);
}

/* One upload on its way. */
struct sending {
	const struct filelist *files;
	size_t next;
	const char *prefix;        /* "<data prefix>/<tree digest>/" */
	struct s3_listing present; /* below it; sorted by key */
};

static int compare_listed(const void *a, const void *b)
{
	return strcmp(((const struct s3_listed *)a)->key, ((const struct s3_listed *)b)->key);
}

/*
 * An interrupted run may have sent this file. Its key says what it should hold; that it does, only S3's checksum can
 * say.
 */
static bool is_listed(const struct sending *s, const char *key, const struct file_entry *e)
{
	struct s3_listed wanted = { .key = (char *)key };
	const struct s3_listed *found = NULL;

	if (s->present.n)
		found = bsearch(&wanted, s->present.v, s->present.n, sizeof(*s->present.v), compare_listed);
	return found && found->size == e->size;
}

static int next_file(void *ctx, struct transfer_item *ret, struct err *err)
{
	struct sending *s = ctx;

	(void)err;
	if (s->next == s->files->n)
		return 0;
	ret->entry = &s->files->v[s->next++];
	ret->key = xasprintf("%s%s", s->prefix, ret->entry->path);
	ret->may_exist = is_listed(s, ret->key, ret->entry);
	return 1;
}

static int check_key_lengths(const struct filelist *files, const char *prefix, struct err *err)
{
	for (size_t i = 0; i < files->n; i++) {
		if (strlen(prefix) + strlen(files->v[i].path) > S3_KEY_MAX_BYTES)
			return err_set(err, ERR_CONFIG,
				       "the key of the data file '%s' would be longer than S3's %d bytes",
				       files->v[i].path, S3_KEY_MAX_BYTES);
	}
	return 0;
}

static int send_files(struct s3 *s3, struct sending *s, const char *bucket, const struct report *report,
		      struct snapshot_result *ret, struct err *err)
{
	struct transfer_result sent = { 0 };
	const struct transfer t = {
		.bucket = bucket,
		.content_type = "application/octet-stream",
		.kind = S3_SHA256,
		.next = next_file,
		.ctx = s,
		.resume_prefix = s->prefix,
		.keeps_parts = true,
		.report = report,
		.stage = "data",
		.total_bytes = filelist_total_bytes(s->files),
	};

	if (check_key_lengths(s->files, s->prefix, err) < 0 ||
	    s3_list(s3, bucket, s->prefix, s->files->n + 1000, &s->present, err) < 0)
		return -1;
	if (s->present.n)
		qsort(s->present.v, s->present.n, sizeof(*s->present.v), compare_listed);
	report_text(report, REPORT_STEP, "data", "upload %zu file%s to s3://%s/%s", s->files->n,
		    s->files->n == 1 ? "" : "s", bucket, s->prefix);
	report_progress(report, "data", "", 0, t.total_bytes);
	if (s3_transfer(s3, &t, &sent, err) < 0)
		return -1;
	*ret = (struct snapshot_result){ .files_sent = sent.files_sent, .bytes_sent = sent.bytes_sent };
	return 0;
}

static int send_manifest(struct s3 *s3, const struct filelist *files, const char *channel, const char *bucket,
			 const char *key, struct err *err)
{
	auto_free char *text = snapshot_manifest(files, channel);

	return s3_put_bytes(s3, bucket, key, text, strlen(text), "application/json", err);
}

int snapshot_upload(struct s3 *s3, const struct filelist *files, const char *channel, const char *bucket,
		    const char *prefix, const struct report *report, struct snapshot_result *ret, struct err *err)
{
	struct digest digest = filelist_tree_digest(files, true);
	auto_free char *hex = digest_hex(&digest);
	auto_free char *folder = xasprintf("%s/%s/", prefix, hex);
	auto_free char *manifest_key = xasprintf("%s/%s.json", prefix, hex);
	auto_err local = { 0 };
	struct sending s = { .files = files, .prefix = folder };
	struct snapshot_result result = { 0 };
	int rc;

	if (s3_head_object(s3, bucket, manifest_key, NULL, &local) == 0) {
		*ret = (struct snapshot_result){ .existed = 1 };
		return 0;
	}
	if (local.code != ERR_NOT_FOUND) {
		err_move(err, &local);
		return -1;
	}
	rc = send_files(s3, &s, bucket, report, &result, err);
	if (rc == 0)
		rc = send_manifest(s3, files, channel, bucket, manifest_key, err);
	if (rc == 0)
		*ret = result;
	s3_listing_release(&s.present);
	return rc;
}
