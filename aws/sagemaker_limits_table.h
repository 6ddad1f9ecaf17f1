#ifndef SMPIPE_AWS_SAGEMAKER_LIMITS_TABLE_H
#define SMPIPE_AWS_SAGEMAKER_LIMITS_TABLE_H

/*
 * The shapes of the requests CreateTrainingJob and CreateHyperParameterTuningJob as a table.
 * Source: the service model of SageMaker 2017-07-24 (botocore data/sagemaker/2017-07-24/service-2.json).
 */

#include <stdbool.h>
#include <stdint.h>

#define SHAPE_NO_MAX INT64_MAX
#define SHAPE_NO_MIN INT64_MIN

/* An `integer` of the model has 32 bits (Smithy), whatever its maximum; a `long` has 64. */
#define SHAPE_INTEGER_MAX INT32_MAX

enum shape_kind {
	SHAPE_STRUCTURE,
	SHAPE_LIST,
	SHAPE_MAP,
	SHAPE_INTEGER,
	SHAPE_NUMBER, /* with or without a fraction; without limits */
	SHAPE_BOOLEAN,
	SHAPE_LINE,   /* a string without line breaks, of `pattern` if there is one */
	SHAPE_TEXT,   /* any string */
	SHAPE_TAG,    /* letters, digits, spaces and _.:/=+-@ */
	SHAPE_CHOICE, /* one of choices */
};

struct shape {
	enum shape_kind kind;
	int64_t min, max;             /* characters, items or the value itself */
	const char *pattern;          /* POSIX extended, of the whole string; or NULL */
	const char *const *choices;   /* ended by NULL */
	const struct member *members; /* ended by an empty one */
	const struct shape *key;      /* of a map */
	const struct shape *element;  /* of a list or map */
};

struct member {
	const char *name;
	const struct shape *shape;
	bool is_required;
};

extern const struct shape sagemaker_training_job_shape;
extern const struct shape sagemaker_tuning_job_shape;

/* The shape at a path below a request's, "VpcConfig.Subnets[]", "Environment.*" (a value of the map); NULL when there
 * is none. */
const struct shape *sagemaker_shape_below(const struct shape *request, const char *path);

/* The same below either request: the members at their tops have different names, but for Tags, which are the same. */
const struct shape *sagemaker_shape_at(const char *path);

#endif
