#include "pipeline/sm_env.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/hyperparameters.h"

#define MAX_VALUE_BYTES 512 /* of an entry of Environment */
#define DATA_DIR        "/opt/ml/input/data/"

static const char *const fixed[][2] = {
	{ "SM_INPUT_DIR", "/opt/ml/input" },
	{ "SM_INPUT_CONFIG_DIR", "/opt/ml/input/config" },
	{ "SM_MODEL_DIR", "/opt/ml/model" },
	{ "SM_OUTPUT_DIR", "/opt/ml/output" },
	{ "SM_OUTPUT_DATA_DIR", "/opt/ml/output/data" },
};

/* "SM_CHANNEL_TRAIN". New string. */
static char *variable(const char *prefix, const char *name)
{
	char *s = xasprintf("%s%s", prefix, name);

	for (char *p = s; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return s;
}

/* A shell reads $SM_CHANNEL_A and then "-b". */
static bool is_readable(const char *name)
{
	return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static void put(json_t *environment, const char *name, const char *value)
{
	if (!json_object_get(environment, name))
		json_put_str(environment, name, value);
}

static void add_list(const struct strlist *names, json_t *environment)
{
	auto_json *list = json_array();
	auto_free char *text = NULL;

	for (size_t i = 0; i < names->n; i++)
		json_array_append_new(list, json_string(names->v[i]));
	text = json_compact(list);
	if (strlen(text) <= MAX_VALUE_BYTES)
		put(environment, "SM_CHANNELS", text);
}

static int add_channels(const struct config *c, const struct strlist *names, json_t *environment, struct err *err)
{
	auto_strlist seen = { 0 };

	for (size_t i = 0; i < names->n; i++) {
		auto_free char *name = variable("SM_CHANNEL_", names->v[i]);
		auto_free char *path = xasprintf("inputs.%s", names->v[i]);
		auto_free char *folder = xasprintf(DATA_DIR "%s", names->v[i]);

		if (!is_readable(names->v[i])) {
			config_error(c, err, path, "channel '%s' cannot have a variable '%s': no shell can read it",
				     names->v[i], name);
			return err_hint(err, "name the channel with letters, digits and _ only, or leave sm_env out");
		}
		if (strlist_has(&seen, name))
			return config_error(c, err, path, "two channels would have the variable '%s'", name);
		strlist_add(&seen, name);
		put(environment, name, folder);
	}
	add_list(names, environment);
	return 0;
}

static void skip(const struct config *c, const struct training_job_facts *facts, const char *name, const char *why)
{
	auto_free char *path = xasprintf("estimator.hyperparameters.%s", name);
	auto_free char *shown = variable("SM_HP_", name);

	strlist_take(facts->warnings, config_warning(c, path, "sm_env leaves out '%s': %s", shown, why));
}

static void add_parameter(const struct config *c, const struct training_job_facts *facts, const char *name,
			  const json_t *value, json_t *environment)
{
	auto_free char *shown = variable("SM_HP_", name);
	const char *literal = json_str(value, "literal");
	/* The toolkit makes null an empty variable. */
	const char *text = !literal ? json_string_value(value) : strcmp(literal, "null") ? literal : "";

	if (!is_readable(name))
		skip(c, facts, name, "no shell can read it");
	else if (strlen(text) > MAX_VALUE_BYTES)
		skip(c, facts, name, "its value is longer than 512 bytes");
	else
		put(environment, shown, text);
}

/* SM_HPS: all of them as one JSON object. */
static void add_parameters(const struct config *c, const struct training_job_facts *facts, json_t *environment)
{
	const json_t *parameters = config_value(c, "estimator.hyperparameters");
	auto_strlist names = { 0 };
	auto_str all = { 0 };
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)parameters, name, value)
		strlist_add(&names, name);
	strlist_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		const json_t *v = json_object_get(parameters, names.v[i]);
		const char *literal = json_str(v, "literal");
		auto_free char *key = hyperparameters_quote(names.v[i]);
		auto_free char *text = literal ? xstrdup(literal) : hyperparameters_quote(json_string_value(v));

		str_addf(&all, "%s%s:%s", i ? "," : "{", key, text);
		add_parameter(c, facts, names.v[i], v, environment);
	}
	str_add(&all, names.n ? "}" : "{}");
	if (all.len <= MAX_VALUE_BYTES)
		put(environment, "SM_HPS", all.s);
	else
		strlist_take(facts->warnings,
			     config_warning(c, "estimator.sm_env",
					    "sm_env leaves out 'SM_HPS': it is longer than 512 bytes"));
}

int sm_env_add(const struct config *c, const struct training_job_facts *facts, json_t *environment, struct err *err)
{
	auto_strlist names = { 0 };

	for (size_t i = 0; i < facts->n_channels; i++)
		strlist_add(&names, facts->channels[i].channel->name);
	if (facts->source_uri && str_eq(config_str(c, "source.delivery"), "channel"))
		strlist_add(&names, "code");
	if (config_str(c, "estimator.model_uri"))
		strlist_add(&names, config_str(c, "estimator.model_channel_name"));
	strlist_sort(&names);
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		put(environment, fixed[i][0], fixed[i][1]);
	if (add_channels(c, &names, environment, err) < 0)
		return -1;
	add_parameters(c, facts, environment);
	return 0;
}
