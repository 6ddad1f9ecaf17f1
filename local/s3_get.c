#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3.h"
#include "local/s3_headers.h"
#include "local/s3_parts.h"
#include "local/s3_stage.h"

enum range { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };

struct span {
	enum range range;
	uint64_t offset, n;
};

/* One range of RFC 9110 section 14.1.2; anything else is ignored, as the RFC allows, and the whole is sent. */
static void parse_range(const char *value, uint64_t size, struct span *ret)
{
	auto_strlist ends = { 0 };
	int64_t first = 0, last = INT64_MAX;

	if (!value || !str_starts(value, "bytes="))
		return;
	str_split(&ends, value + strlen("bytes="), '-');
	if (ends.n != 2 || (!*ends.v[0] && !*ends.v[1]) ||
	    (*ends.v[0] && !str_parse_i64(ends.v[0], 0, INT64_MAX, &first)) ||
	    (*ends.v[1] && !str_parse_i64(ends.v[1], 0, INT64_MAX, &last)) || last < first)
		return;
	ret->range = RANGE_UNSATISFIABLE;
	if (!*ends.v[0]) { /* the last bytes */
		if (last == 0 || size == 0)
			return;
		first = (uint64_t)last < size ? (int64_t)(size - (uint64_t)last) : 0;
		last = INT64_MAX;
	}
	if ((uint64_t)first >= size)
		return;
	ret->range = RANGE_PART;
	ret->offset = (uint64_t)first;
	ret->n = ((uint64_t)last < size ? (uint64_t)last + 1 : size) - (uint64_t)first;
}

/* The bytes of ?partNumber=; false: answered. An object of one piece is its own first part. */
static bool find_part(const struct s3_call *c, const struct s3_stored *o, struct span *ret)
{
	auto_free char *text = local_query_get(c->req, "partNumber");
	int64_t number = 0, n = (int64_t)s3_parts_count(o->parts);

	if (!str_parse_i64(text, 1, S3_PARTS_MAX, &number)) {
		local_respond_s3_error(c->resp, 400, "InvalidArgument",
				       "Part number must be an integer between 1 and "
				       "10000, inclusive");
		return false;
	}
	if (number > (n ? n : 1)) {
		local_respond_s3_error(c->resp, 416, "InvalidPartNumber",
				       "The requested partnumber is not satisfiable");
		return false;
	}
	if (n) {
		ret->offset = s3_parts_offset(o->parts, (size_t)number - 1);
		ret->n = s3_parts_size(o->parts, (size_t)number - 1);
		http_headers_addf(&c->resp->headers, "x-amz-mp-parts-count", "%lld", (long long)n);
	}
	ret->range = o->size ? RANGE_PART : RANGE_WHOLE;
	return true;
}

/* false: the conditions ended it. */
static bool check_conditions(const struct s3_call *c, const struct s3_stored *o)
{
	const char *match = http_headers_get(&c->req->headers, "If-Match");
	const char *none_match = http_headers_get(&c->req->headers, "If-None-Match");

	if (match && !s3_etag_matches(match, o->etag)) {
		local_respond_s3_error(c->resp, 412, "PreconditionFailed",
				       "At least one of the pre-conditions you specified did not hold");
		return false;
	}
	if (none_match && s3_etag_matches(none_match, o->etag)) {
		http_headers_addf(&c->resp->headers, "ETag", "\"%s\"", o->etag);
		c->resp->status = 304;
		return false;
	}
	return true;
}

static void set_content(const struct s3_call *c, struct s3_stored *o, const struct span *span)
{
	if (!strcmp(c->req->method, "HEAD")) {
		c->resp->is_head = true;
		c->resp->head_size = span->n;
		return;
	}
	c->resp->file_fd = take_fd(&o->fd);
	c->resp->file_offset = span->offset;
	c->resp->file_size = span->n;
}

static void respond_object(const struct s3_call *c, struct s3_stored *o)
{
	struct span span = { .n = o->size };
	const char *mode = http_headers_get(&c->req->headers, "x-amz-checksum-mode");
	bool is_by_part = local_query_has(c->req, "partNumber");

	if (!is_by_part)
		parse_range(http_headers_get(&c->req->headers, "Range"), o->size, &span);
	else if (!find_part(c, o, &span))
		return;
	if (span.range == RANGE_UNSATISFIABLE) {
		local_respond_s3_error(c->resp, 416, "InvalidRange", "The requested range is not satisfiable");
		http_headers_addf(&c->resp->headers, "Content-Range", "bytes */%llu", (unsigned long long)o->size);
		return;
	}
	s3_headers_add_object(c->resp, o);
	c->resp->status = span.range == RANGE_PART ? 206 : 200;
	if (span.range == RANGE_PART)
		http_headers_addf(&c->resp->headers, "Content-Range", "bytes %llu-%llu/%llu",
				  (unsigned long long)span.offset, (unsigned long long)(span.offset + span.n - 1),
				  (unsigned long long)o->size);
	if (mode && !strcasecmp(mode, "ENABLED") && span.n == o->size)
		s3_headers_add_checksum(c->resp, o->headers);
	set_content(c, o, &span);
}

void s3_call_get_object(const struct s3_call *c)
{
	auto_s3_stored object = { .fd = -1 };
	auto_err err = { 0 };

	if (store_s3_open(c->cloud->s3, c->bucket, c->key, &object, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	if (check_conditions(c, &object))
		respond_object(c, &object);
}

/* The wanted attributes may stand in one header or in several. */
static bool wants(const struct s3_call *c, const char *attribute)
{
	for (size_t i = 0; i < c->req->headers.n; i++) {
		auto_strlist names = { 0 };

		if (strcasecmp(c->req->headers.v[i].name, "x-amz-object-attributes"))
			continue;
		str_split(&names, c->req->headers.v[i].value, ',');
		for (size_t k = 0; k < names.n; k++) {
			auto_free char *name = str_trim(names.v[k]);

			if (!strcmp(name, attribute))
				return true;
		}
	}
	return false;
}

/* Here, unlike in HeadObject, a composite checksum stands without the number of parts behind it. */
static void add_attribute_checksum(const struct s3_stored *o, struct str *xml)
{
	bool is_composite;
	const char *value;
	enum s3_sum sum;

	if (s3_headers_checksum(o->headers, &sum, &value, &is_composite))
		str_addf(xml, "<Checksum><Checksum%s>%.*s</Checksum%s><ChecksumType>%s</ChecksumType></Checksum>",
			 s3_sum_label(sum), (int)strcspn(value, "-"), value, s3_sum_label(sum),
			 is_composite ? "COMPOSITE" : "FULL_OBJECT");
}

static void add_attribute_parts(const struct s3_call *c, const struct s3_stored *o, struct str *xml)
{
	const char *max = http_headers_get(&c->req->headers, "x-amz-max-parts"),
		   *marker = http_headers_get(&c->req->headers, "x-amz-part-number-marker"), *value;
	int64_t after = 0, limit = S3_PAGE_MAX, last = 0, n = (int64_t)s3_parts_count(o->parts);
	enum s3_sum sum = S3_SUM_DEFAULT;
	bool is_composite;

	if (marker)
		str_parse_i64(marker, 0, S3_PARTS_MAX, &after);
	if (max && str_parse_i64(max, 0, INT32_MAX, &limit) && limit > S3_PAGE_MAX)
		limit = S3_PAGE_MAX;
	s3_headers_checksum(o->headers, &sum, &value, &is_composite);
	last = after + limit < n ? after + limit : n;
	str_addf(xml,
		 "<ObjectParts><PartsCount>%lld</PartsCount><PartNumberMarker>%lld</PartNumberMarker>"
		 "<NextPartNumberMarker>%lld</NextPartNumberMarker><MaxParts>%lld</MaxParts>"
		 "<IsTruncated>%s</IsTruncated>",
		 (long long)n, (long long)after, (long long)last, (long long)limit, last < n ? "true" : "false");
	for (int64_t i = after; i < last; i++)
		str_addf(xml, "<Part><PartNumber>%lld</PartNumber><Size>%llu</Size><Checksum%s>%s</Checksum%s></Part>",
			 (long long)i + 1, (unsigned long long)s3_parts_size(o->parts, (size_t)i), s3_sum_label(sum),
			 s3_parts_sum(o->parts, (size_t)i), s3_sum_label(sum));
	str_add(xml, "</ObjectParts>");
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
void s3_call_get_object_attributes(const struct s3_call *c)
{
	auto_s3_stored o = { .fd = -1 };
	auto_err err = { 0 };
	auto_str xml = { 0 };

	if (store_s3_open(c->cloud->s3, c->bucket, c->key, &o, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	str_addf(&xml, S3_XML_HEAD "<GetObjectAttributesResponse" S3_XMLNS ">", partition_s3_xmlns);
	if (wants(c, "ETag"))
		str_addf(&xml, "<ETag>%s</ETag>", o.etag);
	if (wants(c, "Checksum")) {
		add_attribute_checksum(&o, &xml);
	}
	if (wants(c, "ObjectParts") && s3_parts_count(o.parts))
		add_attribute_parts(c, &o, &xml);
	if (wants(c, "StorageClass"))
		str_add(&xml, "<StorageClass>STANDARD</StorageClass>");
	if (wants(c, "ObjectSize"))
		str_addf(&xml, "<ObjectSize>%llu</ObjectSize>", (unsigned long long)o.size);
	str_add(&xml, "</GetObjectAttributesResponse>");
	local_respond_xml(c->resp, 200, str_text(&xml));
}
