#ifndef SMPIPE_LOCAL_S3_H
#define SMPIPE_LOCAL_S3_H

/*
 * The operations of S3, path style, as far as clients of a training pipeline use them.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */

#include "aws/partition.h"
#include "local/cloud.h"

#define S3_XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
/* In a format, for partition_s3_xmlns. */
#define S3_XMLNS " xmlns=\"%s\""

/* One call: bucket and key are decoded; key is NULL for calls on a bucket, both are for calls on the service. */
struct s3_call {
	struct cloud *cloud;
	const struct local_request *req;
	struct local_response *resp;
	const char *bucket, *key;
};

typedef void (*s3_call_fn)(const struct s3_call *c);

/* s3_bucket.c */
void s3_call_list_buckets(const struct s3_call *c);
void s3_call_create_bucket(const struct s3_call *c);
void s3_call_head_bucket(const struct s3_call *c);
void s3_call_delete_bucket(const struct s3_call *c);
void s3_call_get_bucket_location(const struct s3_call *c);
void s3_call_get_bucket_versioning(const struct s3_call *c);
void s3_call_put_bucket_config(const struct s3_call *c);
void s3_call_get_bucket_config(const struct s3_call *c);
void s3_call_delete_bucket_config(const struct s3_call *c);
/* Whether buckets keep a configuration document under this sub-resource. */
bool s3_is_bucket_config(const char *subresource);

/* s3_listing.c */
void s3_call_list_objects(const struct s3_call *c);

/* s3_object.c */
void s3_call_put_object(const struct s3_call *c);
void s3_call_delete_object(const struct s3_call *c);
void s3_call_delete_objects(const struct s3_call *c);

/* s3_get.c */
void s3_call_get_object(const struct s3_call *c); /* and HEAD */
void s3_call_get_object_attributes(const struct s3_call *c);

/* s3_tagging.c */
void s3_call_get_object_tagging(const struct s3_call *c);

/* s3_copy.c */
void s3_call_copy_object(const struct s3_call *c);
void s3_call_upload_part_copy(const struct s3_call *c);

/* s3_multipart.c */
void s3_call_create_multipart_upload(const struct s3_call *c);
void s3_call_upload_part(const struct s3_call *c);
void s3_call_abort_multipart_upload(const struct s3_call *c);

/* s3_complete.c */
void s3_call_complete_multipart_upload(const struct s3_call *c);

/* s3_multipart_lists.c */
void s3_call_list_parts(const struct s3_call *c);
void s3_call_list_multipart_uploads(const struct s3_call *c);

/* The operation that a request to S3 asks for, as the API names it ("UploadPart"); NULL: none that is known. */
const char *s3_operation(const struct local_request *req);

/* The conditions of a write; false: answered. *ret_if_match is borrowed, NULL for none. */
bool s3_read_write_condition(const struct s3_call *c, bool *ret_if_absent, const char **ret_if_match);
/* The body as XML, at most 16 MiB of it; NULL when it is none. what names it. */
struct xml *s3_parse_body(const struct local_request *req, const char *what);
/* Answer with what the store said. */
void s3_respond_err(const struct s3_call *c, const struct err *err);
/* "2023-11-23T01:38:54.000Z"; new string. */
char *s3_time_iso(time_t t);

#endif
