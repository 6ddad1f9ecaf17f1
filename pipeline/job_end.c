#include "pipeline/job_end.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "pipeline/remote_job.h"

#define MAX_SECONDS   (INT64_C(10) * 365 * 24 * 3600)
#define MAX_INSTANCES 100000

bool job_reason_is_capacity(const char *reason)
{
	static const char *const words[] = { "CapacityError", "ResourceLimitExceeded", "InsufficientCapacity",
					     "InsufficientInstanceCapacity" };

	for (size_t i = 0; reason && i < ARRAY_LEN(words); i++) {
		if (strstr(reason, words[i]))
			return true;
	}
	return false;
}

enum err_code job_end_class(const json_t *job)
{
	const char *status = remote_job_status(job);

	if (str_eq(status, "Failed"))
		return job_reason_is_capacity(json_str(job, "FailureReason")) ? ERR_CAPACITY : ERR_JOB_FAILED;
	return str_eq(status, "Stopped") ? ERR_STOPPED : ERR_NONE;
}

const char *job_end_reason(const json_t *job)
{
	const json_t *transitions = json_object_get(job, "SecondaryStatusTransitions");
	const json_t *last = json_array_get(transitions, json_array_size(transitions) - 1);
	const char *reason = json_str(job, "FailureReason"), *message = json_str(last, "StatusMessage");
	const char *secondary = json_str(job, "SecondaryStatus");

	if (reason && *reason)
		return reason;
	if (message && *message)
		return message;
	return secondary;
}

char *job_end_words(const json_t *job)
{
	const char *what = job_end_class(job) == ERR_STOPPED ? "was stopped" : "failed", *why = job_end_reason(job);

	return why ? xasprintf("%s: %s", what, why) : xstrdup(what);
}

/* Numbers from outside are kept small enough to be multiplied. */
static int64_t number(const json_t *j, int64_t min, int64_t max)
{
	int64_t n = json_integer_value(j);

	return n < min ? min : n > max ? max : n;
}

int64_t job_instances(const json_t *job)
{
	const json_t *config = json_object_get(job, "ResourceConfig"),
		     *groups = json_object_get(config, "InstanceGroups");
	int64_t n = 0;
	size_t i;
	json_t *group;

	json_array_foreach(groups, i, group) {
		n += number(json_object_get(group, "InstanceCount"), 0, MAX_INSTANCES);
		if (n > MAX_INSTANCES)
			return MAX_INSTANCES;
	}
	return n ? n : number(json_object_get(config, "InstanceCount"), 1, MAX_INSTANCES);
}

static int64_t seconds(const json_t *job, const char *member)
{
	const json_t *value = json_object_get(job, member);

	return value ? number(value, 0, MAX_SECONDS) : -1;
}

static int64_t of_all_instances(const json_t *job, const char *member)
{
	int64_t s = seconds(job, member);

	return s < 0 ? -1 : s * job_instances(job);
}

int64_t job_billable_seconds(const json_t *job)
{
	return of_all_instances(job, "BillableTimeInSeconds");
}

int64_t job_training_seconds(const json_t *job)
{
	return of_all_instances(job, "TrainingTimeInSeconds");
}

int job_spot_saving(const json_t *job)
{
	int64_t training = seconds(job, "TrainingTimeInSeconds"), billable = seconds(job, "BillableTimeInSeconds");

	if (!json_is_true(json_object_get(job, "EnableManagedSpotTraining")) || billable < 0 || training <= billable)
		return 0;
	return (int)(100 * (training - billable) / training);
}

char *job_time(const json_t *job, const char *member)
{
	const json_t *value = json_object_get(job, member);
	double t = json_number_value(value);

	return json_is_number(value) && t >= 0 && t < 253402300800.0 ? str_time_iso((time_t)t) : NULL;
}

char *job_duration(const json_t *job)
{
	double from = json_number_value(json_object_get(job, "CreationTime"));
	double to = json_number_value(json_object_get(job, job_form(remote_job_kind(job))->end));

	return from > 0 && to >= from && to - from < MAX_SECONDS ? str_duration_ms((int64_t)((to - from) * 1000))
								 : NULL;
}

char *job_cost(const json_t *job)
{
	int64_t each = seconds(job, "BillableTimeInSeconds"), n = job_instances(job);
	auto_free char *took = job_duration(job);
	auto_str text = { 0 };

	if (took)
		str_add(&text, took);
	if (each >= 0)
		str_addf(&text, "%sbillable %lld s", text.len ? "; " : "", (long long)each);
	if (each >= 0 && n > 1)
		str_addf(&text, " × %lld instances = %lld s", (long long)n, (long long)(each * n));
	if (job_spot_saving(job))
		str_addf(&text, "; spot saved %d %%", job_spot_saving(job));
	return text.len ? str_detach(&text) : NULL;
}
