#include "aws/sagemaker_tuning_request.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define MAX_COMBINATIONS 1000000000 /* counting stops there */
#define MAX_VALUES       1000       /* of a category, that are counted: the service takes 30 */

#define CONFIG "HyperParameterTuningJobConfig"

const char *const sagemaker_range_lists[N_RANGE_KINDS] = {
	[RANGE_INTEGER] = "IntegerParameterRanges",
	[RANGE_CONTINUOUS] = "ContinuousParameterRanges",
	[RANGE_CATEGORICAL] = "CategoricalParameterRanges",
	[RANGE_AUTO] = "AutoParameters",
};

const char *const sagemaker_resource_names[] = { "epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs", NULL };

json_t *sagemaker_tuning_definition(const json_t *request, size_t i)
{
	json_t *one = json_object_get(request, "TrainingJobDefinition");

	return !one ? json_array_get(json_object_get(request, "TrainingJobDefinitions"), i) : i ? NULL : one;
}

const json_t *sagemaker_tuning_objective(const json_t *request, const json_t *definition)
{
	const json_t *own = json_object_get(definition, "TuningObjective");

	return own ? own : json_at(request, CONFIG, "HyperParameterTuningJobObjective", NULL);
}

const json_t *sagemaker_tuning_ranges(const json_t *request, const json_t *definition)
{
	const json_t *own = json_object_get(definition, "HyperParameterRanges");

	return own ? own : json_at(request, CONFIG, "ParameterRanges", NULL);
}

const json_t *sagemaker_range_list(const json_t *ranges, enum sagemaker_range_kind kind)
{
	return json_object_get(ranges, sagemaker_range_lists[kind]);
}

/* Whether it is all of a sign and characters of `alphabet`. */
static bool is_made_of(const char *text, const char *alphabet)
{
	const char *digits = text && (*text == '-' || *text == '+') ? text + 1 : text;

	return digits && *digits && !digits[strspn(digits, alphabet)];
}

bool sagemaker_parse_bound(const char *text, double *ret)
{
	char *end;

	if (!is_made_of(text, "0123456789.eE+-"))
		return false;
	*ret = strtod(text, &end);
	return !*end && isfinite(*ret);
}

bool sagemaker_parse_whole_bound(const char *text, int64_t *ret)
{
	if (!is_made_of(text, "0123456789"))
		return false;
	errno = 0;
	*ret = strtoll(text, NULL, 10);
	return !errno;
}

int64_t sagemaker_count_combinations(const json_t *ranges)
{
	int64_t all = 1;
	json_t *range, *value;
	size_t i, k;

	json_array_foreach(sagemaker_range_list(ranges, RANGE_CATEGORICAL), i, range) {
		auto_strlist distinct = { 0 };

		json_array_foreach(json_object_get(range, "Values"), k, value) {
			if (json_is_string(value) && k < MAX_VALUES &&
			    !strlist_has(&distinct, json_string_value(value)))
				strlist_add(&distinct, json_string_value(value));
		}
		all *= distinct.n ? (int64_t)distinct.n : 1;
		if (all > MAX_COMBINATIONS)
			return MAX_COMBINATIONS;
	}
	return all;
}
