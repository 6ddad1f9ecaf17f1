#ifndef SMPIPE_AWS_SETTINGS_H
#define SMPIPE_AWS_SETTINGS_H

/*
 * Settings that both the environment and the shared configuration files know: the variable first, then the selected
 * profile's property. https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
 */

#include <stdbool.h>

#include "aws/env.h"
#include "aws/profile.h"
#include "base/report.h"

struct aws_settings {
	env_fn env;
	const struct profiles *profiles; /* NULL: no files */
	const char *profile;             /* the selected one; NULL: none */
	const struct report *report;     /* hears of values that mean nothing; may be NULL */
	const char *endpoint_url;        /* given by the caller, before all that is configured; or NULL */
	bool ignores_configured_urls;    /* decided by the caller, whatever is configured */
};

/* Value of a setting, or NULL when it is unset or blank. Either name may be NULL. Borrowed. */
const char *settings_get(const struct aws_settings *s, const char *variable, const char *property);

/* A sub-property of one of the profile's properties ("s3", "addressing_style"), or NULL. New string. */
char *settings_nested(const struct aws_settings *s, const char *property, const char *key);

/* "true" in any case turns a switch on, as in the SDKs. */
bool settings_is_true(const struct aws_settings *s, const char *variable, const char *property);

/* Report a switch that is neither true nor false, and so is off. */
void settings_check_switch(const struct aws_settings *s, const char *variable, const char *property);

/* AWS_CA_BUNDLE or ca_bundle, '~' resolved; NULL: the system's authorities. New string. */
char *settings_ca_file(const struct aws_settings *s);

/*
 * The endpoint that is configured for a service, by its service id ("S3", "CloudWatch Logs"), or NULL. *ret_from says
 * where it stands, in words; new strings both. Order: the caller's, AWS_ENDPOINT_URL_<ID>, AWS_ENDPOINT_URL, the
 * profile's section of services, the profile's endpoint_url; AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or
 * ignore_configured_endpoint_urls leaves only the caller's.
 */
char *settings_endpoint_url(const struct aws_settings *s, const char *service_id, char **ret_from);

#endif
