#include "s3/reuse.h"

#include <stdlib.h>
#include <string.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/many.h"
#include "s3/manifest.h"
#include "s3/snapshots.h"

/* Files that were refused before copying is given up: a missing permission, say, refuses them all. */
#define MAX_REFUSALS 3

struct reusing {
	const char *bucket;
	const char *from_folder, *to_folder;
	const struct filelist *files;
	bool *is_there;
	const struct file_entry **by_content; /* files, sorted */
	const char **from;    /* of each file: where the other snapshot has its content; NULL: nowhere */
	struct strlist paths; /* from's, where they differ from the files' own */
	size_t next;
	int n_refused;
	const struct s3 *s3;
	const struct report *report;
	struct reuse_result result;
};

static int compare_content(const void *a, const void *b)
{
	const struct file_entry *x = *(const struct file_entry *const *)a, *y = *(const struct file_entry *const *)b;
	int order = memcmp(x->digest.b, y->digest.b, sizeof(x->digest.b));

	if (order)
		return order;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return x->n_parts == y->n_parts ? 0 : x->n_parts < y->n_parts ? -1 : 1;
}

/* Of a million old files only what is wanted is kept: where the content of each new one lies. */
static void note_old(void *ctx, const struct file_entry *old)
{
	struct reusing *r = ctx;
	const struct file_entry **end = r->by_content + r->files->n;
	const struct file_entry **found =
		bsearch(&old, r->by_content, r->files->n, sizeof(*r->by_content), compare_content);
	const char *path;

	if (!found || r->from[*found - r->files->v])
		return;
	path = (*found)->path;
	if (strcmp(path, old->path) != 0) {
		strlist_add(&r->paths, old->path);
		path = r->paths.v[r->paths.n - 1];
	}
	while (found > r->by_content && compare_content(found - 1, &old) == 0)
		found--;
	for (; found < end && compare_content(found, &old) == 0; found++)
		r->from[*found - r->files->v] = path;
}

/* What one request copies; an empty object is not worth it. */
static bool is_small(const struct file_entry *e)
{
	return e->size && !e->n_parts && !file_entry_is_folder(e);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
static void fill_request(const struct reusing *r, const char *from, struct s3_many_call *c)
{
	auto_free char *key = xasprintf("%s/%s%s", r->bucket, r->from_folder, from);
	auto_free char *source = str_uri_encode(key, true);
	struct s3_request *req = &c->call.req;

	req->operation = "CopyObject";
	req->bucket = r->bucket;
	req->aws.method = "PUT";
	req->aws.is_idempotent = true;
	req->aws.judge_body = s3_judge_body;
	http_headers_add(&req->headers, "x-amz-copy-source", source);
	http_headers_add(&req->headers, "x-amz-checksum-algorithm", "SHA256");
	s3_encryption_add(&r->s3->encryption, &req->headers);
}

static int next_copy(void *ctx, struct s3_many_call *c, struct err *err)
{
	struct reusing *r = ctx;

	(void)err;
	for (; r->next < r->files->n && r->n_refused < MAX_REFUSALS; r->next++) {
		const struct file_entry *e = &r->files->v[r->next];
		const char *from = r->is_there[r->next] || !is_small(e) ? NULL : r->from[r->next];

		if (!from)
			continue;
		c->item = &r->files->v[r->next++];
		c->key = xasprintf("%s%s", r->to_folder, e->path);
		fill_request(r, from, c);
		return 1;
	}
	return 0;
}

/* Whether S3 says that the copy has the entry's content. */
static bool is_right(const struct http_response *resp, const struct file_entry *e)
{
	struct s3_checksum wanted = { .kind = S3_SHA256, .sha256 = e->digest };
	struct s3_checksum stored;
	auto_err ignored = { 0 };
	auto_xml *root = xml_parse(str_text(&resp->body), resp->body.len, "CopyObject", &ignored);

	if (!root)
		return false;
	stored = s3_checksum_in(root, S3_SHA256);
	return s3_checksum_equal(&stored, &wanted);
}

static void note_copied(struct reusing *r, const struct file_entry *e)
{
	r->is_there[e - r->files->v] = true;
	r->result.files++;
	r->result.bytes += e->size;
	report_progress(r->report, "data", e->path, r->result.bytes, 0);
}

static int copied(void *ctx, struct s3_many_call *c, int result, struct err *err)
{
	struct reusing *r = ctx;
	const struct file_entry *e = c->item;

	(void)err;
	if (result < 0 || !is_right(&c->call.resp, e))
		r->n_refused++;
	else
		note_copied(r, e);
	return 0;
}

/*
 * In the parts that it was sent in, many at once, so that its digest stays: -1 when it could not be. Of an object that
 * has a CRC only, S3 computes the digest while it copies: then that is what must come out.
 */
static int copy_large(struct s3 *s3, const struct reusing *r, const char *from, const struct file_entry *e)
{
	struct s3_checksum wanted = { .kind = S3_SHA256, .n_parts = e->n_parts, .sha256 = e->digest };
	auto_free char *from_key = xasprintf("%s%s", r->from_folder, from);
	auto_free char *to_key = xasprintf("%s%s", r->to_folder, e->path);
	auto_s3_head head = { 0 };
	auto_err ignored = { 0 };

	if (s3_head_object(s3, r->bucket, from_key, &head, &ignored) < 0 || head.size != e->size)
		return -1;
	if (head.sha256.kind == S3_CHECKSUM_NONE && head.crc64.kind == S3_CRC64NVME)
		head.sha256 = wanted;
	if (!s3_checksum_equal(&head.sha256, &wanted))
		return -1;
	return s3_copy_object(s3, r->bucket, from_key, &head, r->bucket, to_key, &ignored);
}

static int copy_all_large(struct s3 *s3, struct reusing *r, struct err *err)
{
	for (size_t i = 0; i < r->files->n && r->n_refused < MAX_REFUSALS; i++) {
		const struct file_entry *e = &r->files->v[i];
		const char *from = e->n_parts && !r->is_there[i] ? r->from[i] : NULL;

		if (sys_check_cancelled(err) < 0)
			return -1;
		if (from && copy_large(s3, r, from, e) < 0)
			r->n_refused++;
		else if (from)
			note_copied(r, e);
	}
	return 0;
}

/* The newest whole one but ours; false when there is none that can be read. */
static bool choose(struct s3 *s3, const char *prefix, const char *digest, struct reusing *r)
{
	auto_snapshots l = { 0 };
	auto_err ignored = { 0 };

	if (snapshots_list(s3, r->bucket, prefix, &l, &ignored) < 0)
		return false;
	for (size_t i = 0; i < l.n && l.v[i].is_whole; i++) {
		if (!strcmp(l.v[i].digest, digest))
			continue;
		memcpy(r->result.from, l.v[i].digest, sizeof(l.v[i].digest));
		return manifest_each(s3, r->bucket, prefix, l.v[i].digest, note_old, r, &ignored) == 0;
	}
	return false;
}

static int copy_all(struct s3 *s3, const char *prefix, struct reusing *r, struct err *err)
{
	const struct s3_many many = { .next = next_copy, .done = copied, .ctx = r };
	auto_free char *from_folder = xasprintf("%s/%s/", prefix, r->result.from);

	r->from_folder = from_folder;
	if (s3_many(s3, &many, err) < 0)
		return -1;
	return copy_all_large(s3, r, err);
}

int snapshot_reuse(struct s3 *s3, const struct filelist *files, const char *bucket, const char *prefix,
		   const char *digest, bool *is_there, const struct report *report, struct reuse_result *ret,
		   struct err *err)
{
	auto_free const struct file_entry **by_content = xcalloc(files->n, sizeof(*by_content));
	auto_free const char **from = xcalloc(files->n, sizeof(*from));
	auto_free char *to_folder = xasprintf("%s/%s/", prefix, digest);
	struct reusing r = { .bucket = bucket,
			     .to_folder = to_folder,
			     .files = files,
			     .is_there = is_there,
			     .by_content = by_content,
			     .from = from,
			     .s3 = s3,
			     .report = report };
	int rc = 0;

	for (size_t i = 0; i < files->n; i++)
		by_content[i] = &files->v[i];
	if (files->n > 1)
		qsort(by_content, files->n, sizeof(*by_content), compare_content);
	/* Cancelled is the only thing that the pump itself can say. */
	if (choose(s3, prefix, digest, &r))
		rc = copy_all(s3, prefix, &r, err);
	strlist_release(&r.paths);
	if (rc < 0)
		return -1;
	*ret = r.result;
	return sys_check_cancelled(err);
}
