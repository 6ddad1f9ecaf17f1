/* What a plan says, for machines. */

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/plan.h"

/* As /opt/ml/input/config/hyperparameters.json will be; of a tuning job without what is tuned, and by definition where
 * there are several. */
static const json_t *hyperparameters_of(const struct plan *plan, json_t *by_name)
{
	const json_t *definition = json_object_get(plan->request, "TrainingJobDefinition");

	if (plan->kind == JOB_TRAINING)
		return json_object_get(plan->request, "HyperParameters");
	if (definition)
		return json_object_get(definition, "StaticHyperParameters");
	for (size_t i = 0; (definition = sagemaker_tuning_definition(plan->request, i)); i++)
		json_object_set(by_name, json_str(definition, "DefinitionName"),
				json_object_get(definition, "StaticHyperParameters"));
	return by_name;
}

json_t *plan_json(const struct plan *plan, const struct project *p)
{
	auto_free char *image = plan_image_placeholder(plan);
	auto_json *by_name = json_object();
	const json_t *raw;
	json_t *j = json_object(), *channels = json_array();

	json_put_str(j, "commit", p->state.commit);
	json_object_set_new(j, "dirty", json_boolean(p->dirty.n > 0));
	json_put_str(j, "bucket", plan->bucket);
	json_put_str(j, "build_key", plan->build_key);
	json_put_str(j, "repository", plan->repository);
	json_put_str(j, "image_tag", plan->image_tag);
	json_put_str(j, "source", plan->source_uri);
	for (size_t i = 0; i < plan->n_channels; i++)
		json_array_append_new(channels, json_pack("{ssss}", "name", plan->channels[i].channel->name, "uri",
							  plan->channels[i].uri));
	json_object_set_new(j, "channels", channels);
	json_put_str(j, "request_key", plan->request_key);
	json_put_str(j, "job", plan->job_base);
	json_object_set_new(j, "request", plan_request(plan, p, image, plan->job_base));
	json_put_str(j, "operation", job_form(plan->kind)->api->create);
	json_object_set(j, "hyperparameters", (json_t *)hyperparameters_of(plan, by_name));
	raw = config_value(&p->config, job_form(plan->kind)->raw);
	if (raw)
		json_object_set_new(j, "raw", json_deep_copy(raw));
	return j;
}
