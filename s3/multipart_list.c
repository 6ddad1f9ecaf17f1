/* What multipart uploads are under way, and how far they are: ListMultipartUploads and ListParts. */

#include <string.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/multipart.h"
#include "s3/parts.h"

/* Uploads of one key, and of keys that begin with it. */
#define MAX_TWINS 10000

static bool is_truncated(const struct xml *page)
{
	return str_eq(xml_child_text(page, "IsTruncated"), "true");
}

static void take_part(struct s3_multipart *m, const struct xml *x)
{
	const char *number_text = xml_child_text(x, "PartNumber"), *size_text = xml_child_text(x, "Size");
	const char *etag = xml_child_text(x, "ETag");
	int64_t number, size;
	struct s3_part *part;

	if (!number_text || !size_text || !etag || !str_parse_i64(number_text, 1, m->n, &number) ||
	    !str_parse_i64(size_text, 0, INT64_MAX, &size))
		return;
	part = &m->v[number - 1];
	if ((uint64_t)size != s3_part_length(m->size, (uint32_t)number - 1))
		return;
	free(part->etag);
	part->etag = xstrdup(etag);
	part->size = (uint64_t)size;
	part->checksum = s3_checksum_in(x, m->kind);
	m->has_sums = m->has_sums || part->checksum.kind != S3_CHECKSUM_NONE;
}

static int get_page(struct s3 *s3, const char *operation, const char *bucket, const char *key, const char *query,
		    struct xml **ret, struct err *err)
{
	auto_s3_request req = { .operation = operation, .bucket = bucket, .key = key };
	auto_response resp = { 0 };

	req.aws.method = "GET";
	req.aws.query = query;
	req.aws.is_idempotent = true;
	req.aws.judge_body = s3_judge_body;
	req.aws.max_body_bytes = S3_MAX_XML_BYTES;
	if (s3_send(s3, &req, &resp, err) < 0)
		return -1;
	*ret = xml_parse(str_text(&resp.body), resp.body.len, operation, err);
	return *ret ? 0 : -1;
}

/*
 * S3 refuses parts with another checksum than the upload was begun with, by another program or for another choice.
 * AWS tells of each which it is, other stores may tell of none.
 */
static int check_parts(const struct s3 *s3, const struct s3_multipart *m, const struct xml *page, struct err *err)
{
	const char *algorithm = xml_child_text(page, "ChecksumAlgorithm");

	if (strcmp(page->name, "ListPartsResult") != 0)
		return err_set(err, ERR_INVALID, "ListParts: the answer is no list");
	if (algorithm ? str_eq(algorithm, s3_checksum_algorithm(m->kind)) : s3->aws->id->endpoints[AWS_S3].is_override)
		return 0;
	return err_set(err, ERR_CONFLICT, "ListParts: the upload has another checksum");
}

/* The marker must grow, or a service that names the same page again would never end. */
static int next_part_marker(const struct xml *page, int64_t *marker, struct err *err)
{
	const char *text = xml_child_text(page, "NextPartNumberMarker");

	if (!is_truncated(page))
		return 0;
	if (!text || !str_parse_i64(text, *marker + 1, S3_MAX_PARTS, marker))
		return err_set(err, ERR_INVALID, "ListParts: the service names no next page");
	return 1;
}

int s3_multipart_list_parts(struct s3 *s3, struct s3_multipart *m, struct err *err)
{
	auto_free char *id = str_uri_encode(m->upload_id, false);
	int64_t marker = 0;
	int more = 1;

	while (more > 0) {
		auto_free char *query = xasprintf("part-number-marker=%lld&uploadId=%s", (long long)marker, id);
		auto_xml *page = NULL;

		if (get_page(s3, "ListParts", m->bucket, m->key, query, &page, err) < 0 ||
		    check_parts(s3, m, page, err) < 0)
			return -1;
		for (const struct xml *x = xml_child(page, "Part"); x; x = xml_next(x, "Part"))
			take_part(m, x);
		more = next_part_marker(page, &marker, err);
	}
	return more;
}

void s3_uploads_release(struct s3_uploads *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->v[i].key);
		free(u->v[i].id);
		free(u->v[i].initiated);
	}
	free(u->v);
	*u = (struct s3_uploads){ 0 };
}

static int add_uploads(const struct xml *page, size_t max, struct s3_uploads *ret, struct err *err)
{
	if (strcmp(page->name, "ListMultipartUploadsResult") != 0)
		return err_set(err, ERR_INVALID, "ListMultipartUploads: the answer is no list");
	for (const struct xml *x = xml_child(page, "Upload"); x; x = xml_next(x, "Upload")) {
		const char *id = xml_child_text(x, "UploadId"), *initiated = xml_child_text(x, "Initiated");
		auto_free char *key = s3_listed_key(page, xml_child_text(x, "Key"));

		if (!key || !id || !*id)
			return err_set(err, ERR_INVALID, "ListMultipartUploads: an entry has no key or id");
		if (ret->n >= max)
			return err_set(err, ERR_INVALID, "ListMultipartUploads: there are more than %zu uploads", max);
		array_grow(ret->v, ret->n, ret->cap);
		ret->v[ret->n++] = (struct s3_upload){ take(key), xstrdup(id), xstrdup_or_null(initiated) };
	}
	return 0;
}

/* 1 with the next page's markers, encoded for the query. */
static int next_markers(const struct xml *page, char **markers, struct err *err)
{
	const char *id = xml_child_text(page, "NextUploadIdMarker");
	auto_free char *key = NULL, *next_key = NULL, *next_id = NULL, *next = NULL;

	if (!is_truncated(page))
		return 0;
	key = s3_listed_key(page, xml_child_text(page, "NextKeyMarker"));
	next_key = key ? str_uri_encode(key, false) : NULL;
	next_id = str_uri_encode(id ? id : "", false);
	next = next_key ? xasprintf("key-marker=%s&upload-id-marker=%s", next_key, next_id) : NULL;
	if (!next || str_eq(next, *markers))
		return err_set(err, ERR_INVALID, "ListMultipartUploads: the service names no next page");
	free(*markers);
	*markers = take(next);
	return 1;
}

int s3_multipart_list(struct s3 *s3, const char *bucket, const char *prefix, size_t max, struct s3_uploads *ret,
		      struct err *err)
{
	auto_free char *encoded = str_uri_encode(prefix, false), *markers = NULL;
	auto_s3_uploads uploads = { 0 };
	size_t pages = 0;
	int more = 1;

	while (more > 0) {
		auto_free char *query = xasprintf("encoding-type=url&%s%sprefix=%s&uploads=", markers ? markers : "",
						  markers ? "&" : "", encoded);
		auto_xml *page = NULL;

		if (get_page(s3, "ListMultipartUploads", bucket, NULL, query, &page, err) < 0 ||
		    add_uploads(page, max, &uploads, err) < 0)
			return -1;
		more = next_markers(page, &markers, err);
		if (more > 0 && pages++ > max)
			return err_set(err, ERR_INVALID, "ListMultipartUploads: there are more than %zu pages", max);
	}
	if (more < 0)
		return -1;
	*ret = uploads;
	uploads = (struct s3_uploads){ 0 };
	return 0;
}

static bool has_part(struct s3 *s3, const struct s3_multipart *m, const char *upload_id)
{
	auto_free char *id = str_uri_encode(upload_id, false);
	auto_free char *query = xasprintf("max-parts=1&uploadId=%s", id);
	auto_err ignored = { 0 };
	auto_xml *page = NULL;

	return get_page(s3, "ListParts", m->bucket, m->key, query, &page, &ignored) < 0 || xml_child(page, "Part");
}

static void drop(struct s3 *s3, const struct s3_multipart *m, bool with_parts)
{
	auto_s3_uploads found = { 0 };
	auto_err ignored = { 0 };

	if (s3_multipart_list(s3, m->bucket, m->key, MAX_TWINS, &found, &ignored) < 0)
		return;
	for (size_t i = 0; i < found.n; i++) {
		const struct s3_upload *u = &found.v[i];
		auto_err left = { 0 };

		if (str_eq(u->key, m->key) && !str_eq(u->id, m->upload_id) && (with_parts || !has_part(s3, m, u->id)))
			(void)s3_multipart_abort(s3, m->bucket, m->key, u->id, &left);
	}
}

void s3_multipart_drop_twins(struct s3 *s3, const struct s3_multipart *m)
{
	drop(s3, m, false);
}

void s3_multipart_drop_others(struct s3 *s3, const struct s3_multipart *m)
{
	drop(s3, m, true);
}
