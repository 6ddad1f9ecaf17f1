#ifndef SMPIPE_LOCAL_S3_HEADERS_H
#define SMPIPE_LOCAL_S3_HEADERS_H

/*
 * What S3 keeps of a request's headers with an object, by lower-case name, and gives back with it. A checksum is kept
 * as the headers that tell it: x-amz-checksum-<algorithm> and x-amz-checksum-type.
 */

#include <jansson.h>

#include "local/s3.h"
#include "local/s3_store.h"

/* Kept, but not given back with the object. */
#define S3_TAGGING "x-amz-tagging"

/* NULL: answered. An object that names no encryption has AES256, as the service does it. */
json_t *s3_headers_keep(const struct s3_call *c);

/* value in base64, followed by "-<parts>" when it is composite. */
void s3_headers_set_checksum(json_t *headers, enum s3_sum sum, bool is_composite, const char *value);
/* false: none is kept. *ret_value is borrowed. */
bool s3_headers_checksum(const json_t *headers, enum s3_sum *ret, const char **ret_value, bool *ret_is_composite);

/*
 * An MD5 as the ETag has it, in hexadecimal; of what is encrypted with a KMS key S3 does not tell the MD5, but some
 * other value of that form.
 */
char *s3_headers_etag(const json_t *headers, const unsigned char *md5);

void s3_headers_add_checksum(struct local_response *resp, const json_t *headers);
void s3_headers_add_encryption(struct local_response *resp, const json_t *headers);
/* Those of GetObject, without its checksum. */
void s3_headers_add_object(struct local_response *resp, const struct s3_stored *o);

/* <ChecksumSHA256>…</ChecksumSHA256><ChecksumType>…</ChecksumType> of the kept headers. */
void s3_headers_add_checksum_xml(struct str *xml, const json_t *headers);

#endif
