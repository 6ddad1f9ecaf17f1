#include <string.h>
#include <strings.h>

#include "aws/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_checksum.h"
#include "local/s3_headers.h"
#include "local/s3_multipart.h"
#include "local/s3_parts.h"

/* An upload on its way to be an object. */
struct completion {
	const struct s3_call *c;
	struct s3_upload u;
	struct s3_part *parts;
	size_t n, cap;
	uint64_t size;
	char *etag;
	json_t *kept_parts;
};

static void completion_release(struct completion *x)
{
	s3_upload_release(&x->u);
	for (size_t i = 0; i < x->n; i++)
		s3_part_release(&x->parts[i]);
	free(x->parts);
	free(x->etag);
	json_decref(x->kept_parts);
}

#define auto_completion __attribute__((cleanup(completion_release))) struct completion

static int refuse_part(struct err *err, int number)
{
	return s3_refuse(err, ERR_INVALID, "InvalidPart",
			 "One or more of the specified parts could not be found. The part may not have been uploaded, "
			 "or the specified entity tag may not match the part's entity tag: part %d",
			 number);
}

/* The checksum that the client repeats for a part must be the one that it sent with it. */
static int check_part_checksum(const struct completion *x, const struct xml *element, const struct s3_part *part,
			       struct err *err)
{
	auto_free char *name = xasprintf("Checksum%s", s3_sum_label(x->u.sum));
	auto_free char *ours = s3_sum_text(&part->sums, x->u.sum);
	const char *theirs = xml_child_text(element, name);

	if (!theirs && x->u.is_chosen && x->u.is_composite)
		return s3_refuse(err, ERR_INVALID, "InvalidRequest",
				 "The upload was created using a %s checksum. The complete request must include the "
				 "checksum for each part. It was missing for part %d in the request.",
				 s3_sum_name(x->u.sum), part->number);
	return !theirs || !strcmp(theirs, ours) ? 0 : refuse_part(err, part->number);
}

static int add_part(struct completion *x, const struct xml *element, struct err *err)
{
	const char *text = xml_child_text(element, "PartNumber"), *etag = xml_child_text(element, "ETag");
	int last = x->n ? x->parts[x->n - 1].number : 0;
	auto_s3_part part = { 0 };
	auto_err missing = { 0 };
	int64_t number;

	if (!text || !etag || !str_parse_i64(text, 1, S3_PARTS_MAX, &number))
		return s3_refuse(err, ERR_INVALID, "MalformedXML", "A part needs a PartNumber and an ETag");
	if (number <= last)
		return s3_refuse(err, ERR_INVALID, "InvalidPartOrder",
				 "The list of parts was not in ascending order. Parts must be ordered by part number.");
	if (s3_upload_part(x->c->cloud->s3, x->c->bucket, &x->u, (int)number, &part, &missing) < 0 ||
	    strcmp(etag, "*") == 0 || !s3_etag_matches(etag, part.etag))
		return refuse_part(err, (int)number);
	if (check_part_checksum(x, element, &part, err) < 0)
		return -1;
	x->size += part.size;
	array_grow(x->parts, x->n, x->cap);
	x->parts[x->n++] = part;
	part = (struct s3_part){ 0 };
	return 0;
}

static int read_parts(struct completion *x, struct err *err)
{
	auto_xml *xml = s3_parse_body(x->c->req, "CompleteMultipartUpload");

	for (const struct xml *part = xml ? xml_child(xml, "Part") : NULL; part; part = xml_next(part, "Part"))
		if (add_part(x, part, err) < 0)
			return -1;
	if (x->n > 0)
		return 0;
	return s3_refuse(err, ERR_INVALID, "MalformedXML",
			 "The XML you provided was not well-formed or did not validate against our published schema");
}

static int check_sizes(const struct completion *x, struct err *err)
{
	const char *said = http_headers_get(&x->c->req->headers, "x-amz-mp-object-size");
	int64_t size;

	for (size_t i = 0; i + 1 < x->n; i++)
		if (x->parts[i].size < S3_PART_MIN_BYTES)
			return s3_refuse(err, ERR_INVALID, "EntityTooSmall",
					 "Your proposed upload is smaller than the minimum allowed size: part %d has "
					 "%llu bytes of at least %llu",
					 x->parts[i].number, (unsigned long long)x->parts[i].size, S3_PART_MIN_BYTES);
	if (!said || (str_parse_i64(said, 0, INT64_MAX, &size) && (uint64_t)size == x->size))
		return 0;
	return s3_refuse(err, ERR_INVALID, "InvalidRequest",
			 "The provided 'x-amz-mp-object-size' header value %s does not match what was computed: %llu",
			 said, (unsigned long long)x->size);
}

/* MD5 of the parts' MD5. */
static void make_etag(struct completion *x)
{
	size_t n = s3_sum_bytes(S3_SUM_MD5);
	auto_free unsigned char *all = xmalloc(x->n * n);
	struct digest_md5 md5;
	auto_free char *etag = NULL;

	for (size_t i = 0; i < x->n; i++)
		memcpy(all + i * n, x->parts[i].sums.v[S3_SUM_MD5], n);
	md5 = digest_md5_of(all, x->n * n);
	etag = s3_headers_etag(x->u.headers, md5.b);
	x->etag = xasprintf("%s-%zu", etag, x->n);
}

static void sum_of_sums(const struct completion *x, struct s3_sums *ret)
{
	size_t n = s3_sum_bytes(x->u.sum);
	auto_free char *all = xmalloc(x->n * n);
	auto_err ignored = { 0 }; /* memory can be read */

	for (size_t i = 0; i < x->n; i++)
		memcpy(all + i * n, x->parts[i].sums.v[x->u.sum], n);
	s3_sums_add(ret, S3_SUM_SET(x->u.sum), &(struct s3_bytes){ .p = all, .size = x->n * n }, &ignored);
}

static char *object_checksum(const struct completion *x)
{
	struct s3_sums sums = { 0 };
	auto_free char *text = NULL;

	if (x->u.is_composite) {
		sum_of_sums(x, &sums);
		text = s3_sum_text(&sums, x->u.sum);
		return xasprintf("%s-%zu", text, x->n);
	}
	sums = x->parts[0].sums;
	for (size_t i = 1; i < x->n; i++)
		s3_sum_combine(x->u.sum, sums.v[x->u.sum], x->parts[i].sums.v[x->u.sum], x->parts[i].size);
	return s3_sum_text(&sums, x->u.sum);
}

/* What the client says of the whole object, with or without the number of parts behind it. */
static int check_object_checksum(const struct completion *x, const char *ours, struct err *err)
{
	const char *type = http_headers_get(&x->c->req->headers, "x-amz-checksum-type");

	if (type && strcasecmp(type, x->u.is_composite ? "COMPOSITE" : "FULL_OBJECT"))
		return s3_refuse(err, ERR_INVALID, "InvalidRequest",
				 "The upload was created using the %s checksum mode. The complete request must use "
				 "the same checksum mode.",
				 x->u.is_composite ? "COMPOSITE" : "FULL_OBJECT");
	for (size_t i = 0; i < x->c->req->headers.n; i++) {
		const struct http_header *h = &x->c->req->headers.v[i];
		size_t n = strlen(h->value);
		enum s3_sum sum;

		if (!s3_checksum_of_header(h->name, &sum))
			continue;
		if (sum != x->u.sum || strncmp(h->value, ours, n) || (ours[n] && ours[n] != '-'))
			return s3_refuse(err, ERR_INVALID, "BadDigest",
					 "The %s you specified did not match the calculated checksum.",
					 s3_sum_name(sum));
	}
	return 0;
}

static int describe(struct completion *x, struct err *err)
{
	auto_free char *checksum = object_checksum(x);

	if (check_object_checksum(x, checksum, err) < 0)
		return -1;
	make_etag(x);
	s3_headers_set_checksum(x->u.headers, x->u.sum, x->u.is_composite, checksum);
	x->kept_parts = s3_parts_new();
	for (size_t i = 0; i < x->n; i++) {
		auto_free char *sum = s3_sum_text(&x->parts[i].sums, x->u.sum);

		s3_parts_add(x->kept_parts, x->parts[i].size, sum);
	}
	return 0;
}

static int assemble(const struct completion *x, struct s3_staged *t, struct err *err)
{
	struct store_s3 *s = x->c->cloud->s3;

	if (s3_stage_new(t, s, x->c->bucket, err) < 0)
		return -1;
	for (size_t i = 0; i < x->n; i++) {
		auto_err part_err = { 0 };

		if (s3_upload_copy_part(s, x->c->bucket, &x->u, &x->parts[i], t, &part_err) == 0)
			continue;
		if (part_err.code == ERR_NOT_FOUND)
			return refuse_part(err, x->parts[i].number);
		err_move(err, &part_err);
		return -1;
	}
	return 0;
}

static int publish(const struct completion *x, struct err *err)
{
	struct store_s3 *s = x->c->cloud->s3;
	auto_free char *upload = s3_upload_path(s, x->c->bucket, &x->u);
	struct s3_publication p = { .bucket = x->c->bucket,
				    .key = x->c->key,
				    .etag = x->etag,
				    .headers = x->u.headers,
				    .parts = x->kept_parts,
				    .upload = upload };
	auto_s3_staged t = { .fd = -1 };

	s3_read_write_condition(x->c, &p.if_absent, &p.if_match);
	/* What is refused anyway need not be put together first. */
	if (s3_check_publication(s, &p, err) < 0 || assemble(x, &t, err) < 0 || s3_publish(s, &t, &p, err) < 0)
		return -1;
	s3_upload_drop(s, x->c->bucket, &x->u);
	return 0;
}

static void respond(const struct completion *x)
{
	const struct s3_call *c = x->c;
	auto_str xml = { 0 };

	str_addf(&xml, S3_XML_HEAD "<CompleteMultipartUploadResult" S3_XMLNS "><Location>http://127.0.0.1:%d",
		 partition_s3_xmlns, c->cloud->port);
	xml_escape(&xml, c->req->path);
	str_addf(&xml, "</Location><Bucket>%s</Bucket><Key>", c->bucket);
	xml_escape(&xml, c->key);
	str_addf(&xml, "</Key><ETag>&quot;%s&quot;</ETag>", x->etag);
	s3_headers_add_checksum_xml(&xml, x->u.headers);
	str_add(&xml, "</CompleteMultipartUploadResult>");
	local_respond_xml(c->resp, 200, str_text(&xml));
	s3_headers_add_encryption(c->resp, x->u.headers);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
void s3_call_complete_multipart_upload(const struct s3_call *c)
{
	auto_completion x = { .c = c };
	auto_err err = { 0 };
	const char *if_match;
	bool if_absent;

	if (!s3_read_write_condition(c, &if_absent, &if_match) || !s3_multipart_open(c, &x.u))
		return;
	if (read_parts(&x, &err) < 0 || check_sizes(&x, &err) < 0 || describe(&x, &err) < 0 || publish(&x, &err) < 0)
		s3_respond_err(c, &err);
	else
		respond(&x);
}
