#include "local/tuning_child.h"

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static void copy_member(json_t *to, const json_t *from, const char *member)
{
	json_t *value = json_object_get(from, member);

	if (value)
		json_object_set_new(to, member, json_deep_copy(value));
}

static json_t *hyperparameters(const json_t *request, const json_t *definition, const json_t *tuned)
{
	json_t *given = json_object_get(definition, "StaticHyperParameters");
	json_t *all = given ? json_deep_copy(given) : json_object();

	json_object_update(all, (json_t *)tuned);
	json_put_str(all, "_tuning_objective_metric",
		     json_str(sagemaker_tuning_objective(request, definition), "MetricName"));
	return all;
}

static json_t *resources(const json_t *definition)
{
	static const char *const members[] = { "InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId" };
	const json_t *tuning = json_object_get(definition, "HyperParameterTuningResourceConfig");
	const json_t *first = json_array_get(json_object_get(tuning, "InstanceConfigs"), 0);
	json_t *r = json_object();

	if (!tuning)
		return json_deep_copy(json_object_get(definition, "ResourceConfig"));
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		copy_member(r, tuning, members[i]);
		copy_member(r, first, members[i]);
	}
	return r;
}

json_t *tuning_child_request(const json_t *tuning_request, const json_t *definition, const char *name,
			     const json_t *tuned)
{
	static const char *const members[] = { "AlgorithmSpecification",
					       "RoleArn",
					       "InputDataConfig",
					       "OutputDataConfig",
					       "VpcConfig",
					       "StoppingCondition",
					       "EnableNetworkIsolation",
					       "EnableInterContainerTrafficEncryption",
					       "EnableManagedSpotTraining",
					       "CheckpointConfig",
					       "RetryStrategy",
					       "Environment" };
	json_t *r = json_pack("{s:s, s:o}", "TrainingJobName", name, "HyperParameters",
			      hyperparameters(tuning_request, definition, tuned));

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		copy_member(r, definition, members[i]);
	json_object_set_new(r, "ResourceConfig", resources(definition));
	copy_member(r, tuning_request, "Tags");
	return r;
}

char *tuning_child_name(const json_t *tuning_request, size_t number, const struct sys *sys)
{
	unsigned char bytes[4];
	auto_free char *digits = NULL;

	sys->random(sys, bytes, sizeof(bytes));
	digits = str_hex(bytes, sizeof(bytes));
	return xasprintf("%s-%03zu-%s", json_str(tuning_request, "HyperParameterTuningJobName"), number, digits);
}
