#ifndef SMPIPE_AWS_PROFILE_H
#define SMPIPE_AWS_PROFILE_H

/*
 * The shared configuration files (AWS_CONFIG_FILE or ~/.aws/config, AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials).
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */

#include <stdbool.h>

#include "aws/env.h"
#include "base/err.h"

struct profiles;

/* Read both files; absent ones are empty. A malformed line is ERR_CONFIG with file and line. */
int profiles_load(env_fn env, struct profiles **ret, struct err *err);

/* Parse texts instead (either may be NULL); the names are for errors. */
int profiles_parse(const char *config_text, const char *config_name, const char *credentials_text,
		   const char *credentials_name, struct profiles **ret, struct err *err);

/* Where the two files are; new strings. */
char *profiles_config_path(env_fn env);
char *profiles_credentials_path(env_fn env);

/* A property of a profile (in lower case), the credentials file first; NULL if absent. Borrowed. */
const char *profiles_get(const struct profiles *p, const char *profile, const char *property);
int profiles_has(const struct profiles *p, const char *profile);
bool profiles_is_empty(const struct profiles *p); /* there is no profile at all */

/*
 * The same of the other sections of the configuration file, [sso-session NAME] and [services NAME]. A property that
 * holds sub-properties is their lines, each after a line break.
 */
bool profiles_has_section(const struct profiles *p, const char *kind, const char *name);
const char *profiles_section_get(const struct profiles *p, const char *kind, const char *name, const char *property);

void profiles_free(struct profiles *p);
void profiles_free_p(struct profiles **p);
#define auto_profiles __attribute__((cleanup(profiles_free_p))) struct profiles

#endif
