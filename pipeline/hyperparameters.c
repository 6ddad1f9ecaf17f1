#include "pipeline/hyperparameters.h"

#include "base/json.h"
#include "base/mem.h"

/* https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html: the text says 256, the model
 * 2500. */
#define DOCUMENTED_MAX 256

char *hyperparameters_quote(const char *text)
{
	auto_json *j = json_string(text);

	return json_compact(j);
}

bool hyperparameters_are_json(const struct config *c, bool delivers_source)
{
	const char *encoding = config_str(c, "estimator.hyperparameter_encoding");

	if (encoding)
		return str_eq(encoding, "json");
	return delivers_source && str_eq(config_str(c, "source.delivery"), "toolkit");
}

static bool encodes_json(const struct config *c, const struct training_job_facts *facts)
{
	return hyperparameters_are_json(c, facts->source_uri);
}

/* The SageMaker training toolkit's own parameters, JSON-encoded as its SDK does. */
static json_t *toolkit_parameters(const struct config *c, const struct training_job_facts *facts)
{
	bool is_channel = str_eq(config_str(c, "source.delivery"), "channel");
	auto_free char *directory =
		hyperparameters_quote(is_channel ? "/opt/ml/input/data/code/sourcedir.tar.gz" : facts->source_uri);
	auto_free char *program = hyperparameters_quote(config_str(c, "source.entry_point"));
	auto_free char *name = hyperparameters_quote(facts->job_name);
	auto_free char *region = hyperparameters_quote(facts->region);
	auto_free char *level = xasprintf("%lld", (long long)config_int(c, "estimator.container_log_level"));

	return json_pack("{ss ss ss ss ss}", "sagemaker_submit_directory", directory, "sagemaker_program", program,
			 "sagemaker_container_log_level", level, "sagemaker_job_name", name, "sagemaker_region",
			 region);
}

char *hyperparameters_text(const struct config *c, const struct training_job_facts *facts, const json_t *value)
{
	const char *literal = json_str(value, "literal");

	if (!literal && encodes_json(c, facts))
		return hyperparameters_quote(json_string_value(value));
	return xstrdup(literal ? literal : json_string_value(value));
}

static void add_own(const struct config *c, const struct training_job_facts *facts, json_t *parameters)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)config_value(c, "estimator.hyperparameters"), name, value) {
		auto_free char *text = hyperparameters_text(c, facts, value);
		auto_free char *path = xasprintf("estimator.hyperparameters.%s", name);
		size_t n = strlen(text);

		json_put_str(parameters, name, text);
		if (n > DOCUMENTED_MAX)
			strlist_take(facts->warnings,
				     config_warning(c, path,
						    "'%s' is %zu bytes long; the documentation allows %d characters, "
						    "the service's model 2500",
						    name, n, DOCUMENTED_MAX));
	}
}

int hyperparameters_encode(const struct config *c, const struct training_job_facts *facts, json_t **ret,
			   struct err *err)
{
	auto_json *parameters = json_object();
	auto_json *toolkit = facts->source_uri ? toolkit_parameters(c, facts) : json_object();
	const char *name;
	json_t *value;

	add_own(c, facts, parameters);
	json_object_foreach(toolkit, name, value) {
		auto_free char *path = xasprintf("estimator.hyperparameters.%s", name);

		if (json_object_get(parameters, name)) {
			config_error(c, err, path, "'%s' is set by smpipe, for the toolkit that unpacks the code",
				     name);
			return err_hint(err, "leave it out; it follows from source:");
		}
		json_object_set(parameters, name, value);
	}
	*ret = take(parameters);
	return 0;
}
