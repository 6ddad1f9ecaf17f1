/*
 * What S3, a look-alike or somebody in between answers, through the calls that read it. The first byte of the input
 * picks the call, the second the status; then comes a line that stands in the headers, and the body.
 */

#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "s3/manifest.h"
#include "s3/multipart.h"
#include "s3/parts.h"
#include "tests/unit/fake_http.h"

#define MAX_ANSWERS 24
#define SIZE        ((uint64_t)40000000) /* three parts */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct answering {
	struct http http;
	int status, n_sent;
	char *line;
	const char *body;
	size_t n;
};

static void need(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* The same again and again; a caller who would never stop finds the network gone. */
static int answer(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	static const char *const headers[] = { "ETag",
					       "Content-Length",
					       "x-amz-checksum-sha256",
					       "x-amz-checksum-crc64nvme",
					       "x-amz-bucket-region",
					       "x-amz-copy-source-version-id",
					       "Date" };
	struct answering *a = (struct answering *)http;

	if (a->n_sent++ >= MAX_ANSWERS)
		return err_set(err, ERR_NETWORK, "connection lost");
	resp->status = a->status;
	for (size_t i = 0; *a->line && i < ARRAY_LEN(headers); i++)
		http_headers_add(&resp->headers, headers[i], a->line);
	if (req->sink && a->status / 100 == 2)
		return req->sink(req->sink_ctx, a->body, a->n, err);
	if (a->n > req->max_body_bytes && req->max_body_bytes)
		return err_set(err, ERR_INVALID, "the answer is too large");
	str_add_mem(&resp->body, a->body, a->n);
	return 0;
}

static void begin_upload(struct s3_multipart *m, enum s3_checksum_kind kind)
{
	*m = (struct s3_multipart){ .bucket = "bucket", .key = "p/k", .kind = kind, .size = SIZE };
	m->n = s3_part_count(SIZE);
	m->v = xcalloc(m->n, sizeof(*m->v));
	m->upload_id = xstrdup("u");
}

static int list_parts(struct s3 *s3, enum s3_checksum_kind kind, struct err *err)
{
	auto_s3_multipart m = { 0 };

	begin_upload(&m, kind);
	if (s3_multipart_list_parts(s3, &m, err) < 0)
		return -1;
	for (uint32_t i = 0; i < m.n; i++)
		need(!m.v[i].etag || m.v[i].size == s3_part_length(SIZE, i));
	return 0;
}

static int list_uploads(struct s3 *s3, struct err *err)
{
	auto_s3_uploads uploads = { 0 };

	if (s3_multipart_list(s3, "bucket", "p/", 50, &uploads, err) < 0)
		return -1;
	need(uploads.n <= 50);
	for (size_t i = 0; i < uploads.n; i++)
		need(uploads.v[i].key && *uploads.v[i].id);
	return 0;
}

static int list_objects(struct s3 *s3, bool is_level, struct err *err)
{
	auto_s3_listing list = { 0 };
	auto_strlist folders = { 0 };

	if ((is_level ? s3_list_level(s3, "bucket", "p/", 50, &list, &folders, err)
		      : s3_list(s3, "bucket", "p/", 50, &list, err)) < 0)
		return -1;
	need(list.n <= 50 && folders.n <= 50);
	for (size_t i = 0; i < list.n; i++)
		need(str_starts(list.v[i].key, "p/"));
	for (size_t i = 0; i < folders.n; i++)
		need(str_starts(folders.v[i], "p/"));
	return 0;
}

/* The answers of an upload, as its steps read them. */
static int upload(const struct answering *a, int step, struct err *err)
{
	struct s3_checksum whole = { .kind = S3_SHA256, .n_parts = 3 };
	auto_s3_multipart m = { 0 };
	auto_response resp = { .status = 200 };

	begin_upload(&m, S3_SHA256);
	http_headers_add(&resp.headers, "ETag", a->line);
	http_headers_add(&resp.headers, S3_HEADER_SHA256, a->line);
	str_add_mem(&resp.body, a->body, a->n);
	(void)s3_judge_body(&resp);
	if (step == 0)
		return s3_multipart_created(&m, &resp, err);
	if (step == 1)
		return s3_multipart_part_stored(&m, 1, &resp, err);
	if (step == 2)
		return s3_multipart_part_copied(&m, 1, &resp, err);
	return s3_multipart_completed(&m, &whole, &resp, err);
}

static int copy(struct s3 *s3, struct err *err)
{
	auto_s3_head source = { .size = SIZE, .etag = xstrdup("\"e\"") };

	source.sha256 = (struct s3_checksum){ .kind = S3_SHA256, .n_parts = s3_part_count(SIZE) };
	return s3_copy_object(s3, "bucket", "p/a", &source, "bucket", "p/b", err);
}

static int read_object(struct s3 *s3, struct err *err)
{
	auto_s3_head head = { 0 };
	auto_free char *text = NULL;
	size_t n = 0;

	if (s3_get_bytes(s3, "bucket", "p/k", 1000, &text, &n, err) < 0)
		return -1;
	need(n <= 1000 && !text[n]);
	return s3_head_object(s3, "bucket", "p/k", &head, err);
}

static int has_bucket(struct s3 *s3, struct err *err)
{
	auto_free char *region = NULL;

	return s3_has_bucket(s3, "bucket", &region, err) < 0 ? -1 : 0;
}

static int load_manifest(struct s3 *s3, struct err *err)
{
	static const char digest[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	auto_filelist files = { 0 };

	return manifest_load(s3, "bucket", "p", digest, &files, err);
}

static int delete_keys(struct s3 *s3, struct err *err)
{
	auto_strlist keys = { 0 };

	strlist_add(&keys, "p/a");
	strlist_add(&keys, "p/control\1");
	return s3_delete(s3, "bucket", &keys, err);
}

static int call(struct s3 *s3, const struct answering *a, int which, struct err *err)
{
	switch (which % 16) {
	case 0:
	case 1:
		return list_parts(s3, which % 16 ? S3_SHA256 : S3_CRC64NVME, err);
	case 2:
		return list_uploads(s3, err);
	case 3:
	case 4:
		return list_objects(s3, which % 16 == 3, err);
	case 5:
		return delete_keys(s3, err);
	case 6:
	case 7:
		return copy(s3, err);
	case 8:
		return read_object(s3, err);
	case 9:
		return load_manifest(s3, err);
	case 10:
		return has_bucket(s3, err);
	case 11:
		return s3_multipart_abort(s3, "bucket", "p/k", "u", err);
	default:
		return upload(a, which % 4, err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct http_ops ops = { .send = answer };
	static const int statuses[] = { 200, 200, 200, 301, 400, 403, 404, 503 };
	auto_aws_identity id = { 0 };
	auto_err err = { 0 };
	struct answering a = { .http = { &ops } };
	struct aws aws = { &id, &a.http };
	struct s3 s3 = { .aws = &aws, .bucket_owner = "123456789012" };
	size_t line;

	if (n < 2)
		return 0;
	a.status = statuses[data[1] % ARRAY_LEN(statuses)];
	a.body = (const char *)data + 2;
	a.n = n - 2;
	line = memchr(a.body, '\n', a.n) ? (size_t)((const char *)memchr(a.body, '\n', a.n) - a.body) : a.n;
	a.line = xstrndup(a.body, line);
	a.body += line < a.n ? line + 1 : line;
	a.n -= line < a.n ? line + 1 : line;
	fake_identity(&id);
	if (call(&s3, &a, data[0], &err) < 0)
		need(err.code != ERR_NONE && err.msg && str_is_utf8(err.msg, strlen(err.msg)));
	free(a.line);
	return 0;
}
