/* pipeline/provenance.h: the statement of a job, and the end of it. */

#include "pipeline/provenance.h"
#include "tests/unit/made_project.h"

#define HEX   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define IMAGE "123456789012.dkr.ecr.example/iris@sha256:" HEX

struct made {
	struct project project;
	struct plan plan;
	struct image_result image;
	struct launch_result launch;
	json_t *bases;
	struct digest source;
};

static int set_up(void **state)
{
	struct made *m = xcalloc(1, sizeof(*m));
	struct target t;
	auto_err err = { 0 };

	make_project(&m->project, "role: arn:aws:iam::123456789012:role/r\nestimator: {instance_type: ml.m5.large}\n"
				  "source: {entry_point: t.py}\ninputs: {train: data, old: s3://other/x/}\n");
	m->bases = json_pack("{ss}", "debian:12", "sha256:" HEX);
	t = made_target("eu-west-1", m->bases);
	if (plan_make(&m->project, &t, JOB_TRAINING, &m->plan, &err) < 0)
		fail_msg("%s", err.msg);
	filelist_add(&m->project.channels[0].files, "a.csv", FILE_MODE_PLAIN)->size = 7;
	m->image = (struct image_result){ .uri = xstrdup(IMAGE), .digest = xstrdup("sha256:" HEX) };
	m->launch = (struct launch_result){ .job_name = xstrdup("iris-1"),
					    .job_arn = xstrdup("arn:job"),
					    .attempt = xstrdup("1") };
	m->launch.request = plan_request(&m->plan, &m->project, IMAGE, "iris-1");
	m->source = digest_of_text("tarball");
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct made *m = *state;

	image_result_release(&m->image);
	launch_result_release(&m->launch);
	plan_release(&m->plan);
	project_release(&m->project);
	json_decref(m->bases);
	free(m);
	return 0;
}

static json_t *statement_of(const struct made *m)
{
	struct provenance_facts facts = { .project = &m->project,
					  .plan = &m->plan,
					  .image = &m->image,
					  .launch = &m->launch,
					  .bases = m->bases,
					  .source = &m->source,
					  .now_ms = INT64_C(1700703534000) };
	json_t *statement = provenance_statement(&facts);

	assert_non_null(statement);
	return statement;
}

static bool is_hex64(const char *s)
{
	return s && strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

/* in-toto Statement v1: every subject and dependency has a digest. */
static void test_statement(void **state)
{
	auto_json *s = statement_of(*state);
	const json_t *definition = json_at(s, "predicate", "buildDefinition", NULL);
	const json_t *dependencies = json_object_get(definition, "resolvedDependencies");
	const char *uri;
	size_t i;
	json_t *j;

	assert_string_equal(json_str(s, "_type"), "https://in-toto.io/Statement/v1");
	assert_string_equal(json_str(s, "predicateType"), "https://slsa.dev/provenance/v1");
	assert_int_equal(json_array_size(json_object_get(s, "subject")), 3);
	json_array_foreach(json_object_get(s, "subject"), i, j)
		assert_true(is_hex64(json_str(json_object_get(j, "digest"), "sha256")));
	assert_string_equal(provenance_subject(s, "image", &uri), HEX);
	assert_string_equal(uri, IMAGE);
	assert_non_null(provenance_subject(s, "source", &uri));
	assert_true(str_ends(uri, "/sourcedir.tar.gz"));
	assert_non_null(provenance_subject(s, "data/train", &uri));
	assert_true(str_ends(uri, ".json"));
	/* What smpipe did not make is not vouched for. */
	assert_null(provenance_subject(s, "data/old", NULL));
	assert_null(provenance_subject(s, "model", NULL));
	assert_string_equal(json_str(json_object_get(json_array_get(dependencies, 0), "digest"), "gitCommit"),
			    MADE_COMMIT);
	assert_int_equal(json_array_size(dependencies), 5);
	assert_string_equal(json_str(json_object_get(json_array_get(dependencies, 4), "digest"), "sha256"), HEX);
	assert_true(str_starts(json_str(definition, "buildType"), "urn:"));
	assert_string_equal(json_string_value(json_at(s, "predicate", "runDetails", "metadata", "startedOn", NULL)),
			    "2023-11-23T01:38:54Z");
}

static void test_reading(void **state)
{
	auto_json *s = statement_of(*state);
	auto_json *other = json_object();

	assert_string_equal(provenance_job(s), "iris-1");
	assert_string_equal(provenance_commit(s), MADE_COMMIT);
	assert_string_equal(provenance_status(s), "InProgress");
	assert_string_equal(json_str(provenance_request(s), "TrainingJobName"), "iris-1");
	assert_null(provenance_job(other));
	assert_null(provenance_commit(other));
	assert_null(provenance_status(NULL));
	assert_null(provenance_request(other));
	assert_null(provenance_subject(other, "image", NULL));
}

/* Names may be any bytes; a record that leaves one out would say that it was not there. */
static void test_odd_names(void **state)
{
	struct made *m = *state;
	auto_json *s = NULL;
	const json_t *git;

	strlist_add(&m->project.untracked, "latin-\xe4.csv");
	strlist_add(&m->project.dirty, "esc\033.py");
	s = statement_of(m);
	git = json_object_get(provenance_internal(s), "git");
	assert_string_equal(json_string_value(json_array_get(json_object_get(git, "untrackedFiles"), 0)),
			    "latin-?.csv");
	assert_string_equal(json_string_value(json_array_get(json_object_get(git, "dirtyFiles"), 0)), "esc?.py");
	assert_true(json_is_true(json_object_get(git, "dirty")));
}

static void test_no_secrets(void **state)
{
	auto_json *s = NULL;
	auto_free char *text = NULL;

	setenv("AWS_SECRET_ACCESS_KEY", "hunter2-secret", 1);
	setenv("AWS_SESSION_TOKEN", "hunter2-token", 1);
	s = statement_of(*state);
	text = json_pretty(s);
	assert_null(strstr(text, "hunter2"));
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
}

static void end_with(json_t *statement, const char *job_text, const char *model_uri)
{
	auto_json *job = json_loads(job_text, 0, NULL);
	struct digest model = digest_of_text("abc");
	struct provenance_outcome outcome = { .job = job, .model_uri = model_uri, .model = &model, .model_bytes = 3 };

	provenance_add_outcome(statement, &outcome);
}

static void test_outcome(void **state)
{
	auto_json *s = statement_of(*state);
	static const char job[] =
		"{\"TrainingJobStatus\":\"Completed\",\"SecondaryStatus\":\"Completed\",\"TrainingEndTime\":1700703600.5,"
		"\"BillableTimeInSeconds\":60,\"ResourceConfig\":{\"InstanceCount\":2},\"FinalMetricDataList\":[{\"MetricName\":\"f1\",\"Value\":0.5},{}]}";
	const char *uri;

	end_with(s, job, "s3://b/model.tar.gz");
	end_with(s, job, "s3://b/model.tar.gz");
	assert_string_equal(provenance_status(s), "Completed");
	assert_string_equal(provenance_subject(s, "model", &uri), HEX);
	assert_string_equal(uri, "s3://b/model.tar.gz");
	assert_int_equal(json_array_size(json_object_get(s, "subject")), 4);
	assert_true(json_real_value(json_at(provenance_internal(s), "metrics", "f1", NULL)) == 0.5);
	assert_int_equal(json_integer_value(json_object_get(provenance_internal(s), "billableSeconds")), 120);
	assert_string_equal(json_string_value(json_at(s, "predicate", "runDetails", "metadata", "finishedOn", NULL)),
			    "2023-11-23T01:40:00Z");
}

static void test_bad_outcome(void **state)
{
	auto_json *s = statement_of(*state);

	end_with(s,
		 "{\"TrainingJobStatus\":\"Failed\",\"FailureReason\":\"AlgorithmError\",\"TrainingEndTime\":1e300,"
		 "\"FinalMetricDataList\":3}",
		 NULL);
	assert_string_equal(provenance_status(s), "Failed");
	assert_string_equal(json_str(provenance_internal(s), "failureReason"), "AlgorithmError");
	assert_null(provenance_subject(s, "model", NULL));
	assert_null(json_at(s, "predicate", "runDetails", "metadata", "finishedOn", NULL));
	assert_null(json_object_get(provenance_internal(s), "billableSeconds"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_statement, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reading, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_secrets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_outcome, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_outcome, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
