#include "pipeline/leaderboard_ranges.h"

#include <math.h>
#include <string.h>

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"

#define MAX_DEFINITIONS 100 /* the service takes 10 */
#define MAX_RANGES      400 /* 30 of each kind in ten definitions, and some */
#define MAX_VALUES      100 /* of a category: the service takes 30 */

static const struct leaderboard_objective no_objective = { 0 };

static void add_objective(struct leaderboard *b, const char *definition, const json_t *objective)
{
	struct leaderboard_objective *o = &b->objectives[b->n_objectives++];

	*o = (struct leaderboard_objective){ .definition = xstrdup_or_null(definition),
					     .metric = xstrdup_or_null(json_str(objective, "MetricName")),
					     .is_minimized = str_eq(json_str(objective, "Type"), "Minimize") };
	b->is_mixed |= b->n_objectives > 1 && (o->is_minimized != b->objectives[0].is_minimized ||
					       !str_eq(o->metric, b->objectives[0].metric));
}

const struct leaderboard_objective *leaderboard_objective(const struct leaderboard *b, const char *definition)
{
	for (size_t i = 0; i < b->n_objectives; i++) {
		if (str_eq(b->objectives[i].definition, definition))
			return &b->objectives[i];
	}
	return b->n_objectives ? &b->objectives[0] : &no_objective;
}

/* A tuned value is written as the bounds of its range are. */
static bool read_number(const char *text, double *ret)
{
	return sagemaker_parse_bound(text, ret);
}

static bool has_range(const struct leaderboard *b, const char *definition, const char *name)
{
	for (size_t i = 0; i < b->n_ranges; i++) {
		if (str_eq(b->ranges[i].definition, definition) && str_eq(b->ranges[i].name, name))
			return true;
	}
	return false;
}

static void add_range(struct leaderboard *b, size_t *cap, struct leaderboard_range range)
{
	array_grow(b->ranges, b->n_ranges, *cap);
	b->ranges[b->n_ranges++] = range;
}

static enum leaderboard_scale scale_of(const char *scaling, double low, double high)
{
	if (str_eq(scaling, "Logarithmic") && low > 0)
		return SCALE_LOG;
	return str_eq(scaling, "ReverseLogarithmic") && high < 1 ? SCALE_REVERSE_LOG : SCALE_LINEAR;
}

static void add_numeric(struct leaderboard *b, size_t *cap, const char *definition, const json_t *j)
{
	const char *name = json_str(j, "Name"), *min = json_str(j, "MinValue"), *max = json_str(j, "MaxValue");
	double low, high;

	if (!name || has_range(b, definition, name) || !read_number(min, &low) || !read_number(max, &high) ||
	    low > high)
		return;
	add_range(b, cap,
		  (struct leaderboard_range){ .definition = xstrdup_or_null(definition),
					      .name = xstrdup(name),
					      .min = xstrdup(min),
					      .max = xstrdup(max),
					      .low = low,
					      .high = high,
					      .scale = scale_of(json_str(j, "ScalingType"), low, high) });
}

static void add_categorical(struct leaderboard *b, size_t *cap, const char *definition, const json_t *j)
{
	const char *name = json_str(j, "Name");
	struct leaderboard_range range = { .is_categorical = true };
	size_t i;
	json_t *value;

	if (!name || has_range(b, definition, name))
		return;
	json_array_foreach(json_object_get(j, "Values"), i, value) {
		const char *text = json_string_value(value);

		if (text && range.values.n < MAX_VALUES && !strlist_has(&range.values, text))
			strlist_add(&range.values, text);
	}
	range.definition = xstrdup_or_null(definition);
	range.name = xstrdup(name);
	add_range(b, cap, range);
}

static void add_ranges(struct leaderboard *b, size_t *cap, const char *definition, const json_t *ranges)
{
	static const enum sagemaker_range_kind kinds[] = { RANGE_CONTINUOUS, RANGE_INTEGER, RANGE_CATEGORICAL };
	size_t i;
	json_t *j;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		json_array_foreach(sagemaker_range_list(ranges, kinds[k]), i, j) {
			if (b->n_ranges < MAX_RANGES)
				(kinds[k] == RANGE_CATEGORICAL ? add_categorical : add_numeric)(b, cap, definition, j);
		}
	}
}

/* Nobody said a range for this one: it is that of the values which were tried. */
static void learn_range(struct leaderboard *b, size_t *cap, const char *definition, const char *name)
{
	struct leaderboard_range r = { .definition = xstrdup_or_null(definition), .name = xstrdup(name) };
	double x;

	for (size_t i = 0; i < b->n_children; i++) {
		const char *text = leaderboard_value(&r, &b->children[i]);
		bool is_number = read_number(text, &x);

		if (!text)
			continue;
		if (r.values.n < MAX_VALUES && !strlist_has(&r.values, text))
			strlist_add(&r.values, text);
		r.is_categorical |= !is_number;
		if (is_number && (!r.min || x < r.low)) {
			free(r.min);
			r.min = xstrdup(text);
			r.low = x;
		}
		if (is_number && (!r.max || x > r.high)) {
			free(r.max);
			r.max = xstrdup(text);
			r.high = x;
		}
	}
	if (!r.is_categorical)
		strlist_release(&r.values);
	add_range(b, cap, r);
}

static void learn_ranges(struct leaderboard *b, size_t *cap)
{
	const char *name;
	json_t *value;

	for (size_t i = 0; i < b->n_children; i++) {
		const struct leaderboard_child *c = &b->children[i];

		json_object_foreach(c->tuned, name, value) {
			if (b->n_ranges < MAX_RANGES && !has_range(b, c->definition, name))
				learn_range(b, cap, c->definition, name);
		}
	}
}

void leaderboard_read_definitions(struct leaderboard *b, const json_t *description)
{
	const json_t *definition = sagemaker_tuning_definition(description, 0);
	size_t i = 0, cap = 0;

	b->objectives = xcalloc(MAX_DEFINITIONS, sizeof(*b->objectives));
	/* A description without any still says what the job is judged by. */
	do {
		const char *name = json_str(definition, "DefinitionName");

		add_objective(b, name, sagemaker_tuning_objective(description, definition));
		add_ranges(b, &cap, name, sagemaker_tuning_ranges(description, definition));
		definition = sagemaker_tuning_definition(description, ++i);
	} while (definition && i < MAX_DEFINITIONS);
	learn_ranges(b, &cap);
}

void leaderboard_release_definitions(struct leaderboard *b)
{
	for (size_t i = 0; i < b->n_objectives; i++) {
		free(b->objectives[i].definition);
		free(b->objectives[i].metric);
	}
	free(b->objectives);
	for (size_t i = 0; i < b->n_ranges; i++) {
		struct leaderboard_range *r = &b->ranges[i];

		free(r->definition);
		free(r->name);
		free(r->min);
		free(r->max);
		strlist_release(&r->values);
	}
	free(b->ranges);
}

static double scaled(const struct leaderboard_range *r, double x)
{
	return r->scale == SCALE_LOG ? log(x) : r->scale == SCALE_REVERSE_LOG ? -log1p(-x) : x;
}

double leaderboard_position(const struct leaderboard_range *r, const char *value)
{
	double x, low = scaled(r, r->low), high = scaled(r, r->high);

	if (r->is_categorical || !read_number(value, &x) || x < r->low || x > r->high)
		return -1;
	/* In halves: the difference of two doubles may be more than a double holds. */
	return high > low ? (scaled(r, x) / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
}

const char *leaderboard_value(const struct leaderboard_range *r, const struct leaderboard_child *c)
{
	bool is_of_definition = !r->definition || !c->definition || str_eq(r->definition, c->definition);

	return is_of_definition ? json_str(c->tuned, r->name) : NULL;
}

struct leaderboard_use leaderboard_use(const struct leaderboard *b, const struct leaderboard_range *r,
				       const char *value)
{
	bool is_minimized = leaderboard_objective(b, r->definition)->is_minimized;
	struct leaderboard_use use = { 0 };

	for (size_t i = 0; i < b->n_children; i++) {
		const struct leaderboard_child *c = &b->children[i];
		bool is_better;

		if (!str_eq(leaderboard_value(r, c), value))
			continue;
		use.n++;
		is_better = is_minimized ? c->objective < use.objective : c->objective > use.objective;
		if (c->has_objective && (!use.has_objective || is_better))
			use.objective = c->objective;
		use.has_objective |= c->has_objective;
	}
	return use;
}
