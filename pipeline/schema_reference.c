/* The reference page that `smpipe config --reference` prints. */

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "pipeline/schema.h"

static const char head[] =
	"# smpipe.yaml\n\n"
	"Every key of the file. `*` stands for a name of your own, `[]` for an item of a list. Names follow the SageMaker\n"
	"Python SDK; the last column is the member of CreateTrainingJob, or of `tuner` CreateHyperParameterTuningJob, that\n"
	"gets the value; a tuning job's definition gets those of `estimator` too. Unknown and duplicate keys are errors.\n"
	"Times are seconds or have a unit: `90s`, `30m`, `4h`, `4d`. A key that is not written is not sent, unless it has a\n"
	"default.\n";

static const char *type_words(const struct schema_key *row)
{
	switch (row->type) {
	case SCHEMA_MAPPING:
	case SCHEMA_MAP:
		return "mapping";
	case SCHEMA_LIST:
		return "list";
	case SCHEMA_INTEGER:
		return "whole number";
	case SCHEMA_NUMBER:
		return "number";
	case SCHEMA_BOOLEAN:
		return "true or false";
	case SCHEMA_DURATION:
		return "time";
	case SCHEMA_SCALAR:
		return "text or number";
	case SCHEMA_VALUE:
		return "any value";
	case SCHEMA_RAW:
		return "mapping in the API's names";
	case SCHEMA_INPUTS:
	case SCHEMA_INPUT:
		return "text or mapping";
	case SCHEMA_STRING:
		break;
	}
	return "text";
}

/* A table's cell: a bar would end it, and what stands in backquotes shows everything as it is. */
static void add_cell(struct str *out, const char *text, bool is_code)
{
	str_add(out, is_code && *text ? " `" : " ");
	for (; *text; text++)
		str_addf(out, *text == '|' ? "\\%c" : "%c", *text);
	str_add(out, is_code && out->s[out->len - 1] != ' ' ? "` |" : " |");
}

static void add_range(struct str *out, int64_t min, int64_t max, const char *unit)
{
	bool has_min = min != SHAPE_NO_MIN && min > 0, has_max = max != SHAPE_NO_MAX && max > 0;

	if (!has_min && !has_max)
		return;
	str_add(out, out->len ? "; " : "");
	if (has_min)
		str_addf(out, "%s%lld", has_max ? "" : "at least ", (long long)min);
	if (has_max)
		str_addf(out, "%s%lld", has_min ? " to " : "at most ", (long long)max);
	str_add(out, unit);
}

static void add_choices(struct str *out, const char *const *choices)
{
	for (size_t i = 0; choices[i]; i++)
		str_addf(out, "%s%s", i ? ", " : "", choices[i]);
}

static char *limits(const struct schema_key *row)
{
	const struct shape *shape = schema_shape(row);
	struct str out = { 0 };
	int64_t min, max;

	if (schema_choices(row))
		add_choices(&out, schema_choices(row));
	if (row->type == SCHEMA_INTEGER || row->type == SCHEMA_DURATION) {
		schema_range(row, &min, &max);
		add_range(&out, min, max < INT32_MAX ? max : SHAPE_NO_MAX, row->type == SCHEMA_DURATION ? " s" : "");
	} else if (shape && shape->kind == SHAPE_LIST) {
		add_range(&out, shape->min, shape->max, " items");
	} else if (shape && shape->kind == SHAPE_MAP) {
		add_range(&out, shape->min, shape->max, " entries");
	} else if (shape && shape->kind >= SHAPE_LINE && shape->kind != SHAPE_CHOICE && row->type != SCHEMA_BOOLEAN) {
		add_range(&out, shape->min, row->max ? row->max : shape->max, " characters");
		if (shape->pattern)
			str_addf(&out, "%s`%s`", out.len ? "; " : "", shape->pattern);
	}
	return str_detach(&out);
}

/* "instance_type: ml.m5.large", "- ml.m5.large", or nothing for what has keys of its own below it. */
static char *example(const struct schema_key *row)
{
	auto_free char *value = schema_example(row);
	const char *name = strrchr(row->path, '.');

	if (!value)
		return xstrdup("");
	if (str_ends(row->path, "[]"))
		return xasprintf("- %s", value);
	name = name ? name + 1 : row->path;
	return xasprintf("%s: %s", strcmp(name, "*") ? name : "name", value);
}

static void add_row(struct str *out, const struct schema_key *row)
{
	auto_free char *limit = limits(row);
	auto_free char *shown = example(row);

	str_add(out, "|");
	add_cell(out, row->path, true);
	add_cell(out, row->words, false);
	add_cell(out, type_words(row), false);
	add_cell(out, row->fallback ? row->fallback : "", true);
	add_cell(out, limit, false);
	add_cell(out, shown, true);
	add_cell(out, row->request ? row->request : "", true);
	str_add(out, "\n");
}

static bool begins_section(const struct schema_key *row)
{
	bool has_rows_below = row->type == SCHEMA_MAPPING || row->type == SCHEMA_MAP || row->type == SCHEMA_INPUTS;

	return has_rows_below && !strpbrk(row->path, ".[");
}

static void add_head(struct str *out, const char *title)
{
	str_addf(out, "\n## %s\n\n| key | what it says | type | default | limits | example | request |\n", title);
	str_add(out, "|---|---|---|---|---|---|---|\n");
}

char *schema_reference(void)
{
	struct str out = { 0 };
	const char *section = "";

	str_add(&out, head);
	add_head(&out, "The file itself");
	for (const struct schema_key *row = schema_keys; row->path; row++) {
		if (begins_section(row)) {
			section = row->path;
			add_head(&out, section);
		} else if (*section && !strpbrk(row->path, ".[")) {
			section = "";
			add_head(&out, "Also in the file itself");
		}
		add_row(&out, row);
	}
	return str_detach(&out);
}
