#include "local/tuner_trial.h"

#include <string.h>

#include "base/json.h"
#include "local/tuning_report.h"

void trials_release(struct trials *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		free((double *)ts->v[i].values.v);
	free(ts->v);
	free(ts->finished);
	*ts = (struct trials){ 0 };
}

struct trial *trials_add(struct trials *ts, struct job *job, size_t definition, enum tuning_direction direction)
{
	array_grow(ts->v, ts->n, ts->cap);
	ts->v[ts->n] = (struct trial){ .job = job, .definition = definition, .direction = direction };
	ts->n_active++;
	return &ts->v[ts->n++];
}

static void take_values(struct trial *t)
{
	auto_free double *more = NULL;
	size_t n = job_objective_values(t->job, t->values.n, &more);
	double *all;

	if (n == 0)
		return;
	all = xreallocarray((double *)t->values.v, t->values.n + n, sizeof(double));
	memcpy(all + t->values.n, more, n * sizeof(double));
	t->values = (struct tuning_series){ .v = all, .n = t->values.n + n };
}

static void finish(struct trials *ts, struct trial *t)
{
	auto_json *job = job_describe(t->job);

	t->has_ended = true;
	ts->n_active--;
	t->has_failed = str_eq(json_str(job, "TrainingJobStatus"), "Failed");
	t->has_objective = tuning_report_objective(job, t->job->objective, &t->objective);
	ts->n_failed += t->has_failed;
	ts->n_without += !t->has_objective;
	ts->n_succeeded += t->has_objective;
	/* Of several definitions those are compared that look the same way as the first. */
	if (t->has_objective && t->direction == ts->v[0].direction) {
		array_grow(ts->finished, ts->n_finished, ts->finished_cap);
		ts->finished[ts->n_finished++] = t->objective;
	}
}

void trial_update(struct trials *ts, struct trial *t)
{
	bool is_final;

	if (t->has_ended)
		return;
	/* Asked first: after the end no value comes any more. */
	is_final = job_is_final(t->job);
	take_values(t);
	if (is_final)
		finish(ts, t);
}

/* The jobs that ended before, but for those that failed. */
static bool median_stops(const struct trials *ts, const struct trial *t, size_t step)
{
	auto_free struct tuning_series *earlier = xcalloc(ts->n, sizeof(*earlier));
	size_t n = 0;

	for (size_t i = 0; i < ts->n; i++)
		if (ts->v[i].has_objective && ts->v[i].definition == t->definition)
			earlier[n++] = ts->v[i].values;
	return tuning_median_stops(earlier, n, t->values.v[step - 1], step, t->direction);
}

static bool rung_stops(const struct trials *ts, struct trial *t, double value)
{
	auto_free double *at_rung = xcalloc(ts->n, sizeof(double));
	size_t rung = t->n_rungs, n = 0;

	t->at_rung[t->n_rungs++] = value;
	for (size_t i = 0; i < ts->n; i++) {
		const struct trial *other = &ts->v[i];

		if (other->definition == t->definition && other->bracket == t->bracket && other->n_rungs > rung)
			at_rung[n++] = other->at_rung[rung];
	}
	return !hyperband_stays(at_rung, n, value, t->direction);
}

static bool hyperband_stops(const struct trials *ts, struct trial *t, size_t step, const struct hyperband *h)
{
	int rungs[HYPERBAND_RUNGS_MAX];
	size_t n = hyperband_rungs(h, t->bracket, rungs);

	if (t->n_rungs < n && step == (size_t)rungs[t->n_rungs] && rung_stops(ts, t, t->values.v[step - 1]))
		return true;
	return step >= (size_t)h->max;
}

bool trial_is_to_stop(const struct trials *ts, struct trial *t, enum early_rule rule, const struct hyperband *h)
{
	if (rule == EARLY_NONE || t->is_told)
		return false;
	while (t->n_judged < t->values.n) {
		size_t step = ++t->n_judged;

		if (rule == EARLY_MEDIAN ? median_stops(ts, t, step) : hyperband_stops(ts, t, step, h))
			return true;
	}
	return false;
}

void trial_stop(struct trial *t)
{
	auto_err ended = { 0 };

	if (!t->is_told && !t->has_ended)
		job_stop(t->job, &ended);
	t->is_told = true;
}
