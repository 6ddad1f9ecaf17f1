#include "pipeline/tuning_members.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/members.h"
#include "pipeline/tuning_ranges.h"

#define CONFIG        "HyperParameterTuningJobConfig."
#define RESOURCES     "HyperParameterTuningResourceConfig."
#define MAX_KEY_PARTS 2

const char *tuning_members_below_definition(const char *member)
{
	const char *dot = strchr(member, '.');

	return dot && str_starts(member, "TrainingJobDefinition") ? dot + 1 : NULL;
}

char *tuning_members_in_training(const char *member)
{
	static const char *const renamed[][2] = {
		{ "StaticHyperParameters", "HyperParameters" },
		{ "HyperParameterTuningResourceConfig", "ResourceConfig" },
	};

	for (size_t i = 0; i < ARRAY_LEN(renamed); i++) {
		if (str_starts(member, renamed[i][0]))
			return xasprintf("%s%s", renamed[i][1], member + strlen(renamed[i][0]));
	}
	return xstrdup(member);
}

/* "ContinuousParameterRanges[2].MinValue" → "tuner.hyperparameter_ranges.lr.continuous[0]"; base is "tuner". */
static char *range_key(const char *base, const json_t *ranges, const char *member)
{
	auto_free char *list = xstrndup(member, strcspn(member, "[."));
	size_t n = strlen(list);
	size_t index = member[n] ? strtoul(member + n + 1, NULL, 10) : 0;
	const char *name = json_str(json_array_get(json_object_get(ranges, list), index), "Name");
	const char *key = tuning_ranges_key(list), *part = strchr(member, '.') ? strchr(member, '.') + 1 : "";

	if (!name || !member[n])
		return xasprintf("%s.hyperparameter_ranges", base);
	if (str_eq(list, "AutoParameters"))
		return xasprintf("%s.auto_parameters.%s", base, name);
	if (!key || str_eq(part, "Name"))
		return xasprintf("%s.hyperparameter_ranges.%s", base, name);
	if (str_eq(part, "ScalingType"))
		return xasprintf("%s.hyperparameter_ranges.%s.scaling", base, name);
	return xasprintf("%s.hyperparameter_ranges.%s.%s%s", base, name, key,
			 str_eq(part, "MinValue")     ? "[0]"
			 : str_eq(part, "MaxValue")   ? "[1]"
			 : str_starts(part, "Values") ? part + strlen("Values")
						      : "");
}

/* Whether the file says something at the first parts of a key ("estimator.subnets" of "estimator.subnets[0]"). */
static bool is_said(const struct config *c, const char *base, const char *key)
{
	auto_free char *head = xstrdup(key);
	auto_free char *path = NULL;
	char *p = head;

	for (int i = 0; i < MAX_KEY_PARTS && p; i++)
		p = strpbrk(p + (i > 0), ".[");
	if (p)
		*p = '\0';
	path = xasprintf("%s.%s", base, head);
	return config_value(c, path) != NULL;
}

/* Of a list of instances: the definition's own, or that of the tuner. */
static char *resource_key(const struct config *c, const char *base, const char *member)
{
	auto_free char *above = xasprintf("TrainingJobDefinition." RESOURCES "%s", member);
	auto_free char *key = members_key_of(c, NULL, above);
	const char *rest = key + strlen("tuner.");

	return is_said(c, base, rest) ? xasprintf("%s.%s", base, rest) : xstrdup(key);
}

static char *definition_key(const struct config *c, const char *base, const json_t *definition, const char *member)
{
	auto_free char *training = tuning_members_in_training(member);
	auto_free char *key = NULL;

	if (str_starts(member, "HyperParameterRanges"))
		return range_key(base, json_object_get(definition, "HyperParameterRanges"),
				 member + strlen("HyperParameterRanges") + (strchr(member, '.') != NULL));
	if (str_eq(member, "TuningObjective.MetricName"))
		return xasprintf("%s.objective_metric_name", base);
	if (str_starts(member, "TuningObjective") || str_eq(member, "DefinitionName"))
		return xstrdup(base);
	if (str_starts(member, RESOURCES "InstanceConfigs") || str_starts(member, RESOURCES "AllocationStrategy"))
		return resource_key(c, base, member + strlen(RESOURCES));
	key = members_key_of(c, definition, training);
	return is_said(c, base, key) ? xasprintf("%s.%s", base, key) : take(key);
}

char *tuning_members_key_of(const struct config *c, const json_t *request, const char *member)
{
	static const char ranges[] = CONFIG "ParameterRanges";
	const char *below = tuning_members_below_definition(member);
	const json_t *list = json_object_get(request, "TrainingJobDefinitions");
	size_t index = str_starts(member, "TrainingJobDefinitions[") ? strtoul(strchr(member, '[') + 1, NULL, 10) : 0;
	const json_t *definition =
		list ? json_array_get(list, index) : json_object_get(request, "TrainingJobDefinition");
	const char *name = json_str(definition, "DefinitionName");
	auto_free char *base = name ? xasprintf("tuner.definitions.%s", name) : xstrdup("tuner");

	if (below)
		return definition_key(c, base, definition, below);
	if (str_eq(member, "TrainingJobDefinitions"))
		return xstrdup("tuner.definitions");
	if (str_starts(member, "TrainingJobDefinition"))
		return take(base);
	if (str_eq(member, "HyperParameterTuningJobName"))
		return xstrdup("name");
	if (str_starts(member, ranges))
		return range_key("tuner", json_at(request, "HyperParameterTuningJobConfig", "ParameterRanges", NULL),
				 member + strlen(ranges) + (member[strlen(ranges)] == '.'));
	return members_key_of(c, request, member);
}

char *tuning_members_translate(const char *words, const char *member)
{
	static const char *const others[][2] = {
		{ "MaxValue", "the greatest value" },
		{ "MinValue", "least value" },
		{ "StaticHyperParameters", "those that smpipe sets" },
		{ "MetricDefinitions", "metric_definitions" },
		{ "InstanceConfigs", "instance_configs" },
		{ "Autotune", "autotune" },
	};
	const char *below = tuning_members_below_definition(member);
	auto_free char *training = tuning_members_in_training(below ? below : member);
	char *text = members_translate(words, training);

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char *found = strstr(text, others[i][0]);
		char *replaced;

		if (!found)
			continue;
		replaced = xasprintf("%.*s%s%s", (int)(found - text), text, others[i][1], found + strlen(others[i][0]));
		free(text);
		text = replaced;
	}
	return text;
}
