#include <string.h>

#include "aws/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3.h"
#include "local/s3_headers.h"

static void add_tag(struct str *xml, const char *pair)
{
	const char *equals = strchr(pair, '=');
	auto_free char *raw_key = equals ? xstrndup(pair, (size_t)(equals - pair)) : xstrdup(pair);
	auto_free char *key = str_uri_decode(raw_key), *value = str_uri_decode(equals ? equals + 1 : "");

	if (!key || !value || !*key)
		return;
	str_add(xml, "<Tag><Key>");
	xml_escape(xml, key);
	str_add(xml, "</Key><Value>");
	xml_escape(xml, value);
	str_add(xml, "</Value></Tag>");
}

/* Those that came with the object, in its x-amz-tagging header: nothing changes them later. */
void s3_call_get_object_tagging(const struct s3_call *c)
{
	auto_s3_stored o = { .fd = -1 };
	auto_strlist pairs = { 0 };
	auto_str xml = { 0 };
	auto_err err = { 0 };
	const char *tagging;

	if (store_s3_open(c->cloud->s3, c->bucket, c->key, &o, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	tagging = json_str(o.headers, S3_TAGGING);
	str_split(&pairs, tagging ? tagging : "", '&');
	str_addf(&xml, S3_XML_HEAD "<Tagging" S3_XMLNS "><TagSet>", partition_s3_xmlns);
	for (size_t i = 0; i < pairs.n; i++)
		add_tag(&xml, pairs.v[i]);
	str_add(&xml, "</TagSet></Tagging>");
	local_respond_xml(c->resp, 200, str_text(&xml));
}
