#include "aws/endpoint.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "aws/partition.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *signing_name;
	const char *host_prefix;
	const char *variable;
} services[AWS_SERVICE_COUNT] = {
	[AWS_STS] = { "sts", "sts", "AWS_ENDPOINT_URL_STS" },
	[AWS_S3] = { "s3", "s3", "AWS_ENDPOINT_URL_S3" },
	[AWS_ECR] = { "ecr", "api.ecr", "AWS_ENDPOINT_URL_ECR" },
	[AWS_SAGEMAKER] = { "sagemaker", "api.sagemaker", "AWS_ENDPOINT_URL_SAGEMAKER" },
	[AWS_LOGS] = { "logs", "logs", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS" },
	[AWS_IAM] = { "iam", NULL, "AWS_ENDPOINT_URL_IAM" },
	[AWS_SSO] = { "awsssoportal", "portal.sso", "AWS_ENDPOINT_URL_SSO" },
	[AWS_SSO_OIDC] = { "sso-oauth", "oidc", "AWS_ENDPOINT_URL_SSO_OIDC" },
};

const char *aws_service_signing_name(enum aws_service service)
{
	return services[service].signing_name;
}

const char *env_get(env_fn env, const char *name)
{
	const char *value = env ? env(name) : getenv(name);

	if (!value || !value[strspn(value, " \t\r\n")])
		return NULL;
	return value;
}

static bool is_true(env_fn env, const char *name)
{
	const char *value = env_get(env, name);

	return value && !strcasecmp(value, "true");
}

/* The variable that overrides a service's endpoint, or NULL. */
static const char *find_override(enum aws_service service, env_fn env)
{
	if (is_true(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
		return NULL;
	if (env_get(env, services[service].variable))
		return services[service].variable;
	return env_get(env, "AWS_ENDPOINT_URL") ? "AWS_ENDPOINT_URL" : NULL;
}

/* Signed requests carry no secret but may be replayed and read: plain HTTP stays on this machine. */
static int check_override(const char *variable, const char *url, struct err *err)
{
	auto_free char *shown = http_url_shown(url);
	auto_url parts = { 0 };

	if (http_url_parse(url, &parts, err) < 0) {
		err->code = ERR_CONFIG;
		return err_wrap(err, "use the endpoint of '%s'", variable);
	}
	if (strchr(url, '@') || strchr(url, '#') || strchr(url, '?'))
		return err_set(err, ERR_CONFIG, "'%s' is '%s': a URL of scheme, host, port and path is needed",
			       variable, shown);
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return err_set(err, ERR_CONFIG, "'%s' holds white space or control characters", variable);
	if (strcmp(parts.scheme, "https") && !http_is_loopback(parts.host))
		return err_set(err, ERR_CONFIG, "'%s' is '%s': only https, or http to this machine, is allowed",
			       variable, shown);
	return 0;
}

int endpoint_resolve(enum aws_service service, const char *region, env_fn env, struct endpoint *ret, struct err *err)
{
	const char *variable = find_override(service, env);
	const struct partition *p = partition_of_region(region);
	auto_free char *url = NULL;

	if (variable) {
		url = str_trim(env_get(env, variable));
		for (size_t n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
			url[n - 1] = '\0';
		if (check_override(variable, url, err) < 0)
			return -1;
	} else {
		if (!partition_is_region_name(region))
			return err_set(err, ERR_CONFIG, "'%s' is not a region name", region ? region : "");
		if (is_true(env, "AWS_USE_FIPS_ENDPOINT"))
			return err_set(err, ERR_CONFIG,
				       "AWS_USE_FIPS_ENDPOINT is set, but FIPS endpoints are not supported");
		if (service == AWS_IAM)
			url = xasprintf("https://%s", p->iam_host);
		else
			url = xasprintf("https://%s.%s.%s", services[service].host_prefix, region, p->dns_suffix);
	}
	*ret = (struct endpoint){
		.url = take(url),
		.is_override = variable,
		.signing_region = service == AWS_IAM ? p->iam_region : NULL,
	};
	return 0;
}

void endpoint_release(struct endpoint *e)
{
	free(e->url);
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
