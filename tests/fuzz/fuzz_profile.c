/* aws/profile: the shared configuration files. A NUL in the input parts the config file from the credentials file. */

#include <stdint.h>
#include <string.h>

#include "aws/profile.h"
#include "base/mem.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_free char *config = xstrndup((const char *)data, n);
	size_t used = strlen(config) < n ? strlen(config) + 1 : n;
	auto_free char *credentials = xstrndup((const char *)data + used, n - used);
	auto_profiles *p = NULL;
	auto_err err = { 0 };

	if (profiles_parse(config, "config", credentials, "credentials", &p, &err) == 0)
		look_up(p);
	else if (err.code != ERR_CONFIG || !strstr(err.msg, "line "))
		__builtin_trap();
	return 0;
}
