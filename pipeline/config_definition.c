/* tuner.definitions: the configuration as one of them has it. */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/config.h"
#include "pipeline/schema.h"

/* Keys of a definition that stand in the place of the tuner's own. */
static const char *const own_keys[] = { "objective_metric_name", "objective_type",   "hyperparameter_ranges",
					"auto_parameters",       "instance_configs", "allocation_strategy" };

/* The mapping at a key, made when it is absent. */
static json_t *section(json_t *values, const char *name)
{
	if (!json_object_get(values, name))
		json_object_set_new(values, name, json_object());
	return json_object_get(values, name);
}

/* The last part of a key below estimator, or NULL. */
static const char *estimator_key(const char *path)
{
	return str_starts(path, "estimator.") ? path + strlen("estimator.") : NULL;
}

/* What a definition says takes the place of what does not go together with it. */
static void drop_excluded(json_t *estimator, const json_t *over)
{
	for (const struct schema_pair *p = schema_excludes; p->key; p++) {
		const char *key = estimator_key(p->key), *other = estimator_key(p->other);

		if (!key || !other)
			continue;
		if (json_object_get(over, other))
			json_object_del(estimator, key);
		else if (json_object_get(over, key))
			json_object_del(estimator, other);
	}
}

static void lay_definition(json_t *values, const json_t *definition)
{
	const json_t *image = json_object_get(definition, "image");
	json_t *tuner = section(values, "tuner");

	if (image)
		json_object_set_new(values, "image", json_deep_copy(image));
	drop_excluded(section(values, "estimator"), json_object_get(definition, "estimator"));
	config_lay_over(section(values, "estimator"), json_object_get(definition, "estimator"));
	json_object_del(tuner, "definitions");
	for (size_t i = 0; i < ARRAY_LEN(own_keys); i++) {
		json_t *value = json_object_get(definition, own_keys[i]);

		if (value)
			json_object_set(tuner, own_keys[i], value);
	}
}

static void drop_tuned(json_t *values)
{
	static const char *const lists[] = { "hyperparameter_ranges", "auto_parameters" };
	json_t *parameters = (json_t *)json_at(values, "estimator", "hyperparameters", NULL);
	const char *name;
	json_t *value;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		json_object_foreach((json_t *)json_at(values, "tuner", lists[i], NULL), name, value)
			json_object_del(parameters, name);
	}
}

void config_open_definition(const struct config *c, const char *name, struct config *ret)
{
	*ret = *c;
	ret->values = json_deep_copy(c->values);
	ret->definition = xstrdup_or_null(name);
	if (name)
		lay_definition(ret->values, json_at(c->values, "tuner", "definitions", name, NULL));
	drop_tuned(ret->values);
}

void config_close_definition(struct config *definition)
{
	json_decref(definition->values);
	free(definition->definition);
	*definition = (struct config){ 0 };
}

char *config_definition_path(const struct config *definition, const char *path)
{
	const char *name = definition->definition;

	if (str_starts(path, "estimator.") || str_starts(path, "image.") || str_eq(path, "image"))
		return xasprintf("tuner.definitions.%s.%s", name, path);
	if (str_starts(path, "inputs."))
		return xasprintf("tuner.definitions.%s.channels.%s", name, path + strlen("inputs."));
	for (size_t i = 0; i < ARRAY_LEN(own_keys); i++) {
		if (str_starts(path, "tuner.") && str_starts(path + strlen("tuner."), own_keys[i]))
			return xasprintf("tuner.definitions.%s.%s", name, path + strlen("tuner."));
	}
	return NULL;
}
