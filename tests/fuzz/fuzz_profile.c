/* aws/profile and aws/settings: the shared configuration files, and the endpoints they name. A NUL in the input parts
 * the config file from the credentials file. */

#include <stdint.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/settings.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void look_up(const struct profiles *p)
{
	static const char *const profiles[] = { "default", "a", "dev", "base" };
	static const char *const properties[] = { "region", "role_arn", "source_profile", "s3", "services" };

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		for (size_t j = 0; j < ARRAY_LEN(properties); j++) {
			const char *value = profiles_get(p, profiles[i], properties[j]);

			if (value && !profiles_has(p, profiles[i]))
				__builtin_trap();
		}
	}
}

static const char *no_env(const char *name)
{
	(void)name;
	return NULL;
}

/* Whatever a profile says, requests go to https or to this machine. */
static void resolve(const struct profiles *p, const char *profile)
{
	struct aws_settings settings = { .env = no_env, .profiles = p, .profile = profile };

	for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
		auto_endpoint e = { 0 };
		auto_err err = { 0 }, ignored = { 0 };
		auto_url url = { 0 };

		if (endpoint_resolve((enum aws_service)i, "eu-west-1", &settings, &e, &err) < 0) {
			if (err.code != ERR_CONFIG)
				__builtin_trap();
		} else if (http_url_parse(e.url, &url, &ignored) < 0 ||
			   (!str_starts(e.url, "https://") && !http_is_loopback(url.host))) {
			__builtin_trap();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_free char *config = xstrndup((const char *)data, n);
	size_t used = strlen(config) < n ? strlen(config) + 1 : n;
	auto_free char *credentials = xstrndup((const char *)data + used, n - used);
	auto_profiles *p = NULL;
	auto_err err = { 0 };

	if (profiles_parse(config, "config", credentials, "credentials", &p, &err) == 0) {
		look_up(p);
		resolve(p, "default");
		resolve(p, "a");
		return 0;
	}
	if (err.code != ERR_CONFIG || !strstr(err.msg, "line "))
		__builtin_trap();
	return 0;
}
