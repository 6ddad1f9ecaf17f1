#include "aws/sagemaker_tuning_request.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

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

bool sagemaker_parse_bound(const char *text, bool is_integer, double *ret)
{
	const char *digits = text && (*text == '-' || *text == '+') ? text + 1 : text;
	char *end;

	if (!digits || !*digits || strspn(digits, is_integer ? "0123456789" : "0123456789.eE+-") != strlen(digits))
		return false;
	*ret = strtod(text, &end);
	return !*end && isfinite(*ret);
}
