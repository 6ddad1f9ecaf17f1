#include <string.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3.h"
#include "local/s3_keys.h"

#define PAGE_MAX 1000

/* ListObjects (version 1) and ListObjectsV2 differ in how a page begins and what says that there is more. */
struct listing {
	const struct s3_call *c;
	bool is_v2, is_url_encoded;
	char *prefix, *delimiter, *token;
	char *after; /* start-after of version 2, marker of version 1 */
	int64_t max_keys;
	struct str entries, prefixes;
	char *last; /* the last key or common prefix that is on the page */
	bool is_truncated;
	int64_t n;
};

static void listing_release(struct listing *l)
{
	free(l->prefix);
	free(l->delimiter);
	free(l->token);
	free(l->after);
	free(l->last);
	str_release(&l->entries);
	str_release(&l->prefixes);
}

#define auto_listing __attribute__((cleanup(listing_release))) struct listing

static void add_text(const struct listing *l, struct str *xml, const char *name, const char *text)
{
	auto_free char *encoded = l->is_url_encoded ? str_uri_encode(text, true) : NULL;

	str_addf(xml, "<%s>", name);
	xml_escape(xml, encoded ? encoded : text);
	str_addf(xml, "</%s>", name);
}

/* false: answered. */
static bool read_parameters(struct listing *l)
{
	const struct local_request *req = l->c->req;
	auto_free char *type = local_query_get(req, "list-type"), *encoding = local_query_get(req, "encoding-type");
	auto_free char *max_keys = local_query_get(req, "max-keys"),
		       *token = local_query_get(req, "continuation-token");
	size_t n;

	l->is_v2 = type && !strcmp(type, "2");
	l->is_url_encoded = encoding && !strcmp(encoding, "url");
	l->prefix = local_query_get(req, "prefix");
	l->delimiter = local_query_get(req, "delimiter");
	l->after = local_query_get(req, l->is_v2 ? "start-after" : "marker");
	l->max_keys = PAGE_MAX;
	if (max_keys && !str_parse_i64(max_keys, 0, INT32_MAX, &l->max_keys)) {
		local_respond_s3_error(l->c->resp, 400, "InvalidArgument",
				       "Provided max-keys not an integer or within integer range");
		return false;
	}
	if (l->max_keys > PAGE_MAX)
		l->max_keys = PAGE_MAX;
	if (l->is_v2 && token) {
		l->token = str_unbase64(token, &n);
		if (!l->token || strlen(l->token) != n) {
			local_respond_s3_error(l->c->resp, 400, "InvalidArgument",
					       "The continuation token provided is incorrect");
			return false;
		}
	}
	return true;
}

/* An object that vanished meanwhile is left out. */
static void add_object(struct listing *l, const char *key)
{
	auto_s3_stored object = { .fd = -1 };
	auto_free char *modified = NULL;
	auto_err ignored = { 0 };

	if (store_s3_open(l->c->cloud->s3, l->c->bucket, key, &object, &ignored) < 0)
		return;
	modified = s3_time_iso(object.modified);
	str_add(&l->entries, "<Contents>");
	add_text(l, &l->entries, "Key", key);
	str_addf(&l->entries,
		 "<LastModified>%s</LastModified><ETag>&quot;%s&quot;</ETag><Size>%llu</Size>"
		 "<StorageClass>STANDARD</StorageClass></Contents>",
		 modified, object.etag, (unsigned long long)object.size);
}

/*
 * A token is the last item of the page before, start-after and marker are keys to be passed: all may be common
 * prefixes. One item more than the page has shows that it is not the last.
 */
static int select_keys(const struct listing *l, struct strlist *ret, struct err *err)
{
	struct s3_selection want = { .prefix = l->prefix ? l->prefix : "",
				     .after = l->after,
				     .delimiter = l->delimiter,
				     .max = (size_t)l->max_keys + 1 };
	auto_free char *common = NULL;

	if (l->token && (!want.after || strcmp(l->token, want.after) > 0))
		want.after = l->token;
	if (want.after && str_starts(want.after, want.prefix))
		common = s3_common_prefix(want.after, want.prefix, want.delimiter);
	if (str_eq(common, want.after))
		want.passed = common;
	return store_s3_select(l->c->cloud->s3, l->c->bucket, &want, ret, err);
}

static void fill_page(struct listing *l, const struct strlist *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		auto_free char *common = s3_common_prefix(keys->v[i], l->prefix ? l->prefix : "", l->delimiter);
		const char *item = common ? common : keys->v[i];

		if (l->n == l->max_keys) {
			l->is_truncated = l->max_keys > 0;
			return;
		}
		if (common) {
			str_add(&l->prefixes, "<CommonPrefixes>");
			add_text(l, &l->prefixes, "Prefix", common);
			str_add(&l->prefixes, "</CommonPrefixes>");
		} else {
			add_object(l, item);
		}
		free(l->last);
		l->last = xstrdup(item);
		l->n++;
	}
}

static void add_page_marks(const struct listing *l, struct str *xml)
{
	auto_free char *token = l->token ? str_base64url(l->token, strlen(l->token)) : NULL;
	auto_free char *next = l->is_truncated ? str_base64url(l->last, strlen(l->last)) : NULL;

	if (!l->is_v2) {
		add_text(l, xml, "Marker", l->after ? l->after : "");
		if (l->is_truncated)
			add_text(l, xml, "NextMarker", l->last);
		return;
	}
	str_addf(xml, "<KeyCount>%lld</KeyCount>", (long long)l->n);
	if (token)
		str_addf(xml, "<ContinuationToken>%s</ContinuationToken>", token);
	if (next)
		str_addf(xml, "<NextContinuationToken>%s</NextContinuationToken>", next);
	if (l->after)
		add_text(l, xml, "StartAfter", l->after);
}

static void respond(const struct listing *l)
{
	auto_str xml = { 0 };

	str_addf(&xml, S3_XML_HEAD "<ListBucketResult" S3_XMLNS "><Name>%s</Name>", partition_s3_xmlns, l->c->bucket);
	add_text(l, &xml, "Prefix", l->prefix ? l->prefix : "");
	if (l->delimiter)
		add_text(l, &xml, "Delimiter", l->delimiter);
	if (l->is_url_encoded)
		str_add(&xml, "<EncodingType>url</EncodingType>");
	str_addf(&xml, "<MaxKeys>%lld</MaxKeys><IsTruncated>%s</IsTruncated>", (long long)l->max_keys,
		 l->is_truncated ? "true" : "false");
	add_page_marks(l, &xml);
	str_add(&xml, str_text(&l->entries));
	str_add(&xml, str_text(&l->prefixes));
	str_add(&xml, "</ListBucketResult>");
	local_respond_xml(l->c->resp, 200, str_text(&xml));
}

void s3_call_list_objects(const struct s3_call *c)
{
	auto_listing l = { .c = c };
	auto_strlist keys = { 0 };
	auto_err err = { 0 };

	if (!read_parameters(&l))
		return;
	if (select_keys(&l, &keys, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	fill_page(&l, &keys);
	respond(&l);
}
