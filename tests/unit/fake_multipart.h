#ifndef SMPIPE_TESTS_UNIT_FAKE_MULTIPART_H
#define SMPIPE_TESTS_UNIT_FAKE_MULTIPART_H

/* Multipart uploads, ranges and copies on top of fake_s3.h, and what may go wrong with them. For tests only. */

#include "base/crc64.h"
#include "s3/checksum.h"
#include "s3/multipart.h"
#include "s3/parts.h"
#include "tests/unit/fake_s3.h"

enum fault {
	FAULT_LOST,   /* the service acts, its answer does not arrive */
	FAULT_STATUS, /* answers body with status, and does not act */
	FAULT_SHORT,  /* the same with a header, as an object's answer has */
	FAULT_ANSWER, /* acts, and answers body with 200 instead */
	FAULT_CALL,   /* something happens before the service acts */
};

struct fault_plan {
	const char *operation; /* "UploadPart" … */
	int first, count;      /* which calls of it, from 1 */
	enum fault fault;
	int status;
	const char *body, *header, *value;
	void (*call)(void *ctx);
	void *ctx;
};

struct fake_multipart {
	struct fake_s3 *s3;
	const struct fault_plan *plan; /* one, or NULL */
	struct strlist operations;
	bool has_upload;           /* upload "u" is under way … */
	char *upload_path;         /* … of this object */
	char *algorithm, *kms_key; /* by which it is encrypted, as answers tell */
	int n_twins;               /* and others of it, "t1" …, that have no part */
	enum s3_checksum_kind kind;
	enum s3_checksum_kind upload_kind; /* of that upload, where it is another */
	char *complete_crc;                /* what Complete said of the whole */
	bool has_no_sums;                  /* a store that knows nothing of checksums, and refuses an XML that does */
};

static inline const char *fake_operation(const struct http_request *req, const char *query)
{
	bool has_part = query && strstr(query, "partNumber=");

	if (str_eq(req->method, "HEAD"))
		return "HeadObject";
	if (str_eq(req->method, "DELETE"))
		return "AbortMultipartUpload";
	if (str_eq(req->method, "POST"))
		return str_eq(query, "uploads=") ? "CreateMultipartUpload" : "CompleteMultipartUpload";
	if (str_eq(req->method, "PUT") && has_part)
		return http_headers_get(&req->headers, "x-amz-copy-source") ? "UploadPartCopy" : "UploadPart";
	if (str_eq(req->method, "PUT"))
		return http_headers_get(&req->headers, "x-amz-copy-source") ? "CopyObject" : "PutObject";
	if (query && strstr(query, "uploads="))
		return "ListMultipartUploads";
	if (query && strstr(query, "uploadId="))
		return "ListParts";
	return query ? "ListObjectsV2" : "GetObject";
}

static inline int fake_times(const struct fake_multipart *m, const char *operation)
{
	int n = 0;

	for (size_t i = 0; i < m->operations.n; i++)
		n += str_eq(m->operations.v[i], operation);
	return n;
}

static inline struct s3_checksum fake_checksum(const struct fake_multipart *m, const void *p, size_t n)
{
	struct s3_checksum c = { .kind = m->kind };

	if (m->kind == S3_CRC64NVME)
		c.crc64 = crc64nvme_by_table(0, p, n);
	else
		c.sha256 = digest_of(p, n);
	return c;
}

static inline const char *fake_part_name(const struct fake_multipart *m)
{
	return m->kind == S3_CRC64NVME ? "ChecksumCRC64NVME" : "ChecksumSHA256";
}

static inline int fake_no_upload(struct http_response *resp)
{
	return fake_answer(resp, 404, "<Error><Code>NoSuchUpload</Code><Message>m</Message></Error>");
}

static inline char *fake_part_path(const char *path, const char *query)
{
	return xasprintf("%s?%ld", path, strtol(strstr(query, "partNumber=") + 11, NULL, 10));
}

/* Judges a body, and stores it. */
static inline int fake_put_body(struct fake_multipart *m, const char *path, struct http_response *resp)
{
	struct fake_s3 *f = m->s3;
	struct s3_checksum c = fake_checksum(m, str_text(&f->body), f->body.len);
	auto_free char *text = s3_checksum_format(&c);
	const char *declared = http_headers_get(&f->last, "x-amz-content-sha256");
	struct digest digest = digest_of(str_text(&f->body), f->body.len);
	auto_free char *hex = digest_hex(&digest);

	if (!str_eq(declared, hex) && !str_eq(declared, "UNSIGNED-PAYLOAD"))
		return fake_answer(resp, 400, "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>");
	if (!str_eq(text, http_headers_get(&f->last, s3_checksum_header(m->kind))))
		return fake_answer(resp, 400, "<Error><Code>BadDigest</Code></Error>");
	fake_store(f, path, str_text(&f->body), f->body.len, text);
	if (!m->has_no_sums)
		http_headers_add(&resp->headers, s3_checksum_header(m->kind), text);
	http_headers_add(&resp->headers, "ETag", "\"e\"");
	return fake_answer(resp, 200, "");
}

static inline void fake_tell_encryption(const struct fake_multipart *m, struct http_response *resp)
{
	if (m->algorithm)
		http_headers_add(&resp->headers, "x-amz-server-side-encryption", m->algorithm);
	if (m->kms_key)
		http_headers_addf(&resp->headers, "x-amz-server-side-encryption-aws-kms-key-id", "%s%s",
				  str_starts(m->kms_key, "arn:") ? "" : "arn:aws:kms:eu-west-1:123456789012:key/",
				  m->kms_key);
}

static inline int fake_put_part(struct fake_multipart *m, const char *path, const char *query,
				struct http_response *resp)
{
	auto_free char *part = fake_part_path(path, query);

	fake_tell_encryption(m, resp);
	return m->has_upload ? fake_put_body(m, part, resp) : fake_no_upload(resp);
}

/* The bytes of x-amz-copy-source and its range. */
static inline int fake_copy(struct fake_multipart *m, const char *path, const char *query, struct http_response *resp)
{
	struct fake_s3 *f = m->s3;
	const char *range = http_headers_get(&f->last, "x-amz-copy-source-range");
	auto_free char *source = str_uri_decode(http_headers_get(&f->last, "x-amz-copy-source"));
	const struct fake_object *from = fake_find(f, source);
	const char *wanted = http_headers_get(&f->last, "x-amz-copy-source-if-match");
	auto_free char *bytes = NULL, *text = NULL, *part = fake_part_path(path, query);
	unsigned long long first, last;
	struct s3_checksum c;

	if (!from || (wanted && strcmp(wanted, "\"e\"") != 0))
		return fake_answer(resp, 412, "<Error><Code>PreconditionFailed</Code></Error>");
	assert_int_equal(sscanf(range, "bytes=%llu-%llu", &first, &last), 2);
	assert_true(last < from->n);
	bytes = xmemdup(from->bytes + first, last - first + 1);
	c = fake_checksum(m, bytes, last - first + 1);
	text = s3_checksum_format(&c);
	fake_store(f, part, bytes, last - first + 1, text);
	str_addf(&resp->body, "<CopyPartResult><ETag>%s</ETag><%s>%s</%s></CopyPartResult>", "&quot;c&quot;",
		 fake_part_name(m), text, fake_part_name(m));
	return fake_answer(resp, 200, "");
}

static inline int fake_complete(struct fake_multipart *m, const char *path, struct http_response *resp)
{
	struct fake_s3 *f = m->s3;
	struct s3_checksum whole = { .kind = m->kind };
	auto_free char *text = NULL;
	struct digest digests[64];
	auto_str bytes = { 0 };
	uint32_t n = 0;

	if (!m->has_upload)
		return fake_no_upload(resp);
	if (m->has_no_sums && strstr(str_text(&f->body), "Checksum"))
		return fake_answer(resp, 400, "<Error><Code>MalformedXML</Code></Error>");
	for (;; n++) {
		auto_free char *part = xasprintf("%s?%u", path, (unsigned)n + 1);
		auto_free char *listed = NULL;
		struct fake_object *o = fake_find(f, part);

		if (!o)
			break;
		/* Each part is listed with its number and its checksum, in turn. */
		listed = m->has_no_sums
				 ? xasprintf("<PartNumber>%u</PartNumber>", (unsigned)n + 1)
				 : xasprintf("<%s>%s</%s></Part>", fake_part_name(m), o->checksum, fake_part_name(m));
		assert_non_null(strstr(str_text(&f->body), listed));
		str_add_mem(&bytes, o->bytes, o->n);
		digests[n] = digest_of(o->bytes, o->n);
		fake_drop(o);
	}
	fake_tell_encryption(m, resp);
	free(m->complete_crc);
	m->complete_crc = xstrdup_or_null(http_headers_get(&f->last, "x-amz-checksum-crc64nvme"));
	if (m->kind == S3_CRC64NVME)
		whole.crc64 = crc64nvme_by_table(0, bytes.s, bytes.len);
	else
		whole = (struct s3_checksum){ S3_SHA256, n, s3_composite(digests, n), 0 };
	text = s3_checksum_format(&whole);
	fake_store(f, path, bytes.s, bytes.len, text);
	m->has_upload = false;
	if (m->has_no_sums)
		return fake_answer(resp, 200,
				   "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>");
	str_addf(&resp->body,
		 "<CompleteMultipartUploadResult><ETag>x</ETag><%s>%s</%s></CompleteMultipartUploadResult>",
		 fake_part_name(m), text, fake_part_name(m));
	return fake_answer(resp, 200, "");
}

static inline int fake_list_parts(struct fake_multipart *m, const char *path, const char *query,
				  struct http_response *resp)
{
	str_addf(&resp->body,
		 "<ListPartsResult><IsTruncated>false</IsTruncated><ChecksumAlgorithm>%s</ChecksumAlgorithm>",
		 s3_checksum_algorithm(m->upload_kind ? m->upload_kind : m->kind));
	for (unsigned i = 1; i < 64 && !strstr(query, "uploadId=t"); i++) {
		auto_free char *part = xasprintf("%s?%u", path, i);
		struct fake_object *o = fake_find(m->s3, part);

		if (o)
			str_addf(&resp->body,
				 "<Part><PartNumber>%u</PartNumber><ETag>e%u</ETag><Size>%zu</Size><%s>%s</%s></Part>",
				 i, i, o->n, fake_part_name(m), o->checksum, fake_part_name(m));
	}
	return fake_answer(resp, 200, "</ListPartsResult>");
}

static inline int fake_list_uploads(struct fake_multipart *m, struct http_response *resp)
{
	str_add(&resp->body, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>");
	if (m->has_upload)
		str_addf(&resp->body, "<Upload><Key>%s</Key><UploadId>u</UploadId></Upload>",
			 strchr(m->upload_path + 1, '/') + 1);
	for (int i = 1; i <= m->n_twins; i++)
		str_addf(&resp->body, "<Upload><Key>%s</Key><UploadId>t%d</UploadId></Upload>",
			 strchr(m->upload_path + 1, '/') + 1, i);
	return fake_answer(resp, 200, "</ListMultipartUploadsResult>");
}

static inline int fake_get_range(struct fake_multipart *m, const char *path, const struct http_request *req,
				 struct http_response *resp, struct err *err)
{
	const struct fake_object *o = fake_find(m->s3, path);
	const char *range = http_headers_get(&req->headers, "Range"), *if_match;
	unsigned long long first, last;
	struct fake_object part;

	if_match = http_headers_get(&req->headers, "If-Match");
	if (o && if_match && strcmp(if_match, "\"e\"") != 0)
		return fake_answer(resp, 412, "<Error><Code>PreconditionFailed</Code></Error>");
	if (!o || !range)
		return fake_get_as(o, m->s3->checksum_header, req, resp, err);
	assert_int_equal(sscanf(range, "bytes=%llu-%llu", &first, &last), 2);
	part = (struct fake_object){ o->path, o->bytes + first, last - first + 1, NULL };
	if (fake_get(&part, req, resp, err) < 0)
		return -1;
	resp->status = 206;
	return 0;
}

static inline int fake_act(struct fake_multipart *m, const char *operation, const char *path, const char *query,
			   const struct http_request *req, struct http_response *resp, struct err *err)
{
	if (str_eq(operation, "CreateMultipartUpload")) {
		m->n_twins += m->has_upload;
		m->has_upload = true;
		free(m->upload_path);
		m->upload_path = xstrdup(path);
		free(m->algorithm);
		m->algorithm = xstrdup_or_null(http_headers_get(&req->headers, "x-amz-server-side-encryption"));
		free(m->kms_key);
		m->kms_key =
			xstrdup_or_null(http_headers_get(&req->headers, "x-amz-server-side-encryption-aws-kms-key-id"));
		return fake_answer(resp, 200, "<R><UploadId>u</UploadId></R>");
	}
	if (str_eq(operation, "UploadPart"))
		return fake_put_part(m, path, query, resp);
	if (str_eq(operation, "UploadPartCopy"))
		return fake_copy(m, path, query, resp);
	if (str_eq(operation, "CompleteMultipartUpload"))
		return fake_complete(m, path, resp);
	if (str_eq(operation, "AbortMultipartUpload")) {
		if (strstr(query, "uploadId=t"))
			m->n_twins--;
		else
			m->has_upload = false;
		return fake_answer(resp, 204, "");
	}
	if (str_eq(operation, "ListParts"))
		return fake_list_parts(m, path, query, resp);
	if (str_eq(operation, "ListMultipartUploads"))
		return fake_list_uploads(m, resp);
	if (str_eq(operation, "PutObject"))
		return fake_put_body(m, path, resp);
	if (str_eq(operation, "ListObjectsV2"))
		return fake_list(m->s3, path, query, resp);
	return fake_get_range(m, path, req, resp, err);
}

static inline int fake_multipart_send(struct http *http, const struct http_request *req, struct http_response *resp,
				      struct err *err)
{
	struct fake_multipart *m = ((struct fake_s3 *)http)->user;
	const struct fault_plan *plan = m->plan;
	auto_url url = { 0 };
	auto_free char *path = NULL;
	const char *operation;
	int n, rc;

	assert_int_equal(http_url_parse(req->url, &url, err), 0);
	path = str_uri_decode(url.path);
	operation = fake_operation(req, url.query);
	strlist_add(&m->operations, operation);
	n = fake_times(m, operation);
	http_headers_release(&m->s3->last);
	http_headers_copy(&m->s3->last, &req->headers);
	if (!plan || !str_eq(plan->operation, operation) || n < plan->first || n >= plan->first + plan->count)
		plan = NULL;
	if (plan && plan->fault == FAULT_CALL)
		plan->call(plan->ctx);
	if (fake_read_body(m->s3, req, err) < 0)
		return -1;
	if (plan && plan->header)
		http_headers_add(&resp->headers, plan->header, plan->value);
	if (plan && (plan->fault == FAULT_STATUS || plan->fault == FAULT_SHORT))
		return fake_answer(resp, plan->status, plan->body);
	rc = fake_act(m, operation, path, url.query, req, resp, err);
	if (plan && plan->fault == FAULT_LOST && rc == 0)
		return err_set(err, ERR_NETWORK, "connection lost");
	if (plan && plan->fault == FAULT_ANSWER && rc == 0) {
		str_truncate(&resp->body, 0);
		str_add(&resp->body, plan->body);
	}
	return rc;
}

static inline struct fake_multipart *fake_multipart_new(enum s3_checksum_kind kind)
{
	static const struct http_ops ops = { .send = fake_multipart_send };
	struct fake_multipart *m = xcalloc(1, sizeof(*m));

	m->s3 = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	m->s3->http.ops = &ops;
	m->s3->user = m;
	m->kind = kind;
	m->s3->checksum_header = s3_checksum_header(kind);
	return m;
}

static inline void fake_multipart_free(struct fake_multipart **p)
{
	struct fake_multipart *m = *p;

	fake_s3_free(&m->s3);
	strlist_release(&m->operations);
	free(m->upload_path);
	free(m->algorithm);
	free(m->kms_key);
	free(m->complete_crc);
	free(m);
}
#define auto_fake_multipart __attribute__((cleanup(fake_multipart_free))) struct fake_multipart

#endif
