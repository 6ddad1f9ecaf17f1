/* Listing a channel's local data, naming and sending it. */

#include "s3/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/index.h"
#include "s3/manifest.h"
#include "s3/parts.h"
#include "s3/reuse.h"
#include "s3/transfer.h"

/* From here on hashing takes long enough to be announced. */
#define ANNOUNCED_BYTES ((uint64_t)1024 * 1024 * 1024)

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
	if (facts->bytes_hashed >= ANNOUNCED_BYTES) {
		auto_free char *size = str_bytes(facts->bytes_hashed);

		report_text(src->report, REPORT_STEP, "data", "hash %zu file%s of '%s', %s", facts->n_hashed,
			    facts->n_hashed == 1 ? "" : "s", src->path, size);
	}
	return filelist_hash_parts(files, s3_part_bytes, src->report, "data", err);
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

/* One upload on its way. */
struct sending {
	const struct filelist *files;
	size_t next;
	const char *prefix;        /* "<data prefix>/<tree digest>/" */
	struct s3_listing present; /* below it; sorted by key */
	bool *is_there;            /* of each file: listed, or copied from another snapshot */
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
	for (; s->next < s->files->n; s->next++) {
		const struct file_entry *e = &s->files->v[s->next];
		auto_free char *key = xasprintf("%s%s", s->prefix, e->path);
		bool may_exist = is_listed(s, key, e);

		/* S3 has no folders; an object of that name would be a file to some. */
		if (file_entry_is_folder(e) || (s->is_there[s->next] && !may_exist))
			continue;
		*ret = (struct transfer_item){ .entry = e, .key = take(key), .may_exist = may_exist };
		s->next++;
		return 1;
	}
	return 0;
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

static int list_present(struct s3 *s3, struct sending *s, const char *bucket, struct err *err)
{
	s3_listing_release(&s->present);
	if (s3_list(s3, bucket, s->prefix, s->files->n + 1000, &s->present, err) < 0)
		return -1;
	if (s->present.n)
		qsort(s->present.v, s->present.n, sizeof(*s->present.v), compare_listed);
	return 0;
}

/* What lies there already, and what can be copied there from another snapshot. */
static int find_present(struct s3 *s3, struct sending *s, const char *bucket, const char *prefix, const char *digest,
			const struct report *report, struct reuse_result *ret, struct err *err)
{
	if (list_present(s3, s, bucket, err) < 0)
		return -1;
	s->is_there = xcalloc(s->files->n, sizeof(*s->is_there));
	for (size_t i = 0; i < s->files->n && s->present.n; i++) {
		auto_free char *key = xasprintf("%s%s", s->prefix, s->files->v[i].path);

		s->is_there[i] = is_listed(s, key, &s->files->v[i]);
	}
	return snapshot_reuse(s3, s->files, bucket, prefix, digest, s->is_there, report, ret, err);
}

static int send_files(struct s3 *s3, struct sending *s, const struct snapshot_target *to, const struct report *report,
		      struct snapshot_result *ret, struct err *err)
{
	struct transfer_result sent = { 0 };
	uint64_t left = filelist_total_bytes(s->files) - ret->bytes_copied;
	size_t n = 0;
	const struct transfer t = {
		.bucket = to->bucket,
		.content_type = "application/octet-stream",
		.kind = to->kind,
		.next = next_file,
		.ctx = s,
		.resume_prefix = s->prefix,
		.report = report,
		.stage = "data",
		.total_bytes = left,
	};

	for (size_t i = 0; i < s->files->n; i++)
		n += !file_entry_is_folder(&s->files->v[i]);
	n -= ret->files_copied;
	report_text(report, REPORT_STEP, "data", "upload %zu file%s to s3://%s/%s", n, n == 1 ? "" : "s", to->bucket,
		    s->prefix);
	report_progress(report, "data", "", 0, t.total_bytes);
	if (s3_transfer(s3, &t, &sent, err) < 0)
		return -1;
	ret->files_sent = sent.files_sent;
	ret->bytes_sent = sent.bytes_sent;
	return 0;
}

/* gc may be deleting what an earlier run left, and everything of its names. Where nothing was left, it is done. */
static int check_present(struct s3 *s3, struct sending *s, const char *bucket, struct err *err)
{
	if (!s->present.n)
		return 0;
	if (list_present(s3, s, bucket, err) < 0)
		return -1;
	for (size_t i = 0; i < s->files->n; i++) {
		const struct file_entry *e = &s->files->v[i];
		auto_free char *key = xasprintf("%s%s", s->prefix, e->path);

		if (file_entry_is_folder(e) || is_listed(s, key, e))
			continue;
		err_set(err, ERR_FAILED, "'s3://%s/%s' was deleted while the snapshot was sent", bucket, key);
		return err_hint(err, "perhaps by `smpipe gc`: run the same command again when that is done");
	}
	return 0;
}

static int send_manifest(struct s3 *s3, const struct filelist *files, const struct snapshot_target *to, const char *key,
			 struct err *err)
{
	auto_free char *text = manifest_text(files, to->channel);

	return s3_put_bytes(s3, to->bucket, key, text, strlen(text), "application/json", err);
}

int snapshot_upload(struct s3 *s3, const struct filelist *files, const struct snapshot_target *to,
		    const struct report *report, struct snapshot_result *ret, struct err *err)
{
	struct digest digest = filelist_tree_digest(files, true);
	auto_free char *hex = digest_hex(&digest);
	auto_free char *folder = xasprintf("%s/%s/", to->prefix, hex);
	auto_free char *manifest_key = xasprintf("%s/%s.json", to->prefix, hex);
	auto_err local = { 0 };
	struct sending s = { .files = files, .prefix = folder };
	struct snapshot_result result = { 0 };
	struct reuse_result reused = { 0 };
	int rc;

	if (s3_head_object(s3, to->bucket, manifest_key, NULL, &local) == 0) {
		*ret = (struct snapshot_result){ .existed = 1 };
		return 0;
	}
	if (local.code != ERR_NOT_FOUND) {
		err_move(err, &local);
		return -1;
	}
	rc = check_key_lengths(files, folder, err);
	if (rc == 0)
		rc = find_present(s3, &s, to->bucket, to->prefix, hex, report, &reused, err);
	result.files_copied = reused.files;
	result.bytes_copied = reused.bytes;
	if (rc == 0)
		rc = send_files(s3, &s, to, report, &result, err);
	if (rc == 0)
		rc = check_present(s3, &s, to->bucket, err);
	if (rc == 0)
		rc = send_manifest(s3, files, to, manifest_key, err);
	if (rc == 0)
		*ret = result;
	s3_listing_release(&s.present);
	free(s.is_there);
	return rc;
}
