/* Listing a channel's local data, naming and sending it. */

#include "s3/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/hashers.h"
#include "s3/index.h"
#include "s3/manifest.h"

static int name_files(const struct snapshot_source *src, struct snapshot_facts *facts, struct filelist *files,
		      struct err *err)
{
	auto_free char *root = fs_realpath(src->path);

	if (!root)
		return err_errno(err, "resolve '%s'", src->path);
	if (src->index_file)
		index_apply(src->index_file, root, files, &facts->note);
	for (size_t i = 0; i < files->n; i++) {
		facts->n_hashed += !files->v[i].has_digest;
		facts->bytes_hashed += files->v[i].has_digest ? 0 : files->v[i].size;
	}
	return facts->n_hashed ? s3_hash_files(files, err) : 0;
}

int snapshot_read(const struct snapshot_source *src, struct filelist *ret, struct snapshot_facts *ret_facts,
		  struct err *err)
{
	struct snapshot_facts facts = { .scanned_ns = src->sys ? src->sys->now_ms(src->sys) * 1000000 : 0 };
	auto_filelist files = { 0 };

	if (scan_path(src->path, src->options, &files, err) < 0 || name_files(src, &facts, &files, err) < 0) {
		free(facts.note);
		return -1;
	}
	*ret = files;
	*ret_facts = facts;
	files = (struct filelist){ 0 };
	return 0;
}

int snapshot_keep_index(const struct snapshot_source *src, const struct snapshot_facts *facts,
			const struct filelist *files, struct err *err)
{
	auto_free char *root = fs_realpath(src->path);
	auto_free char *folder = fs_dirname(src->index_file);

	if (!root)
		return err_errno(err, "resolve '%s'", src->path);
	if (fs_mkdir_p(folder, 0755, err) < 0)
		return -1;
	return index_save(src->index_file, root, facts->scanned_ns, files, err);
}

int snapshot_list(const char *path, struct filelist *ret, struct err *err)
{
	struct snapshot_source src = { .path = path };
	struct snapshot_facts facts;

	return snapshot_read(&src, ret, &facts, err);
}

/* One upload on its way. */
struct sending {
	struct s3 *s3;
	const char *bucket;
	const char *prefix;        /* "<data prefix>/<tree digest>/" */
	struct s3_listing present; /* below it; sorted by key */
	const struct report *report;
	uint64_t done_bytes, total_bytes;
	struct snapshot_result result;
};

static int compare_listed(const void *a, const void *b)
{
	return strcmp(((const struct s3_listed *)a)->key, ((const struct s3_listed *)b)->key);
}

/*
 * Whether an interrupted run sent this file. Its key says what it should hold; that it does, only S3's checksum can
 * say: 1 yes, 0 no.
 */
static int is_present(struct sending *s, const char *key, const struct file_entry *e, struct err *err)
{
	struct s3_listed wanted = { .key = (char *)key };
	const struct s3_listed *found = NULL;
	auto_s3_head head = { 0 };

	if (s->present.n)
		found = bsearch(&wanted, s->present.v, s->present.n, sizeof(*s->present.v), compare_listed);
	if (!found || found->size != e->size)
		return 0;
	if (s3_head_object(s->s3, s->bucket, key, &head, err) < 0)
		return -1;
	return head.has_digest && digest_equal(&head.digest, &e->digest);
}

static int send_bytes(struct sending *s, const struct file_entry *e, struct err *err)
{
	auto_free char *key = xasprintf("%s%s", s->prefix, e->path);
	int present;

	if (sys_check_cancelled(err) < 0)
		return -1;
	present = is_present(s, key, e, err);
	if (present < 0)
		return -1;
	if (!present) {
		if (s3_put_entry(s->s3, s->bucket, key, e, "application/octet-stream", err) < 0)
			return -1;
		s->result.files_sent++;
		s->result.bytes_sent += e->size;
	}
	s->done_bytes += e->size;
	report_progress(s->report, "data", e->path, s->done_bytes, s->total_bytes);
	return 0;
}

static int send_file(struct sending *s, const struct file_entry *e, struct err *err)
{
	/* S3 has no folders; an object of that name would be a file to some. */
	if (file_entry_is_folder(e))
		return 0;
	return send_bytes(s, e, err);
}

static int check_key_lengths(const struct filelist *files, const char *prefix, struct err *err)
{
	for (size_t i = 0; i < files->n; i++) {
		if (strlen(prefix) + strlen(files->v[i].path) > SCAN_KEY_MAX_BYTES)
			return err_set(err, ERR_CONFIG,
				       "the key of the data file '%s' would be longer than S3's %d bytes",
				       files->v[i].path, SCAN_KEY_MAX_BYTES);
	}
	return 0;
}

static int send_files(struct sending *s, const struct filelist *files, struct err *err)
{
	if (check_key_lengths(files, s->prefix, err) < 0 ||
	    s3_list(s->s3, s->bucket, s->prefix, files->n + 1000, &s->present, err) < 0)
		return -1;
	if (s->present.n)
		qsort(s->present.v, s->present.n, sizeof(*s->present.v), compare_listed);
	report_text(s->report, REPORT_STEP, "data", "upload %zu file%s to s3://%s/%s", files->n,
		    files->n == 1 ? "" : "s", s->bucket, s->prefix);
	report_progress(s->report, "data", "", 0, s->total_bytes);
	for (size_t i = 0; i < files->n; i++) {
		if (send_file(s, &files->v[i], err) < 0)
			return -1;
	}
	return 0;
}

static int send_manifest(struct s3 *s3, const struct filelist *files, const char *channel, const char *bucket,
			 const char *key, struct err *err)
{
	auto_free char *text = manifest_text(files, channel);

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
	struct sending s = { .s3 = s3,
			     .bucket = bucket,
			     .prefix = folder,
			     .report = report,
			     .total_bytes = filelist_total_bytes(files) };
	int rc;

	if (s3_head_object(s3, bucket, manifest_key, NULL, &local) == 0) {
		*ret = (struct snapshot_result){ .existed = 1 };
		return 0;
	}
	if (local.code != ERR_NOT_FOUND) {
		err_move(err, &local);
		return -1;
	}
	rc = send_files(&s, files, err);
	if (rc == 0)
		rc = send_manifest(s3, files, channel, bucket, manifest_key, err);
	if (rc == 0)
		*ret = s.result;
	s3_listing_release(&s.present);
	return rc;
}
