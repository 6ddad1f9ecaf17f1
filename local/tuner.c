#include "local/tuner.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "local/lock.h"
#include "local/runnable.h"
#include "local/tuner_source.h"
#include "local/tuner_trial.h"
#include "local/tuning_child.h"

#define FUTILE_JOBS 5 /* without one success the service gives up */

enum over {
	GOING_ON,
	DONE,      /* all that was to be started has ended */
	COMPLETED, /* a criterion of completion is met */
	FUTILE,
	STOPPED,
	TIME_IS_UP,
	SHUT_DOWN,
};

/* One run of one tuning job; everything belongs to its thread. */
struct tuner {
	struct store_sagemaker *store;
	struct tuning *tuning;
	const json_t *request, *config;
	char *arn, *arn_prefix; /* "arn:…:", in front of "training-job/" */
	bool is_grid;
	enum early_rule rule;
	struct tuner_source sources[TUNER_SOURCES_MAX];
	size_t n_sources, next_source;
	size_t jobs_max, parallel_max;
	int64_t end_ms; /* ticks; 0: none */
	struct trials trials;
};

static int64_t limit(const struct tuner *r, const char *member)
{
	return json_integer_value(json_at(r->config, "ResourceLimits", member, NULL));
}

static int read_sources(struct tuner *r, struct err *err)
{
	const json_t *given = json_object_get(r->config, "RandomSeed");
	const struct sys *sys = r->store->cloud->sys;
	uint64_t seed = (uint64_t)json_integer_value(given);

	if (!given)
		sys->random(sys, &seed, sizeof(seed));
	return tuner_sources_read(r->request, seed, r->sources, &r->n_sources, err);
}

static enum early_rule choose_rule(const json_t *config)
{
	if (str_eq(json_str(config, "Strategy"), "Hyperband"))
		return EARLY_HYPERBAND;
	return str_eq(json_str(config, "TrainingJobEarlyStoppingType"), "Auto") ? EARLY_MEDIAN : EARLY_NONE;
}

/* As many as the grid has points, or as are allowed. */
static size_t count_jobs(const struct tuner *r)
{
	size_t allowed = (size_t)limit(r, "MaxNumberOfTrainingJobs"), points = 0;

	for (size_t i = 0; i < r->n_sources; i++)
		points += sampler_points(r->sources[i].sampler);
	if (r->is_grid)
		return allowed && allowed < points ? allowed : points;
	return allowed ? allowed : TUNER_JOBS_MAX;
}

/* Of which store and tuning are set. */
static int tuner_init(struct tuner *r, struct err *err)
{
	const struct sys *sys = r->store->cloud->sys;
	const char *kind;

	r->request = r->tuning->request;
	r->config = json_object_get(r->request, "HyperParameterTuningJobConfig");
	r->arn = tuning_arn(r->tuning);
	kind = strstr(r->arn, "hyper-parameter-tuning-job/");
	r->arn_prefix = xstrndup(r->arn, kind ? (size_t)(kind - r->arn) : 0);
	r->is_grid = str_eq(json_str(r->config, "Strategy"), "Grid");
	r->rule = choose_rule(r->config);
	if (limit(r, "MaxRuntimeInSeconds"))
		r->end_ms = sys->ticks_ms(sys) + limit(r, "MaxRuntimeInSeconds") * 1000;
	if (read_sources(r, err) < 0)
		return -1;
	r->jobs_max = count_jobs(r);
	r->parallel_max = (size_t)limit(r, "MaxParallelTrainingJobs");
	return 0;
}

static void tuner_release(struct tuner *r)
{
	trials_release(&r->trials);
	tuner_sources_release(r->sources, r->n_sources);
	free(r->arn_prefix);
	free(r->arn);
}

/* Definitions take turns; of a grid those that have points left. NULL: all have been used. */
static json_t *choose_values(struct tuner *r, size_t *ret_source)
{
	for (size_t i = 0; i < r->n_sources; i++) {
		size_t at = r->next_source++ % r->n_sources;
		struct sampler *sampler = r->sources[at].sampler;
		json_t *values = r->is_grid ? sampler_next(sampler) : sampler_random(sampler);

		*ret_source = at;
		if (values)
			return values;
	}
	return NULL;
}

static int start_job(struct tuner *r, size_t at, json_t *values, struct err *err)
{
	struct tuner_source *source = &r->sources[at];
	auto_free char *name = tuning_child_name(r->request, r->trials.n + 1, r->store->cloud->sys);
	auto_free char *lower = str_lower(name);
	auto_free char *arn = xasprintf("%straining-job/%s", r->arn_prefix, lower);
	auto_json *request = tuning_child_request(r->request, source->definition, name, values);
	struct job_parent parent = { .arn = r->arn,
				     .metric = json_str(source->objective, "MetricName"),
				     .changed = tuning_notify,
				     .ctx = r->tuning };
	size_t index = tuning_add_child(r->tuning, name, at, values);
	struct trial *trial;
	struct job *job;

	if (store_sagemaker_add(r->store, request, arn, &parent, &job, err) < 0)
		return -1;
	tuning_set_child_job(r->tuning, index, job);
	trial = trials_add(&r->trials, job, at, source->direction);
	trial->bracket = hyperband_bracket(&source->hyperband, source->n_started++);
	return 0;
}

static int start_jobs(struct tuner *r, struct err *err)
{
	while (r->trials.n_active < r->parallel_max && r->trials.n < r->jobs_max) {
		size_t source;
		json_t *values = choose_values(r, &source);

		if (!values)
			return 0;
		if (start_job(r, source, values, err) < 0)
			return -1;
	}
	return 0;
}

/* Until something has happened, or time may be up. */
static void wait_for_news(struct tuning *t)
{
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	while (!t->has_news)
		if (pthread_cond_timedwait(&t->changed, &t->lock, &until) == ETIMEDOUT)
			break;
	t->has_news = false;
}

static void look(struct tuner *r)
{
	for (size_t i = 0; i < r->trials.n; i++) {
		struct trial *t = &r->trials.v[i];

		trial_update(&r->trials, t);
		if (trial_is_to_stop(&r->trials, t, r->rule, &r->sources[t->definition].hyperband))
			trial_stop(t);
	}
}

static bool is_complete(const struct tuner *r)
{
	const json_t *criteria = json_object_get(r->config, "TuningJobCompletionCriteria");
	const json_t *target = json_object_get(criteria, "TargetObjectiveMetricValue");
	const json_t *patience =
		json_at(criteria, "BestObjectiveNotImproving", "MaxNumberOfTrainingJobsNotImproving", NULL);
	enum tuning_direction direction = r->sources[0].direction;
	const struct trials *ts = &r->trials;

	if (ts->n_finished == 0)
		return false;
	if (target && !tuning_is_better(json_number_value(target), tuning_best(ts->finished, ts->n_finished, direction),
					direction))
		return true;
	return patience && (json_int_t)tuning_count_not_improving(ts->finished, ts->n_finished, direction) >=
				   json_integer_value(patience);
}

static enum over what_is_over(const struct tuner *r)
{
	const struct sys *sys = r->store->cloud->sys;
	struct tuning *t = r->tuning;
	auto_unlock pthread_mutex_t *held = lock_take(&t->lock);

	if (t->is_shutdown)
		return SHUT_DOWN;
	if (t->stop_requested)
		return STOPPED;
	if (r->end_ms && sys->ticks_ms(sys) >= r->end_ms)
		return TIME_IS_UP;
	if (r->trials.n_succeeded == 0 && r->trials.n_without >= FUTILE_JOBS)
		return FUTILE;
	return is_complete(r) ? COMPLETED : GOING_ON;
}

/* Until nothing runs any more; all that does is told to end. */
static enum over wind_up(struct tuner *r, enum over why)
{
	if (why == TIME_IS_UP)
		tuning_transition(r->tuning, "Stopping", NULL);
	while (r->trials.n_active > 0) {
		for (size_t i = 0; i < r->trials.n; i++)
			trial_stop(&r->trials.v[i]);
		wait_for_news(r->tuning);
		if (what_is_over(r) == SHUT_DOWN)
			return SHUT_DOWN;
		look(r);
	}
	return why;
}

static int tune(struct tuner *r, enum over *ret_why, struct err *err)
{
	enum over why;

	while ((why = what_is_over(r)) == GOING_ON) {
		if (start_jobs(r, err) < 0) {
			*ret_why = wind_up(r, DONE);
			return -1;
		}
		if (r->trials.n_active == 0) {
			*ret_why = DONE;
			return 0;
		}
		wait_for_news(r->tuning);
		look(r);
	}
	*ret_why = why == SHUT_DOWN ? why : wind_up(r, why);
	return 0;
}

static void fail(struct tuner *r, const char *reason)
{
	auto_free char *note = runnable_note(r->request);
	auto_free char *all = xasprintf("%s%s%s%s", reason, note ? " (" : "", note ? note : "", note ? ")" : "");

	tuning_transition(r->tuning, "Failed", all);
}

/* In the words of the service. */
static void fail_without_success(struct tuner *r)
{
	const struct trials *ts = &r->trials;
	auto_free char *reason =
		ts->n_failed > 0
			? xasprintf("No training job succeeded after %zu attempts. Please take a look at the training "
				    "job failures to get more details.",
				    ts->n_without)
			: xasprintf("No objective metrics found after running %zu training jobs. Please ensure that "
				    "the custom algorithm is emitting the objective metric as defined by the regular "
				    "expression provided.",
				    ts->n_without);

	fail(r, reason);
}

static void finish(struct tuner *r, enum over why)
{
	if (why == STOPPED || why == TIME_IS_UP)
		tuning_transition(r->tuning, "Stopped", NULL);
	else if (why == FUTILE || (why == DONE && r->trials.n_succeeded == 0))
		fail_without_success(r);
	else
		tuning_transition(r->tuning, "Completed", NULL);
}

static void run(struct tuner *r)
{
	enum over why = DONE;
	auto_err err = { 0 };

	if (tuner_init(r, &err) < 0 || tune(r, &why, &err) < 0) {
		auto_free char *reason = xasprintf("InternalServerError: %s", err.msg);

		fail(r, reason);
	} else if (why != SHUT_DOWN)
		finish(r, why);
}

static void *thread_main(void *ctx)
{
	struct tuner *r = ctx;
	struct store_sagemaker *store = r->store;

	run(r);
	tuner_release(r);
	free(r);
	store_sagemaker_leave(store);
	return NULL;
}

void tuner_start(struct store_sagemaker *s, struct tuning *t)
{
	struct tuner *r = xcalloc(1, sizeof(*r));
	pthread_t thread;

	*r = (struct tuner){ .store = s, .tuning = t };
	store_sagemaker_enter(s);
	if (pthread_create(&thread, NULL, thread_main, r) == 0) {
		pthread_detach(thread);
		return;
	}
	free(r);
	store_sagemaker_leave(s);
	tuning_transition(t, "Failed", "InternalServerError: no thread could be started for the job");
}
