#ifndef SMPIPE_AWS_PARTITION_H
#define SMPIPE_AWS_PARTITION_H

/*
 * The eight AWS partitions. The only file where AWS's own domain names stand.
 * Source: botocore data/partitions.json, version 1.1.
 */

#include <stdbool.h>

struct partition {
	const char *id;               /* "aws", "aws-cn", …: the second field of every ARN */
	const char *dns_suffix;       /* of ordinary hosts */
	const char *registry_suffix;  /* of dual-stack registry hosts, or NULL where there are none */
	const char *console_host;     /* "console.aws.amazon.com", or NULL where it is not public */
	const char *global_region;    /* the implicit region of global services */
	const char *dualstack_suffix; /* "api.aws" */
	const char *iam_host[4];      /* plain, FIPS, dual-stack, both; NULL where it is not known */
	const char *iam_region;       /* signs for IAM; NULL where that is not known */
};

/*
 * The partition of a region, by the patterns for regions not opened yet; what fits none belongs to "aws", as in the
 * SDKs. Never NULL.
 */
const struct partition *partition_of_region(const char *region);
const struct partition *partition_by_id(const char *id); /* NULL when there is none */

/*
 * Who takes on a training job's role: the principal of its trust and of iam:PassedToService. The same in every
 * partition: service principals are no host names, and only those of a few old services have another suffix in China.
 */
const char *partition_sagemaker_principal(const struct partition *p);

/* XML namespaces: they look like addresses, and are the same in every partition. */
extern const char partition_s3_xmlns[], partition_sts_xmlns[];

/* Whether it can be a region name at all: letters, digits, hyphens, 1 to 63. */
bool partition_is_region_name(const char *region);

/* "arn:aws-cn:iam::123456789012:role/R" → parts; NULL-safe, -1 when it is no ARN. Strings are new. */
struct arn {
	char *partition, *service, *region, *account, *resource;
};
#define auto_arn __attribute__((cleanup(arn_release))) struct arn
int arn_parse(const char *s, struct arn *ret_arn);
void arn_release(struct arn *arn);

/* Twelve digits. */
bool partition_is_account(const char *account);

#endif
