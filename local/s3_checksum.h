#ifndef SMPIPE_LOCAL_S3_CHECKSUM_H
#define SMPIPE_LOCAL_S3_CHECKSUM_H

/*
 * The checksums that a client may send with an object.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */

#include "local/server.h"

/* Whether the body is what Content-MD5 and every x-amz-checksum-* header say; false: resp says why not. */
bool s3_checksum_check(const struct local_request *req, struct local_response *resp);

/* "crc32" and the like of a header "x-amz-checksum-crc32", or NULL. Borrowed. */
const char *s3_checksum_algorithm(const char *header_name);

#endif
