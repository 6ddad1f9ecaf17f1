/* DeleteObjects and DeleteObject of s3/object.h. */

#include <string.h>

#include "aws/partition.h"
#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "s3/request.h"

#define MAX_KEYS 1000

/* XML 1.0 has no way to say most control characters. */
static bool is_xml_text(const char *key)
{
	for (const unsigned char *p = (const unsigned char *)key; *p; p++) {
		if (*p < 0x20)
			return false;
	}
	return true;
}

static int delete_one(struct s3 *s3, const char *bucket, const char *key, struct err *err)
{
	auto_s3_request req = { .operation = "DeleteObject", .bucket = bucket, .key = key };
	auto_response resp = { 0 };

	req.aws.method = "DELETE";
	req.aws.is_idempotent = true;
	return s3_send(s3, &req, &resp, err);
}

/* Quiet: only what was not deleted is told. */
static int check_answer(const struct http_response *resp, struct err *err)
{
	auto_xml *root = xml_parse(str_text(&resp->body), resp->body.len, "DeleteObjects", err);
	const struct xml *x = root ? xml_child(root, "Error") : NULL;
	const char *key = x ? xml_child_text(x, "Key") : NULL, *code = x ? xml_child_text(x, "Code") : NULL;
	auto_free char *shown = key ? str_escaped(key) : NULL;

	if (!root)
		return -1;
	if (strcmp(root->name, "DeleteResult") != 0)
		return err_set(err, ERR_INVALID, "DeleteObjects: the answer says nothing of what was deleted");
	if (!x)
		return 0;
	err_set(err, str_eq(code, "AccessDenied") ? ERR_AUTH : ERR_SERVICE, "delete '%s': %s", shown ? shown : "?",
		code ? code : "?");
	return err_service(err, code ? code : "");
}

static int delete_batch(struct s3 *s3, const char *bucket, struct str *xml, struct err *err)
{
	auto_s3_request req = { .operation = "DeleteObjects", .bucket = bucket };
	auto_response resp = { 0 };
	auto_free char *checksum = NULL;
	struct digest digest;

	str_add(xml, "</Delete>");
	digest = digest_of(str_text(xml), xml->len);
	checksum = str_base64(digest.b, sizeof(digest.b));
	req.aws.method = "POST";
	req.aws.query = "delete=";
	req.aws.bytes = str_text(xml);
	req.aws.n = xml->len;
	req.aws.is_idempotent = true;
	req.aws.judge_body = s3_judge_body;
	req.aws.max_body_bytes = S3_MAX_XML_BYTES;
	http_headers_add(&req.headers, "Content-Type", "application/xml");
	http_headers_add(&req.headers, "x-amz-checksum-sha256", checksum);
	return s3_send(s3, &req, &resp, err) < 0 ? -1 : check_answer(&resp, err);
}

static void begin_batch(struct str *xml)
{
	str_addf(xml, "<Delete xmlns=\"%s\"><Quiet>true</Quiet>", partition_s3_xmlns);
}

static void add_key(struct str *xml, const char *key)
{
	str_add(xml, "<Object><Key>");
	xml_escape(xml, key);
	str_add(xml, "</Key></Object>");
}

int s3_delete(struct s3 *s3, const char *bucket, const struct strlist *keys, struct err *err)
{
	size_t i = 0;

	while (i < keys->n) {
		auto_str xml = { 0 };
		size_t n = 0;

		if (sys_check_cancelled(err) < 0)
			return -1;
		begin_batch(&xml);
		for (; i < keys->n && n < MAX_KEYS; i++) {
			if (is_xml_text(keys->v[i])) {
				add_key(&xml, keys->v[i]);
				n++;
			} else if (delete_one(s3, bucket, keys->v[i], err) < 0) {
				return -1;
			}
		}
		if (n && delete_batch(s3, bucket, &xml, err) < 0)
			return err_wrap(err, "delete from 's3://%s/'", bucket);
	}
	return 0;
}
