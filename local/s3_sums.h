#ifndef SMPIPE_LOCAL_S3_SUMS_H
#define SMPIPE_LOCAL_S3_SUMS_H

/* The digests and checksums that S3 keeps of bytes: MD5 for the ETag, and one that the client chooses. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

enum s3_sum { S3_SUM_MD5, S3_SUM_SHA256, S3_SUM_SHA1, S3_SUM_CRC32, S3_SUM_CRC32C, S3_SUM_CRC64NVME };
#define S3_SUMS 6

/* What S3 computes by itself where the client names nothing. */
#define S3_SUM_DEFAULT S3_SUM_CRC64NVME

#define S3_SUM_SET(sum) (1u << (sum))

struct s3_sums {
	unsigned known; /* a set of S3_SUM_SET() */
	unsigned char v[S3_SUMS][DIGEST_BYTES];
};

/* Bytes in memory, or, where p is NULL, size bytes of a file from an offset on. */
struct s3_bytes {
	const char *p;
	int fd;
	uint64_t offset, size;
};

/* Add the sums of the set that are not yet known, in one pass and bounded memory. */
int s3_sums_add(struct s3_sums *sums, unsigned set, const struct s3_bytes *bytes, struct err *err);

size_t s3_sum_bytes(enum s3_sum sum);
/* "sha256", as in x-amz-checksum-sha256. */
const char *s3_sum_name(enum s3_sum sum);
/* false: there is no such checksum. Case does not matter ("SHA256"); MD5 is none. */
bool s3_sum_parse(const char *name, enum s3_sum *ret);
/* "SHA256", as in <ChecksumAlgorithm> and, after "Checksum", in the elements of XML answers. */
const char *s3_sum_label(enum s3_sum sum);
bool s3_sum_is_crc(enum s3_sum sum);

/* In base64; new string. */
char *s3_sum_text(const struct s3_sums *sums, enum s3_sum sum);

/* Put B's CRC behind A's. */
void s3_sum_combine(enum s3_sum sum, unsigned char *a, const unsigned char *b, uint64_t b_bytes);

#endif
