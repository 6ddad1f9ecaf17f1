#include "aws/metrics.h"

#include <locale.h>
#include <regex.h>
#include <string.h>

#include "aws/metrics_regex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_LINE_BYTES  (256 * 1024) /* a log event is no longer */
#define MAX_REGEX_BYTES 4096
#define MAX_GROUPS      32

struct metric {
	char *name;
	regex_t regex;
	size_t value_group;
};

struct metrics {
	struct metric *v;
	size_t n;
	locale_t c_locale; /* numbers in logs have points, whatever the user's locale says */
};

static int compile(const char *name, const char *text, struct metric *ret, struct err *err)
{
	struct metrics_regex translated = { 0 };
	auto_err untranslated = { 0 };
	char why[200] = "";
	int code;

	if (strlen(text) > MAX_REGEX_BYTES)
		return err_set(err, ERR_CONFIG, "the regex of metric '%s' is longer than %d bytes", name,
			       MAX_REGEX_BYTES);
	if (metrics_regex_translate(text, &translated, &untranslated) < 0)
		return err_set(err, ERR_CONFIG, "metric '%s': regex '%s': %s", name, text, untranslated.msg);
	code = regcomp(&ret->regex, str_text(&translated.posix),
		       REG_EXTENDED | (translated.is_case_blind ? REG_ICASE : 0));
	ret->value_group = translated.value_group;
	metrics_regex_release(&translated);
	if (code) {
		regerror(code, &ret->regex, why, sizeof(why));
		return err_set(err, ERR_CONFIG, "metric '%s': regex '%s': %s", name, text, why);
	}
	if (ret->value_group >= MAX_GROUPS) {
		regfree(&ret->regex);
		return err_set(err, ERR_CONFIG, "metric '%s': regex '%s' has too many groups", name, text);
	}
	ret->name = xstrdup(name);
	return 0;
}

static int add_definitions(struct metrics *m, const json_t *definitions, struct err *err)
{
	json_t *definition;
	size_t i;

	json_array_foreach(definitions, i, definition) {
		const char *name = json_str(definition, "Name"), *regex = json_str(definition, "Regex");

		if (!name || !regex)
			return err_set(err, ERR_CONFIG, "metric definition %zu needs a Name and a Regex", i + 1);
		if (compile(name, regex, &m->v[m->n], err) < 0)
			return -1;
		m->n++;
	}
	return 0;
}

int metrics_new(const json_t *definitions, struct metrics **ret, struct err *err)
{
	struct metrics *m = xcalloc(1, sizeof(*m));

	m->v = xcalloc(json_array_size(definitions), sizeof(*m->v));
	m->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!m->c_locale)
		abort();
	if (add_definitions(m, definitions, err) < 0) {
		metrics_free(m);
		return -1;
	}
	*ret = m;
	return 0;
}

/* A number and nothing else; "nan" and "inf" are what a diverging training prints. */
static bool parse_value(const struct metrics *m, const char *p, size_t n, double *ret_value)
{
	auto_free char *raw = xstrndup(p, n);
	auto_free char *text = str_trim(raw);
	char *end;

	*ret_value = strtod_l(text, &end, m->c_locale);
	return *text && !*end;
}

static void feed_one(const struct metrics *m, const struct metric *metric, const char *line, metrics_fn fn, void *ctx)
{
	regmatch_t groups[MAX_GROUPS];
	int flags = 0;

	while (regexec(&metric->regex, line, MAX_GROUPS, groups, flags) == 0) {
		const regmatch_t *value = &groups[metric->value_group];
		regoff_t next = groups[0].rm_eo;
		double number;

		if (value->rm_so >= 0 &&
		    parse_value(m, line + value->rm_so, (size_t)(value->rm_eo - value->rm_so), &number))
			fn(ctx, metric->name, number);
		/* An empty match would be found again and again. */
		if (groups[0].rm_eo == groups[0].rm_so)
			next++;
		if (next > groups[0].rm_eo && !line[groups[0].rm_eo])
			return;
		line += next;
		flags = REG_NOTBOL;
	}
}

void metrics_feed(struct metrics *m, const char *line, metrics_fn fn, void *ctx)
{
	if (strnlen(line, MAX_LINE_BYTES + 1) > MAX_LINE_BYTES)
		return;
	for (size_t i = 0; i < m->n; i++)
		feed_one(m, &m->v[i], line, fn, ctx);
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].name);
		regfree(&m->v[i].regex);
	}
	free(m->v);
	freelocale(m->c_locale);
	free(m);
}
