#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sagemaker_limits.h"
#include "aws/sagemaker_limits_table.h"
#include "tests/unit/edit_json.h"
#include "tests/unit/vectors.h"

static const char good[] =
	"{'TrainingJobName':'iris-0123456789ab','RoleArn':'arn:aws-cn:iam::123456789012:role/path/SageMakerRole',"
	"'AlgorithmSpecification':{'TrainingImage':'123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris@sha256:00',"
	"'TrainingInputMode':'File','MetricDefinitions':[{'Name':'Train Loss','Regex':'train_loss=([-+0-9.eE]+)'}]},"
	"'InputDataConfig':[{'ChannelName':'train','DataSource':{'S3DataSource':{'S3DataType':'S3Prefix',"
	"'S3Uri':'s3://b/k/','S3DataDistributionType':'FullyReplicated'}}}],"
	"'OutputDataConfig':{'S3OutputPath':'s3://b/out'},"
	"'ResourceConfig':{'InstanceType':'ml.c4.xlarge','InstanceCount':1,'VolumeSizeInGB':500},"
	"'StoppingCondition':{'MaxRuntimeInSeconds':345600},'HyperParameters':{'lr':'0.01'},'Environment':{'A_1':'x\\ny'},"
	"'Tags':[{'Key':'smpipe:commit','Value':'Zürich 東京 1'}],'EnableNetworkIsolation':false}";

static void test_good(void **state)
{
	auto_json *request = from_single_quotes(good);
	auto_err err = { 0 };

	(void)state;
	if (sagemaker_check_training_job(request, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *path, *value, *msg;
	} cases[] = {
		{ "TrainingJobName", "null", "CreateTrainingJob: 'TrainingJobName' is missing" },
		{ "TrainingJobName", "'a--'", "TrainingJobName: 'a--' does not match [a-zA-Z0-9](-*[a-zA-Z0-9])*" },
		{ "TrainingJobName", "''", "TrainingJobName: must not be empty" },
		{ "TrainingJobName", "'a\\nb'", "TrainingJobName: must not hold a line break" },
		{ "TrainingJobName", "1", "TrainingJobName: must be a string" },
		{ "HyperParameter", "{}",
		  "CreateTrainingJob: there is no member 'HyperParameter'; did you mean 'HyperParameters'?" },
		{ "HyperParameters.lr", "0.01", "HyperParameters.lr: must be a string" },
		{ "HyperParameters.lr", "'a\\nb'", "HyperParameters.lr: must not hold a line break" },
		{ "Environment.1A", "''", "Environment.1A: '1A' does not match [a-zA-Z_][a-zA-Z0-9_]*" },
		{ "AlgorithmSpecification.TrainingInputMode", "'FastFil'",
		  "AlgorithmSpecification.TrainingInputMode: 'FastFil' is not one of Pipe, File, FastFile" },
		{ "AlgorithmSpecification.AlgorithmName", "'x'",
		  "AlgorithmSpecification: either 'TrainingImage' or 'AlgorithmName' is needed, not both" },
		{ "AlgorithmSpecification", "null", "CreateTrainingJob: 'AlgorithmSpecification' is missing" },
		{ "AlgorithmSpecification.ContainerEntrypoint", "[]",
		  "AlgorithmSpecification.ContainerEntrypoint: must not be empty" },
		{ "InputDataConfig.0.ChannelName", "'a b'",
		  "InputDataConfig[0].ChannelName: 'a b' does not match [A-Za-z0-9._-]+" },
		{ "InputDataConfig.0.DataSource.S3DataSource.S3Uri", "'b/k'",
		  "InputDataConfig[0].DataSource.S3DataSource.S3Uri: 'b/k' does not match (https|s3)://[^/]+/?.*" },
		{ "InputDataConfig.0.DataSource", "{}", "InputDataConfig[0].DataSource: exactly one source is needed" },
		{ "InputDataConfig.0.DataSource.S3DataSource.InstanceGroupNames", "['g']",
		  "InputDataConfig[0].DataSource.S3DataSource.InstanceGroupNames: there is no group 'g'" },
		{ "InputDataConfig.0.DataSource",
		  "{'FileSystemDataSource':{'FileSystemId':'fs-0123456789abcdef0','FileSystemAccessMode':'ro','FileSystemType':'EFS',"
		  "'DirectoryPath':'/d'}}",
		  "InputDataConfig[0].DataSource.FileSystemDataSource: a file system needs a VpcConfig" },
		{ "InputDataConfig.1",
		  "{'ChannelName':'train','DataSource':{'S3DataSource':{'S3DataType':'S3Prefix','S3Uri':'s3://b/k'}}}",
		  "InputDataConfig[1].ChannelName: 'train' is there twice" },
		{ "ResourceConfig.InstanceCount", "0", "ResourceConfig.InstanceCount: at least 1 is needed" },
		{ "ResourceConfig.InstanceCount", "1.5", "ResourceConfig.InstanceCount: must be a whole number" },
		{ "ResourceConfig.InstanceType", "'c4.xlarge'",
		  "ResourceConfig.InstanceType: 'c4.xlarge' does not match ml\\.[a-z0-9-]+\\.[a-z0-9-]+" },
		{ "ResourceConfig.InstanceGroups",
		  "[{'InstanceType':'ml.c4.xlarge','InstanceCount':1,'InstanceGroupName':'g'}]",
		  "ResourceConfig.InstanceType: does not go together with InstanceGroups" },
		{ "ResourceConfig.KeepAlivePeriodInSeconds", "21601",
		  "ResourceConfig.KeepAlivePeriodInSeconds: is 21601; at most 21600 is allowed" },
		{ "StoppingCondition.MaxRuntimeInSeconds", "0",
		  "StoppingCondition.MaxRuntimeInSeconds: is 0; at least 1 is needed" },
		{ "StoppingCondition.MaxWaitTimeInSeconds", "345600",
		  "StoppingCondition.MaxWaitTimeInSeconds: is only allowed with EnableManagedSpotTraining" },
		{ "EnableManagedSpotTraining", "true",
		  "EnableManagedSpotTraining: needs StoppingCondition.MaxWaitTimeInSeconds" },
		{ "EnableManagedSpotTraining", "'true'", "EnableManagedSpotTraining: must be true or false" },
		{ "Tags.0.Key", "'AWS:x'", "Tags[0].Key: 'aws:' at the beginning is reserved" },
		{ "Tags.0.Value", "'fix: a (b)'",
		  "Tags[0].Value: 'fix: a (b)' may only hold letters, digits, spaces and _.:/=+-@" },
		{ "Tags.0.Value", "'😀'", "Tags[0].Value: '😀' may only hold letters, digits, spaces and _.:/=+-@" },
		{ "Tags.1", "{'Key':'smpipe:commit','Value':''}", "Tags[1].Key: 'smpipe:commit' is there twice" },
		{ "RoleArn", "'arn:aws:iam::12345678901:role/R'",
		  "RoleArn: 'arn:aws:iam::12345678901:role/R' does not match arn:aws[a-z-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@/-]+" },
		{ "VpcConfig", "{'Subnets':['subnet-1']}", "VpcConfig: 'SecurityGroupIds' is missing" },
		{ "RetryStrategy", "{'MaximumRetryAttempts':31}",
		  "RetryStrategy.MaximumRetryAttempts: is 31; at most 30 is allowed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json *request = from_single_quotes(good);
		auto_err err = { 0 };

		put(request, cases[i].path, from_single_quotes(cases[i].value));
		if (sagemaker_check_training_job(request, &err) == 0)
			fail_msg("%s = %s was taken", cases[i].path, cases[i].value);
		assert_string_equal(err.msg, cases[i].msg);
		assert_int_equal(err.code, ERR_CONFIG);
	}
}

static void test_counts(void **state)
{
	auto_json *request = from_single_quotes(good);
	auto_json *many = json_object();
	auto_str value = { 0 };
	auto_err err = { 0 };

	(void)state;
	for (int i = 0; i < 2500; i++)
		str_add(&value, "ä");
	for (int i = 0; i < 100; i++) {
		auto_free char *key = xasprintf("k%d", i);

		json_put_str(many, key, value.s);
	}
	json_object_set(request, "HyperParameters", many);
	assert_int_equal(sagemaker_check_training_job(request, &err), 0);
	str_add(&value, "x");
	json_put_str(many, "k0", value.s);
	assert_int_equal(sagemaker_check_training_job(request, &err), -1);
	assert_string_equal(err.msg, "HyperParameters.k0: has 2501 characters; at most 2500 are allowed");
	json_put_str(many, "k0", "x");
	json_put_str(many, "k100", "x");
	assert_int_equal(sagemaker_check_training_job(request, &err), -1);
	assert_string_equal(err.msg, "HyperParameters: has 101 entries; at most 100 are allowed");
}

static void test_names(void **state)
{
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(sagemaker_check_job_name("a--b-1", &err), 0);
	assert_int_equal(sagemaker_check_job_name("-a", &err), -1);
	assert_int_equal(sagemaker_check_job_name("a_b", &err), -1);
	assert_int_equal(sagemaker_check_job_name("0123456789012345678901234567890123456789012345678901234567890123",
						  &err),
			 -1);
	assert_true(sagemaker_is_final("Stopped"));
	assert_false(sagemaker_is_final("Stopping"));
	assert_false(sagemaker_is_final(NULL));
}

/* Compare the table with the service's own model, from the request down; differences are printed. */
struct comparison {
	const json_t *shapes;
	struct str path;
	int n_differences, n_compared;
};

static void differ(struct comparison *c, const char *what)
{
	print_message("%s: %s\n", c->path.s, what);
	c->n_differences++;
}

static void compare(struct comparison *c, const char *part, const char *shape_name, const struct shape *ours);

static bool is_in_list(const json_t *list, const char *s)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (str_eq(json_string_value(item), s))
			return true;
	}
	return false;
}

static void compare_members(struct comparison *c, const json_t *model, const struct shape *ours)
{
	const json_t *members = json_object_get(model, "members");
	const char *name;
	json_t *member;
	size_t n = 0;

	for (; ours->members[n].name; n++) {
		const struct member *m = &ours->members[n];
		const char *shape = json_str(json_object_get(members, m->name), "shape");

		if (!shape)
			differ(c, m->name);
		else
			compare(c, m->name, shape, m->shape);
		if (m->is_required != is_in_list(json_object_get(model, "required"), m->name))
			differ(c, "required or not");
	}
	if (n != json_object_size(members))
		json_object_foreach((json_t *)members, name, member)
			differ(c, name);
}

static void compare_range(struct comparison *c, const json_t *model, const struct shape *ours)
{
	const json_t *min = json_object_get(model, "min"), *max = json_object_get(model, "max");
	bool is_integer = str_eq(json_str(model, "type"), "integer");

	if (ours->min != (min ? json_integer_value(min) : SHAPE_NO_MIN) ||
	    ours->max != (max          ? json_integer_value(max)
			  : is_integer ? SHAPE_INTEGER_MAX
				       : SHAPE_NO_MAX))
		differ(c, "minimum or maximum");
}

static bool is_instance_type(const char *shape_name)
{
	return str_eq(shape_name, "TrainingInstanceType") || str_eq(shape_name, "ProcessingInstanceType");
}

/* Every instance type of the model must pass; the table knows them by form. */
static void compare_instance_types(struct comparison *c, const json_t *choices)
{
	json_t *choice;
	size_t i;

	json_array_foreach(choices, i, choice) {
		auto_json *request = from_single_quotes(good);
		auto_err err = { 0 };

		put(request, "ResourceConfig.InstanceType", json_incref(choice));
		if (sagemaker_check_training_job(request, &err) < 0)
			differ(c, err.msg);
	}
}

static void compare_choices(struct comparison *c, const json_t *choices, const struct shape *ours)
{
	size_t n = 0;

	if (ours->kind != SHAPE_CHOICE) {
		differ(c, "is a choice");
		return;
	}
	for (; ours->choices[n]; n++)
		if (!is_in_list(choices, ours->choices[n]))
			differ(c, ours->choices[n]);
	if (n != json_array_size(choices))
		differ(c, "number of choices");
}

static void compare_string(struct comparison *c, const char *shape_name, const json_t *model, const struct shape *ours)
{
	const json_t *choices = json_object_get(model, "enum");

	if (is_instance_type(shape_name))
		compare_instance_types(c, choices);
	else if (choices)
		compare_choices(c, choices, ours);
	else
		compare_range(c, model, ours);
}

static void compare_kind(struct comparison *c, const char *shape_name, const json_t *model, const struct shape *ours)
{
	const char *type = json_str(model, "type");

	if (str_eq(type, "structure") && ours->kind == SHAPE_STRUCTURE) {
		compare_members(c, model, ours);
	} else if (str_eq(type, "list") && ours->kind == SHAPE_LIST) {
		compare_range(c, model, ours);
		compare(c, "[]", json_str(json_object_get(model, "member"), "shape"), ours->element);
	} else if (str_eq(type, "map") && ours->kind == SHAPE_MAP) {
		compare_range(c, model, ours);
		compare(c, "key", json_str(json_object_get(model, "key"), "shape"), ours->key);
		compare(c, "value", json_str(json_object_get(model, "value"), "shape"), ours->element);
	} else if (str_eq(type, "string") && ours->kind >= SHAPE_LINE) {
		compare_string(c, shape_name, model, ours);
	} else if ((str_eq(type, "integer") || str_eq(type, "long")) && ours->kind == SHAPE_INTEGER) {
		compare_range(c, model, ours);
	} else if (!(str_eq(type, "boolean") && ours->kind == SHAPE_BOOLEAN) &&
		   !(str_eq(type, "float") && ours->kind == SHAPE_NUMBER)) {
		differ(c, type);
	}
}

static void compare(struct comparison *c, const char *part, const char *shape_name, const struct shape *ours)
{
	size_t n = c->path.len;

	str_addf(&c->path, "/%s", part);
	c->n_compared++;
	compare_kind(c, shape_name, json_object_get(c->shapes, shape_name), ours);
	str_truncate(&c->path, n);
}

static void test_against_the_model(void **state)
{
	auto_free char *path = vectors_path("models/sagemaker-service-2.json");
	auto_json *model = NULL;
	struct comparison c = { 0 };

	(void)state;
	if (!path)
		skip();
	model = vectors_json(path);
	c.shapes = json_object_get(model, "shapes");
	compare(&c, "", "CreateTrainingJobRequest", &sagemaker_training_job_shape);
	assert_true(c.n_compared > 150);
	compare(&c, "", "CreateHyperParameterTuningJobRequest", &sagemaker_tuning_job_shape);
	print_message("%d members compared, %d differences\n", c.n_compared, c.n_differences);
	str_release(&c.path);
	assert_int_equal(c.n_differences, 0);
	assert_true(c.n_compared > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_refusals),          cmocka_unit_test(test_counts),
		cmocka_unit_test(test_names), cmocka_unit_test(test_against_the_model),
	};

	return cmocka_run_group_tests_name("aws/sagemaker_limits", tests, NULL, NULL);
}
