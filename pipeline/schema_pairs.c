/* Keys that need or exclude each other. */

#include "pipeline/schema.h"

const struct schema_pair schema_needs[] = {
	{ "estimator.subnets", "estimator.security_group_ids", "security_group_ids: [sg-…]" },
	{ "estimator.security_group_ids", "estimator.subnets", "subnets: [subnet-…]" },
	{ "estimator.checkpoint_local_path", "estimator.checkpoint_s3_uri", "checkpoint_s3_uri: s3://…" },
	{ "estimator.training_repository_credentials_provider_arn", "estimator.training_repository_access_mode",
	  "training_repository_access_mode: Vpc" },
	{ "estimator.model_channel_name", "estimator.model_uri", "model_uri: s3://…" },
	{ "tuner.auto_parameters", "tuner.autotune", "autotune: true" },
	{ "tuner.allocation_strategy", "tuner.instance_configs", "instance_configs: [{instance_type: …}]" },
	{ "tuner.warm_start_config.parents", "tuner.warm_start_config.type", "type: TransferLearning" },
	{ "tuner.warm_start_config.type", "tuner.warm_start_config.parents", "parents: [<name of a tuning job>]" },
	{ 0 },
};

const struct schema_pair schema_excludes[] = {
	{ "image.uri", "image.algorithm_name", NULL },
	{ "image.uri", "estimator.serverless_job_config", NULL },
	{ "image.algorithm_name", "estimator.serverless_job_config", NULL },
	{ "image.dockerfile", "image.algorithm_name", NULL },
	{ "image.dockerfile", "image.uri", NULL },
	{ "estimator.instance_type", "estimator.instance_groups", NULL },
	{ "estimator.instance_count", "estimator.instance_groups", NULL },
	{ "estimator.instance_type", "estimator.serverless_job_config", NULL },
	{ "estimator.instance_groups", "estimator.serverless_job_config", NULL },
	{ "tuner", "estimator.serverless_job_config", NULL },
	{ "tuner.objective_metric_name", "tuner.definitions", NULL },
	{ "tuner.objective_type", "tuner.definitions", NULL },
	{ "tuner.hyperparameter_ranges", "tuner.definitions", NULL },
	{ "tuner.auto_parameters", "tuner.definitions", NULL },
	/* Of every range: the printed schema reads these, the parser of ranges says it in words of its own. */
	{ "tuner.hyperparameter_ranges.*.continuous", "tuner.hyperparameter_ranges.*.integer", NULL },
	{ "tuner.hyperparameter_ranges.*.continuous", "tuner.hyperparameter_ranges.*.categorical", NULL },
	{ "tuner.hyperparameter_ranges.*.integer", "tuner.hyperparameter_ranges.*.categorical", NULL },
	{ "tuner.hyperparameter_ranges.*.scaling", "tuner.hyperparameter_ranges.*.categorical", NULL },
	{ 0 },
};
