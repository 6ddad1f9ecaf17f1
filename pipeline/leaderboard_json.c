/* What a leaderboard says, for machines and for the record. */

#include <string.h>

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/leaderboard.h"

/* Reals as the service sent them: json_real() takes any finite number. */
static void put_objective(json_t *j, const struct leaderboard_child *c)
{
	if (c->has_objective)
		json_object_set_new(j, "objective", json_real(c->objective));
}

static json_t *child_json(const struct leaderboard_child *c)
{
	json_t *j = json_object();

	json_put_str(j, "job", c->name);
	json_put_str(j, "definition", c->definition);
	json_put_str(j, "status", c->status);
	if (c->rank)
		json_put_int(j, "rank", (json_int_t)c->rank);
	put_objective(j, c);
	json_object_set(j, "hyperparameters", c->tuned);
	if (c->ended_s > 0 && leaderboard_took_ms(c, 0) >= 0)
		json_object_set_new(j, "seconds", json_real((double)leaderboard_took_ms(c, 0) / 1000));
	json_put_str(j, "reason", c->reason);
	return j;
}

static json_t *objectives_json(const struct leaderboard *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->n_objectives; i++) {
		const struct leaderboard_objective *o = &b->objectives[i];

		json_array_append_new(list, json_pack("{ss* ss* ss}", "definition", o->definition, "metric", o->metric,
						      "type", o->is_minimized ? "Minimize" : "Maximize"));
	}
	return list;
}

json_t *leaderboard_json(const struct leaderboard *b)
{
	json_t *j = json_object(), *children = json_array();

	json_put_str(j, "job", b->job);
	json_put_str(j, "status", b->status);
	json_put_str(j, "reason", b->reason);
	json_put_str(j, "strategy", b->strategy);
	json_object_set_new(j, "objectives", objectives_json(b));
	if (b->max_jobs)
		json_put_int(j, "limit", b->max_jobs);
	json_put_int(j, "ended", (json_int_t)b->n_ended);
	json_put_int(j, "running", (json_int_t)b->n_running);
	json_put_str(j, "best", b->best ? b->best->name : NULL);
	for (size_t i = 0; i < b->n_children; i++)
		json_array_append_new(children, child_json(&b->children[i]));
	json_object_set_new(j, "children", children);
	return j;
}

/* The definition that a child was made from. Borrowed. */
static const json_t *definition_of(const json_t *description, const struct leaderboard_child *c)
{
	const json_t *definition;

	for (size_t i = 0; (definition = sagemaker_tuning_definition(description, i)); i++) {
		if (str_eq(json_str(definition, "DefinitionName"), c->definition))
			return definition;
	}
	return json_object_get(description, "TrainingJobDefinition");
}

json_t *leaderboard_best_hyperparameters(const struct leaderboard *b, const json_t *description)
{
	json_t *all, *value;
	const char *name;

	if (!b->best)
		return NULL;
	all = json_copy(b->best->tuned);
	json_object_foreach(json_object_get(definition_of(description, b->best), "StaticHyperParameters"), name,
			    value) {
		/* "_tuning_objective_metric" is the service's, "sagemaker_…" the toolkit's. */
		if (json_is_string(value) && *name != '_' && !str_starts(name, "sagemaker_") &&
		    !json_object_get(all, name))
			json_object_set(all, name, value);
	}
	return all;
}
