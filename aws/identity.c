#include <string.h>
#include <strings.h>

#include "aws/call.h"
#include "aws/profile.h"
#include "aws/settings.h"
#include "aws/signing_keys.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_ATTEMPTS 1000

void aws_identity_release(struct aws_identity *id)
{
	creds_provider_free(id->credentials);
	free(id->region);
	free(id->region_source);
	free(id->account);
	free(id->arn);
	for (int i = 0; i < AWS_SERVICE_COUNT; i++)
		endpoint_release(&id->endpoints[i]);
	free(id->ca_file);
	retry_quota_free(id->retry.quota);
	aws_clock_free(id->clock);
	signing_keys_free(id->signing_keys);
	bucket_regions_free(id->bucket_regions);
	*id = (struct aws_identity){ 0 };
}

int aws_identity_credentials(const struct aws_identity *id, const struct creds *expired, struct creds *ret,
			     struct err *err)
{
	if (!id->credentials)
		return err_set(err, ERR_AUTH, "there are no credentials to sign with");
	return creds_provider_get(id->credentials, expired, ret, err);
}

/* The region that the environment or the profile names, or NULL, and which of them; new strings. */
static char *find_region(const struct aws_settings *s, char **ret_source)
{
	const char *first = env_get(s->env, "AWS_REGION"), *second = env_get(s->env, "AWS_DEFAULT_REGION");
	const char *region = first ? first : second;

	if (first && second && strcmp(first, second) != 0)
		report_text(s->report, REPORT_WARNING, "aws",
			    "AWS_REGION is '%s', AWS_DEFAULT_REGION '%s': the first counts", first, second);
	if (region) {
		*ret_source = xstrdup(first ? "AWS_REGION" : "AWS_DEFAULT_REGION");
	} else {
		region = settings_get(s, NULL, "region");
		*ret_source = region ? xasprintf("profile '%s'", s->profile) : NULL;
	}
	return region ? str_trim(region) : NULL;
}

static int set_region(struct aws_identity *id, const struct aws_settings *s, const char *given, struct err *err)
{
	auto_free char *source = NULL;
	auto_free char *region = given ? xstrdup(given) : find_region(s, &source);

	if (!region) {
		err_set(err, ERR_CONFIG, "no region is given");
		err_service(err, AWS_NO_REGION);
		return err_hint(err, "give --region or set AWS_REGION, or 'region' in smpipe.yaml or the profile");
	}
	if (!partition_is_region_name(region))
		return err_set(err, ERR_CONFIG, "'%s' is not a region name", region);
	free(id->region);
	free(id->region_source);
	id->region = take(region);
	id->region_source = take(source);
	id->partition = partition_of_region(id->region);
	return 0;
}

static int set_endpoints(struct aws_identity *id, const struct aws_settings *s, struct err *err)
{
	settings_check_switch(s, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
	settings_check_switch(s, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
	settings_check_switch(s, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
	for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
		struct endpoint endpoint = { 0 };

		if (endpoint_resolve((enum aws_service)i, id->region, s, &endpoint, err) < 0)
			return -1;
		endpoint_release(&id->endpoints[i]);
		id->endpoints[i] = endpoint;
	}
	return 0;
}

static int check_retry_mode(const struct aws_settings *s, struct err *err)
{
	const char *mode = settings_get(s, "AWS_RETRY_MODE", "retry_mode");
	auto_free char *word = str_trim(mode ? mode : "standard");

	if (!strcasecmp(word, "standard"))
		return 0;
	if (strcasecmp(word, "legacy") != 0 && strcasecmp(word, "adaptive") != 0)
		return err_set(err, ERR_CONFIG, "the retry mode is '%s': standard, legacy and adaptive are known",
			       word);
	report_text(s->report, REPORT_NOTE, "aws", "retry mode '%s' is taken as 'standard'", word);
	return 0;
}

static int set_retries(struct aws_identity *id, const struct aws_settings *s, struct err *err)
{
	const char *attempts = settings_get(s, "AWS_MAX_ATTEMPTS", "max_attempts");
	auto_free char *number = str_trim(attempts ? attempts : "");
	int64_t n = RETRY_MAX_ATTEMPTS;

	if (*number && !str_parse_i64(number, 1, MAX_ATTEMPTS, &n))
		return err_set(err, ERR_CONFIG, "AWS_MAX_ATTEMPTS or max_attempts is '%s': 1 to %d are allowed", number,
			       MAX_ATTEMPTS);
	id->retry.max_attempts = (int)n;
	if (!id->retry.quota)
		id->retry.quota = retry_quota_new();
	if (!id->clock)
		id->clock = aws_clock_new();
	if (!id->signing_keys)
		id->signing_keys = signing_keys_new();
	if (!id->bucket_regions)
		id->bucket_regions = bucket_regions_new();
	return check_retry_mode(s, err);
}

int aws_identity_locate(struct aws_identity *id, const char *region, const char *profile, env_fn env, struct err *err)
{
	struct aws_settings s = { .env = env, .profile = profile, .report = id->report };
	auto_profiles *profiles = NULL;

	if (!s.profile)
		s.profile = env_get(env, "AWS_PROFILE");
	if (!s.profile)
		s.profile = "default";
	if (profiles_load(env, &profiles, err) < 0)
		return -1;
	s.profiles = profiles;
	if (set_region(id, &s, region, err) < 0 || set_endpoints(id, &s, err) < 0 || set_retries(id, &s, err) < 0)
		return -1;
	free(id->ca_file);
	id->ca_file = settings_ca_file(&s);
	return 0;
}
