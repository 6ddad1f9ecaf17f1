#include "local/runnable.h"

#include <string.h>

#include "aws/metrics.h"
#include "aws/sagemaker_tuning_request.h"
#include "base/fs.h"
#include "base/json.h"
#include "ecr/reference.h"
#include "local/channel.h"
#include "local/registry_store.h"
#include "local/tuning_child.h"
#include "local/tuning_sample.h"
#include "s3/uri.h"

/* More than the service's quotas let anybody have. */
#define TUNING_PARALLEL_LAST 100
#define TUNING_JOBS_LAST     10000

static int not_yet(struct err *err, const char *what)
{
	return err_set(err, ERR_CONFIG, "the local cloud does not run %s yet", what);
}

bool runnable_own_image(const struct cloud *cloud, const char *image, char **ret_repository, char **ret_reference)
{
	auto_free char *by_address = xasprintf("127.0.0.1:%d", cloud->port);
	auto_free char *by_name = xasprintf("localhost:%d", cloud->port);
	auto_reference r = { 0 };
	auto_err ignored = { 0 };

	if (reference_parse(image, &r, &ignored) < 0 || !(str_eq(r.host, by_address) || str_eq(r.host, by_name)))
		return false;
	*ret_repository = take(r.repository);
	*ret_reference = r.digest ? take(r.digest) : r.tag ? take(r.tag) : xstrdup("latest");
	return true;
}

/* The service looks into ECR before it accepts a job. Images of other hosts are looked for when the job begins. */
static int check_image(struct cloud *cloud, const char *image, struct err *err)
{
	auto_free char *repository = NULL;
	auto_free char *reference = NULL;
	auto_err none = { 0 };
	struct digest digest;

	if (!image)
		return not_yet(err, "algorithms by name (AlgorithmSpecification.AlgorithmName)");
	if (!runnable_own_image(cloud, image, &repository, &reference))
		return 0;
	if (!store_ecr_has_repository(cloud->ecr, repository))
		return err_set(err, ERR_CONFIG,
			       "Cannot find repository: %s in registry ID: %s. Please check if your ECR "
			       "repository exists.",
			       repository, cloud->account);
	if (store_ecr_resolve(cloud->ecr, repository, reference, &digest, &none) < 0)
		return err_set(err, ERR_CONFIG, "Cannot find image '%s' in repository '%s' of registry '%s'.",
			       reference, repository, cloud->account);
	return 0;
}

const char *runnable_input_mode(const json_t *request, const json_t *channel)
{
	const char *mode = json_str(channel, "InputMode");

	return mode ? mode : json_str(json_object_get(request, "AlgorithmSpecification"), "TrainingInputMode");
}

static int check_channel(const json_t *request, const json_t *channel, struct err *err)
{
	const json_t *source = json_at(channel, "DataSource", "S3DataSource", NULL);
	const char *compression = json_str(channel, "CompressionType");
	const char *wrapper = json_str(channel, "RecordWrapperType");
	const char *mode = runnable_input_mode(request, channel);
	const char *name = json_str(channel, "ChannelName");
	auto_s3_uri uri = { 0 };

	/* The name becomes a folder. */
	if (!name || !fs_is_safe_relative(name))
		return err_set(err, ERR_CONFIG, "channel '%s' can be no folder", name ? name : "");
	if (!source)
		return not_yet(err, "file systems as data sources");
	if (!str_eq(json_str(source, "S3DataType"), "S3Prefix") &&
	    !str_eq(json_str(source, "S3DataType"), "ManifestFile"))
		return not_yet(err, "channels with an S3DataType other than S3Prefix and ManifestFile");
	if (compression && !str_eq(compression, "None"))
		return not_yet(err, "channels with a CompressionType");
	if (wrapper && !str_eq(wrapper, "None"))
		return not_yet(err, "channels with a RecordWrapperType");
	if (mode && !str_eq(mode, "File") && !str_eq(mode, "FastFile"))
		return not_yet(err, "channels in Pipe mode");
	if (str_eq(mode, "FastFile") && !str_eq(json_str(source, "S3DataType"), "S3Prefix"))
		return err_set(err, ERR_CONFIG, "channel '%s': FastFile takes the S3DataType S3Prefix only", name);
	return s3_uri_parse(json_str(source, "S3Uri"), &uri, err);
}

static int check_channels(const json_t *request, struct err *err)
{
	size_t i;
	json_t *channel;

	json_array_foreach(json_object_get(request, "InputDataConfig"), i, channel) {
		if (check_channel(request, channel, err) < 0)
			return -1;
	}
	return 0;
}

static int check_bucket(struct cloud *cloud, const char *uri_text, const char *member, struct err *err)
{
	auto_s3_uri uri = { 0 };

	if (s3_uri_parse(uri_text ? uri_text : "", &uri, err) < 0)
		return err_wrap(err, "%s", member);
	if (!store_s3_has_bucket(cloud->s3, uri.bucket))
		return err_set(err, ERR_CONFIG, "%s: no S3 bucket '%s' was found", member, uri.bucket);
	return 0;
}

/* LocalPath must be a folder of its own, not one that has a meaning already. */
static int check_checkpoints(struct cloud *cloud, const json_t *config, struct err *err)
{
	static const char *const taken[] = { "/opt/ml", "/opt/ml/input", "/opt/ml/model", "/opt/ml/output",
					     "/opt/ml/code" };
	const char *path = json_str(config, "LocalPath");

	if (!config)
		return 0;
	if (path && (path[0] != '/' || !fs_is_safe_relative(path + 1)))
		return err_set(err, ERR_CONFIG, "CheckpointConfig.LocalPath: '%s' is no absolute path of a folder",
			       path);
	for (size_t i = 0; path && i < ARRAY_LEN(taken); i++)
		if (str_eq(path, taken[i]))
			return err_set(err, ERR_CONFIG, "CheckpointConfig.LocalPath: '%s' is taken", path);
	return check_bucket(cloud, json_str(config, "S3Uri"), "CheckpointConfig.S3Uri", err);
}

int runnable_check(struct cloud *cloud, const json_t *request, struct err *err)
{
	const json_t *algorithm = json_object_get(request, "AlgorithmSpecification");
	const json_t *resources = json_object_get(request, "ResourceConfig");
	const json_t *count = json_object_get(resources, "InstanceCount");
	const char *output = json_str(json_object_get(request, "OutputDataConfig"), "S3OutputPath");
	struct metrics *metrics = NULL;

	if (json_object_get(resources, "InstanceGroups"))
		return not_yet(err, "jobs with instance groups");
	if (json_integer_value(count) > HOSTS_MAX)
		return not_yet(err, "jobs on more than 8 instances");
	if (check_channels(request, err) < 0 || check_bucket(cloud, output, "OutputDataConfig.S3OutputPath", err) < 0 ||
	    check_checkpoints(cloud, json_object_get(request, "CheckpointConfig"), err) < 0)
		return -1;
	if (metrics_new(json_object_get(algorithm, "MetricDefinitions"), &metrics, err) < 0)
		return -1;
	metrics_free(metrics);
	return check_image(cloud, json_str(algorithm, "TrainingImage"), err);
}

/* *total: the points of a Grid so far. */
static int check_ranges(const json_t *request, const json_t *definition, uint64_t *total, struct err *err)
{
	const json_t *ranges = sagemaker_tuning_ranges(request, definition);
	const char *strategy = json_str(json_object_get(request, "HyperParameterTuningJobConfig"), "Strategy");
	struct sampler *sampler = NULL;
	uint64_t points;

	if (json_array_size(sagemaker_range_list(ranges, RANGE_AUTO)) > 0)
		return not_yet(err, "tuning jobs that choose ranges by themselves (AutoParameters)");
	if (sampler_new(ranges, 0, &sampler, err) < 0)
		return -1;
	points = sampler_points(sampler);
	sampler_free(sampler);
	if (json_object_get(request, "Autotune") && points == 1)
		return not_yet(err, "tuning jobs that choose ranges by themselves (Autotune)");
	*total += points;
	if (str_eq(strategy, "Grid") && (points == 0 || *total > TUNING_JOBS_LAST))
		return not_yet(err, "tuning jobs of more than 10000 training jobs");
	return 0;
}

static int check_resource_limits(const json_t *request, struct err *err)
{
	const json_t *limits = json_at(request, "HyperParameterTuningJobConfig", "ResourceLimits", NULL);

	if (json_integer_value(json_object_get(limits, "MaxParallelTrainingJobs")) > TUNING_PARALLEL_LAST)
		return not_yet(err, "more than 100 training jobs of a tuning job at once");
	if (json_integer_value(json_object_get(limits, "MaxNumberOfTrainingJobs")) > TUNING_JOBS_LAST)
		return not_yet(err, "tuning jobs of more than 10000 training jobs");
	return 0;
}

static int check_definition(struct cloud *cloud, const json_t *request, const json_t *definition, uint64_t *total,
			    struct err *err)
{
	auto_json *nothing = json_object();
	auto_json *child = tuning_child_request(request, definition, "x", nothing);

	return check_ranges(request, definition, total, err) < 0 ? -1 : runnable_check(cloud, child, err);
}

int runnable_check_tuning(struct cloud *cloud, const json_t *request, struct err *err)
{
	const json_t *definition;
	uint64_t total = 0;

	if (json_object_get(request, "WarmStartConfig"))
		return not_yet(err, "tuning jobs that start from others (WarmStartConfig)");
	if (check_resource_limits(request, err) < 0)
		return -1;
	for (size_t i = 0; (definition = sagemaker_tuning_definition(request, i)); i++) {
		const char *name = json_str(definition, "DefinitionName");

		if (check_definition(cloud, request, definition, &total, err) < 0)
			return name ? err_wrap(err, "TrainingJobDefinition '%s'", name) : -1;
	}
	return 0;
}

char *runnable_note(const json_t *request)
{
	const json_t *config = json_object_get(request, "HyperParameterTuningJobConfig");
	const json_t *criteria = json_object_get(config, "TuningJobCompletionCriteria");
	auto_str note = { 0 };

	if (str_eq(json_str(config, "Strategy"), "Bayesian"))
		str_add(&note, "; it has no Bayesian search: hyperparameters are sampled at random");
	if (str_eq(json_str(json_object_get(criteria, "ConvergenceDetected"), "CompleteOnConvergence"), "Enabled"))
		str_add(&note, "; it does not look for convergence");
	if (json_object_get(request, "Autotune"))
		str_add(&note, "; it does not tune ranges and limits by itself (Autotune)");
	return note.len ? xasprintf("Note of the local cloud: %s", str_text(&note) + 2) : NULL;
}
