#include "pipeline/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const versions[] = { "1", NULL };
static const char *const deliveries[] = { "toolkit", "channel", "image", NULL };
static const char *const file_views[] = { "git", "all", NULL };
static const char *const input_modes[] = { "File", "FastFile", "Pipe", NULL };
static const char *const distributions[] = { "FullyReplicated", "ShardedByS3Key", NULL };
static const char *const encodings[] = { "plain", "json", NULL };

#define MAX_SECONDS (365LL * 24 * 3600)

const struct schema_key schema_keys[] = {
	{ "version", SCHEMA_SCALAR, NULL, NULL, versions, 0, 0, "Version of this file's format." },
	{ "name", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Name of the algorithm: letters, digits and hyphens, at most 46." },
	{ "region", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "AWS region; default AWS_REGION, then the profile's." },
	{ "profile", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Profile of the shared AWS configuration; default AWS_PROFILE." },
	{ "account", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "A guard: the only account that this file may be released into." },
	{ "role", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Role that the training job assumes: its ARN, its name, or auto (inside SageMaker: the execution role)." },
	{ "bucket", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Bucket for code, data and output; default sagemaker-<region>-<account>." },
	{ "bucket_owner", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Account that owns the buckets; default the caller's." },
	{ "create_bucket", SCHEMA_BOOLEAN, NULL, NULL, NULL, 0, 0, "Create the bucket if it does not exist." },

	{ "image", SCHEMA_MAPPING, NULL, NULL, NULL, 0, 0, "The training image." },
	{ "image.uri", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "An existing image to use instead of building one." },
	{ "image.dockerfile", SCHEMA_STRING, NULL, "Dockerfile", NULL, 0, 0, "Dockerfile, relative to this file." },
	{ "image.context", SCHEMA_STRING, NULL, ".", NULL, 0, 0, "Build context, relative to this file." },
	{ "image.include", SCHEMA_LIST, NULL, NULL, NULL, 0, 0, "Files and folders of the context that git does not track (built binaries)." },
	{ "image.include[]", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "A path, relative to this file." },
	{ "image.files", SCHEMA_STRING, NULL, "git", file_views, 0, 0, "What the context holds: git's files, or all files as docker build takes them." },
	{ "image.repository", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "ECR repository; default the name in lower case." },
	{ "image.target", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Stage of the Dockerfile to build." },
	{ "image.build_args", SCHEMA_MAP, NULL, NULL, NULL, 0, 0, "Build arguments." },
	{ "image.build_args.*", SCHEMA_SCALAR, NULL, NULL, NULL, 0, 0, "Value of one build argument." },
	{ "image.platform", SCHEMA_STRING, NULL, "linux/amd64", NULL, 0, 0, "Platform of the image." },
	{ "image.network", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Network of RUN steps: host, none or a network's name." },

	{ "source", SCHEMA_MAPPING, NULL, NULL, NULL, 0, 0, "Code that is delivered beside the image." },
	{ "source.entry_point", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "File at the root of source_dir that the image runs." },
	{ "source.source_dir", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Folder with the code, or s3://…/sourcedir.tar.gz." },
	{ "source.dependencies", SCHEMA_LIST, NULL, NULL, NULL, 0, 0, "Folders that are placed beside the entry point." },
	{ "source.dependencies[]", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "A path, relative to this file." },
	{ "source.include", SCHEMA_LIST, NULL, NULL, NULL, 0, 0, "Files and folders to pack that git does not track." },
	{ "source.include[]", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "A path, relative to this file." },
	{ "source.files", SCHEMA_STRING, NULL, "git", file_views, 0, 0, "What is packed: git's files, or all files." },
	{ "source.code_location", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Where code is uploaded: s3://bucket/prefix or a bucket." },
	{ "source.delivery", SCHEMA_STRING, NULL, "toolkit", deliveries, 0, 0, "How the code reaches the container." },

	{ "data_location", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "Where data snapshots are uploaded: s3://bucket/prefix or a bucket." },
	{ "inputs", SCHEMA_MAP, NULL, NULL, NULL, 0, 0, "Channels, as fit() takes them." },
	{ "inputs.*", SCHEMA_INPUT, NULL, NULL, NULL, 0, 0, "A local path, an s3:// prefix, or a mapping." },
	{ "inputs.*.path", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "A local file or folder, or an s3:// prefix." },
	{ "inputs.*.content_type", SCHEMA_STRING, "ContentType", NULL, NULL, 0, 0, "MIME type." },
	{ "inputs.*.input_mode", SCHEMA_STRING, "InputMode", NULL, input_modes, 0, 0, "How the container sees the data." },
	{ "inputs.*.distribution", SCHEMA_STRING, NULL, "FullyReplicated", distributions, 0, 0, "All data to each host, or a share." },

	{ "estimator", SCHEMA_MAPPING, NULL, NULL, NULL, 0, 0, "What Estimator() takes." },
	{ "estimator.instance_type", SCHEMA_STRING, "ResourceConfig.InstanceType", NULL, NULL, 0, 0, "Instance type, ml.m5.large for one." },
	{ "estimator.instance_count", SCHEMA_INTEGER, "ResourceConfig.InstanceCount", "1", NULL, 1, 1000, "Number of instances." },
	{ "estimator.volume_size", SCHEMA_INTEGER, "ResourceConfig.VolumeSizeInGB", "30", NULL, 1, 65536, "Storage in GB." },
	{ "estimator.volume_kms_key", SCHEMA_STRING, "ResourceConfig.VolumeKmsKeyId", NULL, NULL, 0, 0, "KMS key of the volume." },
	{ "estimator.max_run", SCHEMA_DURATION, "StoppingCondition.MaxRuntimeInSeconds", "1d", NULL, 1, MAX_SECONDS, "Longest training time." },
	{ "estimator.max_wait", SCHEMA_DURATION, "StoppingCondition.MaxWaitTimeInSeconds", NULL, NULL, 1, MAX_SECONDS, "Longest time with waiting for spot capacity." },
	{ "estimator.use_spot_instances", SCHEMA_BOOLEAN, "EnableManagedSpotTraining", NULL, NULL, 0, 0, "Train on spot capacity." },
	{ "estimator.input_mode", SCHEMA_STRING, "AlgorithmSpecification.TrainingInputMode", "File", input_modes, 0, 0, "Default input mode of the channels." },
	{ "estimator.output_path", SCHEMA_STRING, "OutputDataConfig.S3OutputPath", NULL, NULL, 0, 0, "Where the model goes; default s3://<bucket>/<name>/output." },
	{ "estimator.output_kms_key", SCHEMA_STRING, "OutputDataConfig.KmsKeyId", NULL, NULL, 0, 0, "KMS key of the output." },
	{ "estimator.checkpoint_s3_uri", SCHEMA_STRING, "CheckpointConfig.S3Uri", NULL, NULL, 0, 0, "Where checkpoints are kept." },
	{ "estimator.checkpoint_local_path", SCHEMA_STRING, "CheckpointConfig.LocalPath", NULL, NULL, 0, 0, "Where the container writes checkpoints." },
	{ "estimator.subnets", SCHEMA_LIST, "VpcConfig.Subnets", NULL, NULL, 0, 0, "Subnets of the VPC." },
	{ "estimator.subnets[]", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "A subnet's id." },
	{ "estimator.security_group_ids", SCHEMA_LIST, "VpcConfig.SecurityGroupIds", NULL, NULL, 0, 0, "Security groups of the VPC." },
	{ "estimator.security_group_ids[]", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "A security group's id." },
	{ "estimator.enable_network_isolation", SCHEMA_BOOLEAN, "EnableNetworkIsolation", NULL, NULL, 0, 0, "No network in the container." },
	{ "estimator.encrypt_inter_container_traffic", SCHEMA_BOOLEAN, "EnableInterContainerTrafficEncryption", NULL, NULL, 0, 0, "Encrypt traffic between hosts." },
	{ "estimator.container_entry_point", SCHEMA_LIST, "AlgorithmSpecification.ContainerEntrypoint", NULL, NULL, 0, 0, "Replaces the image's ENTRYPOINT." },
	{ "estimator.container_entry_point[]", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "One word." },
	{ "estimator.container_arguments", SCHEMA_LIST, "AlgorithmSpecification.ContainerArguments", NULL, NULL, 0, 0, "Replaces the argument `train`." },
	{ "estimator.container_arguments[]", SCHEMA_STRING, NULL, NULL, NULL, 0, 0, "One word." },
	{ "estimator.environment", SCHEMA_MAP, "Environment", NULL, NULL, 0, 0, "Environment variables of the container." },
	{ "estimator.environment.*", SCHEMA_SCALAR, NULL, NULL, NULL, 0, 0, "Value of one variable." },
	{ "estimator.hyperparameters", SCHEMA_MAP, NULL, NULL, NULL, 0, 0, "Hyperparameters." },
	{ "estimator.hyperparameters.*", SCHEMA_VALUE, NULL, NULL, NULL, 0, 0, "Value of one hyperparameter." },
	{ "estimator.hyperparameter_encoding", SCHEMA_STRING, NULL, NULL, encodings, 0, 0, "plain or json; default json when the toolkit delivers code." },
	{ "estimator.metric_definitions", SCHEMA_LIST, "AlgorithmSpecification.MetricDefinitions", NULL, NULL, 0, 0, "Metrics read from the log." },
	{ "estimator.metric_definitions[]", SCHEMA_MAPPING, NULL, NULL, NULL, 0, 0, "One metric." },
	{ "estimator.metric_definitions[].name", SCHEMA_STRING, "Name", NULL, NULL, 0, 0, "Name of the metric." },
	{ "estimator.metric_definitions[].regex", SCHEMA_STRING, "Regex", NULL, NULL, 0, 0, "Regular expression; its first group is the value." },
	{ "estimator.tags", SCHEMA_MAP, NULL, NULL, NULL, 0, 0, "Tags of the job." },
	{ "estimator.tags.*", SCHEMA_SCALAR, NULL, NULL, NULL, 0, 0, "Value of one tag." },

	{ "environments", SCHEMA_MAP, NULL, NULL, NULL, 0, 0, "Named variants: -e NAME lays one over the rest of the file." },
	{ "environments.*", SCHEMA_MAPPING, NULL, NULL, NULL, 0, 0, "Any keys of this file but version, name and environments." },
	{ 0 },
};

/* Whether row is directly below parent; *ret_key is its last part. */
static int is_child(const struct schema_key *row, const char *parent, const char **ret_key)
{
	size_t n = strlen(parent);

	if (strncmp(row->path, parent, n) != 0)
		return 0;
	if (n) {
		if (row->path[n] != '.')
			return 0;
		n++;
	}
	*ret_key = row->path + n;
	return !strpbrk(*ret_key, ".[");
}

const struct schema_key *schema_find(const char *parent, const char *key)
{
	const struct schema_key *any = NULL;
	const char *name;

	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (!is_child(row, parent, &name))
			continue;
		if (!strcmp(name, key))
			return row;
		if (!strcmp(name, "*"))
			any = row;
	}
	return any;
}

const char *schema_nearest(const char *parent, const char *key)
{
	const char *names[ARRAY_LEN(schema_keys)];
	size_t n = 0;

	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (is_child(row, parent, &names[n]))
			n++;
	}
	names[n] = NULL;
	return str_nearest(key, names);
}

static json_t *describe_row(const struct schema_key *row);

static json_t *describe_children(const char *parent)
{
	json_t *properties = json_object();
	const char *name;

	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (is_child(row, parent, &name) && strcmp(name, "*") != 0)
			json_object_set_new(properties, name, describe_row(row));
	}
	return properties;
}

static void describe_mapping(json_t *j, const char *parent)
{
	json_put_str(j, "type", "object");
	json_object_set_new(j, "properties", describe_children(parent));
	json_object_set_new(j, "additionalProperties", json_false());
}

static const struct schema_key *row_at(const char *path)
{
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (!strcmp(row->path, path))
			return row;
	}
	return NULL;
}

static json_t *describe_at(const char *parent, const char *suffix)
{
	auto_free char *path = xasprintf("%s%s", parent, suffix);

	return describe_row(row_at(path));
}

static void describe_number(json_t *j, const struct schema_key *row)
{
	json_put_str(j, "type", "integer");
	json_put_int(j, "minimum", row->min);
	if (row->max)
		json_put_int(j, "maximum", row->max);
}

static void describe_duration(json_t *j)
{
	json_object_set_new(j, "type", json_pack("[ss]", "integer", "string"));
	json_put_str(j, "pattern", "^[0-9]+[smhd]?$");
}

static void describe_type(json_t *j, const struct schema_key *row)
{
	switch (row->type) {
	case SCHEMA_MAPPING:
		/* A named environment holds the keys of the file itself. */
		describe_mapping(j, !strcmp(row->path, "environments.*") ? "\n" : row->path);
		break;
	case SCHEMA_MAP:
		json_put_str(j, "type", "object");
		json_object_set_new(j, "additionalProperties",
				    !strcmp(row->path, "environments") ? json_pack("{ss}", "type", "object") :
									 describe_at(row->path, ".*"));
		break;
	case SCHEMA_LIST:
		json_put_str(j, "type", "array");
		json_object_set_new(j, "items", describe_at(row->path, "[]"));
		break;
	case SCHEMA_INTEGER:
		describe_number(j, row);
		break;
	case SCHEMA_DURATION:
		describe_duration(j);
		break;
	case SCHEMA_BOOLEAN:
		json_put_str(j, "type", "boolean");
		break;
	case SCHEMA_SCALAR:
		json_object_set_new(j, "type", json_pack("[sss]", "string", "number", "boolean"));
		break;
	case SCHEMA_STRING:
		json_put_str(j, "type", "string");
		break;
	case SCHEMA_INPUT:
		json_object_set_new(j, "type", json_pack("[ss]", "string", "object"));
		json_object_set_new(j, "properties", describe_children(row->path));
		json_object_set_new(j, "additionalProperties", json_false());
		break;
	case SCHEMA_VALUE:
		break;
	}
}

static json_t *describe_row(const struct schema_key *row)
{
	json_t *j = json_object();

	json_put_str(j, "description", row->words);
	describe_type(j, row);
	json_put_str(j, "default", row->fallback);
	if (row->choices && row->type == SCHEMA_STRING) {
		json_t *choices = json_array();

		for (const char *const *c = row->choices; *c; c++)
			json_array_append_new(choices, json_string(*c));
		json_object_set_new(j, "enum", choices);
	}
	return j;
}

json_t *schema_json(void)
{
	json_t *j = json_object();

	json_put_str(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_put_str(j, "title", "smpipe.yaml");
	describe_mapping(j, "");
	json_object_set_new(j, "required", json_pack("[ss]", "version", "name"));
	return j;
}
