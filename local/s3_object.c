#include <string.h>
#include <strings.h>

#include "aws/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3.h"
#include "local/s3_checksum.h"
#include "local/s3_headers.h"
#include "local/s3_parts.h"
#include "local/s3_store.h"

#define DELETE_MAX 1000

bool s3_read_write_condition(const struct s3_call *c, bool *ret_if_absent, const char **ret_if_match)
{
	const char *none_match = http_headers_get(&c->req->headers, "If-None-Match");

	*ret_if_absent = str_eq(none_match, "*");
	*ret_if_match = http_headers_get(&c->req->headers, "If-Match");
	if ((!none_match || *ret_if_absent) && !(none_match && *ret_if_match))
		return true;
	local_respond_s3_error(c->resp, 501, "NotImplemented",
			       "A header you provided implies functionality that is not implemented: of the conditions "
			       "of a write there are If-None-Match: * and If-Match");
	return false;
}

static bool is_size_right(const struct s3_call *c)
{
	if (c->req->body_size <= S3_PART_MAX_BYTES)
		return true;
	local_respond_s3_error(c->resp, 400, "EntityTooLarge",
			       "Your proposed upload exceeds the maximum allowed size of %llu bytes",
			       S3_PART_MAX_BYTES);
	return false;
}

void s3_call_put_object(const struct s3_call *c)
{
	struct s3_put put = { .bucket = c->bucket,
			      .key = c->key,
			      .bytes = { .p = c->req->body, .fd = c->req->body_fd, .size = c->req->body_size } };
	struct s3_checked checked;
	auto_json *headers = NULL;
	auto_free char *etag = NULL, *sum = NULL;
	auto_err err = { 0 };

	if (!s3_read_write_condition(c, &put.if_absent, &put.if_match) || !is_size_right(c) ||
	    !s3_checksum_check(c->req, 0, &checked, c->resp))
		return;
	headers = s3_headers_keep(c);
	if (!headers)
		return;
	sum = s3_sum_text(&checked.sums, checked.sum);
	s3_headers_set_checksum(headers, checked.sum, false, sum);
	etag = s3_headers_etag(headers, checked.sums.v[S3_SUM_MD5]);
	put.headers = headers;
	put.etag = etag;
	if (store_s3_put(c->cloud->s3, &put, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	c->resp->status = 200;
	http_headers_addf(&c->resp->headers, "ETag", "\"%s\"", etag);
	s3_headers_add_encryption(c->resp, headers);
	s3_headers_add_checksum(c->resp, headers);
}

void s3_call_delete_object(const struct s3_call *c)
{
	auto_err err = { 0 };

	if (store_s3_delete(c->cloud->s3, c->bucket, c->key, &err) < 0)
		s3_respond_err(c, &err);
	else
		c->resp->status = 204;
}

static void delete_one(const struct s3_call *c, const char *key, bool is_quiet, struct str *xml)
{
	auto_err err = { 0 };
	bool is_gone = store_s3_delete(c->cloud->s3, c->bucket, key, &err) == 0;

	if (is_gone && is_quiet)
		return;
	str_addf(xml, "<%s><Key>", is_gone ? "Deleted" : "Error");
	xml_escape(xml, key);
	str_add(xml, "</Key>");
	if (!is_gone) {
		str_add(xml, "<Code>InternalError</Code><Message>");
		xml_escape(xml, err.msg);
		str_add(xml, "</Message>");
	}
	str_addf(xml, "</%s>", is_gone ? "Deleted" : "Error");
}

static size_t count_objects(const struct xml *x)
{
	size_t n = 0;

	for (const struct xml *o = x ? xml_child(x, "Object") : NULL; o; o = xml_next(o, "Object"))
		n++;
	return n;
}

void s3_call_delete_objects(const struct s3_call *c)
{
	auto_xml *x = NULL;
	auto_str xml = { 0 };
	struct s3_checked ignored;
	size_t n;

	if (!s3_checksum_check(c->req, 0, &ignored, c->resp))
		return;
	if (!store_s3_has_bucket(c->cloud->s3, c->bucket)) {
		local_respond_s3_error(c->resp, 404, "NoSuchBucket", "The specified bucket does not exist");
		return;
	}
	x = s3_parse_body(c->req, "Delete");
	n = count_objects(x);
	if (n == 0 || n > DELETE_MAX) {
		local_respond_s3_error(c->resp, 400, "MalformedXML",
				       "The XML you provided is not a list of 1 to %d objects", DELETE_MAX);
		return;
	}
	str_addf(&xml, S3_XML_HEAD "<DeleteResult" S3_XMLNS ">", partition_s3_xmlns);
	for (const struct xml *o = xml_child(x, "Object"); o; o = xml_next(o, "Object")) {
		const char *key = xml_child_text(o, "Key");

		if (key && *key)
			delete_one(c, key, str_eq(xml_child_text(x, "Quiet"), "true"), &xml);
	}
	str_add(&xml, "</DeleteResult>");
	local_respond_xml(c->resp, 200, str_text(&xml));
}
