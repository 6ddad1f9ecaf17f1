#include "local/tuner_source.h"

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"

static int64_t hyperband_config(const json_t *request, const char *member)
{
	return json_integer_value(json_at(request, "HyperParameterTuningJobConfig", "StrategyConfig",
					  "HyperbandStrategyConfig", member, NULL));
}

/* As the service infers it; 0: it cannot. */
static int64_t max_resource(const json_t *request, const json_t *definition)
{
	const json_t *statics = json_object_get(definition, "StaticHyperParameters");
	int64_t n = hyperband_config(request, "MaxResource");

	for (const char *const *name = sagemaker_resource_names; *name && n == 0; name++) {
		const char *text = json_str(statics, *name);

		if (text)
			str_parse_i64(text, 1, INT64_MAX, &n);
	}
	return n;
}

static int read_source(const json_t *request, const json_t *definition, uint64_t seed, struct tuner_source *ret,
		       struct err *err)
{
	*ret = (struct tuner_source){ .definition = definition,
				      .objective = sagemaker_tuning_objective(request, definition) };
	ret->direction = tuning_direction_of(json_str(ret->objective, "Type"));
	hyperband_init(&ret->hyperband, hyperband_config(request, "MinResource"), max_resource(request, definition));
	return sampler_new(sagemaker_tuning_ranges(request, definition), seed, &ret->sampler, err);
}

int tuner_sources_read(const json_t *request, uint64_t seed, struct tuner_source v[TUNER_SOURCES_MAX], size_t *ret_n,
		       struct err *err)
{
	const json_t *definition;
	size_t n;

	for (n = 0; n < TUNER_SOURCES_MAX && (definition = sagemaker_tuning_definition(request, n)); n++) {
		if (read_source(request, definition, seed + n, &v[n], err) < 0) {
			tuner_sources_release(v, n);
			return -1;
		}
	}
	*ret_n = n;
	return 0;
}

void tuner_sources_release(struct tuner_source *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sampler_free(v[i].sampler);
}
