#include <string.h>

#include "aws/call.h"
#include "aws/profile.h"
#include "base/mem.h"
#include "base/str.h"

void aws_identity_release(struct aws_identity *id)
{
	creds_provider_free(id->credentials);
	free(id->region);
	free(id->region_source);
	free(id->account);
	free(id->arn);
	for (int i = 0; i < AWS_SERVICE_COUNT; i++)
		endpoint_release(&id->endpoints[i]);
	*id = (struct aws_identity){ 0 };
}

int aws_identity_credentials(const struct aws_identity *id, bool force, struct creds *ret, struct err *err)
{
	if (!id->credentials)
		return err_set(err, ERR_AUTH, "there are no credentials to sign with");
	return creds_provider_get(id->credentials, force, ret, err);
}

static int find_in_profile(const char *profile, env_fn env, char **ret_region, char **ret_source, struct err *err)
{
	auto_profiles *profiles = NULL;
	const char *region;

	if (profiles_load(env, &profiles, err) < 0)
		return -1;
	if (!profile)
		profile = env_get(env, "AWS_PROFILE");
	if (!profile)
		profile = "default";
	region = profiles_get(profiles, profile, "region");
	if (region) {
		*ret_region = str_trim(region);
		*ret_source = xasprintf("profile '%s'", profile);
	}
	return 0;
}

/* *ret_region stays NULL when nobody names one. */
static int find_region(const char *profile, env_fn env, char **ret_region, char **ret_source, struct err *err)
{
	static const char *const variables[] = { "AWS_REGION", "AWS_DEFAULT_REGION" };

	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		const char *region = env_get(env, variables[i]);

		if (region) {
			*ret_region = str_trim(region);
			*ret_source = xstrdup(variables[i]);
			return 0;
		}
	}
	return find_in_profile(profile, env, ret_region, ret_source, err);
}

int aws_identity_locate(struct aws_identity *id, const char *region, const char *profile, env_fn env, struct err *err)
{
	auto_free char *found = NULL, *source = NULL;

	if (region)
		found = xstrdup(region);
	else if (find_region(profile, env, &found, &source, err) < 0)
		return -1;
	if (!found) {
		err_set(err, ERR_CONFIG, "no region is given");
		return err_hint(err, "set 'region' in smpipe.yaml, AWS_REGION, or 'region' in the profile");
	}
	if (!partition_is_region_name(found))
		return err_set(err, ERR_CONFIG, "'%s' is not a region name", found);
	for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
		struct endpoint endpoint = { 0 };

		if (endpoint_resolve((enum aws_service)i, found, env, &endpoint, err) < 0)
			return -1;
		endpoint_release(&id->endpoints[i]);
		id->endpoints[i] = endpoint;
	}
	free(id->region);
	free(id->region_source);
	id->region = take(found);
	id->region_source = take(source);
	id->partition = partition_of_region(id->region);
	return 0;
}
