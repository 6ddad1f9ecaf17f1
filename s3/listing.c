/* ListObjectsV2 of s3/object.h. */

#include <string.h>

#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/request.h"

void s3_listing_release(struct s3_listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].key);
	free(l->v);
	*l = (struct s3_listing){ 0 };
}

char *s3_listed_key(const struct xml *page, const char *text)
{
	auto_free char *copy = xstrdup_or_null(text);

	if (!text || !str_eq(xml_child_text(page, "EncodingType"), "url"))
		return take(copy);
	for (char *p = copy; (p = strchr(p, '+')); p++)
		*p = ' ';
	return str_uri_decode(copy);
}

/* 0 when the answer does not say. */
static time_t modified(const struct xml *x)
{
	const char *text = xml_child_text(x, "LastModified");
	time_t t;

	return text && str_parse_time_iso(text, &t) == 0 ? t : 0;
}

static int add_folders(const struct xml *page, const char *below, size_t max, struct strlist *folders, struct err *err)
{
	for (const struct xml *x = xml_child(page, "CommonPrefixes"); x; x = xml_next(x, "CommonPrefixes")) {
		auto_free char *decoded = s3_listed_key(page, xml_child_text(x, "Prefix"));

		if (!decoded || !str_starts(decoded, below))
			return err_set(err, ERR_INVALID, "an entry of the list has no proper prefix");
		if (folders->n >= max)
			return err_set(err, ERR_INVALID, "there are more than %zu folders", max);
		strlist_take(folders, take(decoded));
	}
	return 0;
}

/* Callers delete what is listed, and cut the prefix off: a key that does not lie below it is no answer. */
static int add_page(const struct xml *page, const char *below, size_t max, struct s3_listing *l,
		    struct strlist *folders, struct err *err)
{
	for (const struct xml *x = xml_child(page, "Contents"); x; x = xml_next(x, "Contents")) {
		const char *size_text = xml_child_text(x, "Size");
		auto_free char *decoded = s3_listed_key(page, xml_child_text(x, "Key"));
		int64_t size;

		if (!decoded || !str_starts(decoded, below) || !size_text ||
		    !str_parse_i64(size_text, 0, INT64_MAX, &size))
			return err_set(err, ERR_INVALID, "an entry of the list has no proper key or size");
		if (l->n >= max)
			return err_set(err, ERR_INVALID, "there are more than %zu objects", max);
		array_grow(l->v, l->n, l->cap);
		l->v[l->n++] = (struct s3_listed){
			.key = take(decoded),
			.size = (uint64_t)size,
			.modified_s = modified(x),
		};
	}
	return folders ? add_folders(page, below, max, folders, err) : 0;
}

static struct xml *get_page(struct s3 *s3, const char *bucket, const char *prefix, bool is_level, const char *token,
			    struct err *err)
{
	auto_s3_request req = { .operation = "ListObjectsV2", .bucket = bucket };
	auto_response resp = { 0 };
	auto_free char *encoded_prefix = str_uri_encode(prefix, false);
	auto_free char *encoded_token = str_uri_encode(token ? token : "", false);
	/* The parameters stand in the order in which they are signed. */
	auto_free char *query =
		xasprintf("%s%s%s%sencoding-type=url&list-type=2&prefix=%s", token ? "continuation-token=" : "",
			  encoded_token, token ? "&" : "", is_level ? "delimiter=%2F&" : "", encoded_prefix);
	struct xml *page;

	req.aws.method = "GET";
	req.aws.query = query;
	req.aws.is_idempotent = true;
	req.aws.judge_body = s3_judge_body;
	req.aws.max_body_bytes = S3_MAX_XML_BYTES;
	if (s3_send(s3, &req, &resp, err) < 0)
		return NULL;
	page = xml_parse(str_text(&resp.body), resp.body.len, "ListObjectsV2", err);
	if (page && !str_eq(page->name, "ListBucketResult")) {
		xml_free(page);
		err_set(err, ERR_INVALID, "ListObjectsV2 's3://%s/': the answer is no list", bucket);
		return NULL;
	}
	return page;
}

/* Moves on to the next page: 1 when there is one. A service that names the same page again would never end. */
static int next_token(const struct xml *page, char **token, struct err *err)
{
	const char *next = xml_child_text(page, "NextContinuationToken");

	if (!str_eq(xml_child_text(page, "IsTruncated"), "true"))
		return 0;
	if (!next || !*next || str_eq(next, *token))
		return err_set(err, ERR_INVALID, "the list is cut short and does not say how to go on");
	free(*token);
	*token = xstrdup(next);
	return 1;
}

static int list_pages(struct s3 *s3, const char *bucket, const char *prefix, size_t max, struct s3_listing *ret,
		      struct strlist *ret_folders, struct err *err)
{
	auto_s3_listing list = { 0 };
	auto_strlist folders = { 0 };
	auto_free char *token = NULL;
	size_t pages = 0;
	int more;

	do {
		auto_xml *page = get_page(s3, bucket, prefix, ret_folders != NULL, token, err);

		if (!page)
			return -1;
		if (add_page(page, prefix, max, &list, ret_folders ? &folders : NULL, err) < 0)
			return err_wrap(err, "list 's3://%s/%s'", bucket, prefix);
		more = next_token(page, &token, err);
		if (more > 0 && pages++ > max)
			more = err_set(err, ERR_INVALID, "there are more pages than objects asked for");
		if (more < 0)
			return err_wrap(err, "list 's3://%s/%s'", bucket, prefix);
	} while (more);
	*ret = list;
	list = (struct s3_listing){ 0 };
	if (ret_folders) {
		*ret_folders = folders;
		folders = (struct strlist){ 0 };
	}
	return 0;
}

int s3_list(struct s3 *s3, const char *bucket, const char *prefix, size_t max, struct s3_listing *ret, struct err *err)
{
	return list_pages(s3, bucket, prefix, max, ret, NULL, err);
}

int s3_list_level(struct s3 *s3, const char *bucket, const char *prefix, size_t max, struct s3_listing *ret,
		  struct strlist *ret_folders, struct err *err)
{
	return list_pages(s3, bucket, prefix, max, ret, ret_folders, err);
}
