#include "local/s3_multipart.h"

#include <string.h>
#include <strings.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_checksum.h"
#include "local/s3_headers.h"
#include "local/s3_parts.h"

/* SHA-256 and SHA-1 of the whole cannot be had from the parts', CRC64NVME is never anything else. */
static const char *complain_of_type(const struct s3_upload *u)
{
	if (u->is_composite && u->sum == S3_SUM_CRC64NVME)
		return "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.";
	if (!u->is_composite && !s3_sum_is_crc(u->sum))
		return "The FULL_OBJECT checksum type cannot be used with the sha256 and sha1 checksum algorithms.";
	return NULL;
}

static bool read_checksum(const struct s3_call *c, struct s3_upload *u)
{
	const char *algorithm = http_headers_get(&c->req->headers, "x-amz-checksum-algorithm");
	const char *type = http_headers_get(&c->req->headers, "x-amz-checksum-type"), *complaint;

	u->sum = S3_SUM_DEFAULT;
	u->is_chosen = algorithm;
	if (algorithm && !s3_sum_parse(algorithm, &u->sum)) {
		local_respond_s3_error(c->resp, 400, "InvalidRequest",
				       "Checksum algorithm provided is unsupported. Please try again with any of the "
				       "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
		return false;
	}
	if (type && (!algorithm || (strcasecmp(type, "COMPOSITE") && strcasecmp(type, "FULL_OBJECT")))) {
		local_respond_s3_error(c->resp, 400, "InvalidRequest",
				       "The x-amz-checksum-type header must be COMPOSITE or FULL_OBJECT, and can only "
				       "be used with the x-amz-checksum-algorithm header.");
		return false;
	}
	u->is_composite = type ? !strcasecmp(type, "COMPOSITE") : u->sum != S3_SUM_CRC64NVME;
	complaint = complain_of_type(u);
	if (complaint)
		local_respond_s3_error(c->resp, 400, "InvalidRequest", "%s", complaint);
	return !complaint;
}

static char *new_id(const struct sys *sys)
{
	unsigned char b[16];

	sys->random(sys, b, sizeof(b));
	return str_hex(b, sizeof(b));
}

static void respond_created(const struct s3_call *c, const struct s3_upload *u)
{
	auto_str xml = { 0 };

	str_addf(&xml, S3_XML_HEAD "<InitiateMultipartUploadResult" S3_XMLNS "><Bucket>%s</Bucket><Key>",
		 partition_s3_xmlns, c->bucket);
	xml_escape(&xml, c->key);
	str_addf(&xml, "</Key><UploadId>%s</UploadId></InitiateMultipartUploadResult>", u->id);
	local_respond_xml(c->resp, 200, str_text(&xml));
	s3_headers_add_encryption(c->resp, u->headers);
	if (!u->is_chosen)
		return;
	http_headers_set(&c->resp->headers, "x-amz-checksum-algorithm", s3_sum_label(u->sum));
	http_headers_set(&c->resp->headers, "x-amz-checksum-type", u->is_composite ? "COMPOSITE" : "FULL_OBJECT");
}

void s3_call_create_multipart_upload(const struct s3_call *c)
{
	auto_s3_upload u = { .id = new_id(c->cloud->sys),
			     .key = xstrdup(c->key),
			     .initiated = c->cloud->sys->now_ms(c->cloud->sys) / 1000 };
	auto_err err = { 0 };

	if (!read_checksum(c, &u))
		return;
	u.headers = s3_headers_keep(c);
	if (!u.headers)
		return;
	if (s3_upload_create(c->cloud->s3, c->bucket, &u, &err) < 0)
		s3_respond_err(c, &err);
	else
		respond_created(c, &u);
}

bool s3_multipart_open(const struct s3_call *c, struct s3_upload *ret)
{
	auto_free char *id = local_query_get(c->req, "uploadId");
	auto_err err = { 0 };

	if (s3_upload_open(c->cloud->s3, c->bucket, c->key, id ? id : "", ret, &err) == 0)
		return true;
	s3_respond_err(c, &err);
	return false;
}

bool s3_multipart_number(const struct s3_call *c, int *ret)
{
	auto_free char *text = local_query_get(c->req, "partNumber");
	int64_t number;

	if (text && str_parse_i64(text, 1, S3_PARTS_MAX, &number)) {
		*ret = (int)number;
		return true;
	}
	local_respond_s3_error(c->resp, 400, "InvalidArgument",
			       "Part number must be an integer between 1 and %d, inclusive", S3_PARTS_MAX);
	return false;
}

bool s3_multipart_keep(const struct s3_call *c, const struct s3_upload *u, int number, const struct s3_bytes *bytes,
		       const struct s3_sums *sums, char **ret_etag)
{
	auto_free char *etag = s3_headers_etag(u->headers, sums->v[S3_SUM_MD5]);
	struct s3_part part = { .number = number, .size = bytes->size, .etag = etag, .sums = *sums };
	auto_s3_staged t = { .fd = -1 };
	auto_err err = { 0 };

	if (bytes->size > S3_PART_MAX_BYTES) {
		local_respond_s3_error(c->resp, 400, "EntityTooLarge",
				       "Your proposed upload exceeds the maximum allowed size of %llu bytes",
				       S3_PART_MAX_BYTES);
		return false;
	}
	if (s3_stage_bytes(&t, c->cloud->s3, c->bucket, bytes, &err) < 0 ||
	    s3_upload_put_part(c->cloud->s3, c->bucket, u, &t, &part, &err) < 0) {
		s3_respond_err(c, &err);
		return false;
	}
	*ret_etag = take(etag);
	return true;
}

/* A composite checksum is made of the parts', which the client vouches for; one of the whole S3 can make alone. */
static bool is_checksum_fitting(const struct s3_call *c, const struct s3_upload *u, const struct s3_checked *checked)
{
	if (checked->is_claimed ? checked->sum == u->sum : !u->is_composite)
		return true;
	local_respond_s3_error(c->resp, 400, "InvalidRequest",
			       "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			       u->is_chosen ? s3_sum_name(u->sum) : "null",
			       checked->is_claimed ? s3_sum_name(checked->sum) : "null");
	return false;
}

void s3_call_upload_part(const struct s3_call *c)
{
	struct s3_bytes bytes = { .p = c->req->body, .fd = c->req->body_fd, .size = c->req->body_size };
	auto_s3_upload u = { 0 };
	auto_free char *etag = NULL;
	struct s3_checked checked;
	int number;

	if (!s3_multipart_number(c, &number) || !s3_multipart_open(c, &u) ||
	    !s3_checksum_check(c->req, S3_SUM_SET(u.sum), &checked, c->resp) || !is_checksum_fitting(c, &u, &checked) ||
	    !s3_multipart_keep(c, &u, number, &bytes, &checked.sums, &etag))
		return;
	c->resp->status = 200;
	http_headers_addf(&c->resp->headers, "ETag", "\"%s\"", etag);
	s3_headers_add_encryption(c->resp, u.headers);
	if (checked.is_claimed) {
		auto_free char *name = xasprintf("x-amz-checksum-%s", s3_sum_name(u.sum));
		auto_free char *value = s3_sum_text(&checked.sums, u.sum);

		http_headers_set(&c->resp->headers, name, value);
	}
}

void s3_call_abort_multipart_upload(const struct s3_call *c)
{
	auto_s3_upload u = { 0 };

	if (!s3_multipart_open(c, &u))
		return;
	s3_upload_drop(c->cloud->s3, c->bucket, &u);
	c->resp->status = 204;
}
