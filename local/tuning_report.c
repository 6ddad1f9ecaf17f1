#include "local/tuning_report.h"

#include <math.h>

#include "aws/sagemaker_limits.h"
#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/str.h"
#include "local/tuning_rules.h"

#define INTERNAL_ERROR "InternalServerError"

static const char *const status_counters[] = { "Completed", "InProgress", "RetryableError", "NonRetryableError",
					       "Stopped" };
static const char *const objective_counters[] = { "Succeeded", "Pending", "Failed" };

static const json_t *find_metric(const json_t *job, const char *metric)
{
	size_t i;
	json_t *datum;

	json_array_foreach(json_object_get(job, "FinalMetricDataList"), i, datum) {
		if (str_eq(json_str(datum, "MetricName"), metric))
			return json_object_get(datum, "Value");
	}
	return NULL;
}

bool tuning_report_objective(const json_t *job, const char *metric, double *ret)
{
	const char *status = json_str(job, "TrainingJobStatus");
	const json_t *value = find_metric(job, metric);

	if (!value || !(str_eq(status, "Completed") || str_eq(status, "Stopped")))
		return false;
	*ret = json_number_value(value);
	return true;
}

static void put_objective(json_t *summary, const json_t *job, const json_t *objective)
{
	const char *metric = json_str(objective, "MetricName");
	bool is_final = sagemaker_is_final(json_str(job, "TrainingJobStatus"));
	double value;

	if (tuning_report_objective(job, metric, &value)) {
		json_object_set_new(summary, "FinalHyperParameterTuningJobObjectiveMetric",
				    json_pack("{s:s, s:s, s:f}", "Type", json_str(objective, "Type"), "MetricName",
					      metric, "Value", value));
		json_put_str(summary, "ObjectiveStatus", "Succeeded");
	} else
		json_put_str(summary, "ObjectiveStatus", is_final ? "Failed" : "Pending");
}

static json_t *child_summary(const struct tuning *t, const struct tuning_child *child)
{
	static const char *const members[] = { "TrainingJobName",   "TrainingJobArn",  "CreationTime",
					       "TrainingStartTime", "TrainingEndTime", "TrainingJobStatus",
					       "FailureReason" };
	const json_t *definition = sagemaker_tuning_definition(t->request, child->definition);
	auto_json *job = job_describe(child->job);
	json_t *summary = json_object();

	json_put_str(summary, "TrainingJobDefinitionName", json_str(definition, "DefinitionName"));
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *value = json_object_get(job, members[i]);

		if (value)
			json_object_set(summary, members[i], value);
	}
	json_object_set_new(summary, "TunedHyperParameters", json_deep_copy(child->tuned));
	put_objective(summary, job, sagemaker_tuning_objective(t->request, definition));
	return summary;
}

json_t *tuning_child_summaries(struct tuning *t)
{
	size_t n;
	auto_free struct tuning_child *children = tuning_children(t, &n);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, child_summary(t, &children[i]));
	return list;
}

static const char *status_counter(const json_t *summary)
{
	const char *status = json_str(summary, "TrainingJobStatus"), *reason = json_str(summary, "FailureReason");

	if (str_eq(status, "Failed"))
		return reason && str_starts(reason, INTERNAL_ERROR) ? "RetryableError" : "NonRetryableError";
	return str_eq(status, "Completed") || str_eq(status, "Stopped") ? status : "InProgress";
}

static void count(json_t *counters, const char *name)
{
	json_put_int(counters, name, json_integer_value(json_object_get(counters, name)) + 1);
}

static json_t *zeroes(const char *const *names, size_t n)
{
	json_t *counters = json_object();

	for (size_t i = 0; i < n; i++)
		json_put_int(counters, names[i], 0);
	return counters;
}

static void put_counters(json_t *answer, const json_t *summaries)
{
	json_t *statuses = zeroes(status_counters, ARRAY_LEN(status_counters));
	json_t *objectives = zeroes(objective_counters, ARRAY_LEN(objective_counters));
	size_t i;
	json_t *summary;

	json_array_foreach(summaries, i, summary) {
		count(statuses, status_counter(summary));
		count(objectives, json_str(summary, "ObjectiveStatus"));
	}
	json_object_set_new(answer, "TrainingJobStatusCounters", statuses);
	json_object_set_new(answer, "ObjectiveStatusCounters", objectives);
}

/* The objective of the first definition says which way is better. */
static const char *type_of(const struct tuning *t)
{
	return json_str(sagemaker_tuning_objective(t->request, sagemaker_tuning_definition(t->request, 0)), "Type");
}

/* Whether a summary has an objective that can be compared. */
static bool read_objective(const json_t *summary, const char *type, double *ret)
{
	const json_t *metric = json_object_get(summary, "FinalHyperParameterTuningJobObjectiveMetric");

	*ret = json_number_value(json_object_get(metric, "Value"));
	return metric && str_eq(json_str(metric, "Type"), type);
}

static json_t *find_best(const json_t *summaries, const char *type)
{
	json_t *best = NULL, *summary;
	double best_value = 0;
	size_t i;

	json_array_foreach(summaries, i, summary) {
		double value;

		if (read_objective(summary, type, &value) &&
		    (!best || tuning_is_better(value, best_value, tuning_direction_of(type)))) {
			best = summary;
			best_value = value;
		}
	}
	return best;
}

static int compare_end(const void *a, const void *b)
{
	double x = json_number_value(json_object_get(*(json_t *const *)a, "TrainingEndTime"));
	double y = json_number_value(json_object_get(*(json_t *const *)b, "TrainingEndTime"));

	return (x > y) - (x < y);
}

/* In the order in which the jobs ended. */
static size_t count_not_improving(const json_t *summaries, const char *type)
{
	size_t n = 0, size = json_array_size(summaries);
	auto_free json_t **ended = xcalloc(size + 1, sizeof(json_t *));
	auto_free double *values = xcalloc(size + 1, sizeof(double));

	for (size_t i = 0; i < size; i++) {
		ended[n] = json_array_get(summaries, i);
		n += read_objective(ended[n], type, &values[n]);
	}
	qsort(ended, n, sizeof(*ended), compare_end);
	for (size_t i = 0; i < n; i++)
		read_objective(ended[i], type, &values[i]);
	return tuning_count_not_improving(values, n, tuning_direction_of(type));
}

static void put_resources(json_t *answer, const struct sys *sys)
{
	const json_t *end = json_object_get(answer, "HyperParameterTuningEndTime");
	double start = json_number_value(json_object_get(answer, "CreationTime"));
	double until = end ? json_number_value(end) : (double)sys->now_ms(sys) / 1000;

	json_object_set_new(answer, "ConsumedResources",
			    json_pack("{s:I}", "RuntimeInSeconds", (json_int_t)ceil(until - start)));
}

json_t *tuning_describe(struct tuning *t)
{
	/* The state first: one that is final is never told with training jobs that still run. */
	json_t *answer = tuning_state(t);
	auto_json *summaries = tuning_child_summaries(t);
	json_t *best = find_best(summaries, type_of(t));

	put_counters(answer, summaries);
	if (best)
		json_object_set(answer, "BestTrainingJob", best);
	json_object_set_new(answer, "TuningJobCompletionDetails",
			    json_pack("{s:I}", "NumberOfTrainingJobsObjectiveNotImproving",
				      (json_int_t)count_not_improving(summaries, type_of(t))));
	put_resources(answer, t->sys);
	return answer;
}

json_t *tuning_summary(struct tuning *t)
{
	static const char *const members[] = { "HyperParameterTuningJobName",   "HyperParameterTuningJobArn",
					       "HyperParameterTuningJobStatus", "CreationTime",
					       "HyperParameterTuningEndTime",   "LastModifiedTime" };
	auto_json *state = tuning_state(t);
	auto_json *children = tuning_child_summaries(t);
	const json_t *config = json_object_get(state, "HyperParameterTuningJobConfig");
	json_t *summary = json_object();

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *value = json_object_get(state, members[i]);

		if (value)
			json_object_set(summary, members[i], value);
	}
	json_put_str(summary, "Strategy", json_str(config, "Strategy"));
	json_object_set(summary, "ResourceLimits", json_object_get(config, "ResourceLimits"));
	put_counters(summary, children);
	return summary;
}
