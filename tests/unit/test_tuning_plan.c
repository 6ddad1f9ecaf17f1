/* The plan of a tuning job: its name, its key, its images, and what it has to do with the training job of the same
 * file. */

#include "base/fs.h"
#include "tests/unit/made_project.h"

#define ROLE "arn:aws:iam::123456789012:role/R"
#define PIN  "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ESTIMATOR                                                                                                      \
	"estimator:\n  instance_type: ml.m5.large\n"                                                                   \
	"  hyperparameters: {lr: 0.01, epochs: 10}\n"                                                                  \
	"  metric_definitions: [{name: f1, regex: 'f1=([-+0-9.eE]+|nan)'}]\n"
#define TUNER                                                                                                          \
	"tuner:\n  objective_metric_name: f1\n"                                                                        \
	"  hyperparameter_ranges: {lr: {continuous: [0.001, 0.1]}}\n"

static int make_plan(const char *text, enum job_kind kind, struct project *p, struct plan *ret, struct err *err)
{
	auto_json *bases = json_object();
	struct target t = made_target("eu-west-1", bases);

	t.role = ROLE;
	make_project_of(p, text);
	return plan_make(p, &t, kind, ret, err);
}

static void plan_of(const char *text, enum job_kind kind, struct project *p, struct plan *ret)
{
	auto_err err = { 0 };

	if (make_plan(text, kind, p, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

/* The example of the design: one file for training and tuning. */
static void test_design(void **state)
{
	auto_free char *text = NULL;
	auto_project p = { 0 };
	auto_project q = { 0 };
	auto_plan training = { 0 };
	auto_plan tuning = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(fs_read("tests/fixtures/design/smpipe.yaml", CONFIG_MAX_BYTES, &text, NULL, &err), 0);
	plan_of(text, JOB_TRAINING, &p, &training);
	plan_of(text, JOB_TUNING, &q, &tuning);
	assert_true(str_starts(training.job_base, "iris-classifier-"));
	assert_string_equal(json_string_value(json_at(training.request, "HyperParameters", "lr", NULL)), "0.01");
	assert_null(json_at(tuning.request, "TrainingJobDefinition", "StaticHyperParameters", "lr", NULL));
	assert_string_equal(json_string_value(json_at(tuning.request, "TrainingJobDefinition", "Environment",
						      "SM_CHANNEL_TRAIN", NULL)),
			    "/opt/ml/input/data/train");
	assert_int_equal(json_array_size(json_at(tuning.request, "TrainingJobDefinition", "InputDataConfig", NULL)), 4);
	assert_string_not_equal(training.request_key, tuning.request_key);
}

static void expect_name(const char *name, const char *begin)
{
	auto_free char *text = xasprintf("version: 1\nname: %s\n" ESTIMATOR TUNER, name);
	auto_project p = { 0 };
	auto_plan plan = { 0 };
	auto_free char *second = NULL;
	auto_free char *expected = NULL;

	plan_of(text, JOB_TUNING, &p, &plan);
	expected = xasprintf("%s-%.12s", begin, plan.request_key);
	assert_string_equal(plan.job_base, expected);
	assert_string_equal(json_str(plan.request, "HyperParameterTuningJobName"), expected);
	second = plan_job_name(&plan, "999");
	assert_true(strlen(second) <= 32);
}

static void test_names(void **state)
{
	(void)state;
	expect_name("iris", "iris");
	expect_name("iris-classifier", "iris-classifier");
	expect_name("iris-classifiers", "iris-classifier");
	/* A hyphen at the cut would stand there twice. */
	expect_name("iris-classifie-s", "iris-classifie");
}

/* Another tuner makes another tuning job, and the same training job. */
static void test_keys(void **state)
{
	static const char *const texts[] = {
		"version: 1\nname: iris\n" ESTIMATOR,
		"version: 1\nname: iris\n" ESTIMATOR TUNER,
		"version: 1\nname: iris\n" ESTIMATOR TUNER "  max_jobs: 3\n",
	};
	auto_free char *training = NULL;
	auto_free char *tuning = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_project p = { 0 };
		auto_project q = { 0 };
		auto_plan plan = { 0 };
		auto_plan other = { 0 };

		plan_of(texts[i], JOB_TRAINING, &p, &plan);
		if (training)
			assert_string_equal(plan.request_key, training);
		free(training);
		training = xstrdup(plan.request_key);
		if (i == 0)
			continue;
		plan_of(texts[i], JOB_TUNING, &q, &other);
		if (tuning)
			assert_string_not_equal(other.request_key, tuning);
		free(tuning);
		tuning = xstrdup(other.request_key);
	}
}

/* Tags and the job's own name have no part in the key; the toolkit is told the name. */
static void test_key_and_name(void **state)
{
	static const char source[] = "source: {entry_point: train.py, source_dir: src}\n";
	auto_free char *plain = xasprintf("version: 1\nname: iris\n%s" ESTIMATOR TUNER, source);
	auto_free char *tagged = xasprintf("version: 1\nname: iris\n%s" ESTIMATOR "  tags: {a: b}\n" TUNER, source);
	auto_project p = { 0 };
	auto_project q = { 0 };
	auto_plan plan = { 0 };
	auto_plan other = { 0 };
	auto_json *request = NULL;

	(void)state;
	plan_of(plain, JOB_TUNING, &p, &plan);
	plan_of(tagged, JOB_TUNING, &q, &other);
	assert_string_equal(plan.request_key, other.request_key);
	request = plan_request(&other, &q, "host/iris@" PIN, "iris-0-2");
	assert_string_equal(json_str(request, "HyperParameterTuningJobName"), "iris-0-2");
	assert_string_equal(json_string_value(json_at(request, "TrainingJobDefinition", "StaticHyperParameters",
						      "sagemaker_job_name", NULL)),
			    "\"iris-0-2\"");
	assert_int_equal(json_array_size(json_object_get(request, "Tags")), 6);
}

static const char *image_of(const json_t *request, size_t i)
{
	const json_t *definition = json_array_get(json_object_get(request, "TrainingJobDefinitions"), i);

	return json_string_value(json_at(definition, "AlgorithmSpecification", "TrainingImage", NULL));
}

/* What is built goes to the definitions that use it, and to no other. */
static void test_images(void **state)
{
	static const char text[] =
		"version: 1\nname: iris\n" ESTIMATOR "tuner:\n  definitions:\n"
		"    a: {objective_metric_name: f1, hyperparameter_ranges: {lr: {continuous: [0.001, 0.1]}}}\n"
		"    b:\n      objective_metric_name: f1\n      hyperparameter_ranges: {lr: {continuous: [0.001, 0.1]}}\n"
		"      image: {uri: 'registry.example/b@" PIN "'}\n";
	auto_project p = { 0 };
	auto_plan plan = { 0 };
	auto_json *request = NULL;
	auto_err err = { 0 };

	(void)state;
	plan_of(text, JOB_TUNING, &p, &plan);
	request = plan_request(&plan, &p, "123456789012.dkr.ecr.example/iris@" PIN, plan.job_base);
	assert_string_equal(image_of(request, 0), "123456789012.dkr.ecr.example/iris@" PIN);
	assert_string_equal(image_of(request, 1), "registry.example/b@" PIN);
	assert_int_equal(plan_check_request(&plan, &p, request, &err), 0);
	json_put_str(request, "HyperParameterTuningJobName", "iris-0123456789012345678901234567890");
	assert_int_equal(plan_check_request(&plan, &p, request, &err), -1);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		enum job_kind kind;
		const char *words;
	} rows[] = {
		{ "version: 1\nname: iris\n" ESTIMATOR, JOB_TUNING, "smpipe.yaml has no 'tuner'" },
		/* A release says it too: the file is wrong. */
		{ "version: 1\nname: iris\n" ESTIMATOR "tuner: {objective_metric_name: f1}\n", JOB_TRAINING,
		  "smpipe.yaml:7:8: tuner.hyperparameter_ranges: there is no range to tune" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_project p = { 0 };
		auto_plan plan = { 0 };
		auto_err err = { 0 };

		assert_int_equal(make_plan(rows[i].text, rows[i].kind, &p, &plan, &err), -1);
		if (!str_starts(err.msg, rows[i].words))
			fail_msg("%s", err.msg);
		assert_int_equal(err.code, ERR_CONFIG);
	}
}

/* What a tuning job has no member for is told once, however many definitions share it. */
static void test_losses(void **state)
{
	static const char text[] =
		"version: 1\nname: iris\n" ESTIMATOR "  enable_remote_debug: true\ntuner:\n  definitions:\n"
		"    a: {objective_metric_name: f1, hyperparameter_ranges: {lr: {continuous: [0.001, 0.1]}}}\n"
		"    b: {objective_metric_name: f1, hyperparameter_ranges: {lr: {continuous: [0.001, 0.1]}}}\n";
	auto_project p = { 0 };
	auto_project q = { 0 };
	auto_plan plan = { 0 };
	auto_plan training = { 0 };

	(void)state;
	plan_of(text, JOB_TUNING, &p, &plan);
	assert_int_equal(plan.warnings.n, 1);
	assert_string_equal(plan.warnings.v[0],
			    "smpipe.yaml:7:24: estimator.enable_remote_debug: a tuning job has no RemoteDebugConfig; "
			    "this is left out");
	plan_of(text, JOB_TRAINING, &q, &training);
	assert_int_equal(training.warnings.n, 0);
}

/* An environment may change a range. */
static void test_environment(void **state)
{
	static const char text[] = "version: 1\nname: iris\n" ESTIMATOR TUNER
				   "environments: {long: {tuner: {max_jobs: 9, hyperparameter_ranges: "
				   "{lr: {continuous: [0.5, 0.4]}}}}}\n";
	auto_config c = { 0 };
	auto_project p = { 0 };
	auto_plan plan = { 0 };
	auto_json *bases = json_object();
	struct target t = made_target("eu-west-1", bases);
	auto_err err = { 0 };

	(void)state;
	t.role = ROLE;
	make_project_of(&p, text);
	assert_int_equal(config_parse(text, strlen(text), "smpipe.yaml", "long", &c, &err), 0);
	config_release(&p.config);
	p.config = c;
	c = (struct config){ 0 };
	assert_int_equal(plan_make(&p, &t, JOB_TUNING, &plan, &err), -1);
	if (!str_starts(err.msg, "smpipe.yaml:10:86: tuner.hyperparameter_ranges.lr.continuous[0]: "))
		fail_msg("%s", err.msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_design), cmocka_unit_test(test_names),
		cmocka_unit_test(test_keys),   cmocka_unit_test(test_key_and_name),
		cmocka_unit_test(test_images), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_losses), cmocka_unit_test(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
