#include "local/runner_container.h"

#include <string.h>

#include "aws/partition.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"

#define SHARED_MEMORY_BYTES                                                                                            \
	(INT64_C(1) << 30) /* the Engine's 64 MiB are too few for data loaders with several processes */

static void add_variable(json_t *env, const char *name, const char *value)
{
	auto_free char *text = xasprintf("%s=%s", name, value ? value : "");

	json_array_append_new(env, json_string(text));
}

static json_t *environment(const json_t *request, const char *arn_text)
{
	json_t *env = json_array();
	auto_arn arn = { 0 };
	const char *name;
	json_t *value;

	if (arn_parse(arn_text, &arn) == 0)
		add_variable(env, "AWS_REGION", arn.region);
	add_variable(env, "TRAINING_JOB_NAME", json_str(request, "TrainingJobName"));
	add_variable(env, "TRAINING_JOB_ARN", arn_text);
	add_variable(env, "SAGEMAKER_METRICS_DIRECTORY", "/opt/ml/output/metrics/sagemaker");
	json_object_foreach((json_t *)json_object_get(request, "Environment"), name, value)
		add_variable(env, name, json_string_value(value));
	return env;
}

static void add_mount(json_t *mounts, const char *source, const char *target)
{
	json_array_append_new(mounts, json_pack("{s:s, s:s, s:s}", "Type", "bind", "Source", source, "Target", target));
}

/* Folder by folder, so that what an image brings at /opt/ml/code stays to be seen. */
static json_t *mounts(const json_t *request, const struct container_place *place)
{
	static const char *const folders[] = { "input", "model", "output" };
	const char *checkpoints = json_str(json_object_get(request, "CheckpointConfig"), "LocalPath");
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		auto_free char *source = fs_join(place->ml, folders[i]);
		auto_free char *target = fs_join("/opt/ml", folders[i]);

		add_mount(list, source, target);
	}
	add_mount(list, place->checkpoints, checkpoints ? checkpoints : "/opt/ml/checkpoints");
	return list;
}

static void join_network(json_t *spec, json_t *host_config, const struct container_place *place)
{
	json_t *endpoints = json_object();

	if (place->is_private)
		json_object_set_new(endpoints, place->network, json_pack("{s:[s]}", "Aliases", place->host));
	json_object_set_new(spec, "NetworkingConfig", json_pack("{s:o}", "EndpointsConfig", endpoints));
	/* Without a network nobody else makes the host's own name known. */
	if (strcmp(json_str(host_config, "NetworkMode"), "none") == 0) {
		auto_free char *self = xasprintf("%s:127.0.0.1", place->host);

		json_object_set_new(host_config, "ExtraHosts", json_pack("[s]", self));
	}
}

json_t *runner_container_spec(const json_t *request, const char *arn, const struct container_place *place)
{
	const json_t *algorithm = json_object_get(request, "AlgorithmSpecification");
	json_t *entrypoint = json_object_get(algorithm, "ContainerEntrypoint");
	json_t *arguments = json_object_get(algorithm, "ContainerArguments");
	bool is_isolated = json_is_true(json_object_get(request, "EnableNetworkIsolation"));
	/* Isolated hosts may still speak to each other. */
	const char *mode = is_isolated && !place->is_private ? "none" : place->network;
	json_t *host = json_pack("{s:o, s:s, s:I}", "Mounts", mounts(request, place), "NetworkMode", mode, "ShmSize",
				 (json_int_t)SHARED_MEMORY_BYTES);
	json_t *spec = json_pack("{s:s, s:s, s:o, s:{s:s}, s:o}", "Image", json_str(algorithm, "TrainingImage"),
				 "Hostname", place->host, "Env", environment(request, arn), "Labels", "smpipe.job",
				 json_str(request, "TrainingJobName"), "HostConfig", host);

	join_network(spec, host, place);
	/* Logs are read back from the Engine, whatever its default driver is. */
	json_object_set_new(host, "LogConfig", json_pack("{s:s}", "Type", "json-file"));
	/* An entrypoint alone drops the image's CMD as well: the Engine does so by itself. */
	if (entrypoint)
		json_object_set(spec, "Entrypoint", entrypoint);
	if (arguments)
		json_object_set(spec, "Cmd", arguments);
	else if (!entrypoint)
		json_object_set_new(spec, "Cmd", json_pack("[s]", "train"));
	return spec;
}
