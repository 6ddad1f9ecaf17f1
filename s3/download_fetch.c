/*
 * The steps of one object of s3/download:
 *
 *   HeadObject, unless it was listed and is small → ranges, each hashed when it is there → the checksum → the target
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/crc64.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/download_internal.h"
#include "s3/parts.h"

static void free_range(struct range *r)
{
	struct fetch *x = r->of;

	*(r->previous ? &r->previous->next : &x->ranges) = r->next;
	if (r->next)
		r->next->previous = r->previous;
	x->fetcher->n_ranges--;
	s3_call_release(&r->call);
	err_release(&r->hash.err);
	free(r);
}

void fetch_free(struct fetch *x)
{
	struct fetcher *f = x->fetcher;

	while (x->ranges)
		free_range(x->ranges);
	*(x->previous ? &x->previous->next : &f->fetches) = x->next;
	if (x->next)
		x->next->previous = x->previous;
	f->n_fetches--;
	s3_call_release(&x->call);
	download_file_release(&x->file);
	free(x->item.key);
	free(x->item.path);
	free(x->etag);
	free(x->digests);
	free(x->crcs);
	free(x);
}

bool fetch_has_rest(const struct fetch *x)
{
	return x->is_known && x->n_given < x->n_ranges;
}

static uint64_t range_bytes(const struct fetch *x, uint32_t i)
{
	return x->n_ranges > 1 ? s3_part_length(x->item.size, i) : x->item.size;
}

/* Whether the SHA-256 that S3 keeps is one of all bytes, which a single thread must take in turn. */
static bool is_of_whole(const struct fetch *x)
{
	return x->sha256.kind == S3_SHA256 && !x->sha256.n_parts && x->n_ranges > 1;
}

/* What S3 keeps of it: of parts, their digest only where they can be these ranges. */
static void take_checksums(struct fetch *x, const struct http_response *resp)
{
	x->sha256 = s3_checksum_from(resp, S3_SHA256);
	x->crc64 = s3_checksum_from(resp, S3_CRC64NVME);
	if (x->sha256.n_parts && x->sha256.n_parts != x->n_ranges)
		x->sha256 = (struct s3_checksum){ 0 };
}

static enum download_check check(const struct fetch *x, bool *ret_is_right)
{
	struct s3_checksum sha = { .kind = S3_SHA256, .n_parts = x->sha256.n_parts };
	struct s3_checksum crc = { .kind = S3_CRC64NVME };

	*ret_is_right = true;
	if (x->sha256.kind == S3_SHA256) {
		sha.sha256 = sha.n_parts ? s3_composite(x->digests, x->n_ranges) : x->digests[0];
		*ret_is_right = s3_checksum_equal(&sha, &x->sha256);
		return DOWNLOAD_CHECKED;
	}
	if (x->crc64.kind != S3_CRC64NVME)
		return DOWNLOAD_UNCHECKED;
	for (uint32_t i = 0; i < x->n_ranges; i++)
		crc.crc64 = crc64nvme_join(crc.crc64, x->crcs[i], range_bytes(x, i));
	*ret_is_right = s3_checksum_equal(&crc, &x->crc64);
	return DOWNLOAD_CHECKED;
}

/* HEAD, with a query or NULL. */
static void ask(struct fetch *x, const char *query, void (*done)(struct s3_call *c, int result))
{
	struct s3_request *req = &x->call.req;

	s3_call_release(&x->call);
	x->call = (struct s3_call){ .done = done, .ctx = x };
	*req = (struct s3_request){ .operation = "HeadObject", .bucket = x->fetcher->spec->bucket, .key = x->item.key };
	req->aws.method = "HEAD";
	req->aws.query = query;
	req->aws.is_idempotent = true;
	req->aws.is_patient = true;
	http_headers_add(&req->headers, "x-amz-checksum-mode", "ENABLED");
	if (x->etag)
		http_headers_add(&req->headers, "If-Match", x->etag);
	s3_pump_start(x->fetcher->pump, &x->call);
}

static void refuse(struct fetch *x)
{
	auto_err err = { 0 };

	download_file_drop(&x->file);
	err_set(&err, ERR_INVALID, "GetObject 's3://%s/%s': the bytes do not have the checksum that S3 stored",
		x->fetcher->spec->bucket, x->item.key);
	fetcher_fail(x->fetcher, &err);
}

static void on_first_part(struct s3_call *c, int result);

static void finish(struct fetch *x)
{
	struct fetcher *f = x->fetcher;
	auto_err err = { 0 };
	bool is_right;
	enum download_check how = check(x, &is_right);

	if (!is_right && x->sha256.n_parts > 1) {
		/* As many parts may have been cut elsewhere. */
		ask(x, "partNumber=1", on_first_part);
		return;
	}
	if (!is_right) {
		refuse(x);
		return;
	}
	if (download_file_finish(&x->file, &err) < 0) {
		fetcher_fail(f, &err);
		return;
	}
	f->result.files++;
	f->result.bytes += x->item.size;
	f->result.unchecked += how == DOWNLOAD_UNCHECKED;
	if (f->spec->done)
		f->spec->done(f->spec->ctx, x->item.key, x->item.path, x->item.size, how);
	fetch_free(x);
}

static void on_first_part(struct s3_call *c, int result)
{
	struct fetch *x = c->ctx;
	const char *length = http_headers_get(&c->resp.headers, "Content-Length");
	int64_t n = 0;

	/* A store that knows nothing of parts gives the length of the whole. */
	if (result < 0 || !length || !str_parse_i64(length, 0, INT64_MAX, &n) || (uint64_t)n == range_bytes(x, 0) ||
	    (uint64_t)n == x->item.size) {
		refuse(x);
		return;
	}
	x->sha256 = (struct s3_checksum){ 0 };
	finish(x);
}

static void give_hash(struct range *r, uint64_t offset, uint64_t size)
{
	struct fetch *x = r->of;

	r->hash = (struct hash_task){
		.entry = &x->entry,
		.fd = x->file.fd,
		.offset = offset,
		.size = size,
		.wants_sha256 = x->sha256.kind == S3_SHA256,
		/* Beside a digest of parts, which may turn out to be others. */
		.wants_crc64 = x->crc64.kind == S3_CRC64NVME && (x->sha256.kind != S3_SHA256 || x->sha256.n_parts),
	};
	x->fetcher->n_hashing++;
	hashers_add(x->fetcher->hashers, &r->hash);
}

void fetch_hashed(struct hash_task *t)
{
	struct range *r = (struct range *)t;
	struct fetch *x = r->of;
	bool was_whole = is_of_whole(x);

	if (t->result < 0) {
		/* Shorter than its list says, after a power cut, or unreadable: it must not meet the next get too. */
		if (t->err.code != ERR_CANCELLED)
			download_file_drop(&x->file);
		fetcher_fail(x->fetcher, &t->err);
		return;
	}
	x->digests[r->i] = t->sha256;
	x->crcs[r->i] = t->crc64;
	free_range(r);
	if (was_whole || ++x->n_hashed == x->n_ranges)
		finish(x);
}

/* All bytes of the range are in the file. */
static void range_there(struct range *r)
{
	struct fetch *x = r->of;

	x->n_there++;
	if (!is_of_whole(x)) {
		give_hash(r, r->i * s3_part_bytes(x->item.size), range_bytes(x, r->i));
	} else if (x->n_there == x->n_ranges) {
		r->i = 0;
		give_hash(r, 0, x->item.size);
	} else {
		free_range(r);
	}
}

static int take_bytes(void *ctx, const char *p, size_t n, struct err *err)
{
	struct range *r = ctx;
	struct fetch *x = r->of;
	uint64_t offset = r->i * s3_part_bytes(x->item.size);

	if (!s3_sink_is_object(&r->call.resp, p, n))
		return 0;
	if (n > range_bytes(x, r->i) - r->n_received)
		return x->etag ? err_set(err, ERR_INVALID, "the service sends more than was asked for")
			       : err_set(err, ERR_CONFLICT, "it is larger than it was: it changed meanwhile");
	fetcher_count(x->fetcher, (int64_t)n, x->item.key);
	while (n > 0) {
		ssize_t written = pwrite(x->file.fd, p, n, (off_t)(offset + r->n_received));

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_errno(err, "write '%s'", x->file.target);
		r->n_received += (uint64_t)written;
		p += written;
		n -= (size_t)written;
	}
	return 0;
}

static void start_anew(void *ctx)
{
	struct range *r = ctx;

	fetcher_count(r->of->fetcher, -(int64_t)r->n_received, r->of->item.key);
	r->n_received = 0;
}

/* 416 for a range and 412 for the ETag: it is not the object that it was. */
static void explain_change(const struct fetch *x, struct err *err)
{
	if (err_is_service(err, "PreconditionFailed") || err_is_service(err, "InvalidRange"))
		err_set(err, ERR_CONFLICT, "'s3://%s/%s' changed while it was downloaded", x->fetcher->spec->bucket,
			x->item.key);
}

static int check_range(struct range *r, struct err *err)
{
	struct fetch *x = r->of;

	if (r->n_received != range_bytes(x, r->i))
		return err_set(err, ERR_CONFLICT, "'s3://%s/%s' is shorter than it was: it changed meanwhile",
			       x->fetcher->spec->bucket, x->item.key);
	if (x->n_ranges > 1 && r->call.resp.status != 206)
		return err_set(err, ERR_INVALID, "GetObject 's3://%s/%s': the service sends no ranges",
			       x->fetcher->spec->bucket, x->item.key);
	if (!x->etag)
		take_checksums(x, &r->call.resp);
	return download_file_note(&x->file, r->i, !x->sha256.kind && !x->crc64.kind, err);
}

static void on_range(struct s3_call *c, int result)
{
	struct range *r = c->ctx;
	struct fetch *x = r->of;
	auto_err err = { 0 };

	if (result < 0) {
		err_move(&err, &c->err);
		explain_change(x, &err);
	}
	if (result < 0 || check_range(r, &err) < 0)
		fetcher_fail(x->fetcher, &err);
	else
		range_there(r);
}

static void fill_request(struct range *r)
{
	struct fetch *x = r->of;
	struct s3_request *req = &r->call.req;
	uint64_t first = r->i * s3_part_bytes(x->item.size);

	*req = (struct s3_request){ .operation = "GetObject", .bucket = x->fetcher->spec->bucket, .key = x->item.key };
	req->aws.method = "GET";
	req->aws.is_idempotent = true;
	req->aws.is_patient = true;
	req->aws.judge_body = s3_judge_object;
	req->aws.sink = take_bytes;
	req->aws.sink_reset = start_anew;
	req->aws.sink_ctx = r;
	if (x->n_ranges > 1)
		http_headers_addf(&req->headers, "Range", "bytes=%llu-%llu", (unsigned long long)first,
				  (unsigned long long)(first + range_bytes(x, r->i) - 1));
	else
		http_headers_add(&req->headers, "x-amz-checksum-mode", "ENABLED");
	if (x->etag)
		http_headers_add(&req->headers, "If-Match", x->etag);
}

void fetch_give_range(struct fetch *x)
{
	struct range *r = xcalloc(1, sizeof(*r));

	r->of = x;
	r->i = x->n_given++;
	r->next = x->ranges;
	if (r->next)
		r->next->previous = r;
	x->ranges = r;
	x->fetcher->n_ranges++;
	if (x->file.has_range[r->i]) {
		x->fetcher->result.bytes_kept += range_bytes(x, r->i);
		fetcher_count(x->fetcher, (int64_t)range_bytes(x, r->i), x->item.key);
		range_there(r);
		return;
	}
	fill_request(r);
	r->call.done = on_range;
	r->call.ctx = r;
	s3_pump_start(x->fetcher->pump, &r->call);
}

/* Size and, of larger objects, ETag are known. */
static int prepare(struct fetch *x, struct err *err)
{
	auto_free char *text = x->etag ? xasprintf("%s %llu", x->etag, (unsigned long long)x->item.size) : NULL;
	struct digest id = { 0 };

	if (x->item.size > S3_MAX_OBJECT_BYTES)
		return err_set(err, ERR_INVALID, "'s3://%s/%s' is larger than S3 stores", x->fetcher->spec->bucket,
			       x->item.key);
	if (text)
		id = digest_of_text(text);
	x->n_ranges = s3_part_count(x->item.size) ? s3_part_count(x->item.size) : 1;
	x->digests = xcalloc(x->n_ranges, sizeof(*x->digests));
	x->crcs = xcalloc(x->n_ranges, sizeof(*x->crcs));
	if (download_file_begin(&x->file, text ? &id : NULL, x->n_ranges, err) < 0)
		return -1;
	x->entry = (struct file_entry){ .path = x->file.target, .disk_path = x->file.target };
	x->is_known = true;
	return 0;
}

static void on_head(struct s3_call *c, int result)
{
	struct fetch *x = c->ctx;
	const char *length = http_headers_get(&c->resp.headers, "Content-Length");
	const char *etag = http_headers_get(&c->resp.headers, "ETag");
	auto_err err = { 0 };
	int64_t size = 0;

	if (result < 0) {
		fetcher_fail(x->fetcher, &c->err);
		return;
	}
	if (!length || !etag || !str_parse_i64(length, 0, INT64_MAX, &size)) {
		err_set(&err, ERR_INVALID, "HeadObject 's3://%s/%s': the answer gives no size or ETag",
			x->fetcher->spec->bucket, x->item.key);
		fetcher_fail(x->fetcher, &err);
		return;
	}
	if (!x->item.is_listed)
		x->fetcher->total_bytes += (uint64_t)size;
	x->item.size = (uint64_t)size;
	x->etag = xstrdup(etag);
	if (prepare(x, &err) < 0)
		fetcher_fail(x->fetcher, &err);
	else
		take_checksums(x, &c->resp);
}

void fetch_begin(struct fetcher *f, struct download_item *item)
{
	struct fetch *x = xcalloc(1, sizeof(*x));
	bool is_small = item->is_listed && !s3_part_count(item->size);
	auto_err err = { 0 };

	*x = (struct fetch){ .fetcher = f, .item = *item, .file = { .fd = -1, .journal_fd = -1 }, .next = f->fetches };
	if (x->next)
		x->next->previous = x;
	f->fetches = x;
	f->n_fetches++;
	/* In the order of the list, whatever HEAD takes: of two runs over one list, one is ahead and goes through. */
	if (download_file_lock(&x->file, item->path, &err) < 0 || (is_small && prepare(x, &err) < 0)) {
		fetcher_fail(f, &err);
		return;
	}
	if (!is_small)
		ask(x, NULL, on_head);
}
