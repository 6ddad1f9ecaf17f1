/* What the container of a training job finds below /opt/ml, and what is packed of what it leaves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "local/runner_artifacts.h"
#include "local/runner_container.h"
#include "local/runner_tree.h"
#include "tests/unit/folder.h"

static int set_up_tree(void **state)
{
	auto_err err = { 0 };

	return set_up(state) == 0 && tree_make(*state, &err) == 0 ? 0 : -1;
}

static json_t *parse(const char *text)
{
	auto_err err = { 0 };
	json_t *j = json_parse(text, strlen(text), "test", &err);

	assert_non_null(j);
	return j;
}

static const char request_text[] =
	"{\"TrainingJobName\":\"iris-1\",\"HyperParameters\":{\"lr\":\"0.01\",\"epochs\":\"10\"},"
	"\"AlgorithmSpecification\":{\"TrainingImage\":\"img:1\",\"TrainingInputMode\":\"File\"},"
	"\"ResourceConfig\":{\"InstanceType\":\"ml.m5.large\",\"InstanceCount\":1},"
	"\"Environment\":{\"SM_X\":\"y\"},"
	"\"InputDataConfig\":[{\"ChannelName\":\"train\",\"ContentType\":\"text/csv\",\"InputMode\":\"FastFile\","
	"\"DataSource\":{\"S3DataSource\":{\"S3DataType\":\"S3Prefix\",\"S3Uri\":\"s3://b/d/\"}}},"
	"{\"ChannelName\":\"val\",\"DataSource\":{\"S3DataSource\":{\"S3DataType\":\"S3Prefix\",\"S3Uri\":\"s3://b/v/\","
	"\"S3DataDistributionType\":\"ShardedByS3Key\"}}}]}";

static void expect_file(const char *ml, const char *path, const char *expected)
{
	auto_free char *full = fs_join(ml, path);
	auto_free char *text = NULL;
	auto_err err = { 0 };
	struct stat st;

	assert_int_equal(fs_read(full, 65536, &text, NULL, &err), 0);
	assert_string_equal(text, expected);
	assert_int_equal(stat(full, &st), 0);
	/* An image may run as any user. */
	assert_true(st.st_mode & S_IROTH);
}

static void test_configuration_is_the_services(void **state)
{
	auto_json *request = parse(request_text);
	auto_err err = { 0 };

	assert_int_equal(tree_write_config(*state, request, 0, "eth0", &err), 0);
	expect_file(*state, "input/config/hyperparameters.json", "{\"lr\":\"0.01\",\"epochs\":\"10\"}");
	expect_file(*state, "input/config/inputdataconfig.json",
		    "{\"train\":{\"TrainingInputMode\":\"FastFile\",\"S3DistributionType\":\"FullyReplicated\","
		    "\"RecordWrapperType\":\"None\",\"ContentType\":\"text/csv\"},"
		    "\"val\":{\"TrainingInputMode\":\"File\",\"S3DistributionType\":\"ShardedByS3Key\","
		    "\"RecordWrapperType\":\"None\"}}");
	expect_file(
		*state, "input/config/resourceconfig.json",
		"{\"current_host\":\"algo-1\",\"current_instance_type\":\"ml.m5.large\","
		"\"current_group_name\":\"homogeneousCluster\",\"hosts\":[\"algo-1\"],"
		"\"instance_groups\":[{\"instance_group_name\":\"homogeneousCluster\",\"instance_type\":\"ml.m5.large\","
		"\"hosts\":[\"algo-1\"]}],\"network_interface_name\":\"eth0\",\"topology\":null}");
}

static void test_without_hyperparameters_the_files_are_there(void **state)
{
	auto_json *request = parse("{\"ResourceConfig\":{\"InstanceType\":\"ml.m5.large\"}}");
	auto_err err = { 0 };

	assert_int_equal(tree_write_config(*state, request, 0, "eth0", &err), 0);
	expect_file(*state, "input/config/hyperparameters.json", "{}");
	expect_file(*state, "input/config/inputdataconfig.json", "{}");
}

static void put(const char *ml, const char *path, const char *text)
{
	auto_free char *full = fs_join(ml, path);
	auto_free char *folder = fs_dirname(full);
	auto_err err = { 0 };

	assert_int_equal(fs_mkdir_p(folder, 0755, &err), 0);
	assert_int_equal(fs_write_atomic(full, text, strlen(text), 0644, &err), 0);
}

static void test_failure_is_cut_by_characters(void **state)
{
	auto_free char *none = tree_read_failure(*state);
	auto_free char *read = NULL;
	auto_str text = { 0 };

	assert_string_equal(none, "");
	for (int i = 0; i < 2000; i++)
		str_add(&text, "\xc3\xa9");
	put(*state, "output/failure", str_text(&text));
	read = tree_read_failure(*state);
	assert_int_equal(strlen(read), 2 * 1024);
	assert_true(str_is_utf8(read, strlen(read)));
}

static void test_failure_of_a_hostile_container_is_not_followed(void **state)
{
	auto_free char *failure = fs_join(*state, "output/failure");
	auto_free char *link_read = NULL, *fifo_read = NULL;

	assert_int_equal(symlink("/etc/passwd", failure), 0);
	link_read = tree_read_failure(*state);
	assert_string_equal(link_read, "");
	unlink(failure);
	/* Nobody writes to it: reading would wait for ever. */
	assert_int_equal(mkfifo(failure, 0600), 0);
	fifo_read = tree_read_failure(*state);
	assert_string_equal(fifo_read, "");
}

static void test_text_becomes_utf8(void **state)
{
	auto_free char *text = tree_clean_text("a\xff"
					       "b\0c\xc3\xa9\xc3",
					       8);

	(void)state;
	assert_string_equal(text, "a?b?c\xc3\xa9?");
}

static void test_links_and_devices_are_not_packed_as_files(void **state)
{
	auto_free char *model = fs_join(*state, "model");
	auto_free char *link = fs_join(model, "link");
	auto_free char *folder_link = fs_join(model, "z-folder");
	auto_free char *fifo = fs_join(model, "fifo");
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	put(model, "b/weights", "1234");
	put(model, "a", "1");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(symlink("/etc", folder_link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(artifacts_list(model, &files, &err), 0);
	assert_int_equal(files.n, 4);
	assert_string_equal(files.v[0].path, "a");
	assert_string_equal(files.v[1].path, "b/weights");
	assert_string_equal(files.v[2].path, "link");
	assert_int_equal(files.v[2].mode, FILE_MODE_LINK);
	assert_int_equal(files.v[3].mode, FILE_MODE_LINK);
}

static void test_output_replaced_by_a_link_is_nothing(void **state)
{
	auto_free char *data = fs_join(*state, "output/data");
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	assert_int_equal(rmdir(data), 0);
	assert_int_equal(symlink("/etc", data), 0);
	assert_int_equal(artifacts_list(data, &files, &err), 0);
	assert_int_equal(files.n, 0);
}

static bool has_variable(const json_t *env, const char *text)
{
	size_t i;
	json_t *variable;

	json_array_foreach(env, i, variable) {
		if (str_eq(json_string_value(variable), text))
			return true;
	}
	return false;
}

static json_t *container_spec(const char *ml, const json_t *request, const char *network)
{
	struct container_place place = { .host = "algo-1", .ml = ml, .checkpoints = "/c", .network = network };

	return runner_container_spec(request, "arn:aws:sagemaker:eu-west-1:000000000000:training-job/iris-1", &place);
}

static void test_container_is_started_as_documented(void **state)
{
	static const struct {
		const char *algorithm, *entrypoint, *cmd;
	} rows[] = {
		{ "{\"TrainingImage\":\"i\"}", "null", "[\"train\"]" },
		{ "{\"TrainingImage\":\"i\",\"ContainerEntrypoint\":[\"e\"]}", "[\"e\"]", "null" },
		{ "{\"TrainingImage\":\"i\",\"ContainerArguments\":[\"x\"]}", "null", "[\"x\"]" },
		{ "{\"TrainingImage\":\"i\",\"ContainerEntrypoint\":[\"e\"],\"ContainerArguments\":[\"x\"]}", "[\"e\"]",
		  "[\"x\"]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json *request = parse(request_text);
		auto_json *spec = NULL;
		const json_t *entrypoint, *cmd;

		json_object_set_new(request, "AlgorithmSpecification", parse(rows[i].algorithm));
		spec = container_spec(*state, request, "bridge");
		entrypoint = json_object_get(spec, "Entrypoint");
		cmd = json_object_get(spec, "Cmd");
		auto_free char *entrypoint_text = entrypoint ? json_compact(entrypoint) : xstrdup("null");
		auto_free char *cmd_text = cmd ? json_compact(cmd) : xstrdup("null");

		assert_string_equal(entrypoint_text, rows[i].entrypoint);
		assert_string_equal(cmd_text, rows[i].cmd);
	}
}

static void test_container_gets_no_credentials(void **state)
{
	auto_json *request = parse(request_text);
	auto_json *spec = container_spec(*state, request, "none");
	const json_t *env = json_object_get(spec, "Env");

	assert_true(has_variable(env, "TRAINING_JOB_NAME=iris-1"));
	assert_true(has_variable(env, "TRAINING_JOB_ARN=arn:aws:sagemaker:eu-west-1:000000000000:training-job/iris-1"));
	assert_true(has_variable(env, "AWS_REGION=eu-west-1"));
	assert_true(has_variable(env, "SAGEMAKER_METRICS_DIRECTORY=/opt/ml/output/metrics/sagemaker"));
	assert_true(has_variable(env, "SM_X=y"));
	assert_int_equal(json_array_size(env), 5);
}

static void test_isolation_takes_the_network_away(void **state)
{
	auto_json *request = parse(request_text);
	auto_json *spec = NULL;

	json_object_set_new(request, "EnableNetworkIsolation", json_true());
	spec = container_spec(*state, request, "bridge");
	assert_string_equal(json_str(json_object_get(spec, "HostConfig"), "NetworkMode"), "none");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up_tree, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_configuration_is_the_services),
		TEST(test_without_hyperparameters_the_files_are_there),
		TEST(test_failure_is_cut_by_characters),
		TEST(test_failure_of_a_hostile_container_is_not_followed),
		TEST(test_text_becomes_utf8),
		TEST(test_links_and_devices_are_not_packed_as_files),
		TEST(test_output_replaced_by_a_link_is_nothing),
		TEST(test_container_is_started_as_documented),
		TEST(test_container_gets_no_credentials),
		TEST(test_isolation_takes_the_network_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
