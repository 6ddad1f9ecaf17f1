/* pipeline/plan.h and pipeline/training_job.h: names, places and the request of a release. */

#include "pipeline/training_job.h"
#include "tests/unit/made_project.h"

#define ROLE   "role: arn:aws:iam::123456789012:role/r\n"
#define SMALL  "estimator: {instance_type: ml.m5.large}\n"
#define REGION "eu-west-1"
#define SUM(w) "SUM-" w /* stands for the SHA-256 of the word, see expand() */
#define PIN    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* Put digests in the place of SUM-<word>. New string. */
static char *expand(const char *text)
{
	struct str out = { 0 };
	const char *mark;

	while ((mark = strstr(text, "SUM-"))) {
		size_t n = strspn(mark + 4, "abcdefghijklmnopqrstuvwxyz");
		auto_free char *word = xstrndup(mark + 4, n);
		struct digest d = digest_of_text(word);
		auto_free char *hex = digest_hex(&d);

		str_add_mem(&out, text, (size_t)(mark - text));
		str_add(&out, hex);
		text = mark + 4 + n;
	}
	str_add(&out, text);
	return str_detach(&out);
}

static void assert_expanded(const char *actual, const char *expected)
{
	auto_free char *text = expand(expected);

	assert_string_equal(actual, text);
}

static int make_plan(struct project *p, const char *region, struct plan *ret, struct err *err)
{
	auto_json *bases = json_object();
	struct target t = made_target(region, bases);

	return plan_make(p, &t, JOB_TRAINING, ret, err);
}

static void need_plan(struct project *p, const char *region, struct plan *ret)
{
	auto_err err = { 0 };

	if (make_plan(p, region, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_places(void **state)
{
	auto_project p = { 0 };
	auto_plan plan = { 0 };
	auto_free char *placeholder = NULL;
	auto_free char *expected = NULL;
	auto_free char *key = NULL;
	auto_free char *second = NULL;

	(void)state;
	make_project(&p, ROLE SMALL "source: {entry_point: t.py}\ninputs: {train: data, test: s3://other/x/}\n");
	need_plan(&p, REGION, &plan);
	assert_string_equal(plan.owner, "123456789012");
	assert_string_equal(plan.bucket, "sagemaker-eu-west-1-123456789012");
	assert_string_equal(plan.repository, "iris");
	assert_int_equal(strlen(plan.build_key), 64);
	assert_true(str_starts(plan.image_tag, "c-") && strlen(plan.image_tag) == 18);
	assert_true(str_starts(plan.build_key, plan.image_tag + 2));
	assert_expanded(plan.source_uri,
			"s3://sagemaker-eu-west-1-123456789012/Iris/source/" SUM("source") "/sourcedir.tar.gz");
	assert_expanded(plan.channels[0].uri, "s3://sagemaker-eu-west-1-123456789012/Iris/data/train/" SUM("data") "/");
	assert_string_equal(plan.channels[0].prefix, "Iris/data/train");
	assert_string_equal(plan.channels[1].uri, "s3://other/x/");
	assert_null(plan.channels[1].digest);
	assert_string_equal(plan.output_path, "s3://sagemaker-eu-west-1-123456789012/Iris/output");
	assert_int_equal(plan.warnings.n, 0);
	placeholder = plan_image_placeholder(&plan);
	expected = xasprintf("123456789012.dkr.ecr.example/iris@(known after build %s)", plan.image_tag);
	assert_string_equal(placeholder, expected);
	assert_true(str_starts(plan.job_base, "Iris-") && strlen(plan.job_base) == 5 + 12);
	assert_true(str_starts(plan.request_key, plan.job_base + 5));
	second = plan_job_name(&plan, "2");
	key = plan_record_key(&plan, second);
	free(expected);
	expected = xasprintf("Iris/records/%s-2/statement.json", plan.job_base);
	assert_string_equal(key, expected);
}

static void test_own_places(void **state)
{
	auto_project p = { 0 };
	auto_plan plan = { 0 };

	(void)state;
	make_project(
		&p, ROLE
		"bucket: mine\nbucket_owner: '999999999999'\ndata_location: s3://data/a/b//\n"
		"source: {entry_point: t.py, code_location: code-bucket}\nimage: {repository: team/iris}\n"
		"inputs: {train: data, old: s3://other/x}\nestimator: {instance_type: ml.m5.large, output_path: s3://out/x}\n");
	need_plan(&p, REGION, &plan);
	assert_string_equal(plan.owner, "999999999999");
	assert_expanded(plan.channels[0].uri, "s3://data/a/b/Iris/data/train/" SUM("data") "/");
	assert_expanded(plan.source_uri, "s3://code-bucket/Iris/source/" SUM("source") "/sourcedir.tar.gz");
	assert_string_equal(plan.output_path, "s3://out/x");
	assert_string_equal(plan.repository, "team/iris");
	/* "s3://other/x" is also the beginning of "s3://other/x_old/". */
	assert_int_equal(plan.warnings.n, 1);
	assert_non_null(strstr(plan.warnings.v[0], "inputs.old"));
}

static void test_china(void **state)
{
	auto_project wrong = { 0 };
	auto_project p = { 0 };
	auto_plan plan = { 0 };
	auto_err err = { 0 };

	(void)state;
	make_project(&p, "role: arn:aws-cn:iam::123456789012:role/r\n" SMALL);
	need_plan(&p, "cn-north-1", &plan);
	assert_string_equal(plan.bucket, "sagemaker-cn-north-1-123456789012");
	make_project(&wrong, ROLE SMALL);
	assert_int_equal(make_plan(&wrong, "cn-north-1", &plan, &err), -1);
	assert_true(str_starts(
		err.msg,
		"smpipe.yaml:3:7: 'arn:aws:iam::123456789012:role/r' is of partition aws, region cn-north-1 is of aws-cn"));
}

static void test_refusals(void **state)
{
	static const char *const rows[][2] = {
		{ SMALL, "smpipe.yaml has no 'role'" },
		{ "role: Admin\n" SMALL, "smpipe.yaml:3:7: 'Admin' is no role's ARN" },
		{ ROLE "account: '999999999999'\n" SMALL,
		  "smpipe.yaml:4:10: the credentials are of account 123456789012, this file is for 999999999999" },
		{ ROLE "bucket: Not_A_Bucket\n" SMALL, "smpipe.yaml:4:9: bucket 'Not_A_Bucket': " },
		{ ROLE "data_location: s3://A\ninputs: {a: b}\n" SMALL, "smpipe.yaml:4:16: " },
		{ ROLE "image: {uri: 'a/b:latest'}\n" SMALL, "smpipe.yaml:4:14: 'a/b:latest' is not pinned" },
		{ ROLE "image: {platform: windows/amd64}\n" SMALL, "smpipe.yaml:4:19: 'windows/amd64' is no platform" },
		{ ROLE "image: {repository: UPPER}\n" SMALL, "smpipe.yaml:4:21: " },
		{ ROLE "source: {entry_point: a, source_dir: 's3://b/c.zip'}\n" SMALL,
		  "smpipe.yaml:4:38: code in S3 must be a file that ends in .tar.gz" },
		{ ROLE, "smpipe.yaml: " }, /* no instance type */
		{ ROLE "estimator: {instance_type: ml.m5.large, tags: {'smpipe:request': x}}\n",
		  "smpipe.yaml:4:66: with the tags of smpipe: " },
		{ ROLE "estimator: {instance_type: ml.m5.large, tags: {'aws:x': x}}\n", "smpipe.yaml:4:57: " },
		{ ROLE "source: {entry_point: a, delivery: channel}\ninputs: {code: s3://bbb/c/}\n" SMALL,
		  "smpipe.yaml:5:16: " },
		{ ROLE
		  "estimator:\n  instance_type: ml.m5.large\n  hyperparameters:\n    ok: 1\n    \"bad\\nname\": 1\n",
		  "smpipe.yaml:" },
		{ ROLE
		  "estimator: {instance_type: ml.m5.large, metric_definitions: [{name: a, regex: 'x'}, {name: b}]}\n",
		  "smpipe.yaml:4:85: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_project p = { 0 };
		auto_plan plan = { 0 };
		auto_err err = { 0 };

		make_project(&p, rows[i][0]);
		if (make_plan(&p, REGION, &plan, &err) == 0)
			fail_msg("planned: %s", rows[i][0]);
		assert_int_equal(err.code, ERR_CONFIG);
		if (!str_starts(err.msg, rows[i][1]))
			fail_msg("'%s' does not begin with '%s'", err.msg, rows[i][1]);
	}
}

/* 50 tags are the service's limit; what smpipe adds counts before anything is built. */
static void test_too_many_tags(void **state)
{
	auto_str yaml = { 0 };
	auto_project p = { 0 };
	auto_plan plan = { 0 };
	auto_err err = { 0 };

	(void)state;
	str_add(&yaml, ROLE "estimator:\n  instance_type: ml.m5.large\n  tags:\n");
	for (int i = 0; i < 48; i++)
		str_addf(&yaml, "    t%d: x\n", i);
	make_project(&p, yaml.s);
	assert_int_equal(make_plan(&p, REGION, &plan, &err), -1);
	assert_non_null(strstr(err.msg, "at most 50"));
}

static json_t *request_of(const char *yaml)
{
	auto_project p = { 0 };
	auto_plan plan = { 0 };

	make_project(&p, yaml);
	need_plan(&p, REGION, &plan);
	return plan_request(&plan, &p, "image@" PIN, "job-1");
}

static const char *parameter(const json_t *request, const char *name)
{
	return json_str(json_object_get(request, "HyperParameters"), name);
}

#define PARAMETERS "  hyperparameters: {lr: 0.01, opt: Adam, n: '1', layers: [1, 2], deep: true, q: 'say \"x\"'}\n"

/* As the Python SDK encodes for the toolkit: strings in quotes, numbers bare. */
static void test_toolkit_parameters(void **state)
{
	auto_json *r =
		request_of(ROLE "source: {entry_point: t.py}\nestimator:\n  instance_type: ml.m5.large\n" PARAMETERS);

	(void)state;
	assert_string_equal(parameter(r, "lr"), "0.01");
	assert_string_equal(parameter(r, "opt"), "\"Adam\"");
	assert_string_equal(parameter(r, "n"), "\"1\"");
	assert_string_equal(parameter(r, "layers"), "[1,2]");
	assert_string_equal(parameter(r, "deep"), "true");
	assert_string_equal(parameter(r, "q"), "\"say \\\"x\\\"\"");
	assert_string_equal(parameter(r, "sagemaker_program"), "\"t.py\"");
	assert_string_equal(parameter(r, "sagemaker_job_name"), "\"job-1\"");
	assert_string_equal(parameter(r, "sagemaker_region"), "\"eu-west-1\"");
	assert_string_equal(parameter(r, "sagemaker_container_log_level"), "20");
	assert_expanded(parameter(r, "sagemaker_submit_directory"),
			"\"s3://sagemaker-eu-west-1-123456789012/Iris/source/" SUM("source") "/sourcedir.tar.gz\"");
	assert_null(json_object_get(r, "InputDataConfig"));
}

static void test_plain_parameters(void **state)
{
	auto_json *r = request_of(ROLE "estimator:\n  instance_type: ml.m5.large\n" PARAMETERS);
	auto_json *forced = request_of(
		ROLE "estimator:\n  instance_type: ml.m5.large\n  hyperparameter_encoding: json\n" PARAMETERS);

	(void)state;
	assert_string_equal(parameter(r, "lr"), "0.01");
	assert_string_equal(parameter(r, "opt"), "Adam");
	assert_string_equal(parameter(r, "n"), "1");
	assert_string_equal(parameter(r, "q"), "say \"x\"");
	assert_null(parameter(r, "sagemaker_program"));
	assert_string_equal(parameter(forced, "opt"), "\"Adam\"");
}

static void test_channel_delivery(void **state)
{
	auto_json *r = request_of(
		ROLE SMALL "source: {entry_point: t.py, delivery: channel}\ninputs: {train: {path: data, content_type: "
			   "text/csv, input_mode: FastFile, distribution: ShardedByS3Key}}\n");
	auto_free char *channels = json_compact(json_object_get(r, "InputDataConfig"));

	(void)state;
	assert_expanded(
		channels,
		"[{\"ChannelName\":\"train\",\"DataSource\":{\"S3DataSource\":{\"S3DataType\":\"S3Prefix\",\"S3Uri\":"
		"\"s3://sagemaker-eu-west-1-123456789012/Iris/data/train/" SUM(
			"data") "/\",\"S3DataDistributionType\":"
				"\"ShardedByS3Key\"}},\"ContentType\":\"text/csv\",\"InputMode\":\"FastFile\"},"
				"{\"ChannelName\":\"code\",\"DataSource\":{\"S3DataSource\":{\"S3DataType\":\"S3Prefix\",\"S3Uri\":"
				"\"s3://sagemaker-eu-west-1-123456789012/Iris/source/" SUM(
					"source") "/sourcedir.tar.gz\","
						  "\"S3DataDistributionType\":\"FullyReplicated\"}}}]");
	assert_string_equal(parameter(r, "sagemaker_submit_directory"), "\"/opt/ml/input/data/code/sourcedir.tar.gz\"");
}

static void test_whole_request(void **state)
{
	auto_json *r = request_of(
		ROLE
		"estimator:\n  instance_type: ml.m5.large\n  use_spot_instances: true\n  max_run: 1h\n  max_wait: 2h\n"
		"  subnets: [subnet-0123456789abcdef0]\n  security_group_ids: [sg-0123456789abcdef0]\n"
		"  environment: {A: 1}\n  tags: {team: x}\n  checkpoint_s3_uri: s3://c/k\n"
		"  container_entry_point: [/run, --x]\n  metric_definitions: [{name: m, regex: 'm=(.*)'}]\n");
	auto_free char *text = NULL;

	(void)state;
	json_object_del(r, "Tags");
	text = json_canonical(r);
	assert_string_equal(
		text,
		"{\"AlgorithmSpecification\":{\"ContainerEntrypoint\":[\"/run\",\"--x\"],\"MetricDefinitions\":[{\"Name\":\"m\",\"Regex\":"
		"\"m=(.*)\"}],\"TrainingImage\":\"image@" PIN
		"\",\"TrainingInputMode\":\"File\"},\"CheckpointConfig\":{\"S3Uri\":\"s3://c/k\"},"
		"\"EnableManagedSpotTraining\":true,\"Environment\":{\"A\":\"1\"},\"OutputDataConfig\":{\"S3OutputPath\":"
		"\"s3://sagemaker-eu-west-1-123456789012/Iris/output\"},\"ResourceConfig\":{\"InstanceCount\":1,\"InstanceType\":"
		"\"ml.m5.large\",\"VolumeSizeInGB\":30},\"RoleArn\":\"arn:aws:iam::123456789012:role/r\",\"StoppingCondition\":{"
		"\"MaxRuntimeInSeconds\":3600,\"MaxWaitTimeInSeconds\":7200},\"TrainingJobName\":\"job-1\",\"VpcConfig\":{"
		"\"SecurityGroupIds\":[\"sg-0123456789abcdef0\"],\"Subnets\":[\"subnet-0123456789abcdef0\"]}}");
}

/* Members that nobody filled are not sent: the service refuses some of them empty. */
static void test_no_empty_members(void **state)
{
	auto_json *r =
		request_of(ROLE "estimator:\n  instance_type: ml.m5.large\n  environment: {}\n  hyperparameters: {}\n"
				"  metric_definitions: []\n  tags: {}\ninputs: {}\n");

	(void)state;
	assert_null(json_object_get(r, "Environment"));
	assert_null(json_object_get(r, "HyperParameters"));
	assert_null(json_object_get(r, "InputDataConfig"));
	assert_null(json_at(r, "AlgorithmSpecification", "MetricDefinitions", NULL));
	assert_null(json_object_get(r, "VpcConfig"));
	assert_null(json_object_get(r, "CheckpointConfig"));
}

static const char *tag(const json_t *request, const char *key)
{
	size_t i;
	json_t *t;

	json_array_foreach(json_object_get(request, "Tags"), i, t) {
		if (str_eq(json_str(t, "Key"), key))
			return json_str(t, "Value");
	}
	return NULL;
}

static void test_tags(void **state)
{
	auto_project p = { 0 };
	auto_plan plan = { 0 };
	auto_json *r = NULL;

	(void)state;
	make_project(&p, ROLE "estimator: {instance_type: ml.m5.large, tags: {team: x}}\n");
	strlist_add(&p.dirty, "train.py");
	need_plan(&p, REGION, &plan);
	r = plan_request(&plan, &p, "image", "job-1");
	assert_string_equal(tag(r, "team"), "x");
	assert_string_equal(tag(r, TAG_REQUEST), plan.request_key);
	assert_string_equal(tag(r, TAG_COMMIT), MADE_COMMIT);
	assert_string_equal(tag(r, TAG_DIRTY), "true");
	assert_string_equal(tag(r, TAG_BUILD), plan.build_key);
	assert_string_equal(tag(r, TAG_RECORD),
			    "s3://sagemaker-eu-west-1-123456789012/Iris/records/job-1/statement.json");
}

/* What must give a new job, and what must not. */
static void test_request_key(void **state)
{
	static const char base[] = ROLE SMALL "source: {entry_point: t.py}\n";
	static const struct {
		const char *yaml;
		bool is_same;
	} rows[] = {
		{ base, true },
		{ "# comment\n" ROLE
		  "estimator:\n  instance_type: 'ml.m5.large'\n  tags: {a: b}\nsource: {entry_point: t.py}\n",
		  true },
		{ ROLE "estimator: {instance_type: ml.m5.large, max_run: 24h}\nsource: {entry_point: t.py}\n", true },
		{ ROLE "estimator: {instance_type: ml.m5.xlarge}\nsource: {entry_point: t.py}\n", false },
		{ ROLE
		  "estimator: {instance_type: ml.m5.large, hyperparameters: {lr: 1}}\nsource: {entry_point: t.py}\n",
		  false },
		{ ROLE SMALL "source: {entry_point: u.py}\n", false },
		{ ROLE SMALL "source: {entry_point: t.py}\nimage: {platform: linux/arm64}\n", false },
		{ ROLE SMALL "source: {entry_point: t.py}\ninputs: {a: b}\n", false },
	};
	auto_project p = { 0 };
	auto_plan plan = { 0 };

	(void)state;
	make_project(&p, base);
	need_plan(&p, REGION, &plan);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_project q = { 0 };
		auto_plan other = { 0 };

		make_project(&q, rows[i].yaml);
		free(q.state.commit);
		q.state.commit = xstrdup("ffffffffffffffffffffffffffffffffffffffff");
		need_plan(&q, REGION, &other);
		if (str_eq(plan.request_key, other.request_key) != rows[i].is_same)
			fail_msg("%s", rows[i].yaml);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_own_places),
		cmocka_unit_test(test_china),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_too_many_tags),
		cmocka_unit_test(test_toolkit_parameters),
		cmocka_unit_test(test_plain_parameters),
		cmocka_unit_test(test_channel_delivery),
		cmocka_unit_test(test_whole_request),
		cmocka_unit_test(test_no_empty_members),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_request_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
