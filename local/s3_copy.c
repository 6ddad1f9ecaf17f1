#include <string.h>
#include <strings.h>

#include "aws/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_headers.h"
#include "local/s3_multipart.h"
#include "local/s3_names.h"
#include "local/s3_parts.h"

/* Larger objects are copied in parts. */
#define COPY_MAX_BYTES (5ULL << 30)

/* What x-amz-copy-source names. */
struct source {
	char *bucket, *key;
	struct s3_stored object;
};

static void source_release(struct source *s)
{
	free(s->bucket);
	free(s->key);
	s3_stored_release(&s->object);
}

#define auto_source __attribute__((cleanup(source_release))) struct source

static bool refuse(const struct s3_call *c, int status, const char *code, const char *words)
{
	local_respond_s3_error(c->resp, status, code, "%s", words);
	return false;
}

/* "/bucket/key" or "bucket/key", percent-encoded; versions there are none. */
static bool parse_source(const struct s3_call *c, struct source *s)
{
	const char *header = http_headers_get(&c->req->headers, "x-amz-copy-source");
	auto_free char *name = xstrdup(header + (*header == '/'));
	char *question = strchr(name, '?'), *slash;

	if (question) {
		*question = '\0';
		if (strcmp(question + 1, "versionId=null"))
			return refuse(c, 400, "InvalidArgument", "Invalid version id specified");
	}
	slash = strchr(name, '/');
	if (slash) {
		*slash = '\0';
		s->bucket = str_uri_decode(name);
		s->key = str_uri_decode(slash + 1);
	}
	if (s->bucket && s->key && *s->key && s3_name_is_bucket(s->bucket))
		return true;
	return refuse(c, 400, "InvalidArgument",
		      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
}

static bool check_source(const struct s3_call *c, const struct source *s)
{
	const char *match = http_headers_get(&c->req->headers, "x-amz-copy-source-if-match");
	const char *none_match = http_headers_get(&c->req->headers, "x-amz-copy-source-if-none-match");

	if (http_headers_get(&c->req->headers, "x-amz-copy-source-if-modified-since") ||
	    http_headers_get(&c->req->headers, "x-amz-copy-source-if-unmodified-since"))
		return refuse(c, 501, "NotImplemented", "The local cloud does not compare times before it copies");
	if ((match && !s3_etag_matches(match, s->object.etag)) ||
	    (none_match && s3_etag_matches(none_match, s->object.etag)))
		return refuse(c, 412, "PreconditionFailed",
			      "At least one of the pre-conditions you specified did not hold");
	return true;
}

/* false: answered. */
static bool open_source(const struct s3_call *c, struct source *s)
{
	const char *owner = http_headers_get(&c->req->headers, "x-amz-source-expected-bucket-owner");
	auto_err err = { 0 };

	if (owner && strcmp(owner, c->cloud->account))
		return refuse(c, 403, "AccessDenied", "Access Denied");
	if (!parse_source(c, s))
		return false;
	if (store_s3_open(c->cloud->s3, s->bucket, s->key, &s->object, &err) < 0) {
		s3_respond_err(c, &err);
		return false;
	}
	return check_source(c, s);
}

static void respond_copied(const struct s3_call *c, const char *result, const char *etag, const struct str *checksum)
{
	auto_free char *modified = s3_time_iso(c->cloud->sys->now_ms(c->cloud->sys) / 1000);
	auto_str xml = { 0 };

	str_addf(&xml, S3_XML_HEAD "<%s" S3_XMLNS "><LastModified>%s</LastModified><ETag>&quot;%s&quot;</ETag>", result,
		 partition_s3_xmlns, modified, etag);
	str_add(&xml, str_text(checksum));
	str_addf(&xml, "</%s>", result);
	local_respond_xml(c->resp, 200, str_text(&xml));
}

/* ---- CopyObject ---- */

static bool is_replacing(const struct s3_call *c)
{
	const char *directive = http_headers_get(&c->req->headers, "x-amz-metadata-directive");

	return directive && !strcmp(directive, "REPLACE");
}

/* The source's own headers, or the request's; encryption is the request's in any case. NULL: answered. */
static json_t *choose_headers(const struct s3_call *c, const struct source *s)
{
	auto_json *sent = s3_headers_keep(c), *kept = NULL;
	const char *name;
	json_t *value;

	if (!sent || is_replacing(c))
		return take(sent);
	kept = json_object();
	json_object_foreach(s->object.headers, name, value)
		if (!str_starts(name, "x-amz-server-side-encryption"))
			json_object_set(kept, name, value);
	json_object_foreach(sent, name, value)
		if (str_starts(name, "x-amz-server-side-encryption"))
			json_object_set(kept, name, value);
	return take(kept);
}

/* The checksum that the request asks for, else that of the source. false: answered. */
static bool choose_sum(const struct s3_call *c, const struct source *s, enum s3_sum *ret)
{
	const char *algorithm = http_headers_get(&c->req->headers, "x-amz-checksum-algorithm"), *ignored;
	bool is_composite;

	*ret = S3_SUM_DEFAULT;
	if (!algorithm) {
		s3_headers_checksum(s->object.headers, ret, &ignored, &is_composite);
		return true;
	}
	if (s3_sum_parse(algorithm, ret))
		return true;
	return refuse(c, 400, "InvalidRequest", "Checksum algorithm provided is unsupported.");
}

static bool check_copy(const struct s3_call *c, const struct source *s)
{
	if (s->object.size > COPY_MAX_BYTES)
		return refuse(c, 400, "InvalidRequest",
			      "The specified copy source is larger than the maximum allowable size for a copy source: "
			      "5368709120");
	if (!strcmp(s->bucket, c->bucket) && !strcmp(s->key, c->key) && !is_replacing(c) &&
	    !http_headers_get(&c->req->headers, "x-amz-server-side-encryption") &&
	    !http_headers_get(&c->req->headers, "x-amz-checksum-algorithm"))
		return refuse(c, 400, "InvalidRequest",
			      "This copy request is illegal because it is trying to copy an object to itself without "
			      "changing the object's metadata, storage class, website redirect location or encryption "
			      "attributes.");
	return true;
}

/* A copy is one piece, whatever its source was, and is summed up as such. */
static int copy(const struct s3_call *c, const struct source *s, enum s3_sum sum, json_t *headers, char **ret_etag,
		struct err *err)
{
	struct s3_put put = { .bucket = c->bucket,
			      .key = c->key,
			      .bytes = { .fd = s->object.fd, .size = s->object.size },
			      .headers = headers };
	struct s3_sums sums = { 0 };
	auto_free char *etag = NULL, *text = NULL;

	if (s3_sums_add(&sums, S3_SUM_SET(S3_SUM_MD5) | S3_SUM_SET(sum), &put.bytes, err) < 0)
		return -1;
	text = s3_sum_text(&sums, sum);
	s3_headers_set_checksum(headers, sum, false, text);
	etag = s3_headers_etag(headers, sums.v[S3_SUM_MD5]);
	put.etag = etag;
	s3_read_write_condition(c, &put.if_absent, &put.if_match);
	if (store_s3_put(c->cloud->s3, &put, err) < 0)
		return -1;
	*ret_etag = take(etag);
	return 0;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
void s3_call_copy_object(const struct s3_call *c)
{
	auto_source s = { .object.fd = -1 };
	auto_json *headers = NULL;
	auto_free char *etag = NULL;
	auto_str checksum = { 0 };
	auto_err err = { 0 };
	const char *if_match;
	enum s3_sum sum;
	bool if_absent;

	if (!s3_read_write_condition(c, &if_absent, &if_match) || !open_source(c, &s) || !check_copy(c, &s) ||
	    !choose_sum(c, &s, &sum))
		return;
	headers = choose_headers(c, &s);
	if (!headers)
		return;
	if (copy(c, &s, sum, headers, &etag, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	s3_headers_add_checksum_xml(&checksum, headers);
	respond_copied(c, "CopyObjectResult", etag, &checksum);
	s3_headers_add_encryption(c->resp, headers);
}

/* ---- UploadPartCopy ---- */

/* "bytes=first-last", both there and within the source. */
static bool parse_copy_range(const struct s3_call *c, const struct source *s, struct s3_bytes *ret)
{
	const char *range = http_headers_get(&c->req->headers, "x-amz-copy-source-range");
	auto_strlist ends = { 0 };
	int64_t first, last;

	*ret = (struct s3_bytes){ .fd = s->object.fd, .size = s->object.size };
	if (!range)
		return true;
	str_split(&ends, str_starts(range, "bytes=") ? range + strlen("bytes=") : "", '-');
	if (ends.n != 2 || !str_parse_i64(ends.v[0], 0, INT64_MAX, &first) ||
	    !str_parse_i64(ends.v[1], first, INT64_MAX, &last))
		return refuse(c, 400, "InvalidArgument",
			      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
			      "last are the zero-based offsets of the first and last bytes to copy");
	if ((uint64_t)last >= s->object.size)
		return refuse(c, 400, "InvalidArgument",
			      "Range specified is not valid for source object: it is shorter");
	ret->offset = (uint64_t)first;
	ret->size = (uint64_t)(last - first) + 1;
	return true;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
void s3_call_upload_part_copy(const struct s3_call *c)
{
	auto_source s = { .object.fd = -1 };
	auto_s3_upload u = { 0 };
	auto_free char *etag = NULL, *text = NULL;
	auto_str checksum = { 0 };
	auto_err err = { 0 };
	struct s3_sums sums = { 0 };
	struct s3_bytes bytes;
	int number;

	if (!s3_multipart_number(c, &number) || !s3_multipart_open(c, &u) || !open_source(c, &s) ||
	    !parse_copy_range(c, &s, &bytes))
		return;
	if (s3_sums_add(&sums, S3_SUM_SET(S3_SUM_MD5) | S3_SUM_SET(u.sum), &bytes, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	if (!s3_multipart_keep(c, &u, number, &bytes, &sums, &etag))
		return;
	text = s3_sum_text(&sums, u.sum);
	if (u.is_chosen)
		str_addf(&checksum, "<Checksum%s>%s</Checksum%s>", s3_sum_label(u.sum), text, s3_sum_label(u.sum));
	respond_copied(c, "CopyPartResult", etag, &checksum);
	s3_headers_add_encryption(c->resp, u.headers);
}
