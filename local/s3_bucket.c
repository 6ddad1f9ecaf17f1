#include <string.h>

#include "aws/partition.h"
#include "aws/xml.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3.h"
#include "local/s3_store.h"

#define CONFIG_MAX_BYTES ((size_t)1 << 20)

void s3_call_list_buckets(const struct s3_call *c)
{
	auto_free char *prefix = local_query_get(c->req, "prefix");
	auto_strlist names = { 0 };
	auto_str xml = { 0 };
	auto_err err = { 0 };

	if (store_s3_buckets(c->cloud->s3, &names, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	str_addf(&xml, S3_XML_HEAD "<ListAllMyBucketsResult" S3_XMLNS "><Owner><ID>%s</ID></Owner><Buckets>",
		 partition_s3_xmlns, c->cloud->account);
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *region = NULL, *created_text = NULL;
		auto_err ignored = { 0 };
		time_t created;

		/* One that vanished meanwhile is not listed. */
		if ((prefix && !str_starts(names.v[i], prefix)) ||
		    store_s3_bucket_info(c->cloud->s3, names.v[i], &region, &created, &ignored) < 0)
			continue;
		created_text = s3_time_iso(created);
		str_addf(
			&xml,
			"<Bucket><Name>%s</Name><CreationDate>%s</CreationDate><BucketRegion>%s</BucketRegion></Bucket>",
			names.v[i], created_text, region);
	}
	str_add(&xml, "</Buckets></ListAllMyBucketsResult>");
	local_respond_xml(c->resp, 200, str_text(&xml));
}

/* The region that the body asks for; that of the signature when it does not say. NULL: answered. */
static char *wanted_region(const struct s3_call *c)
{
	auto_xml *x = NULL;
	auto_err err = { 0 };
	const char *location = NULL;

	if (c->req->body_size > 0) {
		x = c->req->body ? xml_parse(c->req->body, c->req->body_size, "CreateBucketConfiguration", &err) : NULL;
		if (!x) {
			local_respond_s3_error(c->resp, 400, "MalformedXML",
					       "The XML you provided was not well-formed");
			return NULL;
		}
		location = xml_child_text(x, "LocationConstraint");
	}
	if (!location || !*location)
		location = c->req->region;
	if (!partition_is_region_name(location)) {
		local_respond_s3_error(c->resp, 400, "InvalidLocationConstraint",
				       "The specified location-constraint is not valid");
		return NULL;
	}
	return xstrdup(location);
}

void s3_call_create_bucket(const struct s3_call *c)
{
	auto_free char *region = wanted_region(c);
	auto_err err = { 0 };

	if (!region)
		return;
	if (store_s3_create_bucket(c->cloud->s3, c->bucket, region, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	c->resp->status = 200;
	http_headers_addf(&c->resp->headers, "Location", "/%s", c->bucket);
}

void s3_call_head_bucket(const struct s3_call *c)
{
	auto_free char *region = NULL;
	auto_err err = { 0 };
	time_t created;

	if (store_s3_bucket_info(c->cloud->s3, c->bucket, &region, &created, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	c->resp->status = 200;
	http_headers_set(&c->resp->headers, "x-amz-bucket-region", region);
}

void s3_call_delete_bucket(const struct s3_call *c)
{
	auto_err err = { 0 };

	if (store_s3_delete_bucket(c->cloud->s3, c->bucket, &err) < 0)
		s3_respond_err(c, &err);
	else
		c->resp->status = 204;
}

/* us-east-1, the first region, is written as nothing. */
void s3_call_get_bucket_location(const struct s3_call *c)
{
	auto_free char *region = NULL, *xml = NULL;
	auto_err err = { 0 };
	time_t created;

	if (store_s3_bucket_info(c->cloud->s3, c->bucket, &region, &created, &err) < 0) {
		s3_respond_err(c, &err);
		return;
	}
	xml = xasprintf(S3_XML_HEAD "<LocationConstraint" S3_XMLNS ">%s</LocationConstraint>", partition_s3_xmlns,
			strcmp(region, "us-east-1") ? region : "");
	local_respond_xml(c->resp, 200, xml);
}

void s3_call_get_bucket_versioning(const struct s3_call *c)
{
	auto_free char *xml = xasprintf(S3_XML_HEAD "<VersioningConfiguration" S3_XMLNS "/>", partition_s3_xmlns);

	if (store_s3_has_bucket(c->cloud->s3, c->bucket))
		local_respond_xml(c->resp, 200, xml);
	else
		local_respond_s3_error(c->resp, 404, "NoSuchBucket", "The specified bucket does not exist");
}

/* Kept as they are sent; nothing here acts on them. */
static const struct config {
	const char *subresource, *absent_code;
} configs[] = {
	{ "publicAccessBlock", "NoSuchPublicAccessBlockConfiguration" },
	{ "encryption", "ServerSideEncryptionConfigurationNotFoundError" },
	{ "tagging", "NoSuchTagSet" },
};

bool s3_is_bucket_config(const char *subresource)
{
	for (size_t i = 0; i < ARRAY_LEN(configs); i++)
		if (!strcmp(configs[i].subresource, subresource))
			return true;
	return false;
}

static const struct config *config_of(const struct local_request *req)
{
	size_t i = 0;

	while (!local_query_has(req, configs[i].subresource))
		i++;
	return &configs[i];
}

void s3_call_put_bucket_config(const struct s3_call *c)
{
	auto_xml *x = NULL;
	auto_err err = { 0 };

	if (c->req->body && c->req->body_size <= CONFIG_MAX_BYTES)
		x = xml_parse(c->req->body, c->req->body_size, "configuration", &err);
	if (!x) {
		local_respond_s3_error(c->resp, 400, "MalformedXML", "The XML you provided was not well-formed");
		return;
	}
	if (store_s3_put_config(c->cloud->s3, c->bucket, config_of(c->req)->subresource, c->req->body, &err) < 0)
		s3_respond_err(c, &err);
	else
		c->resp->status = 200;
}

void s3_call_get_bucket_config(const struct s3_call *c)
{
	const struct config *config = config_of(c->req);
	auto_free char *text = NULL;
	auto_err err = { 0 };

	if (store_s3_get_config(c->cloud->s3, c->bucket, config->subresource, &text, &err) == 0)
		local_respond_xml(c->resp, 200, text);
	else if (err.code == ERR_NOT_FOUND && !err.service_code)
		local_respond_s3_error(c->resp, 404, config->absent_code, "The %s configuration was not found",
				       config->subresource);
	else
		s3_respond_err(c, &err);
}

void s3_call_delete_bucket_config(const struct s3_call *c)
{
	auto_err err = { 0 };

	if (store_s3_delete_config(c->cloud->s3, c->bucket, config_of(c->req)->subresource, &err) < 0)
		s3_respond_err(c, &err);
	else
		c->resp->status = 204;
}
