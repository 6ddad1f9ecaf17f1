#include "aws/partition.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* A region is "<prefix><word>-<number>", so that one opened tomorrow falls to the right partition. */
static const struct {
	struct partition partition;
	const char *region_prefix; /* NULL: whatever is no other's */
} partitions[] = {
	{ { "aws",
	    "amazonaws.com",
	    "on.aws",
	    "console.aws.amazon.com",
	    "us-east-1",
	    "api.aws",
	    { "iam.amazonaws.com", "iam-fips.amazonaws.com", "iam.global.api.aws", "iam-fips.global.api.aws" },
	    "us-east-1" },
	  NULL },
	{ { "aws-cn",
	    "amazonaws.com.cn",
	    "on.amazonwebservices.com.cn",
	    "console.amazonaws.cn",
	    "cn-northwest-1",
	    "api.amazonwebservices.com.cn",
	    { "iam.cn-north-1.amazonaws.com.cn", NULL, "iam.global.api.amazonwebservices.com.cn", NULL },
	    "cn-north-1" },
	  "cn-" },
	{ { "aws-us-gov",
	    "amazonaws.com",
	    "on.aws",
	    "console.amazonaws-us-gov.com",
	    "us-gov-west-1",
	    "api.aws",
	    { "iam.us-gov.amazonaws.com", "iam.us-gov.amazonaws.com", "iam.us-gov.api.aws", "iam.us-gov.api.aws" },
	    "us-gov-west-1" },
	  "us-gov-" },
	{ { "aws-eusc",
	    "amazonaws.eu",
	    NULL,
	    "console.amazonaws-eusc.eu",
	    "eusc-de-east-1",
	    "api.amazonwebservices.eu",
	    { "iam.eusc-de-east-1.amazonaws.eu", NULL, NULL, NULL },
	    "eusc-de-east-1" },
	  "eusc-de-" },
	{ { "aws-iso",
	    "c2s.ic.gov",
	    NULL,
	    NULL,
	    "us-iso-east-1",
	    "api.aws.ic.gov",
	    { "iam.us-iso-east-1.c2s.ic.gov", "iam-fips.us-iso-east-1.c2s.ic.gov", NULL, NULL },
	    "us-iso-east-1" },
	  "us-iso-" },
	{ { "aws-iso-b",
	    "sc2s.sgov.gov",
	    NULL,
	    NULL,
	    "us-isob-east-1",
	    "api.aws.scloud",
	    { "iam.us-isob-east-1.sc2s.sgov.gov", "iam-fips.us-isob-east-1.sc2s.sgov.gov", NULL, NULL },
	    "us-isob-east-1" },
	  "us-isob-" },
	{ { "aws-iso-e",
	    "cloud.adc-e.uk",
	    NULL,
	    NULL,
	    "eu-isoe-west-1",
	    "api.cloud-aws.adc-e.uk",
	    { "iam.eu-isoe-west-1.cloud.adc-e.uk", NULL, NULL, NULL },
	    "eu-isoe-west-1" },
	  "eu-isoe-" },
	{ { "aws-iso-f",
	    "csp.hci.ic.gov",
	    NULL,
	    NULL,
	    "us-isof-south-1",
	    "api.aws.hci.ic.gov",
	    { "iam.us-isof-south-1.csp.hci.ic.gov", NULL, NULL, NULL },
	    "us-isof-south-1" },
	  "us-isof-" },
};

/* The rest of a region's name after its prefix: \w+-\d+ */
static bool is_word_and_number(const char *s)
{
	size_t word = 0;

	while (isalnum((unsigned char)s[word]) || s[word] == '_')
		word++;
	if (word == 0 || s[word] != '-' || !s[word + 1])
		return false;
	s += word + 1;
	return !s[strspn(s, "0123456789")];
}

const char partition_s3_xmlns[] = "http://s3.amazonaws.com/doc/2006-03-01/";
const char partition_sts_xmlns[] = "https://sts.amazonaws.com/doc/2011-06-15/";

/* "aws-cn-global": the made-up region of a partition's global services. */
static bool is_global_of(const char *region, const char *id)
{
	size_t n = strlen(id);

	return !strncmp(region, id, n) && !strcmp(region + n, "-global");
}

const struct partition *partition_of_region(const char *region)
{
	for (size_t i = 0; region && i < ARRAY_LEN(partitions); i++) {
		const char *prefix = partitions[i].region_prefix;

		if (prefix && str_starts(region, prefix) && is_word_and_number(region + strlen(prefix)))
			return &partitions[i].partition;
		if (is_global_of(region, partitions[i].partition.id))
			return &partitions[i].partition;
	}
	return &partitions[0].partition;
}

const struct partition *partition_by_id(const char *id)
{
	for (size_t i = 0; id && i < ARRAY_LEN(partitions); i++)
		if (!strcmp(partitions[i].partition.id, id))
			return &partitions[i].partition;
	return NULL;
}

const char *partition_sagemaker_principal(const struct partition *p)
{
	(void)p;
	return "sagemaker.amazonaws.com";
}

bool partition_is_region_name(const char *region)
{
	size_t n = region ? strlen(region) : 0;

	if (n < 1 || n > 63 || region[0] == '-' || region[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)region[i]) && region[i] != '-')
			return false;
	return true;
}

bool partition_is_account(const char *account)
{
	return account && strlen(account) == 12 && strspn(account, "0123456789") == 12;
}

int arn_parse(const char *s, struct arn *ret_arn)
{
	const char *field[5], *p;

	if (!s || !str_starts(s, "arn:"))
		return -1;
	p = s + strlen("arn:");
	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		field[i] = p;
		/* The resource, the last field, may hold colons of its own. */
		if (i + 1 < ARRAY_LEN(field)) {
			p = strchr(p, ':');
			if (!p)
				return -1;
			p++;
		}
	}
	if (*field[0] == ':' || *field[1] == ':' || !*field[4])
		return -1;
	*ret_arn = (struct arn){
		.partition = xstrndup(field[0], field[1] - field[0] - 1),
		.service = xstrndup(field[1], field[2] - field[1] - 1),
		.region = xstrndup(field[2], field[3] - field[2] - 1),
		.account = xstrndup(field[3], field[4] - field[3] - 1),
		.resource = xstrdup(field[4]),
	};
	return 0;
}

void arn_release(struct arn *arn)
{
	free(arn->partition);
	free(arn->service);
	free(arn->region);
	free(arn->account);
	free(arn->resource);
	*arn = (struct arn){ 0 };
}
