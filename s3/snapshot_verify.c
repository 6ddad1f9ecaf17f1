/* Whether a snapshot in S3 still is what its name says. */

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "s3/many.h"
#include "s3/manifest.h"
#include "s3/parts.h"
#include "s3/snapshot.h"

struct verifying {
	struct s3 *s3;
	const char *bucket;
	const char *folder; /* "<prefix>/<digest>/" */
	const struct filelist *files;
	size_t next;
	bool is_deep;
	const struct report *report;
	uint64_t done_bytes, total_bytes;
	size_t n_objects, n_unproven; /* that were looked at; of which S3 has no SHA-256 */
	char *unproven;               /* one of them */
};

/* An object whose bytes are read: hashed as the manifest has it, whole or in parts. */
struct reading {
	const struct file_entry *entry;
	struct http_response *resp;
	struct digest_state *part, *whole; /* whole: of the parts' digests */
	uint32_t i;
	uint64_t size, left; /* left: of part i */
};

/* What is there and belongs to no file would reach the training job all the same. */
static int check_listing(const struct s3_listing *present, const struct verifying *v, struct err *err)
{
	for (size_t i = 0; i < present->n; i++) {
		const char *key = present->v[i].key, *path = key + strlen(v->folder);
		const struct file_entry *e = str_starts(key, v->folder) ? filelist_find(v->files, path) : NULL;
		auto_free char *shown = NULL;

		if (e && !file_entry_is_folder(e) && e->size == present->v[i].size)
			continue;
		shown = str_escaped(key);
		if (!e || file_entry_is_folder(e))
			return err_set(err, ERR_FAILED, "'%s' is there, but not in the manifest", shown);
		return err_set(err, ERR_FAILED, "'%s' has %llu bytes instead of %llu", shown,
			       (unsigned long long)present->v[i].size, (unsigned long long)e->size);
	}
	return 0;
}

static void begin_reading(struct reading *r)
{
	digest_free(r->part);
	digest_free(r->whole);
	r->part = digest_new();
	r->whole = digest_new();
	r->i = 0;
	r->size = 0;
	r->left = r->entry->n_parts ? s3_part_length(r->entry->size, 0) : UINT64_MAX;
}

static void end_part(struct reading *r)
{
	struct digest digest = digest_final(r->part);

	digest_free(r->part);
	r->part = digest_new();
	digest_update(r->whole, digest.b, sizeof(digest.b));
	r->i++;
	r->left = r->i < r->entry->n_parts ? s3_part_length(r->entry->size, r->i) : UINT64_MAX;
}

static int take_bytes(void *ctx, const char *p, size_t n, struct err *err)
{
	struct reading *r = ctx;

	(void)err;
	if (!s3_sink_is_object(r->resp, p, n))
		return 0;
	r->size += n;
	while (n) {
		size_t now = n < r->left ? n : (size_t)r->left;

		digest_update(r->part, p, now);
		p += now;
		n -= now;
		r->left -= now;
		if (!r->left)
			end_part(r);
	}
	return 0;
}

static void start_anew(void *ctx)
{
	begin_reading(ctx);
}

static void free_reading(void *ctx, struct s3_many_call *c)
{
	struct reading *r = c->item;

	(void)ctx;
	digest_free(r->part);
	digest_free(r->whole);
	free(r);
}

static int next_object(void *ctx, struct s3_many_call *c, struct err *err)
{
	struct verifying *v = ctx;
	struct s3_request *req = &c->call.req;
	struct reading *r;

	(void)err;
	while (v->next < v->files->n && file_entry_is_folder(&v->files->v[v->next]))
		v->next++;
	if (v->next == v->files->n)
		return 0;
	r = xcalloc(1, sizeof(*r));
	r->entry = &v->files->v[v->next++];
	r->resp = &c->call.resp;
	c->item = r;
	c->key = xasprintf("%s%s", v->folder, r->entry->path);
	req->operation = v->is_deep ? "GetObject" : "HeadObject";
	req->bucket = v->bucket;
	req->aws.method = v->is_deep ? "GET" : "HEAD";
	req->aws.is_idempotent = true;
	http_headers_add(&req->headers, "x-amz-checksum-mode", "ENABLED");
	if (v->is_deep) {
		begin_reading(r);
		req->aws.judge_body = s3_judge_object;
		req->aws.sink = take_bytes;
		req->aws.sink_reset = start_anew;
		req->aws.sink_ctx = r;
	}
	return 1;
}

/* The bytes themselves. */
static int check_bytes(const struct reading *r, const char *shown, struct err *err)
{
	const struct file_entry *e = r->entry;
	struct digest digest = digest_final(e->n_parts ? r->whole : r->part);

	if (r->size != e->size)
		return err_set(err, ERR_FAILED, "'%s' has %llu bytes instead of %llu", shown,
			       (unsigned long long)r->size, (unsigned long long)e->size);
	if (!digest_equal(&digest, &e->digest))
		return err_set(err, ERR_FAILED, "'%s' has other content than the manifest says", shown);
	return 0;
}

/* What S3 keeps of them. */
static int check_stored(struct verifying *v, const struct reading *r, const struct http_response *resp,
			const char *shown, struct err *err)
{
	const struct file_entry *e = r->entry;
	struct s3_checksum wanted = { .kind = S3_SHA256, .n_parts = e->n_parts, .sha256 = e->digest };
	struct s3_checksum stored = s3_checksum_from(resp, S3_SHA256);

	if (stored.kind == S3_CHECKSUM_NONE) {
		v->n_unproven++;
		v->unproven = v->unproven ? v->unproven : str_escaped(e->path);
		return 0;
	}
	if (!s3_checksum_equal(&stored, &wanted))
		return err_set(err, ERR_FAILED, "'%s' has other content than the manifest says", shown);
	return 0;
}

static int object_answered(void *ctx, struct s3_many_call *c, int result, struct err *err)
{
	struct verifying *v = ctx;
	struct reading *r = c->item;
	auto_free char *shown = str_escaped(c->key);
	int rc;

	if (result < 0 && c->call.err.code == ERR_NOT_FOUND)
		rc = err_set(err, ERR_FAILED, "'%s' is not there", shown);
	else if (result < 0)
		rc = (err_move(err, &c->call.err), -1);
	else
		rc = v->is_deep ? check_bytes(r, shown, err) : check_stored(v, r, &c->call.resp, shown, err);
	v->n_objects++;
	v->done_bytes += r->entry->size;
	report_progress(v->report, "data", r->entry->path, v->done_bytes, v->total_bytes);
	free_reading(NULL, c);
	return rc;
}

static int check_objects(struct verifying *v, struct err *err)
{
	const struct s3_many many = { next_object, object_answered, free_reading, v };
	auto_s3_listing present = { 0 };

	if (s3_list(v->s3, v->bucket, v->folder, v->files->n + 1000, &present, err) < 0 ||
	    check_listing(&present, v, err) < 0)
		return -1;
	if (s3_many(v->s3, &many, err) < 0)
		return -1;
	if (!v->n_unproven)
		return 0;
	return err_set(err, ERR_UNPROVEN,
		       "S3 keeps no SHA-256 of %zu of %zu objects, '%s' for one: only their bytes can tell (--deep)",
		       v->n_unproven, v->n_objects, v->unproven);
}

int snapshot_verify(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex, bool is_deep,
		    const struct report *report, struct err *err)
{
	auto_free char *folder = xasprintf("%s/%s/", prefix, tree_digest_hex);
	auto_filelist files = { 0 };
	struct verifying v = { s3, bucket, folder, &files, .is_deep = is_deep, .report = report };
	int rc = manifest_load(s3, bucket, prefix, tree_digest_hex, &files, err);

	if (rc < 0 && err->code == ERR_NOT_FOUND)
		err->code = ERR_FAILED;
	v.total_bytes = filelist_total_bytes(&files);
	if (rc == 0)
		rc = check_objects(&v, err);
	free(v.unproven);
	return rc < 0 ? err_wrap(err, "verify the snapshot 's3://%s/%s'", bucket, folder) : 0;
}
