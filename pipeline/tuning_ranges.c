#include "pipeline/tuning_ranges.h"

#include <string.h>

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/hyperparameters.h"
#include "pipeline/schema.h"

#define SERVICE_PARAMETER "_tuning_objective_metric" /* the name of the metric */

#define MAX_JOBS 10000 /* of a tuning job */

struct range {
	const struct config *c;
	const struct training_job_facts *facts;
	const char *name;
	const json_t *settings;
	char *path; /* "tuner.hyperparameter_ranges.lr" */
	struct err *err;
};

/* Of a range in smpipe.yaml; what is chosen by the service has none. */
static const char *const keys[] = {
	[RANGE_INTEGER] = "integer",
	[RANGE_CONTINUOUS] = "continuous",
	[RANGE_CATEGORICAL] = "categorical",
};

const char *tuning_ranges_key(const char *list)
{
	for (size_t kind = 0; kind < ARRAY_LEN(keys); kind++) {
		if (str_eq(sagemaker_range_lists[kind], list))
			return keys[kind];
	}
	return NULL;
}

/* The one kind that a range has, or -1. */
static int find_kind(const struct range *r)
{
	int found = -1;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_free char *path = xasprintf("%s.%s", r->path, keys[i]);

		if (!json_object_get(r->settings, keys[i]))
			continue;
		if (found >= 0)
			return config_error(r->c, r->err, path, "'%s' is '%s' and '%s'; it can be one of them", r->name,
					    keys[found], keys[i]);
		found = (int)i;
	}
	if (found < 0) {
		config_error(r->c, r->err, r->path, "'%s' needs the values that it may have", r->name);
		return err_hint(r->err, "write continuous: [0.1, 0.9], integer: [1, 10] or categorical: [a, b]");
	}
	return found;
}

static int add_numeric(const struct range *r, const char *key, json_t *list)
{
	const json_t *bounds = json_object_get(r->settings, key);
	const char *scaling = json_str(r->settings, "scaling");
	auto_free char *path = xasprintf("%s.%s", r->path, key);
	json_t *j;

	if (json_array_size(bounds) != 2) {
		config_error(r->c, r->err, path, "'%s' needs two values: the least and the greatest", r->name);
		return err_hint(r->err, "for example: %s: %s", key, str_eq(key, "integer") ? "[1, 10]" : "[0.1, 0.9]");
	}
	j = json_pack("{ss}", "Name", r->name);
	json_object_set(j, "MinValue", json_array_get(bounds, 0));
	json_object_set(j, "MaxValue", json_array_get(bounds, 1));
	json_put_str(j, "ScalingType",
		     scaling ? scaling : schema_row("tuner.hyperparameter_ranges.*.scaling")->fallback);
	return json_array_append_new(list, j);
}

static int add_categorical(const struct range *r, json_t *list)
{
	auto_free char *scaling = xasprintf("%s.scaling", r->path);
	json_t *values = json_array();
	json_t *value;
	size_t i;

	if (json_object_get(r->settings, "scaling")) {
		json_decref(values);
		return config_error(r->c, r->err, scaling, "'scaling' is for numbers, and '%s' is categorical",
				    r->name);
	}
	json_array_foreach(json_object_get(r->settings, "categorical"), i, value) {
		auto_free char *text = hyperparameters_text(r->c, r->facts, value);

		json_array_append_new(values, json_string(text));
	}
	return json_array_append_new(list, json_pack("{ssso}", "Name", r->name, "Values", values));
}

/* Hyperband gives its jobs more and more of this: a job cannot choose it. */
static int check_name(const struct range *r)
{
	if (str_eq(r->name, SERVICE_PARAMETER))
		return config_error(r->c, r->err, r->path, "'%s' is set by the service in every training job", r->name);
	if (!str_eq(config_str(r->c, "tuner.strategy"), "Hyperband"))
		return 0;
	for (const char *const *name = sagemaker_resource_names; *name; name++) {
		if (str_eq(*name, r->name))
			return config_error(r->c, r->err, r->path,
					    "'%s' is what the strategy Hyperband gives each job: it cannot be tuned",
					    r->name);
	}
	return 0;
}

static int add_range(const struct range *r, json_t *ranges)
{
	int kind = find_kind(r);
	json_t *list;

	if (kind < 0 || check_name(r) < 0)
		return -1;
	list = json_object_get(ranges, sagemaker_range_lists[kind]);
	if (!list) {
		list = json_array();
		json_object_set_new(ranges, sagemaker_range_lists[kind], list);
	}
	return kind == RANGE_CATEGORICAL ? add_categorical(r, list) : add_numeric(r, keys[kind], list);
}

static void add_automatic(const struct config *c, json_t *ranges)
{
	const json_t *hints = config_value(c, "tuner.auto_parameters");
	json_t *list = json_array();
	const char *name;
	json_t *hint;

	json_object_foreach((json_t *)hints, name, hint)
		json_array_append_new(list, json_pack("{sssO}", "Name", name, "ValueHint", hint));
	if (json_array_size(list))
		json_object_set(ranges, sagemaker_range_lists[RANGE_AUTO], list);
	json_decref(list);
}

int tuning_ranges_encode(const struct config *definition, const struct training_job_facts *facts, json_t **ret,
			 struct err *err)
{
	auto_json *ranges = json_object();
	const char *name;
	json_t *settings;

	json_object_foreach((json_t *)config_value(definition, "tuner.hyperparameter_ranges"), name, settings) {
		auto_free char *path = xasprintf("tuner.hyperparameter_ranges.%s", name);
		struct range r = { definition, facts, name, settings, path, err };

		if (add_range(&r, ranges) < 0)
			return -1;
	}
	add_automatic(definition, ranges);
	*ret = json_object_size(ranges) ? take(ranges) : NULL;
	return 0;
}

/* 0: more than a number can say. */
static int64_t count_integers(const json_t *range)
{
	int64_t min, max;

	if (!sagemaker_parse_whole_bound(json_str(range, "MinValue"), &min) ||
	    !sagemaker_parse_whole_bound(json_str(range, "MaxValue"), &max) || max / 2 - min / 2 > MAX_JOBS)
		return 0;
	return max - min + 1;
}

static int64_t count_points(const json_t *ranges)
{
	int64_t points = sagemaker_count_combinations(ranges);
	json_t *range;
	size_t i;

	json_array_foreach(sagemaker_range_list(ranges, RANGE_INTEGER), i, range) {
		int64_t n = count_integers(range);

		points = n && points <= MAX_JOBS ? points * n : 0;
		if (!points)
			return 0;
	}
	return points;
}

void tuning_ranges_warn(const struct config *c, const json_t *ranges, struct strlist *warnings)
{
	int64_t points = count_points(ranges), jobs = config_int(c, "tuner.max_jobs");

	if (sagemaker_range_list(ranges, RANGE_CONTINUOUS) || sagemaker_range_list(ranges, RANGE_AUTO) || !points ||
	    points >= jobs || !config_value(c, "tuner.max_jobs"))
		return;
	strlist_take(warnings, config_warning(c, "tuner.max_jobs",
					      "there are %lld jobs for the %lld combinations that the ranges have",
					      (long long)jobs, (long long)points));
}

static bool is_tuned(const json_t *tuner, const char *name)
{
	return json_at(tuner, "hyperparameter_ranges", name, NULL) || json_at(tuner, "auto_parameters", name, NULL);
}

int tuning_ranges_check_options(const struct config *c, struct err *err)
{
	const json_t *tuner = config_value(c, "tuner");
	const char *definition;
	json_t *settings;

	for (size_t i = 0; i < c->set.n; i++) {
		auto_free char *path = xasprintf("estimator.hyperparameters.%s", c->set.v[i]);
		bool found = is_tuned(tuner, c->set.v[i]);

		json_object_foreach(json_object_get(tuner, "definitions"), definition, settings)
			found |= is_tuned(settings, c->set.v[i]);
		if (found) {
			config_error(c, err, path, "'%s' is tuned: its values come from its range", c->set.v[i]);
			return err_hint(err, "leave -p out, or take '%s' out of hyperparameter_ranges", c->set.v[i]);
		}
	}
	return 0;
}
