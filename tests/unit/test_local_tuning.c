/* The local SageMaker's tuning jobs: what the API takes, refuses, answers and remembers. */

#include "local_sagemaker.h"

#include "aws/sagemaker_limits.h"
#include "local/tuning_report.h"
#include "service_model.h"
#include "vectors.h"

/* Asked for the time, a minute has passed. */
static int64_t hurried_ticks(const struct sys *sys)
{
	int64_t *minutes = sys->ctx;

	return ++*minutes * 60000;
}

/* A valid request with one text replaced. */
static char *request(const char *name, const char *old, const char *new)
{
	static const char text[] =
		"{\"HyperParameterTuningJobName\":\"NAME\",\"HyperParameterTuningJobConfig\":{\"Strategy\":\"Random\","
		"\"HyperParameterTuningJobObjective\":{\"Type\":\"Maximize\",\"MetricName\":\"f1\"},"
		"\"ResourceLimits\":{\"MaxNumberOfTrainingJobs\":3,\"MaxParallelTrainingJobs\":2},"
		"\"ParameterRanges\":{\"ContinuousParameterRanges\":[{\"Name\":\"lr\",\"MinValue\":\"0.001\","
		"\"MaxValue\":\"0.1\",\"ScalingType\":\"Logarithmic\"}]}},"
		"\"TrainingJobDefinition\":{\"StaticHyperParameters\":{\"epochs\":\"3\"},"
		"\"AlgorithmSpecification\":{\"TrainingImage\":\"image:1\",\"TrainingInputMode\":\"File\","
		"\"MetricDefinitions\":[{\"Name\":\"f1\",\"Regex\":\"f1=([0-9.]+)\"}]},"
		"\"RoleArn\":\"arn:aws:iam::000000000000:role/R\","
		"\"InputDataConfig\":[{\"ChannelName\":\"train\",\"DataSource\":{\"S3DataSource\":{"
		"\"S3DataType\":\"S3Prefix\",\"S3Uri\":\"s3://my-bucket/d/\"}}}],"
		"\"OutputDataConfig\":{\"S3OutputPath\":\"s3://my-bucket/out/\"},"
		"\"HyperParameterTuningResourceConfig\":{\"InstanceConfigs\":[{\"InstanceType\":\"ml.m5.large\","
		"\"InstanceCount\":1,\"VolumeSizeInGB\":1},{\"InstanceType\":\"ml.m5.xlarge\",\"InstanceCount\":1,"
		"\"VolumeSizeInGB\":1}]},"
		"\"StoppingCondition\":{\"MaxRuntimeInSeconds\":60}},\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}";
	auto_free char *named = replaced(text, "NAME", name);

	return old ? replaced(named, old, new) : take(named);
}

static void create(struct fixture *f, const char *name, const char *old, const char *new)
{
	auto_free char *body = request(name, old, new);

	json_decref(sagemaker(f, "CreateHyperParameterTuningJob", body, 200));
}

static void wait_final(struct fixture *f, const char *name)
{
	struct tuning *t = store_tuning_find(f->cloud.sagemaker, name);

	assert_non_null(t);
	while (!tuning_is_final(t)) {
		struct timespec soon;

		clock_gettime(CLOCK_MONOTONIC, &soon);
		soon.tv_sec++;
		pthread_mutex_lock(&t->lock);
		if (!sagemaker_is_final(json_str(t->describe, "HyperParameterTuningJobStatus")))
			pthread_cond_timedwait(&t->changed, &t->lock, &soon);
		pthread_mutex_unlock(&t->lock);
	}
}

static json_t *describe(struct fixture *f, const char *name)
{
	auto_free char *body = xasprintf("{\"HyperParameterTuningJobName\":\"%s\"}", name);

	return sagemaker(f, "DescribeHyperParameterTuningJob", body, 200);
}

static json_t *children(struct fixture *f, const char *name, const char *more)
{
	auto_free char *body = xasprintf("{\"HyperParameterTuningJobName\":\"%s\"%s}", name, more);

	return sagemaker(f, "ListTrainingJobsForHyperParameterTuningJob", body, 200);
}

static int64_t counter(const json_t *d, const char *counters, const char *name)
{
	return json_integer_value(json_at(d, counters, name, NULL));
}

static void test_what_does_not_run_is_refused(void **state)
{
	static const struct {
		const char *old, *new, *words;
	} rows[] = {
		{ "\"TrainingInputMode\":\"File\"", "\"TrainingInputMode\":\"Pipe\"",
		  "does not run channels in Pipe mode yet" },
		{ "\"Tags\"",
		  "\"WarmStartConfig\":{\"WarmStartType\":\"TransferLearning\",\"ParentHyperParameterTuningJobs\":["
		  "{\"HyperParameterTuningJobName\":\"old\"}]},\"Tags\"",
		  "does not run tuning jobs that start from others (WarmStartConfig) yet" },
		{ "my-bucket/out", "no-such-bucket/out", "no S3 bucket 'no-such-bucket' was found" },
		{ "image:1", "127.0.0.1:4711/absent:1", "Cannot find repository: absent" },
		{ "\"InstanceCount\":1", "\"InstanceCount\":9", "does not run jobs on more than 8 instances yet" },
		{ "\"Random\"", "\"Guess\"", "1 validation error detected" },
		{ "\"MaxNumberOfTrainingJobs\":3", "\"MaxNumberOfTrainingJobs\":10001",
		  "does not run tuning jobs of more than 10000 training jobs yet" },
		{ "\"MaxNumberOfTrainingJobs\":3,\"MaxParallelTrainingJobs\":2",
		  "\"MaxNumberOfTrainingJobs\":200,\"MaxParallelTrainingJobs\":101",
		  "more than 100 training jobs of a tuning job at once" },
		{ "\"ParameterRanges\":{",
		  "\"ParameterRanges\":{\"AutoParameters\":[{\"Name\":\"x\",\"ValueHint\":\"1\"}],", "AutoParameters" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *body = request("tune", rows[i].old, rows[i].new);
		auto_json *answer = sagemaker(f, "CreateHyperParameterTuningJob", body, 400);

		assert_string_equal(json_str(answer, "__type"), "ValidationException");
		if (!strstr(json_str(answer, "message"), rows[i].words))
			fail_msg("no '%s' in '%s'", rows[i].words, json_str(answer, "message"));
	}
	assert_int_equal(store_sagemaker_running(f->cloud.sagemaker), 0);
}

static void test_without_a_success_the_job_fails(void **state)
{
	struct fixture *f = *state;
	auto_json *d = NULL;

	create(f, "Tune-1", NULL, NULL);
	wait_final(f, "Tune-1");
	d = describe(f, "Tune-1");
	assert_string_equal(json_str(d, "HyperParameterTuningJobStatus"), "Failed");
	assert_string_equal(json_str(d, "FailureReason"),
			    "No training job succeeded after 3 attempts. Please take a look at the training job "
			    "failures to get more details.");
	assert_string_equal(json_str(d, "HyperParameterTuningJobArn"),
			    "arn:aws:sagemaker:eu-west-1:000000000000:hyper-parameter-tuning-job/tune-1");
	assert_int_equal(counter(d, "TrainingJobStatusCounters", "RetryableError"), 3);
	assert_int_equal(counter(d, "TrainingJobStatusCounters", "InProgress"), 0);
	assert_int_equal(counter(d, "ObjectiveStatusCounters", "Failed"), 3);
	assert_null(json_object_get(d, "BestTrainingJob"));
	assert_null(json_object_get(d, "Tags"));
	assert_non_null(json_object_get(d, "HyperParameterTuningEndTime"));
}

/* As the service does, after five. */
static void test_five_failures_are_enough(void **state)
{
	struct fixture *f = *state;
	auto_json *d = NULL;
	int64_t failed;

	create(f, "tune", "\"MaxNumberOfTrainingJobs\":3", "\"MaxNumberOfTrainingJobs\":50");
	wait_final(f, "tune");
	d = describe(f, "tune");
	failed = counter(d, "TrainingJobStatusCounters", "RetryableError");
	/* Two run at once. */
	assert_in_range(failed, 5, 6);
}

static void test_children_are_training_jobs(void **state)
{
	struct fixture *f = *state;
	auto_json *list = NULL, *job = NULL, *tags = NULL;
	auto_free char *body = NULL, *arn_body = NULL;
	const json_t *first;
	double lr;

	create(f, "tune", NULL, NULL);
	wait_final(f, "tune");
	list = children(f, "tune", "");
	assert_int_equal(json_array_size(json_object_get(list, "TrainingJobSummaries")), 3);
	first = json_array_get(json_object_get(list, "TrainingJobSummaries"), 0);
	assert_true(str_starts(json_str(first, "TrainingJobName"), "tune-001-"));
	assert_int_equal(strlen(json_str(first, "TrainingJobName")), strlen("tune-001-01234567"));
	assert_string_equal(json_str(first, "ObjectiveStatus"), "Failed");
	body = xasprintf("{\"TrainingJobName\":\"%s\"}", json_str(first, "TrainingJobName"));
	job = sagemaker(f, "DescribeTrainingJob", body, 200);
	assert_string_equal(json_str(job, "TuningJobArn"),
			    "arn:aws:sagemaker:eu-west-1:000000000000:hyper-parameter-tuning-job/tune");
	assert_string_equal(json_str(json_object_get(job, "HyperParameters"), "epochs"), "3");
	assert_string_equal(json_str(json_object_get(job, "HyperParameters"), "_tuning_objective_metric"), "f1");
	assert_string_equal(json_str(json_object_get(job, "HyperParameters"), "lr"),
			    json_str(json_object_get(first, "TunedHyperParameters"), "lr"));
	assert_int_equal(json_object_size(json_object_get(first, "TunedHyperParameters")), 1);
	assert_string_equal(json_str(json_object_get(job, "ResourceConfig"), "InstanceType"), "ml.m5.large");
	lr = strtod(json_str(json_object_get(job, "HyperParameters"), "lr"), NULL);
	assert_true(lr >= 0.001 && lr <= 0.1);
	arn_body = xasprintf("{\"ResourceArn\":\"%s\"}", json_str(first, "TrainingJobArn"));
	tags = sagemaker(f, "ListTags", arn_body, 200);
	assert_string_equal(json_str(json_array_get(json_object_get(tags, "Tags"), 0), "Value"), "v");
}

static void test_names_are_taken_for_ever(void **state)
{
	struct fixture *f = *state;
	auto_free char *other_case = request("TUNE", NULL, NULL);
	auto_json *taken = NULL, *unknown = NULL, *no_stop = NULL, *ended = NULL;

	create(f, "tune", NULL, NULL);
	taken = sagemaker(f, "CreateHyperParameterTuningJob", other_case, 400);
	assert_string_equal(json_str(taken, "__type"), "ResourceInUse");
	assert_non_null(strstr(json_str(taken, "message"), "TUNE, already exists"));
	unknown = sagemaker(f, "DescribeHyperParameterTuningJob", "{\"HyperParameterTuningJobName\":\"no\"}", 400);
	assert_string_equal(json_str(unknown, "__type"), "ResourceNotFound");
	no_stop = sagemaker(f, "StopHyperParameterTuningJob", "{\"HyperParameterTuningJobName\":\"no\"}", 400);
	assert_string_equal(json_str(no_stop, "__type"), "ResourceNotFound");
	wait_final(f, "tune");
	ended = sagemaker(f, "StopHyperParameterTuningJob", "{\"HyperParameterTuningJobName\":\"tune\"}", 400);
	assert_non_null(strstr(json_str(ended, "message"), "in status Failed"));
}

static void test_tags_are_set_and_replaced(void **state)
{
#define ARN "\"ResourceArn\":\"arn:aws:sagemaker:eu-west-1:000000000000:hyper-parameter-tuning-job/tune\""
	struct fixture *f = *state;
	auto_json *listed = NULL;
	auto_free char *text = NULL;

	create(f, "tune", NULL, NULL);
	json_decref(sagemaker(f, "AddTags",
			      "{" ARN ",\"Tags\":[{\"Key\":\"k\",\"Value\":\"w\"},{\"Key\":\"a\",\"Value\":\"b\"}]}",
			      200));
	json_decref(sagemaker(f, "DeleteTags", "{" ARN ",\"TagKeys\":[\"a\"]}", 200));
	listed = sagemaker(f, "ListTags", "{" ARN "}", 200);
	text = json_compact(json_object_get(listed, "Tags"));
	assert_string_equal(text, "[{\"Key\":\"k\",\"Value\":\"w\"}]");
#undef ARN
}

static const char *page_name(const json_t *answer, size_t i)
{
	const json_t *page = json_object_get(answer, "HyperParameterTuningJobSummaries");

	return json_str(json_array_get(page, i), "HyperParameterTuningJobName");
}

static void test_jobs_are_listed_in_pages(void **state)
{
	struct fixture *f = *state;
	auto_json *first = NULL, *second = NULL, *none = NULL;

	create(f, "tune-b", NULL, NULL);
	create(f, "tune-a", NULL, NULL);
	create(f, "other", NULL, NULL);
	wait_final(f, "tune-a");
	wait_final(f, "tune-b");
	wait_final(f, "other");
	/* By name, unless the request says otherwise. */
	first = sagemaker(f, "ListHyperParameterTuningJobs", "{\"NameContains\":\"tune\",\"MaxResults\":1}", 200);
	assert_string_equal(page_name(first, 0), "tune-a");
	assert_string_equal(json_str(first, "NextToken"), "1");
	second = sagemaker(f, "ListHyperParameterTuningJobs",
			   "{\"NameContains\":\"tune\",\"MaxResults\":1,\"NextToken\":\"1\"}", 200);
	assert_string_equal(page_name(second, 0), "tune-b");
	assert_null(json_object_get(second, "NextToken"));
	none = sagemaker(f, "ListHyperParameterTuningJobs", "{\"StatusEquals\":\"Completed\"}", 200);
	assert_int_equal(json_array_size(json_object_get(none, "HyperParameterTuningJobSummaries")), 0);
}

static void restart(struct fixture *f)
{
	auto_err err = { 0 };

	store_sagemaker_free(f->cloud.sagemaker);
	assert_int_equal(store_sagemaker_new(&f->cloud, &f->cloud.sagemaker, &err), 0);
}

/* A training job of a tuning job, as a process leaves it. */
static void keep_child(struct fixture *f, struct tuning *t, const char *name, double value, const char *status)
{
	auto_free char *dir = xasprintf("%s/jobs/%s", f->dir, name);
	auto_json *child = json_pack("{s:s}", "TrainingJobName", name);
	struct job_parent parent = { .arn = "arn:aws:sagemaker:eu-west-1:0:hyper-parameter-tuning-job/lost",
				     .metric = "f1" };
	auto_err err = { 0 };
	auto_job *j = NULL;

	tuning_add_child(t, name, 0, json_pack("{s:s}", "lr", "0.5"));
	assert_int_equal(fs_mkdir_p(dir, 0700, &err), 0);
	assert_int_equal(job_new(dir, child, "arn:aws:sagemaker:eu-west-1:000000000000:training-job/x", &sys_real, &j,
				 &err),
			 0);
	assert_int_equal(job_set_parent(j, &parent, &err), 0);
	job_set_metric(j, "f1", value);
	job_transition(j, status, status, status, NULL);
}

/* A tuning job with its training jobs, as a process leaves it that is killed. */
static void keep_lost(struct fixture *f)
{
	auto_free char *dir = fs_join(f->dir, "tuning/lost");
	auto_free char *body = request("lost", NULL, NULL);
	auto_err err = { 0 };
	auto_json *doc = json_parse(body, strlen(body), "request", &err);
	struct tuning *t;

	assert_int_equal(fs_mkdir_p(dir, 0700, &err), 0);
	assert_int_equal(tuning_new(dir, doc,
				    "arn:aws:sagemaker:eu-west-1:000000000000:hyper-parameter-tuning-job/lost",
				    &sys_real, &t, &err),
			 0);
	keep_child(f, t, "lost-001-a", 0.7, "Completed");
	keep_child(f, t, "lost-002-b", 0.9, "Stopped");
	keep_child(f, t, "lost-003-c", 0.99, "Failed");
	keep_child(f, t, "lost-004-d", 0.95, "InProgress");
	/* One that was noted, and never made. */
	tuning_add_child(t, "lost-005-e", 0, json_object());
	tuning_free(t);
	restart(f);
}

static void test_a_restarted_cloud_knows_its_jobs(void **state)
{
	struct fixture *f = *state;
	auto_json *d = NULL, *sorted = NULL, *completed = NULL;
	const json_t *page;

	keep_lost(f);
	d = describe(f, "lost");
	assert_string_equal(json_str(d, "HyperParameterTuningJobStatus"), "Failed");
	assert_string_equal(json_str(d, "FailureReason"),
			    "InternalServerError: the local cloud was stopped while the job ran");
	/* What failed has no say, whatever it printed before. */
	assert_string_equal(json_str(json_object_get(d, "BestTrainingJob"), "TrainingJobName"), "lost-002-b");
	assert_int_equal(counter(d, "TrainingJobStatusCounters", "Completed"), 1);
	assert_int_equal(counter(d, "TrainingJobStatusCounters", "Stopped"), 1);
	assert_int_equal(counter(d, "TrainingJobStatusCounters", "NonRetryableError"), 1);
	assert_int_equal(counter(d, "TrainingJobStatusCounters", "RetryableError"), 1);
	assert_int_equal(counter(d, "ObjectiveStatusCounters", "Succeeded"), 2);
	sorted = children(f, "lost", ",\"SortBy\":\"FinalObjectiveMetricValue\",\"SortOrder\":\"Descending\"");
	page = json_object_get(sorted, "TrainingJobSummaries");
	assert_int_equal(json_array_size(page), 2);
	assert_string_equal(json_str(json_array_get(page, 0), "TrainingJobName"), "lost-002-b");
	completed = children(f, "lost", ",\"StatusEquals\":\"Completed\"");
	page = json_object_get(completed, "TrainingJobSummaries");
	assert_int_equal(json_array_size(page), 1);
	assert_true(json_number_value(json_at(json_array_get(page, 0), "FinalHyperParameterTuningJobObjectiveMetric",
					      "Value", NULL)) == 0.7);
}

static void judge(const json_t *model, const char *shape, const json_t *answer)
{
	struct model_judge m = { .shapes = json_object_get(model, "shapes") };

	model_check(&m, shape, answer);
	if (m.faults.len)
		fail_msg("%s", str_text(&m.faults));
	str_release(&m.path);
	str_release(&m.faults);
}

/* No member that an SDK would drop, none missing that it needs. */
static void test_answers_are_those_of_the_model(void **state)
{
	struct fixture *f = *state;
	auto_free char *file = vectors_path("models/sagemaker-service-2.json");
	auto_json *model = NULL, *d = NULL, *jobs = NULL, *list = NULL;

	if (!file)
		skip();
	model = vectors_json(file);
	keep_lost(f);
	d = describe(f, "lost");
	assert_non_null(json_object_get(d, "BestTrainingJob"));
	judge(model, "DescribeHyperParameterTuningJobResponse", d);
	jobs = sagemaker(f, "ListHyperParameterTuningJobs", "{}", 200);
	judge(model, "ListHyperParameterTuningJobsResponse", jobs);
	list = children(f, "lost", "");
	judge(model, "ListTrainingJobsForHyperParameterTuningJobResponse", list);
}

static void test_the_time_of_a_job_ends(void **state)
{
	struct fixture *f = *state;
	auto_json *d = NULL;

	f->sys.ticks_ms = hurried_ticks;
	f->sys.ctx = &f->minutes;
	create(f, "tune", "\"MaxNumberOfTrainingJobs\":3",
	       "\"MaxNumberOfTrainingJobs\":50,\"MaxRuntimeInSeconds\":120");
	wait_final(f, "tune");
	d = describe(f, "tune");
	assert_string_equal(json_str(d, "HyperParameterTuningJobStatus"), "Stopped");
	/* Two minutes are over when it has looked three times: two rounds of two at most. */
	assert_true(counter(d, "TrainingJobStatusCounters", "RetryableError") <= 4);
}

/* Whatever runs at that moment. */
static void test_a_cloud_ends_while_it_tunes(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		auto_free char *name = xasprintf("tune-%d", i);
		auto_json *d = NULL;

		create(f, name, "\"MaxParallelTrainingJobs\":2", "\"MaxParallelTrainingJobs\":3");
		restart(f);
		d = describe(f, name);
		assert_string_equal(json_str(d, "HyperParameterTuningJobStatus"), "Failed");
		assert_int_equal(counter(d, "TrainingJobStatusCounters", "InProgress"), 0);
	}
}

static char *first_value(struct fixture *f, const char *name)
{
	auto_json *list = children(f, name, "");
	const json_t *first = json_array_get(json_object_get(list, "TrainingJobSummaries"), 0);

	return xstrdup(json_str(json_object_get(first, "TunedHyperParameters"), "lr"));
}

static void test_a_seed_gives_the_same_values(void **state)
{
	static const struct {
		const char *name, *strategy;
	} rows[] = { { "a", "\"Random\",\"RandomSeed\":7" },
		     { "b", "\"Random\",\"RandomSeed\":7" },
		     { "c", "\"Random\",\"RandomSeed\":8" } };
	struct fixture *f = *state;
	auto_strlist values = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		create(f, rows[i].name, "\"Random\"", rows[i].strategy);
		wait_final(f, rows[i].name);
		strlist_take(&values, first_value(f, rows[i].name));
	}
	assert_string_equal(values.v[0], values.v[1]);
	assert_string_not_equal(values.v[0], values.v[2]);
}

static void test_what_is_not_done_is_said(void **state)
{
	struct fixture *f = *state;
	auto_json *d = NULL;

	create(f, "tune", "\"Random\"", "\"Bayesian\"");
	d = describe(f, "tune");
	assert_non_null(strstr(json_str(d, "FailureReason"), "hyperparameters are sampled at random"));
	wait_final(f, "tune");
	json_decref_p(&d);
	d = describe(f, "tune");
	assert_true(str_starts(json_str(d, "FailureReason"), "No training job succeeded after 3 attempts."));
	assert_non_null(strstr(json_str(d, "FailureReason"), "hyperparameters are sampled at random"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_does_not_run_is_refused), TEST(test_without_a_success_the_job_fails),
		TEST(test_five_failures_are_enough),     TEST(test_children_are_training_jobs),
		TEST(test_names_are_taken_for_ever),     TEST(test_tags_are_set_and_replaced),
		TEST(test_jobs_are_listed_in_pages),     TEST(test_a_restarted_cloud_knows_its_jobs),
		TEST(test_the_time_of_a_job_ends),       TEST(test_answers_are_those_of_the_model),
		TEST(test_what_is_not_done_is_said),     TEST(test_a_cloud_ends_while_it_tunes),
		TEST(test_a_seed_gives_the_same_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
