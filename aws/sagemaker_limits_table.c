#include "aws/sagemaker_limits_table.h"

#include <stddef.h>

/* One member a line, as in the service's model. */
/* clang-format off */

#define SHAPE(...)                  (&(const struct shape){ __VA_ARGS__ })
#define MATCH(least, most, regex)   SHAPE(.kind = SHAPE_LINE, .min = (least), .max = (most), .pattern = (regex))
#define LINE(least, most)           SHAPE(.kind = SHAPE_LINE, .min = (least), .max = (most))
#define TEXT(least, most)           SHAPE(.kind = SHAPE_TEXT, .min = (least), .max = (most))
#define TAG_TEXT(least, most)       SHAPE(.kind = SHAPE_TAG, .min = (least), .max = (most))
#define INTEGER(least, most)        SHAPE(.kind = SHAPE_INTEGER, .min = (least), .max = (most))
#define LONG                        INTEGER(SHAPE_NO_MIN, SHAPE_NO_MAX)
#define NUMBER                      SHAPE(.kind = SHAPE_NUMBER)
#define BOOLEAN                     SHAPE(.kind = SHAPE_BOOLEAN)
#define CHOICE(...)                 SHAPE(.kind = SHAPE_CHOICE, .choices = (const char *const[]){ __VA_ARGS__, NULL })
#define LIST(least, most, of)       SHAPE(.kind = SHAPE_LIST, .min = (least), .max = (most), .element = (of))
#define MAP(least, most, from, to)  SHAPE(.kind = SHAPE_MAP, .min = (least), .max = (most), .key = (from), \
					  .element = (to))
#define MEMBERS(...)                { .kind = SHAPE_STRUCTURE, .members = (const struct member[]){ __VA_ARGS__, { 0 } } }
#define NEED(name, shape)           { name, shape, true }
#define MAY(name, shape)            { name, shape, false }

#define ALNUM_HYPHEN "[a-zA-Z0-9](-*[a-zA-Z0-9])*"
#define SAGEMAKER_ARN "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:"
#define HUB_CONTENT_ARN "arn:[a-z0-9.-]{1,63}:sagemaker:[a-zA-Z0-9_]+(-[a-zA-Z0-9_]+)+:([0-9]{12}|aws):hub-content/"
#define HUB_VERSION "(/[0-9]{1,4}.[0-9]{1,4}.[0-9]{1,4})?"

#define S3_URI        MATCH(0, 1024, "(https|s3)://[^/]+/?.*")
#define KMS_KEY       MATCH(0, 2048, "[a-zA-Z0-9:/_-]*")
#define DIRECTORY     LINE(0, 4096)
#define IMAGE         LINE(0, 255)
#define INPUT_MODE    CHOICE("Pipe", "File", "FastFile")
#define COUNT         INTEGER(0, SHAPE_INTEGER_MAX)
#define GROUP_NAME    MATCH(1, 64, ".+")
#define VPC_ID        MATCH(0, 32, "[-0-9a-zA-Z]+")
#define PARAMETERS(n) MAP(0, n, LINE(1, 256), LINE(0, 256))
/* By form, not by the model's list: new instance types come more often than releases of this program. */
#define INSTANCE_TYPE MATCH(SHAPE_NO_MIN, SHAPE_NO_MAX, "ml\\.[a-z0-9-]+\\.[a-z0-9-]+")
#define EXPERIMENT    MATCH(1, 120, ALNUM_HYPHEN)
#define ROLE_ARN      MATCH(20, 2048, "arn:aws[a-z-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@/-]+")
#define HYPERPARAMETERS MAP(0, 100, LINE(0, 256), LINE(0, 2500))
#define ENVIRONMENT(n)  MAP(0, n, MATCH(0, 512, "[a-zA-Z_][a-zA-Z0-9_]*"), TEXT(0, 512))
#define PARAMETER     LINE(0, 256) /* name or value of a tuned hyperparameter */
#define SCALING       CHOICE("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")
#define TUNING_NAME   MATCH(1, 32, ALNUM_HYPHEN)

static const struct shape metric_definition = MEMBERS(
	NEED("Name", MATCH(1, 255, ".+")),
	NEED("Regex", MATCH(1, 500, ".+")));

static const struct shape repository_auth = MEMBERS(
	NEED("TrainingRepositoryCredentialsProviderArn",
	     MATCH(1, 2048, "arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:[0-9]{12}:function:.*")));

static const struct shape training_image_config = MEMBERS(
	NEED("TrainingRepositoryAccessMode", CHOICE("Platform", "Vpc")),
	MAY("TrainingRepositoryAuthConfig", &repository_auth));

static const struct shape algorithm = MEMBERS(
	MAY("TrainingImage", IMAGE),
	MAY("AlgorithmName", MATCH(1, 170, "(" SAGEMAKER_ARN "[a-z-]*/)?" ALNUM_HYPHEN)),
	NEED("TrainingInputMode", INPUT_MODE),
	MAY("MetricDefinitions", LIST(0, 40, &metric_definition)),
	MAY("EnableSageMakerMetricsTimeSeries", BOOLEAN),
	MAY("ContainerEntrypoint", LIST(1, 100, LINE(0, 256))),
	MAY("ContainerArguments", LIST(1, 100, LINE(0, 256))),
	MAY("TrainingImageConfig", &training_image_config));

static const struct shape model_access = MEMBERS(NEED("AcceptEula", BOOLEAN));
static const struct shape hub_access = MEMBERS(NEED("HubContentArn", LINE(0, 255)));

static const struct shape s3_data_source = MEMBERS(
	NEED("S3DataType", CHOICE("ManifestFile", "S3Prefix", "AugmentedManifestFile", "Converse")),
	NEED("S3Uri", S3_URI),
	MAY("S3DataDistributionType", CHOICE("FullyReplicated", "ShardedByS3Key")),
	MAY("AttributeNames", LIST(0, 16, MATCH(1, 256, ".+"))),
	MAY("InstanceGroupNames", LIST(0, 5, GROUP_NAME)),
	MAY("ModelAccessConfig", &model_access),
	MAY("HubAccessConfig", &hub_access));

static const struct shape file_system = MEMBERS(
	NEED("FileSystemId", MATCH(11, 21, "fs-[0-9a-f]{8,}")),
	NEED("FileSystemAccessMode", CHOICE("rw", "ro")),
	NEED("FileSystemType", CHOICE("EFS", "FSxLustre")),
	NEED("DirectoryPath", DIRECTORY));

static const struct shape dataset_source = MEMBERS(
	NEED("DatasetArn",
	     MATCH(0, 2048, HUB_CONTENT_ARN ALNUM_HYPHEN "/DataSet/" ALNUM_HYPHEN HUB_VERSION)));

static const struct shape data_source = MEMBERS(
	MAY("S3DataSource", &s3_data_source),
	MAY("FileSystemDataSource", &file_system),
	MAY("DatasetSource", &dataset_source));

static const struct shape shuffle = MEMBERS(NEED("Seed", LONG));

static const struct shape channel = MEMBERS(
	NEED("ChannelName", MATCH(1, 64, "[A-Za-z0-9._-]+")),
	NEED("DataSource", &data_source),
	MAY("ContentType", LINE(0, 256)),
	MAY("CompressionType", CHOICE("None", "Gzip")),
	MAY("RecordWrapperType", CHOICE("None", "RecordIO")),
	MAY("InputMode", INPUT_MODE),
	MAY("ShuffleConfig", &shuffle));

static const struct shape output = MEMBERS(
	MAY("KmsKeyId", KMS_KEY),
	NEED("S3OutputPath", S3_URI),
	MAY("CompressionType", CHOICE("GZIP", "NONE")));

static const struct shape instance_group = MEMBERS(
	NEED("InstanceType", INSTANCE_TYPE),
	NEED("InstanceCount", COUNT),
	NEED("InstanceGroupName", GROUP_NAME));

static const struct shape placement = MEMBERS(MAY("UltraServerId", TEXT(0, 256)), NEED("InstanceCount", COUNT));

static const struct shape placement_config = MEMBERS(
	MAY("EnableMultipleJobs", BOOLEAN),
	MAY("PlacementSpecifications", LIST(0, 10, &placement)));

static const struct shape resources = MEMBERS(
	MAY("InstanceType", INSTANCE_TYPE),
	MAY("InstanceCount", COUNT),
	MAY("VolumeSizeInGB", COUNT),
	MAY("VolumeKmsKeyId", KMS_KEY),
	MAY("KeepAlivePeriodInSeconds", INTEGER(0, 21600)),
	MAY("InstanceGroups", LIST(0, 5, &instance_group)),
	MAY("TrainingPlanArn", MATCH(50, 2048, SAGEMAKER_ARN "training-plan/.*")),
	MAY("InstancePlacementConfig", &placement_config));

static const struct shape vpc = MEMBERS(
	NEED("SecurityGroupIds", LIST(1, 5, VPC_ID)),
	NEED("Subnets", LIST(1, 16, VPC_ID)));

static const struct shape stopping = MEMBERS(
	MAY("MaxRuntimeInSeconds", INTEGER(1, SHAPE_INTEGER_MAX)),
	MAY("MaxWaitTimeInSeconds", INTEGER(1, SHAPE_INTEGER_MAX)),
	MAY("MaxPendingTimeInSeconds", INTEGER(7200, 2419200)));

static const struct shape tag = MEMBERS(NEED("Key", TAG_TEXT(1, 128)), NEED("Value", TAG_TEXT(0, 256)));

static const struct shape checkpoint = MEMBERS(NEED("S3Uri", S3_URI), MAY("LocalPath", DIRECTORY));

static const struct shape collection = MEMBERS(
	MAY("CollectionName", LINE(1, 256)),
	MAY("CollectionParameters", PARAMETERS(20)));

static const struct shape debug_hook = MEMBERS(
	MAY("LocalPath", DIRECTORY),
	NEED("S3OutputPath", S3_URI),
	MAY("HookParameters", PARAMETERS(20)),
	MAY("CollectionConfigurations", LIST(0, 20, &collection)));

/* Of the debugger and of the profiler. */
static const struct shape rule = MEMBERS(
	NEED("RuleConfigurationName", LINE(1, 256)),
	MAY("LocalPath", DIRECTORY),
	MAY("S3OutputPath", S3_URI),
	NEED("RuleEvaluatorImage", IMAGE),
	MAY("InstanceType", INSTANCE_TYPE),
	MAY("VolumeSizeInGB", COUNT),
	MAY("RuleParameters", PARAMETERS(100)));

static const struct shape tensorboard = MEMBERS(MAY("LocalPath", DIRECTORY), NEED("S3OutputPath", S3_URI));

static const struct shape experiment = MEMBERS(
	MAY("ExperimentName", EXPERIMENT),
	MAY("TrialName", EXPERIMENT),
	MAY("TrialComponentDisplayName", EXPERIMENT),
	MAY("RunName", EXPERIMENT));

static const struct shape profiler = MEMBERS(
	MAY("S3OutputPath", S3_URI),
	MAY("ProfilingIntervalInMilliseconds", LONG),
	MAY("ProfilingParameters", PARAMETERS(20)),
	MAY("DisableProfiler", BOOLEAN));

static const struct shape retry = MEMBERS(NEED("MaximumRetryAttempts", INTEGER(1, 30)));
static const struct shape remote_debug = MEMBERS(MAY("EnableRemoteDebug", BOOLEAN));
static const struct shape infra_check = MEMBERS(MAY("EnableInfraCheck", BOOLEAN));
static const struct shape session_chaining = MEMBERS(MAY("EnableSessionTagChaining", BOOLEAN));

static const struct shape serverless = MEMBERS(
	NEED("BaseModelArn", MATCH(1, 2048, HUB_CONTENT_ARN ALNUM_HYPHEN "/Model/" ALNUM_HYPHEN HUB_VERSION)),
	MAY("AcceptEula", BOOLEAN),
	NEED("JobType", CHOICE("FineTuning", "Evaluation")),
	MAY("CustomizationTechnique", CHOICE("SFT", "DPO", "RLVR", "RLAIF")),
	MAY("Peft", CHOICE("LORA")),
	MAY("EvaluationType", CHOICE("LLMAJEvaluation", "CustomScorerEvaluation", "BenchmarkEvaluation")),
	MAY("EvaluatorArn", LINE(SHAPE_NO_MIN, SHAPE_NO_MAX)),
	MAY("SequenceLength", MATCH(1, 50, "[0-9]+K")));

static const struct shape mlflow = MEMBERS(
	NEED("MlflowResourceArn", MATCH(0, 2048, SAGEMAKER_ARN "mlflow-[a-zA-Z-]*/.*")),
	MAY("MlflowExperimentName", LINE(1, 256)),
	MAY("MlflowRunName", LINE(1, 256)));

static const struct shape model_package = MEMBERS(
	NEED("ModelPackageGroupArn",
	     MATCH(1, 2048, "arn:aws[a-z-]*:sagemaker:[a-z0-9-]{9,16}:[0-9]{12}:model-package-group/[^[:space:]]+")),
	MAY("SourceModelPackageArn",
	    MATCH(1, 2048, "arn:aws[a-z-]*:sagemaker:[a-z0-9-]{9,16}:[0-9]{12}:model-package/[^[:space:]]+")));

const struct shape sagemaker_training_job_shape = MEMBERS(
	NEED("TrainingJobName", MATCH(1, 63, ALNUM_HYPHEN)),
	MAY("HyperParameters", HYPERPARAMETERS),
	MAY("AlgorithmSpecification", &algorithm),
	NEED("RoleArn", ROLE_ARN),
	MAY("InputDataConfig", LIST(1, 20, &channel)),
	NEED("OutputDataConfig", &output),
	MAY("ResourceConfig", &resources),
	MAY("VpcConfig", &vpc),
	MAY("StoppingCondition", &stopping),
	MAY("Tags", LIST(0, 50, &tag)),
	MAY("EnableNetworkIsolation", BOOLEAN),
	MAY("EnableInterContainerTrafficEncryption", BOOLEAN),
	MAY("EnableManagedSpotTraining", BOOLEAN),
	MAY("CheckpointConfig", &checkpoint),
	MAY("DebugHookConfig", &debug_hook),
	MAY("DebugRuleConfigurations", LIST(0, 20, &rule)),
	MAY("TensorBoardOutputConfig", &tensorboard),
	MAY("ExperimentConfig", &experiment),
	MAY("ProfilerConfig", &profiler),
	MAY("ProfilerRuleConfigurations", LIST(0, 20, &rule)),
	MAY("Environment", ENVIRONMENT(100)),
	MAY("RetryStrategy", &retry),
	MAY("RemoteDebugConfig", &remote_debug),
	MAY("InfraCheckConfig", &infra_check),
	MAY("SessionChainingConfig", &session_chaining),
	MAY("ServerlessJobConfig", &serverless),
	MAY("MlflowConfig", &mlflow),
	MAY("ModelPackageConfig", &model_package));

static const struct shape hyperband = MEMBERS(
	MAY("MinResource", INTEGER(1, SHAPE_INTEGER_MAX)),
	MAY("MaxResource", INTEGER(1, SHAPE_INTEGER_MAX)));

static const struct shape strategy_config = MEMBERS(MAY("HyperbandStrategyConfig", &hyperband));

static const struct shape objective = MEMBERS(
	NEED("Type", CHOICE("Maximize", "Minimize")),
	NEED("MetricName", MATCH(1, 255, ".+")));

static const struct shape tuning_limits = MEMBERS(
	MAY("MaxNumberOfTrainingJobs", INTEGER(1, SHAPE_INTEGER_MAX)),
	NEED("MaxParallelTrainingJobs", INTEGER(1, SHAPE_INTEGER_MAX)),
	MAY("MaxRuntimeInSeconds", INTEGER(120, 15768000)));

/* Of whole numbers and of continuous ones. */
static const struct shape numeric_range = MEMBERS(
	NEED("Name", PARAMETER),
	NEED("MinValue", PARAMETER),
	NEED("MaxValue", PARAMETER),
	MAY("ScalingType", SCALING));

static const struct shape categorical_range = MEMBERS(NEED("Name", PARAMETER), NEED("Values", LIST(1, 30, PARAMETER)));

static const struct shape auto_parameter = MEMBERS(NEED("Name", PARAMETER), NEED("ValueHint", PARAMETER));

static const struct shape ranges = MEMBERS(
	MAY("IntegerParameterRanges", LIST(0, 30, &numeric_range)),
	MAY("ContinuousParameterRanges", LIST(0, 30, &numeric_range)),
	MAY("CategoricalParameterRanges", LIST(0, 30, &categorical_range)),
	MAY("AutoParameters", LIST(0, 100, &auto_parameter)));

static const struct shape not_improving = MEMBERS(
	MAY("MaxNumberOfTrainingJobsNotImproving", INTEGER(3, SHAPE_INTEGER_MAX)));

static const struct shape convergence = MEMBERS(MAY("CompleteOnConvergence", CHOICE("Disabled", "Enabled")));

static const struct shape completion = MEMBERS(
	MAY("TargetObjectiveMetricValue", NUMBER),
	MAY("BestObjectiveNotImproving", &not_improving),
	MAY("ConvergenceDetected", &convergence));

static const struct shape tuning_config = MEMBERS(
	NEED("Strategy", CHOICE("Bayesian", "Random", "Hyperband", "Grid")),
	MAY("StrategyConfig", &strategy_config),
	MAY("HyperParameterTuningJobObjective", &objective),
	NEED("ResourceLimits", &tuning_limits),
	MAY("ParameterRanges", &ranges),
	MAY("TrainingJobEarlyStoppingType", CHOICE("Off", "Auto")),
	MAY("TuningJobCompletionCriteria", &completion),
	MAY("RandomSeed", INTEGER(0, SHAPE_INTEGER_MAX)));

static const struct shape tuning_algorithm = MEMBERS(
	MAY("TrainingImage", IMAGE),
	NEED("TrainingInputMode", INPUT_MODE),
	MAY("AlgorithmName", MATCH(1, 170, "(" SAGEMAKER_ARN "[a-z-]*/)?" ALNUM_HYPHEN)),
	MAY("MetricDefinitions", LIST(0, 40, &metric_definition)));

static const struct shape instance_config = MEMBERS(
	NEED("InstanceType", INSTANCE_TYPE),
	NEED("InstanceCount", COUNT),
	NEED("VolumeSizeInGB", INTEGER(1, SHAPE_INTEGER_MAX)));

static const struct shape tuning_resources = MEMBERS(
	MAY("InstanceType", INSTANCE_TYPE),
	MAY("InstanceCount", COUNT),
	MAY("VolumeSizeInGB", COUNT),
	MAY("VolumeKmsKeyId", KMS_KEY),
	MAY("AllocationStrategy", CHOICE("Prioritized")),
	MAY("InstanceConfigs", LIST(1, 6, &instance_config)));

static const struct shape definition = MEMBERS(
	MAY("DefinitionName", MATCH(1, 64, ALNUM_HYPHEN)),
	MAY("TuningObjective", &objective),
	MAY("HyperParameterRanges", &ranges),
	MAY("StaticHyperParameters", HYPERPARAMETERS),
	NEED("AlgorithmSpecification", &tuning_algorithm),
	NEED("RoleArn", ROLE_ARN),
	MAY("InputDataConfig", LIST(1, 20, &channel)),
	MAY("VpcConfig", &vpc),
	NEED("OutputDataConfig", &output),
	MAY("ResourceConfig", &resources),
	MAY("HyperParameterTuningResourceConfig", &tuning_resources),
	NEED("StoppingCondition", &stopping),
	MAY("EnableNetworkIsolation", BOOLEAN),
	MAY("EnableInterContainerTrafficEncryption", BOOLEAN),
	MAY("EnableManagedSpotTraining", BOOLEAN),
	MAY("CheckpointConfig", &checkpoint),
	MAY("RetryStrategy", &retry),
	MAY("Environment", ENVIRONMENT(48)));

static const struct shape parent = MEMBERS(MAY("HyperParameterTuningJobName", TUNING_NAME));

static const struct shape warm_start = MEMBERS(
	NEED("ParentHyperParameterTuningJobs", LIST(1, 5, &parent)),
	NEED("WarmStartType", CHOICE("IdenticalDataAndAlgorithm", "TransferLearning")));

static const struct shape autotune = MEMBERS(NEED("Mode", CHOICE("Enabled")));

const struct shape sagemaker_tuning_job_shape = MEMBERS(
	NEED("HyperParameterTuningJobName", TUNING_NAME),
	NEED("HyperParameterTuningJobConfig", &tuning_config),
	MAY("TrainingJobDefinition", &definition),
	MAY("TrainingJobDefinitions", LIST(1, 10, &definition)),
	MAY("WarmStartConfig", &warm_start),
	MAY("Tags", LIST(0, 50, &tag)),
	MAY("Autotune", &autotune));
