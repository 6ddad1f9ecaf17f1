#include <math.h>

#include "pipeline/leaderboard.h"
#include "tests/unit/edit_json.h"

#define BOARD(description, children)                                                                                   \
	auto_json *described = from_single_quotes(description);                                                        \
	auto_json *listed = from_single_quotes(children);                                                              \
	auto_leaderboard b = { 0 };                                                                                    \
	(void)state;                                                                                                   \
	leaderboard_init(&b, described, listed)

#define TUNING(type, more)                                                                                              \
	"{'HyperParameterTuningJobName':'t','HyperParameterTuningJobStatus':'InProgress',"                              \
	"'HyperParameterTuningJobConfig':{'Strategy':'Random','HyperParameterTuningJobObjective':{'Type':'" type        \
	"','MetricName':'F1'},'ResourceLimits':{'MaxNumberOfTrainingJobs':6,'MaxParallelTrainingJobs':2},"              \
	"'ParameterRanges':{"                                                                                           \
	"'ContinuousParameterRanges':[{'Name':'lr','MinValue':'1.0e-3','MaxValue':'0.1','ScalingType':'Logarithmic'}]," \
	"'IntegerParameterRanges':[{'Name':'epochs','MinValue':'10','MaxValue':'20','ScalingType':'Auto'}],"            \
	"'CategoricalParameterRanges':[{'Name':'batch_size','Values':['64','128','256']}]}}" more "}"

#define CHILD(name, status, objective, tuned, more)                                                                    \
	"{'TrainingJobName':'" name "','TrainingJobArn':'arn','CreationTime':1.5e9,'TrainingJobStatus':'" status       \
	"','FinalHyperParameterTuningJobObjectiveMetric':{'MetricName':'F1','Value':" objective                        \
	"},'TunedHyperParameters':{" tuned "}" more "}"

#define FOUR                                                                                                                                                                                                                                    \
	"[{'TrainingJobName':'t-005','TrainingJobStatus':'InProgress','CreationTime':1.5e9,"                                                                                                                                                    \
	"'TrainingStartTime':1500000010,'TunedHyperParameters':{'lr':'0.05','batch_size':'64','epochs':'12'}}," CHILD("t-004", "Failed", "'NaN'", "'lr':'0.1','batch_size':'64','epochs':'20'", ",'FailureReason':'AlgorithmError'") "," CHILD( \
		"t-003", "Completed", "0.9", "'lr':'0.01','batch_size':'128','epochs':'10'",                                                                                                                                                    \
		",'TrainingStartTime':1500000000,'TrainingEndTime':1500000060.5") "," CHILD("t-002", "Completed",                                                                                                                               \
											    "0.95",                                                                                                                                             \
											    "'lr':'1.0e-3','batch_size':'64','epochs':'15'",                                                                                                    \
											    "") "," CHILD("t-001",                                                                                                                              \
													  "Stopped",                                                                                                                            \
													  "0.9",                                                                                                                                \
													  "'lr':'0.02','batch_size':'256','epochs':'11'",                                                                                       \
													  "") "]"

static void assert_order(const struct leaderboard *b, const char *want)
{
	auto_str got = { 0 };

	for (size_t i = 0; i < b->n_children; i++)
		str_addf(&got, "%s%s:%zu", i ? " " : "", b->children[i].name, b->children[i].rank);
	assert_string_equal(str_text(&got), want);
}

/* Where Grid has no limit, it is as many as there are combinations; what is no text counts for nothing. */
static void test_grid_is_counted(void **state)
{
	BOARD("{'HyperParameterTuningJobName':'t','HyperParameterTuningJobStatus':'InProgress',"
	      "'HyperParameterTuningJobConfig':{'Strategy':'Grid','ResourceLimits':{'MaxParallelTrainingJobs':2},"
	      "'ParameterRanges':{'CategoricalParameterRanges':[{'Name':'a','Values':['1','2','3','3',4,null]},"
	      "{'Name':'b','Values':['x','y']}]}},'TrainingJobDefinition':{}}",
	      "[]");

	assert_int_equal(b.max_jobs, 6);
}

static void test_maximized(void **state)
{
	BOARD(TUNING("Maximize", ",'BestTrainingJob':{'TrainingJobName':'t-002'}"), FOUR);

	/* Equal objectives share a rank, in the order of their names; who runs stands before who has failed. */
	assert_order(&b, "t-002:1 t-001:2 t-003:2 t-005:0 t-004:0");
	assert_string_equal(b.best->name, "t-002");
	assert_int_equal(b.max_jobs, 6);
	assert_int_equal(b.n_running, 1);
	assert_int_equal(b.n_ended, 4);
	assert_string_equal(b.strategy, "Random");
	assert_string_equal(b.objectives[0].metric, "F1");
	assert_string_equal(b.children[4].reason, "AlgorithmError");
	assert_int_equal(leaderboard_took_ms(leaderboard_find(&b, "t-003"), 0), 60500);
	assert_int_equal(leaderboard_took_ms(leaderboard_find(&b, "t-005"), INT64_C(1500000030000)), 20000);
	assert_int_equal(leaderboard_took_ms(leaderboard_find(&b, "t-004"), INT64_C(1500000030000)), -1);
}

/* Without the service's word the best is the first that was Completed: a Stopped one has not trained to its end. */
static void test_minimized(void **state)
{
	BOARD(TUNING("Minimize", ""), FOUR);

	assert_order(&b, "t-001:1 t-003:1 t-002:3 t-005:0 t-004:0");
	assert_string_equal(b.best->name, "t-003");
}

static void test_ranges(void **state)
{
	BOARD(TUNING("Maximize", ""), FOUR);
	const struct leaderboard_range *lr = &b.ranges[0], *epochs = &b.ranges[1], *batch_size = &b.ranges[2];
	struct leaderboard_use use = leaderboard_use(&b, batch_size, "64");

	assert_int_equal(b.n_ranges, 3);
	assert_string_equal(lr->name, "lr");
	assert_string_equal(lr->min, "1.0e-3");
	assert_float_equal(leaderboard_position(lr, "0.01"), 0.5, 1e-9);
	assert_float_equal(leaderboard_position(lr, "1.0e-3"), 0, 1e-9);
	assert_float_equal(leaderboard_position(epochs, "15"), 0.5, 1e-9);
	assert_true(leaderboard_position(epochs, "21") < 0);
	assert_true(leaderboard_position(epochs, "nan") < 0);
	assert_true(leaderboard_position(epochs, "12x") < 0);
	assert_true(leaderboard_position(epochs, "") < 0);
	assert_true(leaderboard_position(epochs, NULL) < 0);
	assert_true(leaderboard_position(batch_size, "64") < 0);
	assert_int_equal(use.n, 3);
	assert_true(use.has_objective);
	assert_float_equal(use.objective, 0.95, 0);
	use = leaderboard_use(&b, batch_size, "512");
	assert_int_equal(use.n, 0);
	assert_false(use.has_objective);
}

static void test_scales(void **state)
{
	BOARD("{'HyperParameterTuningJobConfig':{'ParameterRanges':{'ContinuousParameterRanges':["
	      "{'Name':'momentum','MinValue':'0.9','MaxValue':'0.999','ScalingType':'ReverseLogarithmic'},"
	      "{'Name':'odd','MinValue':'0','MaxValue':'10','ScalingType':'Logarithmic'},"
	      "{'Name':'wide','MinValue':'-1.7e308','MaxValue':'1.7e308'},"
	      "{'Name':'point','MinValue':'3','MaxValue':'3'},"
	      "{'Name':'reversed','MinValue':'3','MaxValue':'2'},"
	      "{'Name':'endless','MinValue':'0','MaxValue':'inf'},{'Name':'no limits'},7,null]}}}",
	      "[]");

	assert_int_equal(b.n_ranges, 4);
	assert_float_equal(leaderboard_position(&b.ranges[0], "0.99"), 0.5, 1e-9);
	/* The logarithm of 0 is nowhere: such a range is shown as it is. */
	assert_float_equal(leaderboard_position(&b.ranges[1], "5"), 0.5, 1e-9);
	assert_float_equal(leaderboard_position(&b.ranges[2], "0"), 0.5, 1e-9);
	assert_float_equal(leaderboard_position(&b.ranges[3], "3"), 0.5, 1e-9);
}

/* Autotune and its kind: ranges that nobody wrote down are those of the values that were tried. */
static void test_ranges_that_are_learned(void **state)
{
	BOARD("{'Autotune':{'Mode':'Enabled'}}",
	      "[" CHILD("t-1", "Completed", "0.5", "'lr':'0.2','opt':'adam'",
			"") "," CHILD("t-2", "Completed", "0.6", "'lr':'0.1','opt':'sgd','n':'1'",
				      "") "," CHILD("t-3", "InProgress", "null", "'lr':'0.4','n':'many'", "") "]");

	assert_int_equal(b.n_ranges, 3);
	for (size_t i = 0; i < b.n_ranges; i++) {
		const struct leaderboard_range *r = &b.ranges[i];

		if (str_eq(r->name, "lr")) {
			assert_false(r->is_categorical);
			assert_string_equal(r->min, "0.1");
			assert_string_equal(r->max, "0.4");
			assert_float_equal(leaderboard_position(r, "0.1"), 0, 0);
		} else {
			assert_true(r->is_categorical);
			assert_int_equal(r->values.n, 2);
		}
	}
}

#define SEVERAL                                                                                                        \
	"{'TrainingJobDefinitions':["                                                                                  \
	"{'DefinitionName':'a','TuningObjective':{'Type':'Maximize','MetricName':'F1'},'HyperParameterRanges':"        \
	"{'IntegerParameterRanges':[{'Name':'n','MinValue':'1','MaxValue':'9'}]},'StaticHyperParameters':{'x':'1'}},"  \
	"{'DefinitionName':'b','TuningObjective':{'Type':'Minimize','MetricName':'loss'},'HyperParameterRanges':"      \
	"{'IntegerParameterRanges':[{'Name':'n','MinValue':'1','MaxValue':'5'}]},'StaticHyperParameters':{'x':'2'}}"   \
	"],'BestTrainingJob':{'TrainingJobName':'t-4'}}"

#define OF(definition) ",'TrainingJobDefinitionName':'" definition "'"

/* Definitions with objectives of their own are ranked each for itself. */
static void test_definitions(void **state)
{
	BOARD(SEVERAL,
	      "[" CHILD("t-1", "Completed", "0.5", "'n':'4'",
			OF("a")) "," CHILD("t-2", "Completed", "0.7", "'n':'5'",
					   OF("b")) "," CHILD("t-3", "Completed", "0.6", "'n':'6'",
							      OF("a")) "," CHILD("t-4", "Completed", "0.1",
										 "'n':'1','y':'3'", OF("b")) "]");
	auto_json *parameters = leaderboard_best_hyperparameters(&b, described);
	auto_free char *text = json_compact(parameters);

	assert_true(b.is_mixed);
	assert_order(&b, "t-3:1 t-1:2 t-4:1 t-2:2");
	assert_string_equal(b.best->name, "t-4");
	assert_string_equal(text, "{\"n\":\"1\",\"y\":\"3\",\"x\":\"2\"}");
	assert_null(leaderboard_value(&b.ranges[0], b.best));
	assert_string_equal(leaderboard_value(&b.ranges[1], b.best), "1");
	assert_string_equal(leaderboard_objective(&b, "b")->metric, "loss");
}

/* Jobs of which nobody says the definition are a group of their own, wherever they stand in the list. */
static void test_unknown_definitions(void **state)
{
	BOARD(SEVERAL,
	      "[" CHILD("t-1", "Completed", "0.7", "", OF("a")) "," CHILD("t-2", "Completed", "0.8", "", "") "," CHILD(
		      "t-3", "Completed", "0.9", "", OF("a")) "," CHILD("t-4", "Completed", "0.1", "",
									OF("b")) "," CHILD("t-5", "Completed", "0.6",
											   "", "") "]");

	assert_order(&b, "t-2:1 t-5:2 t-3:1 t-1:2 t-4:1");
}

static void test_best_hyperparameters(void **state)
{
	BOARD(TUNING("Maximize",
		     ",'BestTrainingJob':" CHILD(
			     "t-9", "Completed", "0.99", "'lr':'0.07','n':7",
			     "") ","
				 "'TrainingJobDefinition':{'StaticHyperParameters':{'l2':'0.1','lr':'9','sagemaker_program':'x',"
				 "'_tuning_objective_metric':'F1','odd':3}}"),
	      FOUR);
	auto_json *parameters = leaderboard_best_hyperparameters(&b, described);
	auto_free char *text = json_compact(parameters);

	/* The best is not among the jobs that were listed, and is there all the same. */
	assert_int_equal(b.n_children, 6);
	assert_string_equal(b.best->name, "t-9");
	assert_int_equal(b.best->rank, 1);
	assert_string_equal(text, "{\"lr\":\"0.07\",\"l2\":\"0.1\"}");
}

/* Whatever the service answers: nothing is read that is not there. */
static void test_hostile(void **state)
{
	static const char *const descriptions[] = {
		"{}",
		"[]",
		"null",
		"{'HyperParameterTuningJobName':7,'HyperParameterTuningJobConfig':[],'BestTrainingJob':'x',"
		"'TrainingJobDefinitions':{},'FailureReason':{}}",
		"{'HyperParameterTuningJobConfig':{'ResourceLimits':{'MaxNumberOfTrainingJobs':-5},'ParameterRanges':"
		"{'CategoricalParameterRanges':[{},{'Name':'x'},{'Name':'y','Values':[1,null,'a','a',[]]}],"
		"'IntegerParameterRanges':'no'}},'TrainingJobDefinitions':[1,null,{},{'DefinitionName':'d'}]}",
	};
	static const char *const children =
		"[1,null,[],{},'x',{'TrainingJobName':7},"
		"{'TrainingJobName':'t','TunedHyperParameters':{'a':1,'b':null,'c':'1'},"
		"'CreationTime':'x','TrainingStartTime':-1e300,'TrainingEndTime':1e300,"
		"'FinalHyperParameterTuningJobObjectiveMetric':[]},"
		"{'TrainingJobName':'t','TrainingJobStatus':'Completed'},"
		"{'TrainingJobName':'\\u001b[2J','FinalHyperParameterTuningJobObjectiveMetric':"
		"{'Value':1.7976931348623157e308},'TunedHyperParameters':{'c':'1e999'}},"
		"{'TrainingJobName':'u','ObjectiveStatus':'Failed',"
		"'FinalHyperParameterTuningJobObjectiveMetric':{'Value':1}}]";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(descriptions); i++) {
		BOARD(descriptions[i], children);
		auto_json *j = leaderboard_json(&b);
		auto_json *parameters = leaderboard_best_hyperparameters(&b, described);

		assert_int_equal(b.n_children, 3);
		assert_null(b.best);
		assert_null(parameters);
		assert_int_equal(b.max_jobs, 0);
		assert_int_equal(leaderboard_took_ms(leaderboard_find(&b, "t"), 0), -1);
		assert_int_equal(json_array_size(json_object_get(j, "children")), 3);
	}
}

static void test_many(void **state)
{
	auto_str text = { 0 };

	str_add(&text, "[");
	for (int i = 0; i < 2000; i++)
		str_addf(&text, "%s{'TrainingJobName':'t-%d','TunedHyperParameters':{'p%d':'1'}}", i ? "," : "", i, i);
	str_add(&text, "]");
	{
		BOARD("{'TrainingJobStatusCounters':{'Completed':1200,'Stopped':-3,'NonRetryableError':4},"
		      "'BestTrainingJob':{'TrainingJobName':'t-1999'}}",
		      text.s);

		assert_int_equal(b.n_children, LEADERBOARD_MAX_CHILDREN + 1);
		assert_non_null(leaderboard_find(&b, "t-1999"));
		assert_int_equal(b.n_ended, 1204);
	}
}

static void test_json(void **state)
{
	BOARD(TUNING("Maximize", ""), "[" CHILD("t-3", "Completed", "0.9", "'lr':'0.01'",
						",'TrainingStartTime':1500000000,'TrainingEndTime':1500000060.5") "]");
	auto_json *j = leaderboard_json(&b);
	auto_free char *text = json_compact(j);

	assert_string_equal(text, "{\"job\":\"t\",\"status\":\"InProgress\",\"strategy\":\"Random\",\"objectives\":["
				  "{\"metric\":\"F1\",\"type\":\"Maximize\"}],\"limit\":6,\"ended\":1,\"running\":0,"
				  "\"best\":\"t-3\",\"children\":[{\"job\":\"t-3\",\"status\":\"Completed\",\"rank\":1,"
				  "\"objective\":0.9,\"hyperparameters\":{\"lr\":\"0.01\"},\"seconds\":60.5}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grid_is_counted),
		cmocka_unit_test(test_maximized),
		cmocka_unit_test(test_minimized),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_ranges_that_are_learned),
		cmocka_unit_test(test_definitions),
		cmocka_unit_test(test_unknown_definitions),
		cmocka_unit_test(test_best_hyperparameters),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests_name("pipeline/leaderboard", tests, NULL, NULL);
}
