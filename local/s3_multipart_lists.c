#include <string.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_multipart.h"
#include "local/s3_parts.h"

/* A whole number of the query, at most S3_PAGE_MAX; fallback when it is not there. false: answered. */
static bool read_number(const struct s3_call *c, const char *name, int64_t fallback, int64_t *ret)
{
	auto_free char *text = local_query_get(c->req, name);

	*ret = fallback;
	if (!text || str_parse_i64(text, 0, INT32_MAX, ret))
		return true;
	local_respond_s3_error(c->resp, 400, "InvalidArgument", "Provided %s not an integer or within integer range",
			       name);
	return false;
}

static void add_element(struct str *xml, const char *name, const char *text, bool is_url_encoded)
{
	auto_free char *encoded = is_url_encoded ? str_uri_encode(text, true) : NULL;

	str_addf(xml, "<%s>", name);
	xml_escape(xml, encoded ? encoded : text);
	str_addf(xml, "</%s>", name);
}

static void add_owner(struct str *xml, const struct s3_call *c)
{
	str_addf(xml,
		 "<Initiator><ID>%s</ID></Initiator><Owner><ID>%s</ID></Owner><StorageClass>STANDARD</StorageClass>",
		 c->cloud->account, c->cloud->account);
}

static void add_checksum_kind(struct str *xml, const struct s3_upload *u)
{
	if (u->is_chosen)
		str_addf(xml, "<ChecksumAlgorithm>%s</ChecksumAlgorithm><ChecksumType>%s</ChecksumType>",
			 s3_sum_label(u->sum), u->is_composite ? "COMPOSITE" : "FULL_OBJECT");
}

static void add_part(struct str *xml, const struct s3_upload *u, const struct s3_part *part)
{
	auto_free char *modified = s3_time_iso(part->modified), *sum = s3_sum_text(&part->sums, u->sum);

	str_addf(xml,
		 "<Part><PartNumber>%d</PartNumber><LastModified>%s</LastModified><ETag>&quot;%s&quot;</ETag>"
		 "<Size>%llu</Size><Checksum%s>%s</Checksum%s></Part>",
		 part->number, modified, part->etag, (unsigned long long)part->size, s3_sum_label(u->sum), sum,
		 s3_sum_label(u->sum));
}

/* A page of parts after a number; the last number that is on it goes to *ret_last, whether more follow to *ret_more. */
static int add_parts(const struct s3_call *c, const struct s3_upload *u, int64_t after, int64_t max, struct str *xml,
		     int64_t *ret_last, bool *ret_more, struct err *err)
{
	auto_free int *numbers = NULL;
	size_t n = 0;
	int64_t on_page = 0;

	if (s3_upload_numbers(c->cloud->s3, c->bucket, u, &numbers, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		auto_s3_part part = { 0 };
		auto_err ignored = { 0 }; /* one that is being written */

		if (numbers[i] <= after)
			continue;
		if (on_page == max) {
			*ret_more = true;
			return 0;
		}
		if (s3_upload_part(c->cloud->s3, c->bucket, u, numbers[i], &part, &ignored) < 0)
			continue;
		add_part(xml, u, &part);
		*ret_last = numbers[i];
		on_page++;
	}
	return 0;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
void s3_call_list_parts(const struct s3_call *c)
{
	auto_s3_upload u = { 0 };
	auto_str parts = { 0 }, xml = { 0 };
	auto_err err = { 0 };
	int64_t after, max, last = 0;
	bool has_more = false;

	if (!read_number(c, "part-number-marker", 0, &after) || !read_number(c, "max-parts", S3_PAGE_MAX, &max) ||
	    !s3_multipart_open(c, &u))
		return;
	if (max > S3_PAGE_MAX)
		max = S3_PAGE_MAX;
	if (add_parts(c, &u, after, max, &parts, &last, &has_more, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	str_addf(&xml, S3_XML_HEAD "<ListPartsResult" S3_XMLNS "><Bucket>%s</Bucket>", partition_s3_xmlns, c->bucket);
	add_element(&xml, "Key", c->key, false);
	str_addf(&xml,
		 "<UploadId>%s</UploadId><PartNumberMarker>%lld</PartNumberMarker>"
		 "<NextPartNumberMarker>%lld</NextPartNumberMarker><MaxParts>%lld</MaxParts>"
		 "<IsTruncated>%s</IsTruncated>",
		 u.id, (long long)after, (long long)last, (long long)max, has_more ? "true" : "false");
	add_owner(&xml, c);
	add_checksum_kind(&xml, &u);
	str_add(&xml, str_text(&parts));
	str_add(&xml, "</ListPartsResult>");
	local_respond_xml(c->resp, 200, str_text(&xml));
}

/* A page of ListMultipartUploads. */
struct page {
	const struct s3_call *c;
	bool is_url_encoded, has_more;
	char *prefix, *delimiter, *key_marker, *id_marker;
	int64_t max, n;
	struct str entries, prefixes;
	char *last; /* the last key or common prefix that is on the page … */
	char *last_id;
};

static void page_release(struct page *p)
{
	free(p->prefix);
	free(p->delimiter);
	free(p->key_marker);
	free(p->id_marker);
	free(p->last);
	free(p->last_id);
	str_release(&p->entries);
	str_release(&p->prefixes);
}

#define auto_page __attribute__((cleanup(page_release))) struct page

/* Uploads of one key come in the order of time, so the marker's own is looked for rather than compared. */
static bool is_before_page(const struct page *p, const char *item, const struct s3_upload *u, bool *is_marker_passed)
{
	int order = *p->key_marker ? strcmp(item, p->key_marker) : 1;

	if (order > 0)
		return false;
	if (order < 0 || !*p->id_marker || *is_marker_passed)
		return order < 0 || !*p->id_marker;
	*is_marker_passed = !strcmp(u->id, p->id_marker);
	return true;
}

static void add_upload(struct page *p, const struct s3_upload *u)
{
	auto_free char *initiated = s3_time_iso(u->initiated);

	str_add(&p->entries, "<Upload>");
	add_element(&p->entries, "Key", u->key, p->is_url_encoded);
	str_addf(&p->entries, "<UploadId>%s</UploadId>", u->id);
	add_owner(&p->entries, p->c);
	str_addf(&p->entries, "<Initiated>%s</Initiated>", initiated);
	add_checksum_kind(&p->entries, u);
	str_add(&p->entries, "</Upload>");
}

static void add_prefix(struct page *p, const char *common)
{
	str_add(&p->prefixes, "<CommonPrefixes>");
	add_element(&p->prefixes, "Prefix", common, p->is_url_encoded);
	str_add(&p->prefixes, "</CommonPrefixes>");
}

static char *common_prefix(const struct page *p, const char *key)
{
	const char *at = *p->delimiter ? strstr(key + strlen(p->prefix), p->delimiter) : NULL;

	return at ? xstrndup(key, (size_t)(at - key) + strlen(p->delimiter)) : NULL;
}

static void collect_page(struct page *p, const struct s3_upload_list *l)
{
	bool is_marker_passed = false;

	for (size_t i = 0; i < l->n; i++) {
		auto_free char *common = common_prefix(p, l->v[i].key);
		const char *item = common ? common : l->v[i].key;

		if (is_before_page(p, item, &l->v[i], &is_marker_passed) || (common && str_eq(common, p->last)))
			continue;
		if (p->n == p->max) {
			p->has_more = p->max > 0;
			return;
		}
		if (common)
			add_prefix(p, common);
		else
			add_upload(p, &l->v[i]);
		free(p->last);
		free(p->last_id);
		p->last = xstrdup(item);
		p->last_id = xstrdup(common ? "" : l->v[i].id);
		p->n++;
	}
}

static void respond_page(const struct page *p)
{
	auto_str xml = { 0 };

	str_addf(&xml, S3_XML_HEAD "<ListMultipartUploadsResult" S3_XMLNS "><Bucket>%s</Bucket>", partition_s3_xmlns,
		 p->c->bucket);
	add_element(&xml, "KeyMarker", p->key_marker, p->is_url_encoded);
	add_element(&xml, "UploadIdMarker", p->id_marker, false);
	add_element(&xml, "NextKeyMarker", p->has_more ? p->last : "", p->is_url_encoded);
	add_element(&xml, "NextUploadIdMarker", p->has_more ? p->last_id : "", false);
	add_element(&xml, "Prefix", p->prefix, p->is_url_encoded);
	if (*p->delimiter)
		add_element(&xml, "Delimiter", p->delimiter, p->is_url_encoded);
	if (p->is_url_encoded)
		str_add(&xml, "<EncodingType>url</EncodingType>");
	str_addf(&xml, "<MaxUploads>%lld</MaxUploads><IsTruncated>%s</IsTruncated>", (long long)p->max,
		 p->has_more ? "true" : "false");
	str_add(&xml, str_text(&p->entries));
	str_add(&xml, str_text(&p->prefixes));
	str_add(&xml, "</ListMultipartUploadsResult>");
	local_respond_xml(p->c->resp, 200, str_text(&xml));
}

static char *query_text(const struct s3_call *c, const char *name)
{
	char *text = local_query_get(c->req, name);

	return text ? text : xstrdup("");
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
void s3_call_list_multipart_uploads(const struct s3_call *c)
{
	auto_page p = { .c = c,
			.prefix = query_text(c, "prefix"),
			.delimiter = query_text(c, "delimiter"),
			.key_marker = query_text(c, "key-marker"),
			.id_marker = query_text(c, "upload-id-marker") };
	auto_free char *encoding = local_query_get(c->req, "encoding-type");
	auto_s3_upload_list l = { 0 };
	auto_err err = { 0 };

	p.is_url_encoded = encoding && !strcmp(encoding, "url");
	if (!read_number(c, "max-uploads", S3_PAGE_MAX, &p.max))
		return;
	if (p.max > S3_PAGE_MAX)
		p.max = S3_PAGE_MAX;
	if (s3_upload_list(c->cloud->s3, c->bucket, p.prefix, &l, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	collect_page(&p, &l);
	respond_page(&p);
}
