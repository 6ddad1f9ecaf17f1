#ifndef SMPIPE_LOCAL_S3_CHECKSUM_H
#define SMPIPE_LOCAL_S3_CHECKSUM_H

/*
 * The checksums that a client may send with bytes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */

#include "local/server.h"
#include "local/s3_sums.h"

struct s3_checked {
	struct s3_sums sums; /* MD5 and the one below, at least */
	enum s3_sum sum;     /* the one that the client sent, else S3_SUM_DEFAULT */
	bool is_claimed;     /* the client sent it */
};

/*
 * Sum up the body and compare: Content-MD5, and the one x-amz-checksum-* header or trailer that it may have. also: a
 * set of sums that are wanted besides. false: resp says why not.
 */
bool s3_checksum_check(const struct local_request *req, unsigned also, struct s3_checked *ret,
		       struct local_response *resp);

/* The checksum of a header "x-amz-checksum-crc32", "x-amz-checksum-sha256" …; false: it is none. */
bool s3_checksum_of_header(const char *name, enum s3_sum *ret);

#endif
