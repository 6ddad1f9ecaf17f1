#include "aws/sagemaker_limits_ranges.h"

#include <inttypes.h>
#include <string.h>

#include "aws/sagemaker_limits_rules.h"
#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"

struct range_check {
	const struct range_place *place;
	struct str *ret_path;
	struct err *err;
};

static int refuse(const struct range_check *c, enum sagemaker_range_kind kind, size_t i, const char *member,
		  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static int refuse(const struct range_check *c, enum sagemaker_range_kind kind, size_t i, const char *member,
		  const char *fmt, ...)
{
	auto_free char *path = xasprintf("%s.%s[%zu].%s", c->place->path, sagemaker_range_lists[kind], i, member);
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return sagemaker_refuse(c->ret_path, c->err, path, "%s", words);
}

/* Across the kinds, and against what is fixed. */
static int check_names(const struct range_check *c)
{
	const json_t *fixed = json_object_get(c->place->definition, "StaticHyperParameters");
	auto_strlist seen = { 0 };
	json_t *range;
	size_t i;

	for (enum sagemaker_range_kind kind = 0; kind < N_RANGE_KINDS; kind++) {
		json_array_foreach(sagemaker_range_list(c->place->ranges, kind), i, range) {
			const char *name = json_str(range, "Name");

			if (!*name)
				return refuse(c, kind, i, "Name", "must not be empty");
			if (strlist_has(&seen, name))
				return refuse(c, kind, i, "Name", "'%s' is there twice", name);
			if (json_object_get(fixed, name))
				return refuse(c, kind, i, "Name", "'%s' is one of StaticHyperParameters too", name);
			strlist_add(&seen, name);
		}
	}
	return 0;
}

static int check_scaling(const struct range_check *c, enum sagemaker_range_kind kind, size_t i, const char *scaling,
			 double min, double max)
{
	if (str_eq(scaling, "Logarithmic") && min <= 0)
		return refuse(c, kind, i, "ScalingType", "'Logarithmic' needs a MinValue above 0");
	if (!str_eq(scaling, "ReverseLogarithmic"))
		return 0;
	if (kind == RANGE_INTEGER)
		return refuse(c, kind, i, "ScalingType",
			      "'ReverseLogarithmic' is for continuous ranges, not for whole numbers");
	if (min < 0 || max >= 1)
		return refuse(c, kind, i, "ScalingType", "'ReverseLogarithmic' needs a range within 0 <= x < 1");
	return 0;
}

/* As numbers of its kind: two whole ones may differ by less than a double can tell. */
static int read_bounds(const struct range_check *c, enum sagemaker_range_kind kind, size_t i, double bounds[2],
		       bool *ret_is_reversed)
{
	static const char *const members[] = { "MinValue", "MaxValue" };
	const json_t *range = json_array_get(sagemaker_range_list(c->place->ranges, kind), i);
	int64_t whole[2] = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(members); k++) {
		const char *text = json_str(range, members[k]);
		auto_free char *shown = str_printable(text);

		if (kind == RANGE_INTEGER && !sagemaker_parse_whole_bound(text, &whole[k]))
			return refuse(c, kind, i, members[k], "'%s' %s", shown,
				      text[strspn(text, "+-0123456789")] ? "is no whole number"
									 : "does not fit in 64 bits");
		if (!sagemaker_parse_bound(text, &bounds[k]))
			return refuse(c, kind, i, members[k], "'%s' is no number", shown);
	}
	*ret_is_reversed = kind == RANGE_INTEGER ? whole[0] > whole[1] : bounds[0] > bounds[1];
	return 0;
}

static int check_numeric(const struct range_check *c, enum sagemaker_range_kind kind)
{
	double bounds[2] = { 0 };
	bool is_reversed;
	json_t *range;
	size_t i;

	json_array_foreach(sagemaker_range_list(c->place->ranges, kind), i, range) {
		if (read_bounds(c, kind, i, bounds, &is_reversed) < 0)
			return -1;
		if (is_reversed)
			return refuse(c, kind, i, "MinValue", "must not be more than MaxValue (%s)",
				      json_str(range, "MaxValue"));
		if (check_scaling(c, kind, i, json_str(range, "ScalingType"), bounds[0], bounds[1]) < 0)
			return -1;
	}
	return 0;
}

static int check_values(const struct range_check *c)
{
	json_t *range, *value;
	size_t i, k;

	json_array_foreach(sagemaker_range_list(c->place->ranges, RANGE_CATEGORICAL), i, range) {
		auto_strlist seen = { 0 };

		json_array_foreach(json_object_get(range, "Values"), k, value) {
			auto_free char *member = xasprintf("Values[%zu]", k);

			if (strlist_has(&seen, json_string_value(value)))
				return refuse(c, RANGE_CATEGORICAL, i, member, "'%s' is there twice",
					      json_string_value(value));
			strlist_add(&seen, json_string_value(value));
		}
	}
	return 0;
}

/* "… automatically calculated to be the total number of distinct categorical combinations possible." */
static int check_grid(const struct range_check *c)
{
	const json_t *config = json_object_get(c->place->request, "HyperParameterTuningJobConfig");
	const json_t *all = json_at(config, "ResourceLimits", "MaxNumberOfTrainingJobs", NULL);
	static const enum sagemaker_range_kind others[] = { RANGE_INTEGER, RANGE_CONTINUOUS };
	int64_t n = sagemaker_count_combinations(c->place->ranges);

	if (!str_eq(json_str(config, "Strategy"), "Grid"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (json_array_size(sagemaker_range_list(c->place->ranges, others[i])))
			return refuse(c, others[i], 0, "Name", "the strategy Grid takes categorical ranges only");
	}
	/* Several definitions share the jobs of one tuning job. */
	if (!all || !json_object_get(c->place->request, "TrainingJobDefinition") || json_integer_value(all) == n)
		return 0;
	str_truncate(c->ret_path, 0);
	sagemaker_refuse(c->ret_path, c->err, "HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs",
			 "is %" JSON_INTEGER_FORMAT ", and the strategy Grid makes %" PRId64 " jobs of these ranges",
			 json_integer_value(all), n);
	return err_hint(c->err, "leave it out");
}

static bool has_ranges(const json_t *ranges)
{
	for (enum sagemaker_range_kind kind = 0; kind < N_RANGE_KINDS; kind++) {
		if (json_array_size(sagemaker_range_list(ranges, kind)))
			return true;
	}
	return false;
}

int sagemaker_check_ranges(const struct range_place *place, struct str *ret_path, struct err *err)
{
	struct range_check c = { place, ret_path, err };
	bool is_automatic = json_object_get(place->request, "Autotune") != NULL;

	if (!has_ranges(place->ranges) && !is_automatic)
		return sagemaker_refuse(ret_path, err, place->path, "there is no range to tune");
	if (json_array_size(sagemaker_range_list(place->ranges, RANGE_AUTO)) && !is_automatic)
		return refuse(&c, RANGE_AUTO, 0, "Name", "needs Autotune");
	if (check_names(&c) < 0 || check_numeric(&c, RANGE_INTEGER) < 0 || check_numeric(&c, RANGE_CONTINUOUS) < 0 ||
	    check_values(&c) < 0)
		return -1;
	return check_grid(&c);
}
