#include <regex.h>
#include <string.h>

#include "aws/metrics_regex.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/lint.h"

static const char *const samples[] = { "0.25", "1e-05", "-0.3", "nan" };

/*
 * The last character of the escape or bracket expression that begins at p, where parentheses are no group; p itself
 * when neither does; NULL when a bracket is not closed.
 */
static const char *end_of_atom(const char *p)
{
	if (*p == '\\' && p[1])
		return p + 1;
	if (*p != '[')
		return p;
	p += p[1] == '^';
	p += p[1] == ']';
	return strchr(p + 1, ']');
}

/* The end of the group that begins at open: its closing parenthesis, or NULL. */
static const char *end_of_group(const char *open)
{
	int depth = 0;

	for (const char *p = open; *p; p++) {
		const char *atom_end = end_of_atom(p);

		if (!atom_end)
			return NULL;
		if (atom_end != p) {
			p = atom_end;
		} else if (*p == '(') {
			depth++;
		} else if (*p == ')' && --depth == 0) {
			return p;
		}
	}
	return NULL;
}

/* The n-th group of a POSIX regex with its parentheses, or NULL. New string. */
static char *group_text(const char *posix, size_t n)
{
	for (const char *p = posix; *p; p++) {
		const char *atom_end = end_of_atom(p);

		if (!atom_end)
			return NULL;
		if (atom_end != p) {
			p = atom_end;
		} else if (*p == '(' && --n == 0) {
			const char *end = end_of_group(p);

			return end ? xstrndup(p, (size_t)(end - p) + 1) : NULL;
		}
	}
	return NULL;
}

/* The samples that the group cannot match as a whole, "'1e-05', 'nan'"; -1 when the regex is none. */
static int find_missed(const struct metrics_regex *m, struct str *ret_missed)
{
	auto_free char *group = group_text(m->posix.s, m->value_group);
	auto_free char *anchored = xasprintf("^%s$", group ? group : "()");
	int flags = REG_EXTENDED | REG_NOSUB | (m->is_case_blind ? REG_ICASE : 0);
	regex_t regex;

	if (!group || regcomp(&regex, anchored, flags) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		if (regexec(&regex, samples[i], 0, NULL, 0) != 0)
			str_addf(ret_missed, "%s'%s'", ret_missed->len ? ", " : "", samples[i]);
	}
	regfree(&regex);
	return 0;
}

static bool compiles(const struct metrics_regex *m)
{
	regex_t regex;

	if (!m->posix.len || regcomp(&regex, m->posix.s, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	regfree(&regex);
	return true;
}

static int lint_one(const struct config *c, const struct training_job_facts *facts, size_t i, const json_t *definition,
		    struct err *err)
{
	const char *name = json_str(definition, "name");
	auto_free char *path = xasprintf("estimator.metric_definitions[%zu].regex", i);
	struct metrics_regex __attribute__((cleanup(metrics_regex_release))) m = { 0 };
	auto_str missed = { 0 };
	auto_err why = { 0 };

	if (metrics_regex_translate(json_str(definition, "regex"), &m, &why) < 0) {
		if (why.code == ERR_INVALID)
			return config_error(c, err, path, "metric '%s': this is no regular expression: %s", name,
					    why.msg);
		strlist_take(facts->warnings, config_warning(c, path, "metric '%s' is not checked: %s", name, why.msg));
		return 0;
	}
	if (!compiles(&m))
		return config_error(c, err, path, "metric '%s': this is no regular expression", name);
	if (!m.value_group) {
		config_error(c, err, path, "metric '%s': the regex has no group, and a group is what holds the value",
			     name);
		return err_hint(err, "put parentheses around the number: loss=([-+0-9.eE]+|nan)");
	}
	if (find_missed(&m, &missed) == 0 && missed.len)
		strlist_take(
			facts->warnings,
			config_warning(c, path,
				       "metric '%s': its group cannot match %s; such values would be lost or cut off "
				       "(write ([-+0-9.eE]+|nan))",
				       name, missed.s));
	return 0;
}

int lint_metrics(const struct config *c, const struct training_job_facts *facts, struct err *err)
{
	const json_t *definitions = config_value(c, "estimator.metric_definitions");
	json_t *definition;
	size_t i;

	json_array_foreach(definitions, i, definition) {
		if (lint_one(c, facts, i, definition, err) < 0)
			return -1;
	}
	if (config_is_true(c, "estimator.enable_sagemaker_metrics") && !json_array_size(definitions))
		strlist_take(facts->warnings,
			     config_warning(c, "estimator.enable_sagemaker_metrics",
					    "there are no metric_definitions whose values could be kept"));
	return 0;
}
