#include <string.h>
#include <strings.h>

#include "aws/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3.h"
#include "local/s3_checksum.h"
#include "local/s3_store.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
#define USER_METADATA_MAX_BYTES 2048
#define DELETE_MAX              1000

static bool is_kept_header(const char *name)
{
	static const char *const names[] = {
		"content-type",
		"content-encoding",
		"content-disposition",
		"content-language",
		"cache-control",
		"expires",
		"x-amz-server-side-encryption",
		"x-amz-server-side-encryption-aws-kms-key-id",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return str_starts(name, "x-amz-meta-") || s3_checksum_algorithm(name);
}

/* NULL: answered. */
static json_t *headers_to_keep(const struct s3_call *c)
{
	auto_json *kept = json_object();
	size_t user_bytes = 0;

	for (size_t i = 0; i < c->req->headers.n; i++) {
		auto_free char *name = str_lower(c->req->headers.v[i].name);
		const char *value = c->req->headers.v[i].value;

		if (!is_kept_header(name))
			continue;
		if (!str_is_utf8(name, strlen(name)) || !str_is_utf8(value, strlen(value))) {
			local_respond_s3_error(c->resp, 400, "InvalidArgument", "Header values must be UTF-8");
			return NULL;
		}
		if (str_starts(name, "x-amz-meta-"))
			user_bytes += strlen(name) - strlen("x-amz-meta-") + strlen(value);
		json_put_str(kept, name, value);
	}
	if (user_bytes > USER_METADATA_MAX_BYTES) {
		local_respond_s3_error(c->resp, 400, "MetadataTooLarge",
				       "Your metadata headers exceed the maximum allowed metadata size");
		return NULL;
	}
	return take(kept);
}

static bool read_condition(const struct s3_call *c, bool *ret_if_absent)
{
	const char *none_match = http_headers_get(&c->req->headers, "If-None-Match");

	*ret_if_absent = str_eq(none_match, "*");
	if ((!none_match || *ret_if_absent) && !http_headers_get(&c->req->headers, "If-Match"))
		return true;
	local_respond_s3_error(c->resp, 501, "NotImplemented",
			       "Of the conditions of a PUT there is only If-None-Match: *");
	return false;
}

static void add_checksums(struct local_response *resp, const json_t *headers)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)headers, name, value) {
		if (!s3_checksum_algorithm(name))
			continue;
		http_headers_set(&resp->headers, name, json_string_value(value));
		http_headers_set(&resp->headers, "x-amz-checksum-type", "FULL_OBJECT");
	}
}

void s3_call_put_object(const struct s3_call *c)
{
	struct s3_put put = { .bucket = c->bucket,
			      .key = c->key,
			      .bytes = c->req->body,
			      .fd = c->req->body_fd,
			      .size = c->req->body_size };
	auto_json *headers = NULL;
	auto_free char *etag = NULL;
	auto_err err = { 0 };

	if (!read_condition(c, &put.if_absent) || !s3_checksum_check(c->req, c->resp))
		return;
	headers = headers_to_keep(c);
	if (!headers)
		return;
	put.headers = headers;
	if (store_s3_put(c->cloud->s3, &put, &etag, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	c->resp->status = 200;
	http_headers_addf(&c->resp->headers, "ETag", "\"%s\"", etag);
	add_checksums(c->resp, headers);
}

/* The form of RFC 9110 section 5.6.7; the names are English in every locale. */
static char *http_date(time_t t)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	gmtime_r(&t, &tm);
	return xasprintf("%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
			 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_object_headers(const struct s3_call *c, const struct s3_stored *o)
{
	auto_free char *modified = http_date(o->modified);
	const char *name;
	json_t *value;

	http_headers_set(&c->resp->headers, "Content-Type", "binary/octet-stream");
	json_object_foreach(o->headers, name, value)
		if (!s3_checksum_algorithm(name) && json_is_string(value))
			http_headers_set(&c->resp->headers, name, json_string_value(value));
	http_headers_set(&c->resp->headers, "Last-Modified", modified);
	http_headers_addf(&c->resp->headers, "ETag", "\"%s\"", o->etag);
	http_headers_set(&c->resp->headers, "Accept-Ranges", "bytes");
}

enum range { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };

/* One range of RFC 9110 section 14.1.2; anything else is ignored, as the RFC allows, and the whole is sent. */
static enum range parse_range(const char *value, uint64_t size, uint64_t *ret_offset, uint64_t *ret_n)
{
	auto_strlist ends = { 0 };
	int64_t first = 0, last = INT64_MAX;

	if (!value || !str_starts(value, "bytes="))
		return RANGE_WHOLE;
	str_split(&ends, value + strlen("bytes="), '-');
	if (ends.n != 2 || (!*ends.v[0] && !*ends.v[1]) ||
	    (*ends.v[0] && !str_parse_i64(ends.v[0], 0, INT64_MAX, &first)) ||
	    (*ends.v[1] && !str_parse_i64(ends.v[1], 0, INT64_MAX, &last)) || last < first)
		return RANGE_WHOLE;
	if (!*ends.v[0]) { /* the last bytes */
		if (last == 0 || size == 0)
			return RANGE_UNSATISFIABLE;
		first = (uint64_t)last < size ? (int64_t)(size - (uint64_t)last) : 0;
		last = INT64_MAX;
	}
	if ((uint64_t)first >= size)
		return RANGE_UNSATISFIABLE;
	*ret_offset = (uint64_t)first;
	*ret_n = ((uint64_t)last < size ? (uint64_t)last + 1 : size) - (uint64_t)first;
	return RANGE_PART;
}

static bool has_etag(const char *list, const char *etag)
{
	return list && (!strcmp(list, "*") || strstr(list, etag));
}

/* false: the conditions ended it. */
static bool check_conditions(const struct s3_call *c, const struct s3_stored *o)
{
	const char *match = http_headers_get(&c->req->headers, "If-Match");

	if (match && !has_etag(match, o->etag)) {
		local_respond_s3_error(c->resp, 412, "PreconditionFailed",
				       "At least one of the pre-conditions you specified did not hold");
		return false;
	}
	if (has_etag(http_headers_get(&c->req->headers, "If-None-Match"), o->etag)) {
		http_headers_addf(&c->resp->headers, "ETag", "\"%s\"", o->etag);
		c->resp->status = 304;
		return false;
	}
	return true;
}

static void set_content(const struct s3_call *c, struct s3_stored *o, uint64_t offset, uint64_t n)
{
	if (!strcmp(c->req->method, "HEAD")) {
		c->resp->is_head = true;
		c->resp->head_size = n;
		return;
	}
	c->resp->file_fd = take_fd(&o->fd);
	c->resp->file_offset = offset;
	c->resp->file_size = n;
}

static void respond_object(const struct s3_call *c, struct s3_stored *o)
{
	uint64_t offset = 0, n = o->size;
	enum range range = parse_range(http_headers_get(&c->req->headers, "Range"), o->size, &offset, &n);
	const char *mode = http_headers_get(&c->req->headers, "x-amz-checksum-mode");

	if (range == RANGE_UNSATISFIABLE) {
		local_respond_s3_error(c->resp, 416, "InvalidRange", "The requested range is not satisfiable");
		http_headers_addf(&c->resp->headers, "Content-Range", "bytes */%llu", (unsigned long long)o->size);
		return;
	}
	add_object_headers(c, o);
	c->resp->status = range == RANGE_PART ? 206 : 200;
	if (range == RANGE_PART)
		http_headers_addf(&c->resp->headers, "Content-Range", "bytes %llu-%llu/%llu",
				  (unsigned long long)offset, (unsigned long long)(offset + n - 1),
				  (unsigned long long)o->size);
	else if (mode && !strcasecmp(mode, "ENABLED"))
		add_checksums(c->resp, o->headers);
	set_content(c, o, offset, n);
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

/* A list of keys may be longer than what is kept in memory of a request. NULL when it is no XML. */
static struct xml *parse_body(const struct local_request *req)
{
	auto_s3_mapped map = { 0 };
	auto_err err = { 0 };

	if (req->body)
		return xml_parse(req->body, req->body_size, "Delete", &err);
	if (req->body_size > (16u << 20) || s3_mapped_open(&map, req->body_fd, req->body_size, &err) < 0)
		return NULL;
	return xml_parse(map.p, map.n, "Delete", &err);
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
	size_t n;

	if (!s3_checksum_check(c->req, c->resp))
		return;
	if (!store_s3_has_bucket(c->cloud->s3, c->bucket)) {
		local_respond_s3_error(c->resp, 404, "NoSuchBucket", "The specified bucket does not exist");
		return;
	}
	x = parse_body(c->req);
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
