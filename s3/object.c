#include "s3/object.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/request.h"

void s3_head_release(struct s3_head *h)
{
	free(h->etag);
	free(h->version_id);
	*h = (struct s3_head){ 0 };
}

/* 1 with the whole object's SHA-256, 0 when the answer has none; a composite one ("…-3") is none. */
static int answered_digest(const struct http_response *resp, struct digest *ret)
{
	struct s3_checksum c = s3_checksum_from(resp, S3_SHA256);

	*ret = c.sha256;
	return c.kind == S3_SHA256 && !c.n_parts;
}

int s3_head_object(struct s3 *s3, const char *bucket, const char *key, struct s3_head *ret, struct err *err)
{
	auto_s3_request req = { .operation = "HeadObject", .bucket = bucket, .key = key };
	auto_response resp = { 0 };
	const char *length, *version;
	int64_t size;

	req.aws.method = "HEAD";
	req.aws.is_idempotent = true;
	http_headers_add(&req.headers, "x-amz-checksum-mode", "ENABLED");
	if (s3_send(s3, &req, &resp, err) < 0)
		return -1;
	if (!ret)
		return 0;
	length = http_headers_get(&resp.headers, "Content-Length");
	if (!length || !str_parse_i64(length, 0, INT64_MAX, &size))
		return err_set(err, ERR_INVALID, "HeadObject 's3://%s/%s': the answer gives no size", bucket, key);
	version = http_headers_get(&resp.headers, "x-amz-version-id");
	*ret = (struct s3_head){ .size = (uint64_t)size };
	ret->has_digest = answered_digest(&resp, &ret->digest);
	ret->sha256 = s3_checksum_from(&resp, S3_SHA256);
	ret->crc64 = s3_checksum_from(&resp, S3_CRC64NVME);
	ret->etag = xstrdup_or_null(http_headers_get(&resp.headers, "ETag"));
	/* "null" is what a bucket answers whose versioning was suspended. */
	ret->version_id = str_eq(version, "null") ? NULL : xstrdup_or_null(version);
	return 0;
}

/* One object to put: where its bytes come from, and what they must be. */
struct put {
	const char *bucket, *key, *content_type;
	uint64_t size;
	struct digest digest;
	bool if_absent;
	const void *bytes; /* or NULL: what fd has, from its start */
	int fd;
	off_t offset;
};

static int64_t read_fd(void *ctx, void *p, size_t n, struct err *err)
{
	struct put *put = ctx;
	uint64_t left = put->size - (uint64_t)put->offset;
	ssize_t got;

	do
		got = pread(put->fd, p, n < left ? n : (size_t)left, put->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(err, "read '%s'", put->key);
	if (got == 0 && left > 0)
		return err_set(err, ERR_FAILED, "'%s' changed while it was uploaded", put->key);
	put->offset += got;
	return got;
}

static int open_body(void *ctx, struct http_body *ret_body, struct err *err)
{
	struct put *put = ctx;

	(void)err;
	put->offset = 0;
	*ret_body = (struct http_body){ .read = read_fd, .ctx = put, .size = (int64_t)put->size };
	return 0;
}

static int put_object(struct s3 *s3, struct put *put, struct err *err)
{
	auto_s3_request req = { .operation = "PutObject", .bucket = put->bucket, .key = put->key };
	auto_response resp = { 0 };
	auto_free char *hash = digest_hex(&put->digest);
	auto_free char *checksum = str_base64(put->digest.b, sizeof(put->digest.b));
	struct digest stored;

	if (put->size > S3_MAX_PUT_BYTES)
		return err_set(err, ERR_INVALID, "'%s' is larger than 5 GiB, the most that one upload may carry",
			       put->key);
	req.aws.method = "PUT";
	req.aws.is_idempotent = true;
	req.aws.payload_hash = hash;
	req.aws.judge_body = s3_judge_object;
	http_headers_add(&req.headers, "Content-Type", put->content_type);
	http_headers_add(&req.headers, S3_HEADER_SHA256, checksum);
	s3_encryption_add(&s3->encryption, &req.headers);
	if (put->if_absent)
		http_headers_add(&req.headers, "If-None-Match", "*");
	if (put->bytes) {
		req.aws.bytes = put->bytes;
		req.aws.n = put->size;
	} else {
		req.aws.open_body = open_body;
		req.aws.body_ctx = put;
	}
	if (s3_send(s3, &req, &resp, err) < 0) {
		if (s3_is_refusal_of_bytes(err))
			return err_set(err, ERR_FAILED, "'%s' changed while it was uploaded", put->key);
		return -1;
	}
	if (answered_digest(&resp, &stored) && !digest_equal(&stored, &put->digest))
		return err_set(err, ERR_INVALID, "PutObject 's3://%s/%s': S3 stored other bytes than were sent",
			       put->bucket, put->key);
	return 0;
}

static int put_bytes(struct s3 *s3, const char *bucket, const char *key, const void *p, size_t n,
		     const char *content_type, bool if_absent, struct err *err)
{
	struct put put = { .bucket = bucket,
			   .key = key,
			   .content_type = content_type,
			   .size = n,
			   .digest = digest_of(p, n),
			   .bytes = p ? p : "",
			   .fd = -1,
			   .if_absent = if_absent };

	return put_object(s3, &put, err);
}

int s3_put_bytes(struct s3 *s3, const char *bucket, const char *key, const void *p, size_t n, const char *content_type,
		 struct err *err)
{
	return put_bytes(s3, bucket, key, p, n, content_type, false, err);
}

int s3_put_new_bytes(struct s3 *s3, const char *bucket, const char *key, const void *p, size_t n,
		     const char *content_type, struct err *err)
{
	return put_bytes(s3, bucket, key, p, n, content_type, true, err);
}

int s3_put_fd(struct s3 *s3, const char *bucket, const char *key, int fd, uint64_t size, const struct digest *digest,
	      const char *content_type, struct err *err)
{
	struct put put = {
		.bucket = bucket, .key = key, .content_type = content_type, .size = size, .digest = *digest, .fd = fd
	};

	return put_object(s3, &put, err);
}

static int check_received(const struct http_response *resp, const char *bucket, const char *key,
			  const struct digest *received, struct err *err)
{
	struct digest stored;

	if (answered_digest(resp, &stored) && !digest_equal(&stored, received))
		return err_set(err, ERR_INVALID,
			       "GetObject 's3://%s/%s': the bytes do not have the checksum that S3 stored", bucket,
			       key);
	return 0;
}

int s3_get_bytes(struct s3 *s3, const char *bucket, const char *key, size_t max, char **ret_text, size_t *ret_n,
		 struct err *err)
{
	auto_s3_request req = { .operation = "GetObject", .bucket = bucket, .key = key };
	auto_response resp = { 0 };
	struct digest received;

	req.aws.method = "GET";
	req.aws.is_idempotent = true;
	req.aws.judge_body = s3_judge_object;
	req.aws.max_body_bytes = max > S3_MAX_REFUSAL_BYTES ? max : S3_MAX_REFUSAL_BYTES;
	http_headers_add(&req.headers, "x-amz-checksum-mode", "ENABLED");
	if (s3_send(s3, &req, &resp, err) < 0)
		return -1;
	if (resp.body.len > max)
		return err_set(err, ERR_INVALID, "GetObject 's3://%s/%s': it is larger than %zu bytes", bucket, key,
			       max);
	received = digest_of(str_text(&resp.body), resp.body.len);
	if (check_received(&resp, bucket, key, &received, err) < 0)
		return -1;
	if (ret_n)
		*ret_n = resp.body.len;
	*ret_text = str_detach(&resp.body);
	return 0;
}

struct download {
	int fd;
	off_t start;
	struct digest_state *digest;
	uint64_t size;
	int reset_errno; /* going back to the start was refused */
	const char *key;
	struct http_response *resp;
};

static int take_bytes(void *ctx, const char *p, size_t n, struct err *err)
{
	struct download *d = ctx;

	if (!s3_sink_is_object(d->resp, p, n))
		return 0;
	if (d->reset_errno) {
		errno = d->reset_errno;
		return err_errno(err, "start the download of '%s' anew", d->key);
	}
	if (fs_write_all(d->fd, p, n, d->key, err) < 0)
		return -1;
	digest_update(d->digest, p, n);
	d->size += n;
	return 0;
}

static void start_anew(void *ctx)
{
	struct download *d = ctx;

	digest_free(d->digest);
	d->digest = digest_new();
	/* Nothing came yet: there is nothing to take back, and fd may be a pipe. */
	errno = ESPIPE;
	if (d->size && (d->start < 0 || ftruncate(d->fd, d->start) < 0 || lseek(d->fd, d->start, SEEK_SET) < 0))
		d->reset_errno = errno;
	d->size = 0;
}

int s3_get_fd(struct s3 *s3, const char *bucket, const char *key, int fd, struct digest *ret_digest, uint64_t *ret_size,
	      struct err *err)
{
	auto_s3_request req = { .operation = "GetObject", .bucket = bucket, .key = key };
	auto_response resp = { 0 };
	struct download d = {
		.fd = fd, .start = lseek(fd, 0, SEEK_CUR), .digest = digest_new(), .key = key, .resp = &resp
	};
	struct digest received;
	int rc;

	req.aws.method = "GET";
	req.aws.is_idempotent = true;
	req.aws.judge_body = s3_judge_object;
	req.aws.sink = take_bytes;
	req.aws.sink_reset = start_anew;
	req.aws.sink_ctx = &d;
	http_headers_add(&req.headers, "x-amz-checksum-mode", "ENABLED");
	rc = s3_send(s3, &req, &resp, err);
	received = digest_final(d.digest);
	digest_free(d.digest);
	if (rc < 0 || check_received(&resp, bucket, key, &received, err) < 0)
		return -1;
	*ret_digest = received;
	*ret_size = d.size;
	return 0;
}
