#include "aws/settings.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

static const char *blank_is_null(const char *value)
{
	return value && value[strspn(value, " \t\r\n")] ? value : NULL;
}

const char *settings_get(const struct aws_settings *s, const char *variable, const char *property)
{
	const char *value = variable ? env_get(s->env, variable) : NULL;

	if (!value && property && s->profiles && s->profile)
		value = blank_is_null(profiles_get(s->profiles, s->profile, property));
	return value;
}

bool settings_is_true(const struct aws_settings *s, const char *variable, const char *property)
{
	const char *value = settings_get(s, variable, property);
	auto_free char *word = str_trim(value ? value : "");

	return !strcasecmp(word, "true");
}

void settings_check_switch(const struct aws_settings *s, const char *variable, const char *property)
{
	const char *value = settings_get(s, variable, property);
	auto_free char *word = str_trim(value ? value : "false");

	if (strcasecmp(word, "true") != 0 && strcasecmp(word, "false") != 0)
		report_text(s->report, REPORT_WARNING, "aws", "%s or %s is '%s': only 'true' turns it on", variable,
			    property, word);
}

/* "CloudWatch Logs" → "CLOUDWATCH_LOGS" or "cloudwatch_logs"; new string. */
static char *id_word(const char *service_id, int (*convert)(int c))
{
	char *word = xstrdup(service_id);

	for (char *p = word; *p; p++)
		*p = *p == ' ' ? '_' : (char)convert((unsigned char)*p);
	return word;
}

/* The value of "key = value" among the lines of sub-properties; new string or NULL. */
static char *sub_property(const char *lines, const char *key)
{
	auto_strlist list = { 0 };

	str_split(&list, lines ? lines : "", '\n');
	for (size_t i = 0; i < list.n; i++) {
		char *equals = strchr(list.v[i], '=');
		auto_free char *name = NULL;

		if (!equals)
			continue;
		*equals = '\0';
		name = str_trim(list.v[i]);
		if (!strcasecmp(name, key))
			return str_trim(equals + 1);
	}
	return NULL;
}

char *settings_nested(const struct aws_settings *s, const char *property, const char *key)
{
	return sub_property(settings_get(s, NULL, property), key);
}

static char *from_environment(const struct aws_settings *s, const char *service_id, char **ret_from)
{
	auto_free char *word = id_word(service_id, toupper);
	auto_free char *own = xasprintf("AWS_ENDPOINT_URL_%s", word);
	const char *value = env_get(s->env, own);

	if (!value) {
		free(own);
		own = xstrdup("AWS_ENDPOINT_URL");
		value = env_get(s->env, own);
	}
	if (!value)
		return NULL;
	*ret_from = take(own);
	return str_trim(value);
}

static char *from_profile(const struct aws_settings *s, const char *service_id, char **ret_from)
{
	auto_free char *word = id_word(service_id, tolower);
	const char *services = settings_get(s, NULL, "services");
	const char *lines = services ? profiles_section_get(s->profiles, "services", services, word) : NULL;
	auto_free char *url = sub_property(lines, "endpoint_url");
	const char *general = settings_get(s, NULL, "endpoint_url");

	if (blank_is_null(url)) {
		*ret_from = xasprintf("endpoint_url of %s in [services %s]", word, services);
		return take(url);
	}
	if (!general)
		return NULL;
	*ret_from = xasprintf("endpoint_url of profile '%s'", s->profile);
	return str_trim(general);
}

char *settings_endpoint_url(const struct aws_settings *s, const char *service_id, char **ret_from)
{
	char *url;

	if (s->endpoint_url) {
		*ret_from = xstrdup("the endpoint given");
		return str_trim(s->endpoint_url);
	}
	if (s->ignores_configured_urls ||
	    settings_is_true(s, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"))
		return NULL;
	url = from_environment(s, service_id, ret_from);
	return url ? url : from_profile(s, service_id, ret_from);
}

char *settings_ca_file(const struct aws_settings *s)
{
	const char *path = settings_get(s, "AWS_CA_BUNDLE", "ca_bundle");
	const char *home = env_get(s->env, "HOME");

	if (path && str_starts(path, "~/") && home)
		return xasprintf("%s%s", home, path + 1);
	return path ? str_trim(path) : NULL;
}
