#include "pipeline/lint.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/schema.h"

#define MAX_RUN_S        (28 * 24 * 3600) /* the service's quota unless it was raised */
#define MAX_KEEP_ALIVE_S 3600             /* the developer guide; the model says six times that */

static bool is_set(const struct config *c, const char *path)
{
	return config_value(c, path) != NULL;
}

static int lint_pairs(const struct config *c, struct err *err)
{
	for (const struct schema_pair *p = schema_excludes; p->key; p++) {
		if (is_set(c, p->key) && is_set(c, p->other))
			return config_error(c, err, p->key, "'%s' does not go together with '%s'", p->key, p->other);
	}
	for (const struct schema_pair *p = schema_needs; p->key; p++) {
		if (is_set(c, p->key) && !is_set(c, p->other)) {
			config_error(c, err, p->key, "'%s' needs '%s'", p->key, p->other);
			return err_hint(err, "add %s", p->words);
		}
	}
	return 0;
}

static int lint_registry(const struct config *c, struct err *err)
{
	static const char mode[] = "estimator.training_repository_access_mode";

	if (!str_eq(config_str(c, mode), "Vpc") || is_set(c, "image.uri"))
		return 0;
	config_error(c, err, mode, "'Vpc' is for an image of a private registry, and there is no 'image.uri'");
	return err_hint(err, "name that image, or leave this out: what is built here goes to ECR");
}

/* Names that smpipe gives tags and channels of its own. */
static int lint_taken_names(const struct config *c, const struct training_job_facts *facts, struct err *err)
{
	bool has_code = facts->source_uri && str_eq(config_str(c, "source.delivery"), "channel");
	const char *model = is_set(c, "estimator.model_uri") ? config_str(c, "estimator.model_channel_name") : NULL;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)config_value(c, "estimator.tags"), key, value) {
		auto_free char *path = xasprintf("estimator.tags.%s", key);

		if (str_starts(key, "smpipe:"))
			return config_error(c, err, path, "with the tags of smpipe: '%s' is one of its own", key);
	}
	for (size_t i = 0; i < facts->n_channels; i++) {
		const char *name = facts->channels[i].channel->name;
		auto_free char *path = xasprintf("inputs.%s", name);

		if (has_code && str_eq(name, "code"))
			return config_error(c, err, path, "the channel 'code' is the one that delivers the code");
		if (model && str_eq(name, model))
			return config_error(c, err, path, "the channel '%s' is that of model_uri", name);
	}
	return 0;
}

/* The toolkit only upper-cases: SM_CHANNEL_MY-DATA is a variable that no shell can read. */
static void lint_variables(const struct config *c, const struct training_job_facts *facts)
{
	if (!facts->source_uri || config_is_true(c, "estimator.sm_env"))
		return;
	for (size_t i = 0; i < facts->n_channels; i++) {
		const char *name = facts->channels[i].channel->name;
		auto_free char *path = xasprintf("inputs.%s", name);

		if (strpbrk(name, "-."))
			strlist_take(facts->warnings,
				     config_warning(c, path,
						    "no shell can read a variable SM_CHANNEL_… of channel '%s'; "
						    "name it with _",
						    name));
	}
}

static void lint_times(const struct config *c, const struct training_job_facts *facts)
{
	if (config_int(c, "estimator.max_run") > MAX_RUN_S)
		strlist_take(facts->warnings, config_warning(c, "estimator.max_run",
							     "the service's quota is 28 days unless it was raised"));
	if (config_int(c, "estimator.keep_alive_period_in_seconds") > MAX_KEEP_ALIVE_S)
		strlist_take(facts->warnings, config_warning(c, "estimator.keep_alive_period_in_seconds",
							     "the documentation allows one hour for a job"));
	if (config_is_true(c, "estimator.use_spot_instances") && !is_set(c, "estimator.checkpoint_s3_uri"))
		strlist_take(facts->warnings,
			     config_warning(c, "estimator.use_spot_instances",
					    "without checkpoint_s3_uri an interrupted job begins anew"));
}

int lint_keys(const struct config *c, const struct training_job_facts *facts, struct err *err)
{
	if (lint_pairs(c, err) < 0 || lint_registry(c, err) < 0 || lint_taken_names(c, facts, err) < 0)
		return -1;
	lint_variables(c, facts);
	lint_times(c, facts);
	return 0;
}
