#include "pipeline/raw.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/* Named by the content of the request, or filled in at the release. */
static const struct {
	enum job_kind kind;
	const char *member, *instead;
} own_members[] = {
	{ JOB_TRAINING, "TrainingJobName", "smpipe names jobs by their content" },
	{ JOB_TRAINING, "Tags", "write tags below estimator.tags" },
	{ JOB_TRAINING, "AlgorithmSpecification.TrainingImage", "name an image with image.uri" },
	{ JOB_TUNING, "HyperParameterTuningJobName", "smpipe names jobs by their content" },
	{ JOB_TUNING, "Tags", "write tags below estimator.tags" },
	{ JOB_TUNING, "TrainingJobDefinition.AlgorithmSpecification.TrainingImage", "name an image with image.uri" },
	{ JOB_TUNING, "TrainingJobDefinitions", "write definitions below tuner.definitions" },
};

static void merge(json_t *object, const json_t *over)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)over, name, value) {
		json_t *old = json_object_get(object, name);

		if (json_is_object(old) && json_is_object(value))
			merge(old, value);
		else
			json_object_set_new(object, name, json_deep_copy(value));
	}
}

/* The value at "A.B[2].C", or NULL. */
static const json_t *value_at(const json_t *j, const char *path)
{
	while (j && *path) {
		size_t n = strcspn(path, ".[");
		auto_free char *name = xstrndup(path, n);

		if (*path == '[') {
			j = json_array_get(j, strtoul(path + 1, NULL, 10));
			path += strcspn(path, "]");
			path += *path == ']';
		} else {
			j = json_object_get(j, name);
			path += n;
		}
		path += *path == '.';
	}
	return j;
}

bool raw_says(const struct config *c, enum job_kind kind, const char *member)
{
	const json_t *raw = config_value(c, job_form(kind)->raw);

	return raw && value_at(raw, member);
}

int raw_merge(const struct config *c, enum job_kind kind, json_t *request, struct err *err)
{
	const char *key = job_form(kind)->raw;
	const json_t *raw = config_value(c, key);

	for (size_t i = 0; raw && i < ARRAY_LEN(own_members); i++) {
		auto_free char *path = xasprintf("%s.%s", key, own_members[i].member);

		if (own_members[i].kind == kind && value_at(raw, own_members[i].member)) {
			config_error(c, err, path, "'%s' cannot stand in raw", own_members[i].member);
			return err_hint(err, "%s", own_members[i].instead);
		}
	}
	merge(request, raw);
	return 0;
}

struct pruning {
	struct str path;
	struct strlist *newer;
};

/* Prune what raw says at one place; false: the table does not know it, the caller drops it. */
static bool prune(struct pruning *p, const struct shape *shape, const json_t *raw, json_t *value);

static bool is_choice(const struct shape *shape, const char *value)
{
	for (const char *const *c = shape->choices; value && *c; c++) {
		if (!strcmp(*c, value))
			return true;
	}
	return false;
}

static const struct shape *shape_of_member(const struct shape *shape, const char *name)
{
	const struct member *m = shape->members;

	if (shape->kind == SHAPE_MAP)
		return shape->element;
	while (m && m->name && strcmp(m->name, name) != 0)
		m++;
	return m ? m->shape : NULL;
}

static void prune_object(struct pruning *p, const struct shape *shape, const json_t *raw, json_t *value)
{
	const char *name;
	json_t *part;

	json_object_foreach((json_t *)raw, name, part) {
		const struct shape *inner = shape_of_member(shape, name);
		json_t *copy = json_object_get(value, name);
		size_t n = p->path.len;

		str_addf(&p->path, "%s%s", n ? "." : "", name);
		if (!inner || !prune(p, inner, part, copy)) {
			strlist_add(p->newer, p->path.s);
			if (inner)
				json_object_set_new(value, name, json_string(inner->choices[0]));
			else
				json_object_del(value, name);
		}
		str_truncate(&p->path, n);
	}
}

static void prune_list(struct pruning *p, const struct shape *shape, const json_t *raw, json_t *value)
{
	json_t *part;
	size_t i;

	json_array_foreach(raw, i, part) {
		size_t n = p->path.len;

		str_addf(&p->path, "[%zu]", i);
		if (!prune(p, shape->element, part, json_array_get(value, i))) {
			strlist_add(p->newer, p->path.s);
			json_array_set_new(value, i, json_string(shape->element->choices[0]));
		}
		str_truncate(&p->path, n);
	}
}

static bool prune(struct pruning *p, const struct shape *shape, const json_t *raw, json_t *value)
{
	if (shape->kind == SHAPE_CHOICE)
		return !json_is_string(raw) || is_choice(shape, json_string_value(raw));
	if (json_is_object(raw) && (shape->kind == SHAPE_STRUCTURE || shape->kind == SHAPE_MAP))
		prune_object(p, shape, raw, value);
	else if (json_is_array(raw) && shape->kind == SHAPE_LIST)
		prune_list(p, shape, raw, value);
	return true;
}

json_t *raw_without_newer(const struct config *c, enum job_kind kind, const json_t *request, struct strlist *ret_newer)
{
	const json_t *raw = config_value(c, job_form(kind)->raw);
	json_t *copy = json_deep_copy(request);
	struct pruning p = { .newer = ret_newer };

	if (raw)
		prune_object(&p, job_form(kind)->shape, raw, copy);
	str_release(&p.path);
	return copy;
}
