#include "pipeline/leaderboard.h"

#include <math.h>
#include <string.h>

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/leaderboard_ranges.h"

/* Times from outside are kept small enough to be subtracted. */
#define MAX_TIME_S 253402300800.0
/* Of one training job: more than the service can tune. */
#define MAX_TUNED 200

static double time_of(const json_t *j, const char *key)
{
	double t = json_number_value(json_object_get(j, key));

	return t > 0 && t < MAX_TIME_S ? t : 0;
}

/* Only texts: what else stands there is no hyperparameter. New reference. */
static json_t *texts_of(const json_t *object)
{
	json_t *texts = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)object, name, value) {
		if (json_is_string(value) && json_object_size(texts) < MAX_TUNED)
			json_object_set(texts, name, value);
	}
	return texts;
}

static void add_child(struct leaderboard *b, const json_t *summary)
{
	const char *name = json_str(summary, "TrainingJobName"), *status = json_str(summary, "TrainingJobStatus");
	const json_t *metric = json_object_get(summary, "FinalHyperParameterTuningJobObjectiveMetric");
	const json_t *value = json_object_get(metric, "Value");

	/* Pages shift while they are read: one of them may come twice. */
	if (!name || leaderboard_find(b, name) || b->n_children > LEADERBOARD_MAX_CHILDREN)
		return;
	b->children[b->n_children++] = (struct leaderboard_child){
		.name = xstrdup(name),
		.status = xstrdup(status ? status : "?"),
		.definition = xstrdup_or_null(json_str(summary, "TrainingJobDefinitionName")),
		.reason = xstrdup_or_null(json_str(summary, "FailureReason")),
		.tuned = texts_of(json_object_get(summary, "TunedHyperParameters")),
		.is_running = str_eq(status, "InProgress") || str_eq(status, "Stopping"),
		.is_pending = str_eq(json_str(summary, "ObjectiveStatus"), "Pending"),
		.has_objective = json_is_number(value) && isfinite(json_number_value(value)) &&
				 !str_eq(json_str(summary, "ObjectiveStatus"), "Failed"),
		.objective = json_number_value(value),
		.created_s = time_of(summary, "CreationTime"),
		.started_s = time_of(summary, "TrainingStartTime"),
		.ended_s = time_of(summary, "TrainingEndTime"),
	};
}

static int compare_numbers(double x, double y)
{
	return (x > y) - (x < y);
}

static int compare_definitions(const struct leaderboard_child *c, const struct leaderboard_child *d)
{
	return strcmp(c->definition ? c->definition : "", d->definition ? d->definition : "");
}

/* The order of the board; b says which objective is better. */
static int compare(const void *x, const void *y, void *ctx)
{
	const struct leaderboard *b = ctx;
	const struct leaderboard_child *c = x, *d = y;
	int order = d->has_objective - c->has_objective;

	if (!order && c->has_objective && b->is_mixed)
		order = compare_definitions(c, d);
	if (!order && c->has_objective)
		order = leaderboard_objective(b, c->definition)->is_minimized
				? compare_numbers(c->objective, d->objective)
				: compare_numbers(d->objective, c->objective);
	if (!order)
		order = d->is_running - c->is_running;
	if (!order)
		order = compare_numbers(c->created_s, d->created_s);
	return order ? order : strcmp(c->name, d->name);
}

static void rank(struct leaderboard *b)
{
	size_t first = 0; /* of the group */

	qsort_r(b->children, b->n_children, sizeof(*b->children), compare, b);
	for (size_t i = 0; i < b->n_children && b->children[i].has_objective; i++) {
		struct leaderboard_child *c = &b->children[i], *before = i ? c - 1 : NULL;

		if (before && b->is_mixed && compare_definitions(before, c))
			first = i;
		c->rank = i > first && before->objective == c->objective ? before->rank : i - first + 1;
	}
}

static const struct leaderboard_child *find_best(const struct leaderboard *b, const json_t *description)
{
	const char *name = json_str(json_object_get(description, "BestTrainingJob"), "TrainingJobName");
	const struct leaderboard_child *named = name ? leaderboard_find(b, name) : NULL;

	if (named && named->has_objective)
		return named;
	for (size_t i = 0; i < b->n_children; i++) {
		if (b->children[i].has_objective && str_eq(b->children[i].status, "Completed"))
			return &b->children[i];
	}
	return NULL;
}

/* The strategy Grid needs no limit: it makes one job of each combination. */
static int64_t expected_jobs(const json_t *description)
{
	const json_t *config = json_object_get(description, "HyperParameterTuningJobConfig"), *definition;
	json_int_t max_jobs = json_integer_value(json_at(config, "ResourceLimits", "MaxNumberOfTrainingJobs", NULL));
	int64_t n = 0;

	if (max_jobs > 0)
		return max_jobs;
	if (!str_eq(json_str(config, "Strategy"), "Grid"))
		return 0;
	for (size_t i = 0; (definition = sagemaker_tuning_definition(description, i)); i++)
		n += sagemaker_count_combinations(sagemaker_tuning_ranges(description, definition));
	return n;
}

static void count(struct leaderboard *b, const json_t *description)
{
	static const char *const ended[] = { "Completed", "Stopped", "NonRetryableError" };
	const json_t *counters = json_object_get(description, "TrainingJobStatusCounters");

	for (size_t i = 0; i < b->n_children; i++)
		b->children[i].is_running ? b->n_running++ : b->n_ended++;
	/* More than are listed, when there are more than are asked for. */
	if (b->n_children >= LEADERBOARD_MAX_CHILDREN) {
		b->n_ended = 0;
		for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
			json_int_t n = json_integer_value(json_object_get(counters, ended[i]));

			b->n_ended += n > 0 && n < 1000000 ? (size_t)n : 0;
		}
	}
}

void leaderboard_init(struct leaderboard *b, const json_t *description, const json_t *children)
{
	const json_t *config = json_object_get(description, "HyperParameterTuningJobConfig");
	const char *name = json_str(description, "HyperParameterTuningJobName");
	const char *status = json_str(description, "HyperParameterTuningJobStatus");
	size_t i;
	json_t *child;

	*b = (struct leaderboard){
		.job = xstrdup(name ? name : "?"),
		.status = xstrdup(status ? status : "?"),
		.reason = xstrdup_or_null(json_str(description, "FailureReason")),
		.strategy = xstrdup_or_null(json_str(config, "Strategy")),
		.max_jobs = expected_jobs(description),
		/* One more for the best job, should it not be among those that are listed. */
		.children = xcalloc(LEADERBOARD_MAX_CHILDREN + 1, sizeof(*b->children)),
	};
	json_array_foreach(children, i, child) {
		if (i < LEADERBOARD_MAX_CHILDREN)
			add_child(b, child);
	}
	add_child(b, json_object_get(description, "BestTrainingJob"));
	leaderboard_read_definitions(b, description);
	rank(b);
	b->best = find_best(b, description);
	count(b, description);
}

static void child_release(struct leaderboard_child *c)
{
	free(c->name);
	free(c->status);
	free(c->definition);
	free(c->reason);
	json_decref(c->tuned);
}

void leaderboard_release(struct leaderboard *b)
{
	char *const texts[] = { b->job, b->status, b->reason, b->strategy };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < b->n_children; i++)
		child_release(&b->children[i]);
	free(b->children);
	leaderboard_release_definitions(b);
	*b = (struct leaderboard){ 0 };
}

const struct leaderboard_child *leaderboard_find(const struct leaderboard *b, const char *name)
{
	for (size_t i = 0; i < b->n_children; i++) {
		if (!strcmp(b->children[i].name, name))
			return &b->children[i];
	}
	return NULL;
}

int64_t leaderboard_took_ms(const struct leaderboard_child *c, int64_t now_ms)
{
	double end_s = c->ended_s > 0 ? c->ended_s : (double)now_ms / 1000;

	if (!(c->started_s > 0) || (!(c->ended_s > 0) && !c->is_running))
		return -1;
	return end_s > c->started_s ? (int64_t)((end_s - c->started_s) * 1000) : 0;
}

char *leaderboard_tuned_text(const struct leaderboard_child *c)
{
	auto_str text = { 0 };
	const char *name;
	json_t *value;

	json_object_foreach(c->tuned, name, value)
		str_addf(&text, "%s%s=%s", text.len ? " " : "", name, json_string_value(value));
	return str_detach(&text);
}

const char *leaderboard_name_within(const char *job, const char *child)
{
	size_t n = strlen(job);

	return !strncmp(child, job, n) && child[n] == '-' && child[n + 1] ? child + n + 1 : child;
}

const char *leaderboard_short_name(const struct leaderboard *b, const struct leaderboard_child *c)
{
	return leaderboard_name_within(b->job, c->name);
}
