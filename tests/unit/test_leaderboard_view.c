#include "cmd/leaderboard_view.h"
#include "cmd/table.h"
#include "tests/unit/edit_json.h"

/* New string. */
static char *view_of(const char *description, const char *children, size_t max_children)
{
	struct leaderboard_view view = { .max_children = max_children, .now_ms = INT64_C(1500000070000) };
	auto_json *described = from_single_quotes(description);
	auto_json *listed = from_single_quotes(children);
	auto_leaderboard b = { 0 };

	leaderboard_init(&b, described, listed);
	return leaderboard_view(&b, &view);
}

#define TUNING                                                                                                         \
	"{'HyperParameterTuningJobName':'t','HyperParameterTuningJobStatus':'InProgress',"                             \
	"'HyperParameterTuningJobConfig':{'Strategy':'Random','HyperParameterTuningJobObjective':{'Type':'Maximize',"  \
	"'MetricName':'F1'},'ResourceLimits':{'MaxNumberOfTrainingJobs':6},'ParameterRanges':{"                        \
	"'ContinuousParameterRanges':[{'Name':'lr','MinValue':'0.001','MaxValue':'0.1','ScalingType':'Logarithmic'}]," \
	"'CategoricalParameterRanges':[{'Name':'size','Values':['8','16','32']}]}}}"
#define CHILD(name, status, lr, size, more)                                                                            \
	"{'TrainingJobName':'" name "','TrainingJobStatus':'" status "','TrainingStartTime':1500000000,"               \
	"'TunedHyperParameters':{'lr':'" lr "','size':'" size "'}" more "}"
#define ENDED(value)                                                                                                    \
	",'TrainingEndTime':1500000060,'FinalHyperParameterTuningJobObjectiveMetric':{'MetricName':'F1','Value':" value \
	"}"
#define FOUR                                                                                                           \
	"[" CHILD("t-4", "InProgress", "0.01", "8",                                                                    \
		  "") "," CHILD("t-3", "Completed", "0.001", "16",                                                     \
				ENDED("0.5")) "," CHILD("t-2", "Completed", "0.0010001", "8",                          \
							ENDED("0.25")) "," CHILD("t-1", "Completed", "0.1", "8",       \
										 ENDED("0.75")) "]"

static void test_view(void **state)
{
	auto_free char *all = view_of(TUNING, FOUR, 10), *two = view_of(TUNING, FOUR, 2);

	(void)state;
	assert_string_equal(all, "t  InProgress  Random search maximizes F1\n"
				 "3 of 6 training jobs ended, 1 running\n"
				 "rank  job  status      objective  lr         size  time\n"
				 "* 1   1    Completed   0.75       0.1        8     1 min 00 s\n"
				 "  2   3    Completed   0.5        0.001      16    1 min 00 s\n"
				 "  3   2    Completed   0.25       0.0010001  8     1 min 00 s\n"
				 "      4    InProgress             0.01       8     1 min 10 s\n"
				 "lr    0.001  |2...................o...................*| 0.1  (log)\n"
				 "size         8: 3 (best 0.75 *)   16: 1 (best 0.5)   32: 0\n");
	assert_non_null(strstr(two, "  2   3    Completed"));
	assert_null(strstr(two, "  3   2    Completed"));
	assert_non_null(strstr(two, "… and 2 more\n"));
}

static void test_nothing_yet(void **state)
{
	auto_free char *view = view_of(TUNING, "[]", 10), *bare = view_of("{}", "[]", 10);

	(void)state;
	assert_string_equal(view, "t  InProgress  Random search maximizes F1\n"
				  "0 of 6 training jobs ended, 0 running\n"
				  "lr    0.001  |.........................................| 0.1  (log)\n"
				  "size         8: 0   16: 0   32: 0\n");
	assert_string_equal(bare, "?  ?  ? search maximizes its objectives\n0 training jobs ended, 0 running\n");
}

/* Nothing from outside steers a terminal or breaks a row, and what is long is cut between characters. */
static void test_hostile(void **state)
{
	auto_free char *view = view_of(
		"{'HyperParameterTuningJobName':'a\\u001b[2J','HyperParameterTuningJobStatus':'x\\ny',"
		"'FailureReason':'\\u0007bell\\nline','HyperParameterTuningJobConfig':{'Strategy':'\\u009b',"
		"'HyperParameterTuningJobObjective':{'MetricName':'m\\r'},'ParameterRanges':{'CategoricalParameterRanges':["
		"{'Name':'c\\n\\u001b','Values':['\\u001bv','äöüäöüäöüäöüäöüäöüäöüäöü']}]}}}",
		"[{'TrainingJobName':'j\\u001b]0;title\\u0007','TrainingJobStatus':'\\n','TunedHyperParameters':"
		"{'c\\n\\u001b':'äöüäöüäöüäöüäöüäöüäöüäöü','d\\u001b':'%s%n'}}]",
		10);
	auto_strlist lines = { 0 };

	(void)state;
	str_split(&lines, view, '\n');
	assert_int_equal(lines.n, 8);
	for (const char *p = view; *p; p++)
		assert_false(((unsigned char)*p < ' ' && *p != '\n') || *p == '\x7f');
	assert_true(str_is_utf8(view, strlen(view)));
	assert_null(strstr(view, "\xc2\x9b"));
	assert_non_null(strstr(view, "äöüäöüäöüäöüäöüäöüä…"));
	assert_non_null(strstr(view, "%s%n"));
}

static void test_table(void **state)
{
	auto_table t = { .max_width = 4 };
	auto_str out = { 0 };

	(void)state;
	table_add(&t, "a");
	table_add(&t, NULL);
	table_addf(&t, "%d", 7);
	table_end_row(&t);
	table_add(&t, "äöüß");
	table_add(&t, "12345");
	table_add(&t, "");
	table_end_row(&t);
	table_draw(&t, &out);
	assert_string_equal(out.s, "a           7\näöüß  123…\n");
	assert_int_equal(text_width("äö1"), 3);
	assert_int_equal(text_bytes("äö1", 2), 4);
	assert_int_equal(text_bytes("äö1", 9), 5);
}

/* Eight columns are shown, and that there are more. */
static void test_many_hyperparameters(void **state)
{
	auto_free char *view =
		view_of("{'HyperParameterTuningJobName':'t','HyperParameterTuningJobStatus':'InProgress'}",
			"[{'TrainingJobName':'t-001','TrainingJobStatus':'InProgress','TunedHyperParameters':{"
			"'a':'1','b':'1','c':'1','d':'1','e':'1','f':'1','g':'1','h':'1','i':'1','j':'1'}}]",
			10);

	(void)state;
	assert_non_null(strstr(view, "  h  time\n"));
	assert_non_null(strstr(view, "… and 2 more hyperparameters of each, which --json shows\n"));
}

/* A long number keeps its exponent; what is no fraction is not touched. */
static void test_long_numbers(void **state)
{
	auto_free char *view =
		view_of("{'HyperParameterTuningJobName':'t','HyperParameterTuningJobStatus':'InProgress'}",
			"[{'TrainingJobName':'t-001','TrainingJobStatus':'InProgress','TunedHyperParameters':{"
			"'a':'3.9810717055349695e-05','b':'2666607136035883008','c':'v1.2.3.4.5.6','d':'0.001'}}]",
			10);

	(void)state;
	assert_non_null(strstr(view, "  3.98107e-05  2666607136035883008  v1.2.3.4.5.6  0.001\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_numbers), cmocka_unit_test(test_many_hyperparameters),
		cmocka_unit_test(test_view),         cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_hostile),      cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("cmd/leaderboard_view", tests, NULL, NULL);
}
