#include "cmd/show_tuning.h"

#include <stdio.h>

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/table.h"
#include "pipeline/provenance.h"

static const char *or_unknown(const char *s)
{
	return s ? s : "?";
}

static void print_objective(const json_t *objective)
{
	if (objective)
		cmd_print("objective  %s %s\n", or_unknown(json_str(objective, "Type")),
			  or_unknown(json_str(objective, "MetricName")));
}

static void print_ranges(const json_t *ranges)
{
	static const enum sagemaker_range_kind numeric[] = { RANGE_CONTINUOUS, RANGE_INTEGER };
	size_t i, v;
	json_t *r, *value;

	for (size_t k = 0; k < ARRAY_LEN(numeric); k++) {
		json_array_foreach(sagemaker_range_list(ranges, numeric[k]), i, r) {
			const char *scaling = json_str(r, "ScalingType");

			cmd_print("range      %s from %s to %s%s%s\n", or_unknown(json_str(r, "Name")),
				  or_unknown(json_str(r, "MinValue")), or_unknown(json_str(r, "MaxValue")),
				  scaling ? ", " : "", scaling ? scaling : "");
		}
	}
	json_array_foreach(sagemaker_range_list(ranges, RANGE_CATEGORICAL), i, r) {
		cmd_print("range      %s of", or_unknown(json_str(r, "Name")));
		json_array_foreach(json_object_get(r, "Values"), v, value)
			cmd_print(" %s", or_unknown(json_string_value(value)));
		cmd_print("\n");
	}
}

static void print_fixed(const json_t *definition)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(definition, "StaticHyperParameters"), name, value)
		cmd_print("parameter  %s=%s\n", name, or_unknown(json_string_value(value)));
}

static void print_definitions(const json_t *request)
{
	const json_t *config = json_object_get(request, "HyperParameterTuningJobConfig"), *definition;

	cmd_print("strategy   %s\n", or_unknown(json_str(config, "Strategy")));
	for (size_t i = 0; (definition = sagemaker_tuning_definition(request, i)); i++) {
		const char *name = json_str(definition, "DefinitionName");

		if (name)
			cmd_print("definition %s\n", name);
		print_objective(sagemaker_tuning_objective(request, definition));
		print_ranges(sagemaker_tuning_ranges(request, definition));
		print_fixed(definition);
	}
}

/* "lr=0.1 batch_size=64"; new string. */
static char *values_of(const json_t *child)
{
	auto_str text = { 0 };
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(child, "hyperparameters"), name, value)
		str_addf(&text, "%s%s=%s", text.len ? " " : "", name, or_unknown(json_string_value(value)));
	return str_detach(&text);
}

static void print_children(const json_t *tuning)
{
	const char *best = json_str(tuning, "best");
	auto_table t = { .max_width = 1000 };
	auto_str lines = { 0 };
	size_t i;
	json_t *child;

	json_array_foreach(json_object_get(tuning, "children"), i, child) {
		const char *name = or_unknown(json_str(child, "job"));
		const json_t *objective = json_object_get(child, "objective");
		auto_free char *values = values_of(child);
		auto_free char *number =
			json_is_number(objective) ? xasprintf("%.6g", json_number_value(objective)) : NULL;

		table_add(&t, best && str_eq(name, best) ? "best     "
							 : "trial    "); /* in the column of the other lines */
		table_add(&t, name);
		table_add(&t, json_str(child, "status"));
		table_add(&t, number);
		table_add(&t, values);
		table_end_row(&t);
	}
	table_draw(&t, &lines);
	fputs(str_text(&lines), stdout);
}

void show_tuning(const json_t *statement)
{
	print_definitions(provenance_request(statement));
	print_children(provenance_tuning(statement));
}
