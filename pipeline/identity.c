#include "pipeline/identity.h"

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"

static char *hash_json(const json_t *j)
{
	auto_free char *canonical = json_canonical(j);
	struct digest d = digest_of_text(canonical);

	return digest_hex(&d);
}

char *identity_build_key(const struct build_inputs *in)
{
	auto_json *j = json_object();
	auto_free char *context = digest_hex(in->context_tree);

	json_put_str(j, "context", context);
	json_put_str(j, "dockerfile", in->dockerfile);
	json_put_str(j, "target", in->target ? in->target : "");
	json_object_set_new(j, "build_args", in->build_args ? json_deep_copy(in->build_args) : json_object());
	json_put_str(j, "platform", in->platform);
	json_object_set_new(j, "bases", json_deep_copy(in->bases));
	json_put_str(j, "builder", "classic");
	return hash_json(j);
}

char *identity_tuning_key(const json_t *request)
{
	auto_json *j = json_deep_copy(request);
	json_t *definition;

	json_object_del(j, "HyperParameterTuningJobName");
	json_object_del(j, "Tags");
	for (size_t i = 0; (definition = sagemaker_tuning_definition(j, i)); i++)
		json_object_del(json_object_get(definition, "StaticHyperParameters"), "sagemaker_job_name");
	return hash_json(j);
}

char *identity_request_key(const json_t *request, const char *image_identity)
{
	auto_json *j = json_deep_copy(request);

	json_object_del(j, "TrainingJobName");
	json_object_del(j, "Tags");
	json_object_del(j, "ExperimentConfig");
	json_object_del(json_object_get(j, "HyperParameters"), "sagemaker_job_name");
	if (image_identity)
		json_put_str(json_object_get(j, "AlgorithmSpecification"), "TrainingImage", image_identity);
	return hash_json(j);
}
