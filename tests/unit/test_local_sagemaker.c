/* The local SageMaker's API: what it takes, refuses and remembers. */

#include "local_sagemaker.h"

#include <unistd.h>

#include "local/job.h"
#include "local/runner_artifacts.h"
#include "local/runner_tree.h"

/* A valid request with one value replaced. */
static char *request(const char *name, const char *old, const char *new)
{
	static const char text[] =
		"{\"TrainingJobName\":\"NAME\",\"RoleArn\":\"arn:aws:iam::000000000000:role/R\","
		"\"AlgorithmSpecification\":{\"TrainingImage\":\"image:1\",\"TrainingInputMode\":\"File\"},"
		"\"HyperParameters\":{\"lr\":\"0.1\"},"
		"\"InputDataConfig\":[{\"ChannelName\":\"train\",\"CompressionType\":\"None\",\"DataSource\":{"
		"\"S3DataSource\":{\"S3DataType\":\"S3Prefix\",\"S3Uri\":\"s3://my-bucket/d/\"}}}],"
		"\"OutputDataConfig\":{\"S3OutputPath\":\"s3://my-bucket/out/\"},"
		"\"ResourceConfig\":{\"InstanceType\":\"ml.m5.large\",\"InstanceCount\":1,\"VolumeSizeInGB\":1},"
		"\"StoppingCondition\":{\"MaxRuntimeInSeconds\":60},\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}";
	auto_free char *named = replaced(text, "NAME", name);

	return old ? replaced(named, old, new) : take(named);
}

static void create(struct fixture *f, const char *name)
{
	auto_free char *body = request(name, NULL, NULL);

	json_decref(sagemaker(f, "CreateTrainingJob", body, 200));
}

static void wait_final(struct fixture *f, const char *name)
{
	struct job *j = store_sagemaker_find(f->cloud.sagemaker, name);

	assert_non_null(j);
	while (!job_is_final(j)) {
		struct timespec soon;

		clock_gettime(CLOCK_MONOTONIC, &soon);
		soon.tv_sec++;
		pthread_mutex_lock(&j->lock);
		pthread_cond_timedwait(&j->changed, &j->lock, &soon);
		pthread_mutex_unlock(&j->lock);
	}
}

static void test_what_does_not_run_is_refused(void **state)
{
	static const struct {
		const char *old, *new, *words;
	} rows[] = {
		{ "\"File\"", "\"Pipe\"", "does not run channels in Pipe mode yet" },
		{ "\"None\"", "\"Gzip\"", "'Gzip' goes with Pipe mode only" },
		{ "\"S3Prefix\"", "\"AugmentedManifestFile\"", "AugmentedManifestFile" },
		{ "\"InstanceCount\":1", "\"InstanceCount\":9", "does not run jobs on more than 8 instances yet" },
		{ "my-bucket/out", "no-such-bucket/out", "no S3 bucket 'no-such-bucket' was found" },
		{ "image:1", "127.0.0.1:4711/absent:1", "Cannot find repository: absent" },
		{ "\"train\"", "\"..\"", "channel '..' can be no folder" },
		{ "\"RoleArn\"", "\"RoleArm\"", "1 validation error detected" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *body = request("job", rows[i].old, rows[i].new);
		auto_json *answer = sagemaker(f, "CreateTrainingJob", body, 400);

		assert_string_equal(json_str(answer, "__type"), "ValidationException");
		if (!strstr(json_str(answer, "message"), rows[i].words))
			fail_msg("no '%s' in '%s'", rows[i].words, json_str(answer, "message"));
	}
	assert_int_equal(store_sagemaker_running(f->cloud.sagemaker), 0);
}

static void test_without_an_engine_the_job_fails(void **state)
{
	struct fixture *f = *state;
	auto_json *d = NULL;

	create(f, "Iris-1");
	wait_final(f, "Iris-1");
	d = sagemaker(f, "DescribeTrainingJob", "{\"TrainingJobName\":\"Iris-1\"}", 200);
	assert_string_equal(json_str(d, "TrainingJobStatus"), "Failed");
	assert_non_null(strstr(json_str(d, "FailureReason"), "InternalServerError: "));
	assert_non_null(strstr(json_str(d, "FailureReason"), "/nonexistent/docker.sock"));
	assert_string_equal(json_str(d, "TrainingJobArn"),
			    "arn:aws:sagemaker:eu-west-1:000000000000:training-job/iris-1");
	/* The request comes back, the tags do not. */
	assert_string_equal(json_str(json_object_get(d, "HyperParameters"), "lr"), "0.1");
	assert_null(json_object_get(d, "Tags"));
}

static void test_a_fault_of_the_platform_is_retried(void **state)
{
	struct fixture *f = *state;
	auto_free char *body =
		request("again", "\"RoleArn\"", "\"RetryStrategy\":{\"MaximumRetryAttempts\":2},\"RoleArn\"");
	auto_json *d = NULL;
	size_t i, starts = 0;
	json_t *transition;

	json_decref(sagemaker(f, "CreateTrainingJob", body, 200));
	wait_final(f, "again");
	d = sagemaker(f, "DescribeTrainingJob", "{\"TrainingJobName\":\"again\"}", 200);
	json_array_foreach(json_object_get(d, "SecondaryStatusTransitions"), i, transition)
		starts += str_eq(json_str(transition, "Status"), "Starting");
	assert_int_equal(starts, 3);
	assert_string_equal(json_str(d, "TrainingJobStatus"), "Failed");
}

static void test_names_are_taken_for_ever(void **state)
{
	struct fixture *f = *state;
	auto_free char *same = request("iris-1", NULL, NULL);
	auto_free char *other_case = request("IRIS-1", NULL, NULL);
	auto_json *first = NULL, *second = NULL, *unknown = NULL;

	create(f, "iris-1");
	first = sagemaker(f, "CreateTrainingJob", same, 400);
	assert_string_equal(json_str(first, "__type"), "ResourceInUse");
	second = sagemaker(f, "CreateTrainingJob", other_case, 400);
	assert_string_equal(json_str(second, "__type"), "ResourceInUse");
	unknown = sagemaker(f, "DescribeTrainingJob", "{\"TrainingJobName\":\"iris-2\"}", 400);
	assert_string_equal(json_str(unknown, "__type"), "ValidationException");
	assert_string_equal(json_str(unknown, "message"), "Requested resource not found.");
}

static void test_tags_are_set_and_replaced(void **state)
{
#define ARN "\"ResourceArn\":\"arn:aws:sagemaker:eu-west-1:000000000000:training-job/iris-1\""
	struct fixture *f = *state;
	auto_json *added = NULL, *listed = NULL, *refused = NULL;
	auto_free char *text = NULL;

	create(f, "Iris-1");
	added = sagemaker(f, "AddTags",
			  "{" ARN ",\"Tags\":[{\"Key\":\"k\",\"Value\":\"w\"},{\"Key\":\"a\",\"Value\":\"b\"}]}", 200);
	json_decref(sagemaker(f, "DeleteTags", "{" ARN ",\"TagKeys\":[\"a\",\"absent\"]}", 200));
	listed = sagemaker(f, "ListTags", "{" ARN "}", 200);
	text = json_compact(json_object_get(listed, "Tags"));
	assert_int_equal(json_array_size(json_object_get(added, "Tags")), 2);
	assert_string_equal(text, "[{\"Key\":\"k\",\"Value\":\"w\"}]");
	refused = sagemaker(f, "AddTags", "{" ARN ",\"Tags\":[{\"Key\":\"aws:x\",\"Value\":\"w\"}]}", 400);
	assert_non_null(strstr(json_str(refused, "message"), "Tags[0].Key: 'aws:' at the beginning is reserved"));
#undef ARN
}

/* The limits are those of Create…: characters, not bytes; and as many tags. */
static void test_tags_have_limits(void **state)
{
	static const struct {
		size_t n;
		const char *character;
		int status;
		const char *words;
	} rows[] = {
		{ 256, "ä", 200, NULL },
		{ 257, "ä", 400, "Tags[0].Value: has 257 characters" },
		{ 1, "\\n", 400, "Tags[0].Value" },
	};
	struct fixture *f = *state;

	create(f, "Iris-1");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_str body = { 0 };
		auto_json *answer = NULL;

		str_add(&body, "{\"ResourceArn\":\"arn:aws:sagemaker:eu-west-1:000000000000:training-job/iris-1\","
			       "\"Tags\":[{\"Key\":\"k\",\"Value\":\"");
		for (size_t k = 0; k < rows[i].n; k++)
			str_add(&body, rows[i].character);
		str_add(&body, "\"}]}");
		answer = sagemaker(f, "AddTags", str_text(&body), rows[i].status);
		if (rows[i].words)
			assert_non_null(strstr(json_str(answer, "message"), rows[i].words));
	}
}

static void test_jobs_are_listed_in_pages(void **state)
{
	struct fixture *f = *state;
	auto_json *first = NULL, *second = NULL, *none = NULL;
	const json_t *page;

	create(f, "iris-a");
	create(f, "iris-b");
	create(f, "other");
	first = sagemaker(
		f, "ListTrainingJobs",
		"{\"NameContains\":\"iris\",\"MaxResults\":1,\"SortBy\":\"Name\",\"SortOrder\":\"Descending\"}", 200);
	page = json_object_get(first, "TrainingJobSummaries");
	assert_int_equal(json_array_size(page), 1);
	assert_string_equal(json_str(json_array_get(page, 0), "TrainingJobName"), "iris-b");
	second = sagemaker(
		f, "ListTrainingJobs",
		"{\"NameContains\":\"iris\",\"MaxResults\":1,\"SortBy\":\"Name\",\"SortOrder\":\"Descending\","
		"\"NextToken\":\"1\"}",
		200);
	page = json_object_get(second, "TrainingJobSummaries");
	assert_string_equal(json_str(json_array_get(page, 0), "TrainingJobName"), "iris-a");
	assert_null(json_object_get(second, "NextToken"));
	none = sagemaker(f, "ListTrainingJobs", "{\"StatusEquals\":\"Completed\"}", 200);
	assert_int_equal(json_array_size(json_object_get(none, "TrainingJobSummaries")), 0);
}

static void test_stop_of_an_ended_job_is_refused(void **state)
{
	struct fixture *f = *state;
	auto_json *answer = NULL;

	create(f, "iris-1");
	wait_final(f, "iris-1");
	answer = sagemaker(f, "StopTrainingJob", "{\"TrainingJobName\":\"iris-1\"}", 400);
	assert_string_equal(json_str(answer, "__type"), "ValidationException");
	assert_non_null(strstr(json_str(answer, "message"), "status Failed"));
}

static void restart(struct fixture *f)
{
	auto_err err = { 0 };

	store_sagemaker_free(f->cloud.sagemaker);
	assert_int_equal(store_sagemaker_new(&f->cloud, &f->cloud.sagemaker, &err), 0);
}

static void test_a_restarted_cloud_knows_its_jobs(void **state)
{
	struct fixture *f = *state;
	auto_free char *dir = fs_join(f->dir, "jobs/lost");
	auto_free char *body = request("lost", NULL, NULL);
	auto_err err = { 0 };
	auto_json *request_doc = json_parse(body, strlen(body), "request", &err);
	auto_json *ended = NULL, *lost = NULL;
	struct job *j;

	create(f, "ended");
	wait_final(f, "ended");
	/* As a process leaves it that is killed while the job runs. */
	assert_int_equal(fs_mkdir_p(dir, 0700, &err), 0);
	assert_int_equal(job_new(dir, request_doc, "arn:aws:sagemaker:eu-west-1:0:training-job/lost", &sys_real, &j,
				 &err),
			 0);
	job_transition(j, NULL, "Training", "Training", NULL);
	job_free(j);
	restart(f);
	ended = sagemaker(f, "DescribeTrainingJob", "{\"TrainingJobName\":\"ended\"}", 200);
	assert_non_null(strstr(json_str(ended, "FailureReason"), "docker.sock"));
	lost = sagemaker(f, "DescribeTrainingJob", "{\"TrainingJobName\":\"lost\"}", 200);
	assert_string_equal(json_str(lost, "TrainingJobStatus"), "Failed");
	assert_string_equal(json_str(lost, "FailureReason"),
			    "InternalServerError: the local cloud was stopped while the job ran");
}

static void test_channels_get_the_keys_below_the_prefix(void **state)
{
	static const struct {
		const char *key, *expected; /* NULL: not in the channel */
	} rows[] = {
		{ "d/a.csv", "input/data/train/a.csv" },
		{ "d/sub/b.csv", "input/data/train/sub/b.csv" },
		{ "e/c.csv", NULL },
	};
	struct fixture *f = *state;
	auto_free char *body = request("job", NULL, NULL);
	auto_free char *ml = fs_join(f->dir, "ml");
	auto_err err = { 0 };
	auto_json *doc = json_parse(body, strlen(body), "request", &err);

	assert_int_equal(tree_make(ml, &err), 0);
	assert_int_equal(tree_fetch_inputs(&f->cloud, ml, doc, 0, &err), -1);
	assert_true(err_is_service(&err, "ClientError"));
	assert_non_null(strstr(err.msg, "No S3 objects found under S3 URL \"s3://my-bucket/d/\""));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct s3_put put = { .bucket = "my-bucket", .key = rows[i].key, .bytes = { .p = "x", .size = 1 } };

		assert_int_equal(store_s3_put(f->cloud.s3, &put, &err), 0);
	}
	assert_int_equal(tree_fetch_inputs(&f->cloud, ml, doc, 0, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *path =
			rows[i].expected ? fs_join(ml, rows[i].expected) : fs_join(ml, "input/data/train/c.csv");

		assert_int_equal(fs_exists(path), rows[i].expected != NULL);
	}
}

static void test_model_without_compression_is_plain_files(void **state)
{
	struct fixture *f = *state;
	auto_free char *body = request("job", "out/\"", "out/\",\"CompressionType\":\"NONE\"");
	auto_free char *ml = fs_join(f->dir, "ml");
	auto_free char *model = fs_join(ml, "model");
	auto_free char *weights = fs_join(ml, "model/weights");
	auto_filelist files = { 0 };
	auto_free char *link = fs_join(ml, "model/link");
	auto_free char *uri = NULL;
	auto_strlist keys = { 0 };
	auto_err err = { 0 };
	auto_json *doc = json_parse(body, strlen(body), "request", &err);

	assert_int_equal(tree_make(ml, &err), 0);
	assert_int_equal(fs_write_atomic(weights, "w", 1, 0644, &err), 0);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(artifacts_list(model, &files, &err), 0);
	assert_int_equal(artifacts_upload_model(&f->cloud, &files, doc, &uri, &err), 0);
	assert_string_equal(uri, "s3://my-bucket/out/job/output/model/");
	assert_int_equal(store_s3_keys(f->cloud.s3, "my-bucket", "", &keys, &err), 0);
	assert_int_equal(keys.n, 1);
	assert_string_equal(keys.v[0], "out/job/output/model/weights");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_does_not_run_is_refused),
		TEST(test_without_an_engine_the_job_fails),
		TEST(test_a_fault_of_the_platform_is_retried),
		TEST(test_names_are_taken_for_ever),
		TEST(test_tags_are_set_and_replaced),
		TEST(test_tags_have_limits),
		TEST(test_jobs_are_listed_in_pages),
		TEST(test_stop_of_an_ended_job_is_refused),
		TEST(test_a_restarted_cloud_knows_its_jobs),
		TEST(test_channels_get_the_keys_below_the_prefix),
		TEST(test_model_without_compression_is_plain_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
