#include "local/s3_headers.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_checksum.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
#define USER_METADATA_MAX_BYTES 2048

#define CHECKSUM_TYPE "x-amz-checksum-type"
#define ENCRYPTION    "x-amz-server-side-encryption"

static bool is_kept_header(const char *name)
{
	static const char *const names[] = {
		"content-type",
		"content-encoding",
		"content-disposition",
		"content-language",
		"cache-control",
		"expires",
		ENCRYPTION,
		ENCRYPTION "-aws-kms-key-id",
		ENCRYPTION "-bucket-key-enabled",
		S3_TAGGING,
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return str_starts(name, "x-amz-meta-");
}

static bool is_kms(const json_t *headers)
{
	const char *encryption = json_str(headers, ENCRYPTION);

	return encryption && str_starts(encryption, "aws:kms");
}

/* NULL when all is well, else the words of an InvalidArgument. */
static const char *complain_of_encryption(const json_t *kept)
{
	const char *encryption = json_str(kept, ENCRYPTION);

	if (encryption && strcmp(encryption, "AES256") && strcmp(encryption, "aws:kms") &&
	    strcmp(encryption, "aws:kms:dsse"))
		return "The encryption method specified is not supported";
	if (json_str(kept, ENCRYPTION "-aws-kms-key-id") && !is_kms(kept))
		return "Server Side Encryption with AWS KMS managed key requires HTTP header "
		       "x-amz-server-side-encryption : aws:kms";
	return NULL;
}

/* The coding of the transfer is none of the object's. New string, or NULL when nothing is left. */
static char *without_aws_chunked(const char *value)
{
	auto_strlist codings = { 0 };
	auto_str kept = { 0 };

	str_split(&codings, value, ',');
	for (size_t i = 0; i < codings.n; i++) {
		auto_free char *coding = str_trim(codings.v[i]);

		if (*coding && strcmp(coding, "aws-chunked"))
			str_addf(&kept, "%s%s", kept.len ? "," : "", coding);
	}
	return kept.len ? str_detach(&kept) : NULL;
}

static void keep(json_t *kept, const char *name, const char *value)
{
	auto_free char *coding = NULL;

	if (strcmp(name, "content-encoding")) {
		json_put_str(kept, name, value);
		return;
	}
	coding = without_aws_chunked(value);
	json_put_str(kept, name, coding);
}

/* NULL: answered. */
static json_t *collect(const struct s3_call *c)
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
		keep(kept, name, value);
	}
	if (user_bytes > USER_METADATA_MAX_BYTES) {
		local_respond_s3_error(c->resp, 400, "MetadataTooLarge",
				       "Your metadata headers exceed the maximum allowed metadata size");
		return NULL;
	}
	return take(kept);
}

json_t *s3_headers_keep(const struct s3_call *c)
{
	auto_json *kept = NULL;
	const char *complaint;

	if (http_headers_get(&c->req->headers, ENCRYPTION "-customer-algorithm")) {
		local_respond_s3_error(c->resp, 501, "NotImplemented",
				       "The local cloud does not implement keys that the customer provides (SSE-C)");
		return NULL;
	}
	kept = collect(c);
	if (!kept)
		return NULL;
	complaint = complain_of_encryption(kept);
	if (complaint) {
		local_respond_s3_error(c->resp, 400, "InvalidArgument", "%s", complaint);
		return NULL;
	}
	if (!json_str(kept, ENCRYPTION))
		json_put_str(kept, ENCRYPTION, "AES256");
	return take(kept);
}

static void drop_checksum(json_t *headers)
{
	void *next;
	const char *name;
	json_t *value;
	enum s3_sum ignored;

	json_object_foreach_safe(headers, next, name, value) if (s3_checksum_of_header(name, &ignored))
		json_object_del(headers, name);
}

void s3_headers_set_checksum(json_t *headers, enum s3_sum sum, bool is_composite, const char *value)
{
	auto_free char *name = xasprintf("x-amz-checksum-%s", s3_sum_name(sum));

	drop_checksum(headers);
	json_put_str(headers, name, value);
	json_put_str(headers, CHECKSUM_TYPE, is_composite ? "COMPOSITE" : "FULL_OBJECT");
}

bool s3_headers_checksum(const json_t *headers, enum s3_sum *ret, const char **ret_value, bool *ret_is_composite)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)headers, name, value) {
		if (!s3_checksum_of_header(name, ret) || !json_is_string(value))
			continue;
		*ret_value = json_string_value(value);
		*ret_is_composite = str_eq(json_str(headers, CHECKSUM_TYPE), "COMPOSITE");
		return true;
	}
	return false;
}

char *s3_headers_etag(const json_t *headers, const unsigned char *md5)
{
	struct digest_md5 other;
	unsigned char salted[sizeof(other.b) + 3] = { 0 };

	if (!is_kms(headers))
		return str_hex(md5, sizeof(other.b));
	memcpy(salted, md5, sizeof(other.b));
	memcpy(salted + sizeof(other.b), "kms", 3);
	other = digest_md5_of(salted, sizeof(salted));
	return str_hex(other.b, sizeof(other.b));
}

void s3_headers_add_checksum(struct local_response *resp, const json_t *headers)
{
	auto_free char *name = NULL;
	const char *value;
	bool is_composite;
	enum s3_sum sum;

	if (!s3_headers_checksum(headers, &sum, &value, &is_composite))
		return;
	http_headers_set(&resp->headers, CHECKSUM_TYPE, is_composite ? "COMPOSITE" : "FULL_OBJECT");
	name = xasprintf("x-amz-checksum-%s", s3_sum_name(sum));
	http_headers_set(&resp->headers, name, value);
}

void s3_headers_add_checksum_xml(struct str *xml, const json_t *headers)
{
	const char *value;
	bool is_composite;
	enum s3_sum sum;

	if (!s3_headers_checksum(headers, &sum, &value, &is_composite))
		return;
	str_addf(xml, "<Checksum%s>%s</Checksum%s><ChecksumType>%s</ChecksumType>", s3_sum_label(sum), value,
		 s3_sum_label(sum), is_composite ? "COMPOSITE" : "FULL_OBJECT");
}

void s3_headers_add_encryption(struct local_response *resp, const json_t *headers)
{
	static const char *const names[] = { ENCRYPTION, ENCRYPTION "-aws-kms-key-id",
					     ENCRYPTION "-bucket-key-enabled" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = json_str(headers, names[i]);

		if (value)
			http_headers_set(&resp->headers, names[i], value);
	}
}

void s3_headers_add_object(struct local_response *resp, const struct s3_stored *o)
{
	auto_free char *modified = local_http_date(o->modified);
	const char *name;
	json_t *value;

	http_headers_set(&resp->headers, "Content-Type", "binary/octet-stream");
	json_object_foreach(o->headers, name, value)
		if (!str_starts(name, "x-amz-checksum-") && strcmp(name, S3_TAGGING) && json_is_string(value))
			http_headers_set(&resp->headers, name, json_string_value(value));
	http_headers_set(&resp->headers, "Last-Modified", modified);
	http_headers_addf(&resp->headers, "ETag", "\"%s\"", o->etag);
	http_headers_set(&resp->headers, "Accept-Ranges", "bytes");
}
