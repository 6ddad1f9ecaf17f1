#include "aws/endpoint.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "aws/partition.h"
#include "aws/settings.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/str.h"

/* Indexes of a service's hosts. */
enum {
	FIPS = 1,
	DUALSTACK = 2,
};

/* The host is "<prefix>.<region>.<suffix>". */
static const struct {
	const char *id; /* in the names of variables and in [services] sections */
	const char *signing_name;
	const char *prefix[4]; /* plain, FIPS, dual-stack, both */
} services[AWS_SERVICE_COUNT] = {
	[AWS_STS] = { "STS", "sts", { "sts", "sts-fips", "sts", "sts-fips" } },
	[AWS_S3] = { "S3", "s3", { "s3", "s3-fips", "s3.dualstack", "s3-fips.dualstack" } },
	[AWS_ECR] = { "ECR", "ecr", { "api.ecr", "api.ecr-fips", "ecr", "ecr-fips" } },
	[AWS_SAGEMAKER] = { "SageMaker",
			    "sagemaker",
			    { "api.sagemaker", "api.sagemaker-fips", "api.sagemaker", "api.sagemaker-fips" } },
	[AWS_LOGS] = { "CloudWatch Logs", "logs", { "logs", "logs-fips", "logs", "logs-fips" } },
	[AWS_IAM] = { "IAM", "iam", { NULL } },
	[AWS_SSO] = { "SSO", "awsssoportal", { "portal.sso", "portal.sso-fips", "portal.sso", "portal.sso-fips" } },
	[AWS_SSO_OIDC] = { "SSO OIDC", "sso-oauth", { "oidc", "oidc-fips", "oidc", "oidc-fips" } },
};

/* Where one partition's prefix is another; NULL: there is no such host. */
static const struct {
	enum aws_service service;
	int variant;
	const char *partition, *prefix;
} exceptions[] = {
	{ AWS_SAGEMAKER, FIPS, "aws", "api-fips.sagemaker" },
	{ AWS_SAGEMAKER, FIPS, "aws-us-gov", "api-fips.sagemaker" },
	{ AWS_STS, FIPS, "aws-us-gov", "sts" },
	{ AWS_LOGS, FIPS, "aws-us-gov", "logs" },
	{ AWS_S3, FIPS, "aws-cn", NULL },
	{ AWS_S3, FIPS | DUALSTACK, "aws-cn", NULL },
};

const char *aws_service_signing_name(enum aws_service service)
{
	return services[service].signing_name;
}

/* Signed requests carry no secret but may be replayed and read: plain HTTP stays on this machine. */
static int check_override(const char *from, const char *url, struct err *err)
{
	auto_free char *shown = http_url_shown(url);
	auto_url parts = { 0 };

	/* Not quoted: what stands before it may be a password. */
	if (strchr(url, '@'))
		return err_set(err, ERR_CONFIG, "%s holds '@': a URL of scheme, host, port and path is needed", from);
	if (http_url_parse(url, &parts, err) < 0) {
		err->code = ERR_CONFIG;
		return err_wrap(err, "use %s", from);
	}
	if (strchr(url, '#') || strchr(url, '?'))
		return err_set(err, ERR_CONFIG, "%s is '%s': a URL of scheme, host, port and path is needed", from,
			       shown);
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return err_set(err, ERR_CONFIG, "%s holds white space or control characters", from);
	if (strcmp(parts.scheme, "https") && !http_is_loopback(parts.host))
		return err_set(err, ERR_CONFIG, "%s is '%s': only https, or http to this machine, is allowed", from,
			       shown);
	return 0;
}

static int resolve_override(char *url, const char *from, int variant, struct endpoint *ret, struct err *err)
{
	auto_free char *own = url;

	for (size_t n = strlen(own); n > 0 && own[n - 1] == '/'; n--)
		own[n - 1] = '\0';
	if (check_override(from, own, err) < 0)
		return -1;
	if (variant & FIPS)
		return err_set(err, ERR_CONFIG,
			       "%s is '%s', but AWS_USE_FIPS_ENDPOINT or use_fips_endpoint is set: "
			       "FIPS and custom endpoint are not supported together",
			       from, own);
	if (variant & DUALSTACK)
		return err_set(err, ERR_CONFIG,
			       "%s is '%s', but AWS_USE_DUALSTACK_ENDPOINT or use_dualstack_endpoint is "
			       "set: Dualstack and custom endpoint are not supported together",
			       from, own);
	*ret = (struct endpoint){ .url = take(own), .is_override = true };
	return 0;
}

/* The regions that the global STS served before there were regional ones; us-east-1 signs for it. */
static bool is_global_sts(const char *region, const struct aws_settings *settings, int variant)
{
	static const char *const legacy[] = {
		"ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
		"eu-central-1",   "eu-north-1", "eu-west-1",      "eu-west-2",      "eu-west-3",
		"sa-east-1",      "us-east-1",  "us-east-2",      "us-west-1",      "us-west-2",
	};
	const char *mode = settings_get(settings, "AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints");

	if (variant)
		return false;
	if (!strcmp(region, "aws-global"))
		return true;
	for (size_t i = 0; mode && !strcasecmp(mode, "legacy") && i < ARRAY_LEN(legacy); i++)
		if (!strcmp(region, legacy[i]))
			return true;
	return false;
}

/* Not tied to a region: signed for the partition's own. */
static int resolve_global(const char *host, const char *signing_region, struct endpoint *ret)
{
	if (host)
		*ret = (struct endpoint){ .url = xasprintf("https://%s", host),
					  .signing_region = xstrdup(signing_region) };
	else
		*ret = (struct endpoint){ 0 };
	return 0;
}

static const char *prefix_of(enum aws_service service, const struct partition *p, int variant)
{
	for (size_t i = 0; i < ARRAY_LEN(exceptions); i++)
		if (exceptions[i].service == service && exceptions[i].variant == variant &&
		    !strcmp(exceptions[i].partition, p->id))
			return exceptions[i].prefix;
	return services[service].prefix[variant];
}

static int resolve_regional(enum aws_service service, const char *region, int variant, struct endpoint *ret,
			    struct err *err)
{
	const struct partition *p = partition_of_region(region);
	const char *prefix = prefix_of(service, p, variant);
	/* S3 says in the prefix what others say in the suffix. */
	bool is_dualstack_suffix = (variant & DUALSTACK) && service != AWS_S3;

	if (!prefix)
		return err_set(err, ERR_CONFIG,
			       "AWS_USE_FIPS_ENDPOINT is set, but %s has no FIPS endpoint in '%s': "
			       "Partition does not support FIPS",
			       services[service].id, p->id);
	*ret = (struct endpoint){ .url = xasprintf("https://%s.%s.%s", prefix, region,
						   is_dualstack_suffix ? p->dualstack_suffix : p->dns_suffix) };
	return 0;
}

static int resolve(enum aws_service service, const char *region, const struct aws_settings *settings,
		   struct endpoint *ret, struct err *err)
{
	const struct partition *p = partition_of_region(region);
	int variant =
		(settings_is_true(settings, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint") ? FIPS : 0) |
		(settings_is_true(settings, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint") ? DUALSTACK : 0);
	auto_free char *from = NULL;
	char *url = settings_endpoint_url(settings, services[service].id, &from);

	if (url)
		return resolve_override(url, from, variant, ret, err);
	if (!region)
		return err_set(err, ERR_CONFIG, "missing region");
	if (!partition_is_region_name(region))
		return err_set(err, ERR_CONFIG, "'%s' is not a region name", region);
	if (service == AWS_IAM)
		return resolve_global(p->iam_host[variant], p->iam_region, ret);
	if (service == AWS_STS && is_global_sts(region, settings, variant)) {
		auto_free char *host = xasprintf("sts.%s", p->dns_suffix);

		return resolve_global(host, p->global_region, ret);
	}
	return resolve_regional(service, region, variant, ret, err);
}

static int read_addressing(const struct aws_settings *settings, enum endpoint_addressing *ret, struct err *err)
{
	auto_free char *style = settings_nested(settings, "s3", "addressing_style");

	*ret = ENDPOINT_AUTO;
	if (!style || !strcmp(style, "auto"))
		return 0;
	if (!strcmp(style, "path"))
		*ret = ENDPOINT_PATH;
	else if (!strcmp(style, "virtual"))
		*ret = ENDPOINT_VIRTUAL;
	else
		return err_set(err, ERR_CONFIG,
			       "addressing_style of profile '%s' is '%s': path, virtual and auto are known",
			       settings->profile, style);
	return 0;
}

int endpoint_resolve(enum aws_service service, const char *region, const struct aws_settings *settings,
		     struct endpoint *ret, struct err *err)
{
	enum endpoint_addressing addressing = ENDPOINT_AUTO;

	if (service == AWS_S3 && read_addressing(settings, &addressing, err) < 0)
		return -1;
	if (resolve(service, region, settings, ret, err) < 0)
		return -1;
	ret->addressing = addressing;
	return 0;
}

char *endpoint_host_in(const struct endpoint *e, const char *own_region, const char *region)
{
	const char *host = strstr(e->url, "://") + strlen("://");
	auto_free char *own = xstrndup(host, strcspn(host, "/")), *label = xasprintf(".%s.", own_region);
	const char *at = strstr(own, label);

	if (e->is_override || !at)
		return take(own);
	return xasprintf("%.*s.%s.%s", (int)(at - own), own, region, at + strlen(label));
}

void endpoint_release(struct endpoint *e)
{
	free(e->url);
	free(e->signing_region);
	*e = (struct endpoint){ 0 };
}

char *endpoint_registry_host(const char *account, const char *region)
{
	return xasprintf("%s.dkr.ecr.%s.%s", account, region, partition_of_region(region)->dns_suffix);
}

static bool is_registry_form(const char *host, const char *account, const char *service, const char *region,
			     const char *suffix)
{
	auto_free char *expected = NULL;

	if (!suffix)
		return false;
	expected = xasprintf("%s.%s.%s.%s", account, service, region, suffix);
	return !strcasecmp(host, expected);
}

/* "127.0.0.1:5000", "localhost", "[::1]:5000" */
static bool is_loopback_authority(const char *host)
{
	const char *colon = strrchr(host, ':'), *end = host + strlen(host);
	auto_free char *name = NULL;

	if (colon && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")])
		end = colon;
	if (host[0] == '[' && end[-1] == ']')
		name = xstrndup(host + 1, end - host - 2);
	else
		name = xstrndup(host, end - host);
	return http_is_loopback(name);
}

int endpoint_check_registry(const char *host, const char *account, const char *region, bool is_loopback_ecr,
			    struct err *err)
{
	const struct partition *p = partition_of_region(region);

	if (partition_is_account(account) && partition_is_region_name(region) &&
	    (is_registry_form(host, account, "dkr.ecr", region, p->dns_suffix) ||
	     is_registry_form(host, account, "dkr.ecr-fips", region, p->dns_suffix) ||
	     is_registry_form(host, account, "dkr-ecr", region, p->registry_suffix) ||
	     is_registry_form(host, account, "dkr-ecr-fips", region, p->registry_suffix)))
		return 0;
	if (is_loopback_ecr && is_loopback_authority(host))
		return 0;
	err_set(err, ERR_CONFIG, "refuse registry host '%s': it is not the registry of account '%s' in '%s'", host,
		account, region);
	return err_hint(err, "credentials are only sent to '%s.dkr.ecr.%s.%s' and its FIPS and dual-stack forms",
			account, region, p->dns_suffix);
}

char *endpoint_console_url(const char *region, const char *job_name)
{
	const char *host = partition_of_region(region)->console_host;
	auto_free char *name = NULL;

	if (!host || !partition_is_region_name(region))
		return NULL;
	name = str_uri_encode(job_name, false);
	return xasprintf("https://%s/sagemaker/home?region=%s#/jobs/%s", host, region, name);
}
