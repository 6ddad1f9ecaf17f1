#include "aws/sagemaker_limits.h"

#include <inttypes.h>
#include <regex.h>
#include <string.h>

#include "aws/sagemaker_limits_rules.h"
#include "aws/sagemaker_limits_table.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_SHOWN_BYTES 80
#define MAX_MEMBERS     64

struct check {
	const char *operation; /* "CreateTrainingJob" */
	struct str path;       /* "InputDataConfig[0].ChannelName" */
	struct err *err;
};

static int refuse(const struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(const struct check *c, const char *fmt, ...)
{
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(c->err, ERR_CONFIG, "%s: %s", c->path.len ? c->path.s : c->operation, words);
}

/* A value as an error shows it: printable and short. */
static char *shown(const char *value)
{
	auto_free char *text = str_printable(value);

	if (strlen(text) <= MAX_SHOWN_BYTES)
		return take(text);
	return xasprintf("%.*s…", MAX_SHOWN_BYTES, text);
}

static int64_t count_characters(const char *s)
{
	int64_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static int check_length(const struct check *c, const struct shape *shape, int64_t n, const char *unit)
{
	if (n < shape->min && n == 0)
		return refuse(c, "must not be empty");
	if (n < shape->min)
		return refuse(c, "has %" PRId64 " %s; at least %" PRId64 " are needed", n, unit, shape->min);
	if (n > shape->max)
		return refuse(c, "has %" PRId64 " %s; at most %" PRId64 " are allowed", n, unit, shape->max);
	return 0;
}

static bool is_match(const char *pattern, const char *s)
{
	auto_free char *anchored = xasprintf("^(%s)$", pattern);
	regex_t regex;
	bool matches;

	if (regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	matches = regexec(&regex, s, 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}

static int check_choice(const struct check *c, const char *const *choices, const char *value)
{
	auto_free char *text = shown(value);
	auto_str list = { 0 };

	for (size_t i = 0; choices[i]; i++) {
		if (!strcmp(choices[i], value))
			return 0;
		str_addf(&list, "%s%s", i ? ", " : "", choices[i]);
	}
	return refuse(c, "'%s' is not one of %s", text, list.s);
}

static int check_string(const struct check *c, const struct shape *shape, const char *value)
{
	auto_free char *text = shown(value);

	if (shape->kind == SHAPE_CHOICE)
		return check_choice(c, shape->choices, value);
	if (check_length(c, shape, count_characters(value), "characters") < 0)
		return -1;
	if (shape->kind == SHAPE_TEXT)
		return 0;
	if (shape->kind == SHAPE_TAG && !sagemaker_is_tag_text(value))
		return refuse(c, "'%s' may only hold letters, digits, spaces and _.:/=+-@", text);
	if (strpbrk(value, "\r\n"))
		return refuse(c, "must not hold a line break");
	if (shape->pattern && !is_match(shape->pattern, value))
		return refuse(c, "'%s' does not match %s", text, shape->pattern);
	return 0;
}

static int check_value(struct check *c, const struct shape *shape, const json_t *value);

/* Check a part, with its name added to the path meanwhile. */
static int check_part(struct check *c, const char *part, const struct shape *shape, const json_t *value)
{
	size_t n = c->path.len;
	int result;

	str_addf(&c->path, "%s%s", n && *part != '[' ? "." : "", part);
	result = check_value(c, shape, value);
	/* Where it failed, the path stays: it is part of the answer. */
	if (result == 0)
		str_truncate(&c->path, n);
	return result;
}

static int refuse_unknown(const struct check *c, const struct member *members, const char *name)
{
	const char *names[MAX_MEMBERS + 1] = { 0 }, *nearest;
	auto_free char *text = shown(name);

	for (size_t i = 0; members[i].name && i < MAX_MEMBERS; i++)
		names[i] = members[i].name;
	nearest = str_nearest(name, names);
	if (nearest)
		return refuse(c, "there is no member '%s'; did you mean '%s'?", text, nearest);
	return refuse(c, "there is no member '%s'", text);
}

static int check_structure(struct check *c, const struct shape *shape, const json_t *value)
{
	const struct member *m;
	const char *name;
	json_t *part;

	json_object_foreach((json_t *)value, name, part) {
		for (m = shape->members; m->name && strcmp(m->name, name) != 0; m++)
			;
		if (!m->name)
			return refuse_unknown(c, shape->members, name);
		if (check_part(c, name, m->shape, part) < 0)
			return -1;
	}
	for (m = shape->members; m->name; m++)
		if (m->is_required && !json_object_get(value, m->name))
			return refuse(c, "'%s' is missing", m->name);
	return 0;
}

static int check_list(struct check *c, const struct shape *shape, const json_t *value)
{
	json_t *part;
	size_t i;

	if (check_length(c, shape, (int64_t)json_array_size(value), "items") < 0)
		return -1;
	json_array_foreach(value, i, part) {
		auto_free char *index = xasprintf("[%zu]", i);

		if (check_part(c, index, shape->element, part) < 0)
			return -1;
	}
	return 0;
}

static int check_map(struct check *c, const struct shape *shape, const json_t *value)
{
	const char *key;
	json_t *part;

	if (check_length(c, shape, (int64_t)json_object_size(value), "entries") < 0)
		return -1;
	json_object_foreach((json_t *)value, key, part) {
		auto_free char *text = shown(key);
		auto_json *key_value = json_string(key);

		if (check_part(c, text, shape->key, key_value) < 0 || check_part(c, text, shape->element, part) < 0)
			return -1;
	}
	return 0;
}

static int check_integer(const struct check *c, const struct shape *shape, int64_t n)
{
	if (n < shape->min)
		return refuse(c, "is %" PRId64 "; at least %" PRId64 " is needed", n, shape->min);
	if (n > shape->max)
		return refuse(c, "is %" PRId64 "; at most %" PRId64 " is allowed", n, shape->max);
	return 0;
}

static int check_value(struct check *c, const struct shape *shape, const json_t *value)
{
	switch (shape->kind) {
	case SHAPE_STRUCTURE:
		return json_is_object(value) ? check_structure(c, shape, value) : refuse(c, "must be an object");
	case SHAPE_LIST:
		return json_is_array(value) ? check_list(c, shape, value) : refuse(c, "must be a list");
	case SHAPE_MAP:
		return json_is_object(value) ? check_map(c, shape, value) : refuse(c, "must be a map of strings");
	case SHAPE_INTEGER:
		return json_is_integer(value) ? check_integer(c, shape, json_integer_value(value))
					      : refuse(c, "must be a whole number");
	case SHAPE_NUMBER:
		return json_is_number(value) ? 0 : refuse(c, "must be a number");
	case SHAPE_BOOLEAN:
		return json_is_boolean(value) ? 0 : refuse(c, "must be true or false");
	default:
		return json_is_string(value) ? check_string(c, shape, json_string_value(value))
					     : refuse(c, "must be a string");
	}
}

typedef int (*rules_fn)(const json_t *request, struct str *ret_path, struct err *err);

static int check_request(const json_t *request, const char *operation, const struct shape *shape, rules_fn rules,
			 char **ret_path, struct err *err)
{
	auto_str path = { 0 };
	struct check c = { .operation = operation, .err = err };

	if (check_value(&c, shape, request) < 0) {
		if (!c.path.len)
			str_add(&c.path, operation);
		*ret_path = str_detach(&c.path);
		return -1;
	}
	str_release(&c.path);
	if (rules(request, &path, err) == 0)
		return 0;
	*ret_path = str_detach(&path);
	return -1;
}

int sagemaker_check_training_job_at(const json_t *request, char **ret_path, struct err *err)
{
	return check_request(request, "CreateTrainingJob", &sagemaker_training_job_shape, sagemaker_check_rules,
			     ret_path, err);
}

int sagemaker_check_training_job(const json_t *request, struct err *err)
{
	auto_free char *path = NULL;

	return sagemaker_check_training_job_at(request, &path, err);
}

int sagemaker_check_tuning_job_at(const json_t *request, char **ret_path, struct err *err)
{
	return check_request(request, "CreateHyperParameterTuningJob", &sagemaker_tuning_job_shape,
			     sagemaker_check_tuning_rules, ret_path, err);
}

int sagemaker_check_tuning_job(const json_t *request, struct err *err)
{
	auto_free char *path = NULL;

	return sagemaker_check_tuning_job_at(request, &path, err);
}

int sagemaker_check_tags(const json_t *tags, struct err *err)
{
	const struct shape *shape = sagemaker_shape_below(&sagemaker_training_job_shape, "Tags");
	auto_json *request = json_pack("{sO}", "Tags", tags);
	auto_str path = { 0 };
	struct check c = { .err = err };
	int result = check_part(&c, "Tags", shape, tags);

	str_release(&c.path);
	return result < 0 ? -1 : sagemaker_check_tag_rules(request, &path, err);
}

int sagemaker_check_string(const struct shape *shape, const char *path, const char *value, struct err *err)
{
	struct check c = { .err = err };
	int result;

	str_add(&c.path, path);
	result = check_string(&c, shape, value);
	str_release(&c.path);
	return result;
}

static int check_name(const struct shape *request, const char *name, struct err *err)
{
	return sagemaker_check_string(request->members[0].shape, request->members[0].name, name, err);
}

int sagemaker_check_job_name(const char *name, struct err *err)
{
	return check_name(&sagemaker_training_job_shape, name, err);
}

int sagemaker_check_tuning_job_name(const char *name, struct err *err)
{
	return check_name(&sagemaker_tuning_job_shape, name, err);
}

bool sagemaker_is_final(const char *training_job_status)
{
	return str_eq(training_job_status, "Completed") || str_eq(training_job_status, "Failed") ||
	       str_eq(training_job_status, "Stopped") || str_eq(training_job_status, "Deleted");
}

static const struct shape *member_shape(const struct shape *shape, const char *name, size_t n)
{
	for (const struct member *m = shape->members; m && m->name; m++)
		if (strlen(m->name) == n && !strncmp(m->name, name, n))
			return m->shape;
	return NULL;
}

const struct shape *sagemaker_shape_below(const struct shape *shape, const char *path)
{
	while (shape && *path) {
		size_t n = strcspn(path, ".[");

		if (*path == '[')
			shape = shape->kind == SHAPE_LIST ? shape->element : NULL;
		else if (shape->kind == SHAPE_MAP)
			shape = shape->element;
		else
			shape = member_shape(shape, path, n);
		path += *path == '[' ? strcspn(path, "]") + 1 : n;
		path += *path == '.';
	}
	return shape;
}

const struct shape *sagemaker_shape_at(const char *path)
{
	const struct shape *shape = sagemaker_shape_below(&sagemaker_training_job_shape, path);

	return shape ? shape : sagemaker_shape_below(&sagemaker_tuning_job_shape, path);
}
