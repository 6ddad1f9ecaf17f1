#ifndef SMPIPE_AWS_ENDPOINT_H
#define SMPIPE_AWS_ENDPOINT_H

/* Where a service answers: its regional host, or what AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> say. */

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

/* "sts", "s3", "ecr", "sagemaker", "logs", "iam", "awsssoportal", "sso-oauth": the name in signatures. */
const char *aws_service_signing_name(enum aws_service service);

struct endpoint {
	char *url;                  /* scheme://host[:port][/path], no closing '/' */
	bool is_override;           /* not AWS's own host */
	const char *signing_region; /* of a service that has one place per partition; NULL: the region asked for */
};

#define auto_endpoint __attribute__((cleanup(endpoint_release))) struct endpoint

/* Looks an environment variable up. Where one is asked for, NULL means getenv. */
typedef const char *(*env_fn)(const char *name);

/* The value of a variable, or NULL when it is unset or blank. Borrowed. */
const char *env_get(env_fn env, const char *name);

/*
 * Order: AWS_ENDPOINT_URL_<STS|S3|ECR|SAGEMAKER|CLOUDWATCH_LOGS|IAM>,
 * AWS_ENDPOINT_URL, the partition's host. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true skips the first two.
 * An override must be https, or http to a loopback host. FIPS endpoints are not known yet: AWS_USE_FIPS_ENDPOINT=true
 * is refused rather than ignored. ERR_CONFIG.
 */
int endpoint_resolve(enum aws_service service, const char *region, env_fn env, struct endpoint *ret, struct err *err);
void endpoint_release(struct endpoint *e);

/*
 * Check a registry host as GetAuthorizationToken names it (proxyEndpoint without scheme): it must be
 * <account>.dkr.ecr.<region>.<suffix> (or the FIPS and dual-stack forms) of this account, region and partition. A
 * loopback host passes only when is_loopback_ecr. ERR_CONFIG.
 */
int endpoint_check_registry(const char *host, const char *account, const char *region, bool is_loopback_ecr,
			    struct err *err);

/* "<account>.dkr.ecr.<region>.<suffix>"; new string. */
char *endpoint_registry_host(const char *account, const char *region);

#endif
