/* The rules of CreateHyperParameterTuningJob; its members are compared with the model in test_sagemaker_limits.c. */

#include "aws/sagemaker_limits.h"
#include "aws/sagemaker_tuning_request.h"
#include "tests/unit/edit_json.h"

#define DEFINITION                                                                                                     \
	"'StaticHyperParameters':{'epochs':'10'},'RoleArn':'arn:aws:iam::123456789012:role/R',"                        \
	"'AlgorithmSpecification':{'TrainingImage':'i','TrainingInputMode':'File',"                                    \
	"'MetricDefinitions':[{'Name':'f1','Regex':'f1=(.*)'}]},'OutputDataConfig':{'S3OutputPath':'s3://b/out'},"     \
	"'HyperParameterTuningResourceConfig':{'InstanceType':'ml.m5.large','InstanceCount':1,'VolumeSizeInGB':30},"   \
	"'StoppingCondition':{'MaxRuntimeInSeconds':60},'EnableNetworkIsolation':false"
#define RANGES                                                                                                         \
	"{'ContinuousParameterRanges':[{'Name':'lr','MinValue':'1e-3','MaxValue':'0.1','ScalingType':'Auto'}],"        \
	"'IntegerParameterRanges':[{'Name':'layers','MinValue':'1','MaxValue':'3'}],"                                  \
	"'CategoricalParameterRanges':[{'Name':'opt','Values':['a','b']}],'AutoParameters':[]}"
#define OBJECTIVE "{'Type':'Maximize','MetricName':'f1'}"
#define LIMITS    "'ResourceLimits':{'MaxNumberOfTrainingJobs':4,'MaxParallelTrainingJobs':2}"

static const char one[] =
	"{'HyperParameterTuningJobName':'iris-0123456789ab','HyperParameterTuningJobConfig':{"
	"'Strategy':'Bayesian'," LIMITS ",'ParameterRanges':" RANGES ",'HyperParameterTuningJobObjective':" OBJECTIVE
	"},'TrainingJobDefinition':{" DEFINITION "}}";
static const char many[] =
	"{'HyperParameterTuningJobName':'iris-0123456789ab','HyperParameterTuningJobConfig':{'Strategy':'Bayesian'," LIMITS
	"},'TrainingJobDefinitions':["
	"{'DefinitionName':'a','TuningObjective':" OBJECTIVE ",'HyperParameterRanges':" RANGES "," DEFINITION "},"
	"{'DefinitionName':'b','TuningObjective':" OBJECTIVE ",'HyperParameterRanges':" RANGES "," DEFINITION "}]}";

static void test_good(void **state)
{
	const char *const texts[] = { one, many };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_json *request = from_single_quotes(texts[i]);
		auto_err err = { 0 };

		if (sagemaker_check_tuning_job(request, &err) < 0)
			fail_msg("%s", err.msg);
	}
}

#define C                    "HyperParameterTuningJobConfig."
#define R                    C "ParameterRanges."
#define D                    "TrainingJobDefinition."
#define N(min, max, scaling) "[{'Name':'x','MinValue':'" min "','MaxValue':'" max "','ScalingType':'" scaling "'}]"

struct refusal {
	const char *path, *value;
	const char *at, *words; /* NULL: taken */
};

static void expect(const char *text, const struct refusal *r)
{
	auto_json *request = from_single_quotes(text);
	auto_free char *path = NULL;
	auto_free char *wanted = r->at ? xasprintf("%s: %s", r->at, r->words) : NULL;
	auto_err err = { 0 };
	int result;

	put(request, r->path, from_single_quotes(r->value));
	result = sagemaker_check_tuning_job_at(request, &path, &err);
	if (!r->at && result < 0)
		fail_msg("%s = %s: %s", r->path, r->value, err.msg);
	if (!r->at)
		return;
	if (result == 0)
		fail_msg("%s = %s was taken", r->path, r->value);
	assert_string_equal(err.msg, wanted);
	assert_string_equal(path, r->at);
	assert_int_equal(err.code, ERR_CONFIG);
}

static void test_rules(void **state)
{
	static const struct refusal cases[] = {
		{ "HyperParameterTuningJobName", "'a123456789012345678901234567890123'", "HyperParameterTuningJobName",
		  "has 34 characters; at most 32 are allowed" },
		{ "TrainingJobDefinition", "null", "CreateHyperParameterTuningJob",
		  "either 'TrainingJobDefinition' or 'TrainingJobDefinitions' is needed, not both" },
		{ C "HyperParameterTuningJobObjective", "null", "HyperParameterTuningJobConfig",
		  "'HyperParameterTuningJobObjective' is missing" },
		{ C "HyperParameterTuningJobObjective.MetricName", "'F1'",
		  C "HyperParameterTuningJobObjective.MetricName", "no item of MetricDefinitions is named 'F1'" },
		{ D "AlgorithmSpecification.MetricDefinitions", "null", NULL, NULL },
		{ C "ResourceLimits.MaxParallelTrainingJobs", "5", C "ResourceLimits.MaxParallelTrainingJobs",
		  "must not be more than MaxNumberOfTrainingJobs (4)" },
		{ C "ResourceLimits.MaxNumberOfTrainingJobs", "null", C "ResourceLimits",
		  "nothing ends this job: 'MaxNumberOfTrainingJobs' is missing" },
		{ C "ResourceLimits", "{'MaxParallelTrainingJobs':2,'MaxRuntimeInSeconds':120}", NULL, NULL },
		{ C "StrategyConfig", "{'HyperbandStrategyConfig':{}}", C "StrategyConfig.HyperbandStrategyConfig",
		  "goes with the strategy Hyperband only" },
		{ C "TuningJobCompletionCriteria", "{'TargetObjectiveMetricValue':'0.9'}",
		  C "TuningJobCompletionCriteria.TargetObjectiveMetricValue", "must be a number" },
		{ C "TuningJobCompletionCriteria", "{'TargetObjectiveMetricValue':0.9}", NULL, NULL },
		{ R "CategoricalParameterRanges.0.Name", "'lr'", R "CategoricalParameterRanges[0].Name",
		  "'lr' is there twice" },
		{ R "CategoricalParameterRanges.0.Values", "['a','a']", R "CategoricalParameterRanges[0].Values[1]",
		  "'a' is there twice" },
		{ R "IntegerParameterRanges.0.Name", "'epochs'", R "IntegerParameterRanges[0].Name",
		  "'epochs' is one of StaticHyperParameters too" },
		{ R "IntegerParameterRanges.0.Name", "''", R "IntegerParameterRanges[0].Name", "must not be empty" },
		{ R "IntegerParameterRanges.0.MaxValue", "'2.5'", R "IntegerParameterRanges[0].MaxValue",
		  "'2.5' is no whole number" },
		/* Above 2^53 doubles are the same. */
		{ R "IntegerParameterRanges", N("9007199254740993", "9007199254740992", "Linear"),
		  R "IntegerParameterRanges[0].MinValue", "must not be more than MaxValue (9007199254740992)" },
		{ R "IntegerParameterRanges", N("1", "9223372036854775807", "Linear"), NULL, NULL },
		{ R "IntegerParameterRanges", N("1", "9223372036854775808", "Linear"),
		  R "IntegerParameterRanges[0].MaxValue", "'9223372036854775808' does not fit in 64 bits" },
		{ C "RandomSeed", "2147483647", NULL, NULL },
		{ C "RandomSeed", "2147483648", C "RandomSeed", "is 2147483648; at most 2147483647 is allowed" },
		{ R "ContinuousParameterRanges.0.MaxValue", "'inf'", R "ContinuousParameterRanges[0].MaxValue",
		  "'inf' is no number" },
		{ R "ContinuousParameterRanges.0.MinValue", "'0.2'", R "ContinuousParameterRanges[0].MinValue",
		  "must not be more than MaxValue (0.1)" },
		{ R "ContinuousParameterRanges", N("0", "1", "Logarithmic"),
		  R "ContinuousParameterRanges[0].ScalingType", "'Logarithmic' needs a MinValue above 0" },
		{ R "ContinuousParameterRanges", N("0", "1", "ReverseLogarithmic"),
		  R "ContinuousParameterRanges[0].ScalingType",
		  "'ReverseLogarithmic' needs a range within 0 <= x < 1" },
		{ R "ContinuousParameterRanges", N("0", "0.99", "ReverseLogarithmic"), NULL, NULL },
		{ R "IntegerParameterRanges", N("0", "1", "ReverseLogarithmic"),
		  R "IntegerParameterRanges[0].ScalingType",
		  "'ReverseLogarithmic' is for continuous ranges, not for whole numbers" },
		{ R "AutoParameters", "[{'Name':'x','ValueHint':'1'}]", R "AutoParameters[0].Name", "needs Autotune" },
		{ C "ParameterRanges", "{}", C "ParameterRanges", "there is no range to tune" },
		{ C "Strategy", "'Grid'", R "IntegerParameterRanges[0].Name",
		  "the strategy Grid takes categorical ranges only" },
		{ D "Environment", "{'1A':''}", D "Environment.1A", "'1A' does not match [a-zA-Z_][a-zA-Z0-9_]*" },
		{ D "EnableManagedSpotTraining", "true", D "EnableManagedSpotTraining",
		  "needs StoppingCondition.MaxWaitTimeInSeconds" },
		{ D "ResourceConfig", "{'InstanceType':'ml.m5.large','InstanceCount':1}",
		  D "HyperParameterTuningResourceConfig", "either it or 'ResourceConfig' is needed, not both" },
		{ D "HyperParameterTuningResourceConfig.AllocationStrategy", "'Prioritized'",
		  D "HyperParameterTuningResourceConfig.AllocationStrategy", "goes with InstanceConfigs only" },
		{ D "HyperParameterTuningResourceConfig.InstanceConfigs",
		  "[{'InstanceType':'ml.m5.large','InstanceCount':1,'VolumeSizeInGB':1}]",
		  D "HyperParameterTuningResourceConfig.InstanceType", "does not go together with InstanceConfigs" },
		{ D "HyperParameterTuningResourceConfig.VolumeSizeInGB", "null", D "HyperParameterTuningResourceConfig",
		  "'VolumeSizeInGB' is missing" },
		{ D "AlgorithmSpecification.AlgorithmName", "'x'", D "AlgorithmSpecification",
		  "either 'TrainingImage' or 'AlgorithmName' is needed, not both" },
		{ D "AlgorithmSpecification.ContainerEntrypoint", "['x']", D "AlgorithmSpecification",
		  "there is no member 'ContainerEntrypoint'" },
		{ "WarmStartConfig",
		  "{'WarmStartType':'TransferLearning','ParentHyperParameterTuningJobs':[{'HyperParameterTuningJobName':"
		  "'iris-0123456789ab'}]}",
		  "WarmStartConfig.ParentHyperParameterTuningJobs[0].HyperParameterTuningJobName",
		  "'iris-0123456789ab' is the job itself" },
		{ "Tags", "[{'Key':'aws:x','Value':''}]", "Tags[0].Key", "'aws:' at the beginning is reserved" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(one, &cases[i]);
}

static void test_definitions(void **state)
{
	static const struct refusal cases[] = {
		{ "TrainingJobDefinitions.1.DefinitionName", "'a'", "TrainingJobDefinitions[1].DefinitionName",
		  "'a' is there twice" },
		{ "TrainingJobDefinitions.1.DefinitionName", "null", "TrainingJobDefinitions[1]",
		  "'DefinitionName' is missing" },
		{ "TrainingJobDefinitions.0.TuningObjective", "null", "TrainingJobDefinitions[0]",
		  "'TuningObjective' is missing" },
		{ "TrainingJobDefinitions.1.TuningObjective.MetricName", "'F1'",
		  "TrainingJobDefinitions[1].TuningObjective.MetricName",
		  "no item of MetricDefinitions is named 'F1'" },
		{ "TrainingJobDefinitions.1.HyperParameterRanges", "null",
		  "TrainingJobDefinitions[1].HyperParameterRanges", "there is no range to tune" },
		{ "TrainingJobDefinitions.1.StoppingCondition", "{'MaxWaitTimeInSeconds':1}",
		  "TrainingJobDefinitions[1].StoppingCondition.MaxWaitTimeInSeconds",
		  "is only allowed with EnableManagedSpotTraining" },
		{ C "ParameterRanges", "{}", C "ParameterRanges",
		  "with TrainingJobDefinitions each of them has HyperParameterRanges instead" },
		{ C "HyperParameterTuningJobObjective", OBJECTIVE, C "HyperParameterTuningJobObjective",
		  "with TrainingJobDefinitions each of them has a TuningObjective instead" },
		{ "TrainingJobDefinitions", "[]", "TrainingJobDefinitions", "must not be empty" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(many, &cases[i]);
}

static void test_hyperband(void **state)
{
	static const struct refusal cases[] = {
		{ C "TrainingJobEarlyStoppingType", "'Off'", NULL, NULL },
		{ C "TrainingJobEarlyStoppingType", "'Auto'", C "TrainingJobEarlyStoppingType",
		  "'Auto' does not go with the strategy Hyperband, which stops jobs itself" },
		{ D "StaticHyperParameters", "{}", C "StrategyConfig",
		  "the strategy Hyperband needs HyperbandStrategyConfig.MaxResource" },
		{ C "StrategyConfig", "{'HyperbandStrategyConfig':{'MinResource':3,'MaxResource':2}}",
		  C "StrategyConfig.HyperbandStrategyConfig.MinResource", "must not be more than MaxResource (2)" },
	};
	auto_json *request = from_single_quotes(one);
	auto_free char *text = NULL;

	(void)state;
	put(request, C "Strategy", json_string("Hyperband"));
	text = json_compact(request);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(text, &cases[i]);
}

static void test_grid(void **state)
{
	static const struct refusal cases[] = {
		{ C "ResourceLimits", "{'MaxParallelTrainingJobs':2}", NULL, NULL },
		{ C "ResourceLimits.MaxNumberOfTrainingJobs", "6", NULL, NULL },
		{ C "ResourceLimits.MaxNumberOfTrainingJobs", "5", C "ResourceLimits.MaxNumberOfTrainingJobs",
		  "is 5, and the strategy Grid makes 6 jobs of these ranges" },
	};
	auto_json *request = from_single_quotes(one);
	auto_json *nothing = json_object();
	auto_free char *text = NULL;

	(void)state;
	put(request, C "Strategy", json_string("Grid"));
	put(request, C "ParameterRanges",
	    from_single_quotes("{'CategoricalParameterRanges':[{'Name':'a','Values':['1','2']},"
			       "{'Name':'b','Values':['1','2','3']}]}"));
	text = json_compact(request);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect(text, &cases[i]);
	assert_int_equal(sagemaker_count_combinations(nothing), 1);
}

static void test_names(void **state)
{
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(sagemaker_check_tuning_job_name("a-b-1", &err), 0);
	assert_int_equal(sagemaker_check_tuning_job_name("012345678901234567890123456789012", &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),      cmocka_unit_test(test_rules), cmocka_unit_test(test_definitions),
		cmocka_unit_test(test_hyperband), cmocka_unit_test(test_grid),  cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("aws/sagemaker_limits_tuning", tests, NULL, NULL);
}
