#include "aws/env.h"

#include <stdlib.h>
#include <string.h>

const char *env_get(env_fn env, const char *name)
{
	const char *value = env ? env(name) : getenv(name);

	if (!value || !value[strspn(value, " \t\r\n")])
		return NULL;
	return value;
}
