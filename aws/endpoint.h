#ifndef SMPIPE_AWS_ENDPOINT_H
#define SMPIPE_AWS_ENDPOINT_H

/*
 * Where a service answers: its regional host, or the endpoint that is configured.
 * Hosts: the endpoint rule sets of botocore (data/<service>/<version>/endpoint-rule-set-1.json).
 */

#include <stdbool.h>

#include "base/err.h"

enum aws_service {
	AWS_STS,
	AWS_S3,
	AWS_ECR,
	AWS_SAGEMAKER,
	AWS_LOGS,
	AWS_IAM,
	AWS_SSO,
	AWS_SSO_OIDC,
	AWS_SERVICE_COUNT,
};

/* "sts", "s3", "ecr", "sagemaker", "logs", …: the name in signatures. */
const char *aws_service_signing_name(enum aws_service service);

/* How a bucket stands in S3's addresses: addressing_style of the configuration file. */
enum endpoint_addressing {
	ENDPOINT_AUTO, /* in the host at AWS, in the path elsewhere */
	ENDPOINT_PATH,
	ENDPOINT_VIRTUAL,
};

struct endpoint {
	char *url;            /* scheme://host[:port][/path], no closing '/'; NULL: not known in this partition (IAM) */
	char *signing_region; /* the region in signatures, where it is not the caller's (IAM, global STS); or NULL */
	bool is_override;     /* not AWS's own host */
	enum endpoint_addressing addressing; /* of S3's */
};

#define auto_endpoint __attribute__((cleanup(endpoint_release))) struct endpoint

struct aws_settings;

/*
 * What is configured (aws/settings.h) goes first, then the partition's host; AWS_USE_FIPS_ENDPOINT and
 * AWS_USE_DUALSTACK_ENDPOINT (use_fips_endpoint, use_dualstack_endpoint) choose among those. AWS_STS_REGIONAL_ENDPOINTS
 * (sts_regional_endpoints) = legacy asks the global STS in the regions that had it. Only what is configured needs no
 * region: it may be NULL then.
 *
 * S3's addressing_style (path, virtual, auto) is taken from the profile's `s3` as botocore reads it.
 *
 * A configured endpoint must be https, or http to a loopback host, and cannot be had together with FIPS or dual-stack.
 * ERR_CONFIG.
 */
int endpoint_resolve(enum aws_service service, const char *region, const struct aws_settings *settings,
		     struct endpoint *ret, struct err *err);
void endpoint_release(struct endpoint *e);

/*
 * Host and port of an endpoint, in a region that is not the one it was resolved for; the region must be of the same
 * partition. An override is everywhere the same. New string.
 */
char *endpoint_host_in(const struct endpoint *e, const char *own_region, const char *region);

/*
 * Check a registry host as GetAuthorizationToken names it (proxyEndpoint without scheme): it must be
 * <account>.dkr.ecr.<region>.<suffix> (or the FIPS and dual-stack forms) of this account, region and partition. A
 * loopback host passes only when is_loopback_ecr. ERR_CONFIG.
 */
int endpoint_check_registry(const char *host, const char *account, const char *region, bool is_loopback_ecr,
			    struct err *err);

/* "<account>.dkr.ecr.<region>.<suffix>"; new string. */
char *endpoint_registry_host(const char *account, const char *region);

/* The page of a training job in AWS's console, or NULL where the partition's console is not public; new string. */
char *endpoint_console_url(const char *region, const char *job_name);

#endif
