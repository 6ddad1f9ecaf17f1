#include "s3/multipart.h"

#include <string.h>

#include "aws/xml.h"
#include "base/crc64.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/parts.h"

/* ETags are short; S3 sets no limit, and look-alikes add to theirs. */
#define MAX_ETAG_BYTES      1024
#define MAX_UPLOAD_ID_BYTES 2048

void s3_multipart_release(struct s3_multipart *m)
{
	for (uint32_t i = 0; i < m->n && m->v; i++)
		free(m->v[i].etag);
	free(m->v);
	free(m->upload_id);
	*m = (struct s3_multipart){ 0 };
}

static const char *type(enum s3_checksum_kind kind)
{
	return kind == S3_CRC64NVME ? "FULL_OBJECT" : "COMPOSITE";
}

static void begin(const struct s3_multipart *m, const char *operation, const char *method, struct s3_request *ret)
{
	*ret = (struct s3_request){ .operation = operation, .bucket = m->bucket, .key = m->key };
	ret->aws.method = method;
	ret->aws.is_idempotent = true;
	ret->aws.is_patient = true;
	ret->aws.max_body_bytes = S3_MAX_XML_BYTES;
}

static char *upload_query(const char *upload_id, int64_t part_number)
{
	auto_free char *id = str_uri_encode(upload_id, false);

	return part_number ? xasprintf("partNumber=%lld&uploadId=%s", (long long)part_number, id)
			   : xasprintf("uploadId=%s", id);
}

void s3_multipart_create_request(const struct s3_multipart *m, const char *content_type, struct s3_request *ret)
{
	begin(m, "CreateMultipartUpload", "POST", ret);
	ret->aws.query = "uploads=";
	ret->aws.judge_body = s3_judge_body;
	http_headers_add(&ret->headers, "Content-Type", content_type);
	http_headers_add(&ret->headers, "x-amz-checksum-algorithm", s3_checksum_algorithm(m->kind));
	http_headers_add(&ret->headers, "x-amz-checksum-type", type(m->kind));
}

static int no_answer(const struct s3_multipart *m, const char *operation, struct err *err)
{
	return err_set(err, ERR_INVALID, "%s 's3://%s/%s': the answer is not what it should be", operation, m->bucket,
		       m->key);
}

int s3_multipart_created(struct s3_multipart *m, const struct http_response *resp, struct err *err)
{
	auto_xml *root = xml_parse(str_text(&resp->body), resp->body.len, "CreateMultipartUpload", err);
	const char *id = root ? xml_child_text(root, "UploadId") : NULL;

	if (!root)
		return -1;
	if (!id || !*id || strlen(id) > MAX_UPLOAD_ID_BYTES)
		return no_answer(m, "CreateMultipartUpload", err);
	free(m->upload_id);
	m->upload_id = xstrdup(id);
	return 0;
}

void s3_multipart_part_request(const struct s3_multipart *m, uint32_t i, struct s3_request *ret)
{
	begin(m, "UploadPart", "PUT", ret);
	ret->query = upload_query(m->upload_id, (int64_t)i + 1);
	ret->aws.query = ret->query;
	ret->aws.judge_body = s3_judge_object;
	s3_checksum_add(&ret->headers, &m->v[i].checksum);
}

void s3_multipart_copy_request(const struct s3_multipart *m, uint32_t i, const char *source_bucket,
			       const char *source_key, const char *etag, uint64_t first, uint64_t last,
			       struct s3_request *ret)
{
	auto_free char *source = str_uri_encode(source_key, true);

	begin(m, "UploadPartCopy", "PUT", ret);
	ret->query = upload_query(m->upload_id, (int64_t)i + 1);
	ret->aws.query = ret->query;
	ret->aws.judge_body = s3_judge_body;
	http_headers_addf(&ret->headers, "x-amz-copy-source", "/%s/%s", source_bucket, source);
	http_headers_addf(&ret->headers, "x-amz-copy-source-range", "bytes=%llu-%llu", (unsigned long long)first,
			  (unsigned long long)last);
	if (etag)
		http_headers_add(&ret->headers, "x-amz-copy-source-if-match", etag);
}

static int take_etag(struct s3_multipart *m, uint32_t i, const char *operation, const char *etag, struct err *err)
{
	if (!etag || !*etag || strlen(etag) > MAX_ETAG_BYTES)
		return no_answer(m, operation, err);
	free(m->v[i].etag);
	m->v[i].etag = xstrdup(etag);
	return 0;
}

static int other_bytes(const struct s3_multipart *m, const char *operation, struct err *err)
{
	return err_set(err, ERR_INVALID, "%s 's3://%s/%s': S3 stored other bytes than were sent", operation, m->bucket,
		       m->key);
}

int s3_multipart_part_stored(struct s3_multipart *m, uint32_t i, const struct http_response *resp, struct err *err)
{
	struct s3_checksum stored = s3_checksum_from(resp, m->kind);

	if (s3_checksum_differ(&stored, &m->v[i].checksum))
		return other_bytes(m, "UploadPart", err);
	m->has_sums = m->has_sums || stored.kind != S3_CHECKSUM_NONE;
	return take_etag(m, i, "UploadPart", http_headers_get(&resp->headers, "ETag"), err);
}

int s3_multipart_part_copied(struct s3_multipart *m, uint32_t i, const struct http_response *resp, struct err *err)
{
	auto_xml *root = xml_parse(str_text(&resp->body), resp->body.len, "UploadPartCopy", err);
	struct s3_checksum stored;

	if (!root)
		return -1;
	stored = s3_checksum_in(root, m->kind);
	if (s3_checksum_differ(&stored, &m->v[i].checksum))
		return other_bytes(m, "UploadPartCopy", err);
	m->has_sums = m->has_sums || stored.kind != S3_CHECKSUM_NONE;
	if (m->v[i].checksum.kind == S3_CHECKSUM_NONE)
		m->v[i].checksum = stored;
	return take_etag(m, i, "UploadPartCopy", xml_child_text(root, "ETag"), err);
}

static void add_part(struct str *body, const struct s3_multipart *m, uint32_t i)
{
	const struct s3_part *part = &m->v[i];
	const char *name = m->kind == S3_CRC64NVME ? "ChecksumCRC64NVME" : "ChecksumSHA256";
	auto_free char *checksum = NULL;

	str_addf(body, "<Part><PartNumber>%u</PartNumber><ETag>", (unsigned)i + 1);
	xml_escape(body, part->etag);
	str_add(body, "</ETag>");
	if (m->has_sums && part->checksum.kind != S3_CHECKSUM_NONE) {
		checksum = s3_checksum_format(&part->checksum);
		str_addf(body, "<%s>%s</%s>", name, checksum, name);
	}
	str_add(body, "</Part>");
}

void s3_multipart_complete_request(const struct s3_multipart *m, const struct s3_checksum *whole, struct str *body,
				   struct s3_request *ret)
{
	str_truncate(body, 0);
	str_add(body, "<CompleteMultipartUpload>");
	for (uint32_t i = 0; i < m->n; i++)
		add_part(body, m, i);
	str_add(body, "</CompleteMultipartUpload>");
	begin(m, "CompleteMultipartUpload", "POST", ret);
	ret->query = upload_query(m->upload_id, 0);
	ret->aws.query = ret->query;
	ret->aws.bytes = body->s;
	ret->aws.n = body->len;
	ret->aws.judge_body = s3_judge_body;
	http_headers_add(&ret->headers, "Content-Type", "application/xml");
	if (m->kind != S3_CRC64NVME)
		return;
	/* Of parts, S3 computes its value itself and takes no other; of the whole it compares. */
	s3_checksum_add(&ret->headers, whole);
	http_headers_add(&ret->headers, "x-amz-checksum-type", type(m->kind));
	http_headers_addf(&ret->headers, "x-amz-mp-object-size", "%llu", (unsigned long long)m->size);
}

int s3_multipart_completed(const struct s3_multipart *m, const struct s3_checksum *whole,
			   const struct http_response *resp, struct err *err)
{
	auto_xml *root = xml_parse(str_text(&resp->body), resp->body.len, "CompleteMultipartUpload", err);
	struct s3_checksum stored;

	if (!root)
		return -1;
	if (!str_eq(root->name, "CompleteMultipartUploadResult"))
		return no_answer(m, "CompleteMultipartUpload", err);
	stored = s3_checksum_in(root, m->kind);
	return s3_checksum_differ(&stored, whole) ? other_bytes(m, "CompleteMultipartUpload", err) : 0;
}

static struct s3_checksum whole_crc64(const struct s3_multipart *m)
{
	struct s3_checksum whole = { .kind = S3_CRC64NVME };

	for (uint32_t i = 0; i < m->n; i++)
		whole.crc64 = crc64nvme_join(whole.crc64, m->v[i].checksum.crc64, m->v[i].size);
	return whole;
}

struct s3_checksum s3_multipart_whole(const struct s3_multipart *m)
{
	struct s3_checksum whole = { .kind = S3_SHA256, .n_parts = m->n };
	auto_digest *state = NULL;

	if (m->kind == S3_CRC64NVME)
		return whole_crc64(m);
	state = digest_new();
	for (uint32_t i = 0; i < m->n; i++)
		digest_update(state, m->v[i].checksum.sha256.b, DIGEST_BYTES);
	whole.sha256 = digest_final(state);
	return whole;
}

int s3_multipart_abort(struct s3 *s3, const char *bucket, const char *key, const char *upload_id, struct err *err)
{
	struct s3_multipart m = { .bucket = bucket, .key = key };
	auto_s3_request req = { 0 };
	auto_response resp = { 0 };
	auto_err local = { 0 };

	begin(&m, "AbortMultipartUpload", "DELETE", &req);
	req.query = upload_query(upload_id, 0);
	req.aws.query = req.query;
	req.aws.is_patient = false;
	if (s3_send(s3, &req, &resp, &local) == 0 || err_is_service(&local, "NoSuchUpload"))
		return 0;
	err_move(err, &local);
	return -1;
}
