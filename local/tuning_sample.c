#include "local/tuning_sample.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "aws/sagemaker_tuning_request.h"
#include "base/json.h"
#include "base/mem.h"

#define POINTS_MAX  (UINT64_C(1) << 32)
#define REDRAWS     64
#define AUTO_FACTOR 100

enum scale { LINEAR, LOGARITHMIC, REVERSE_LOGARITHMIC };

struct range {
	const char *name;     /* in the space's copy of the ranges */
	const json_t *values; /* of a category */
	enum sagemaker_range_kind kind;
	enum scale scale;
	double min, max;
	int64_t first, last; /* of an integer */
};

struct sampler {
	json_t *ranges;
	struct range *v;
	size_t n;
	uint64_t points, next;
	uint64_t state; /* of the random numbers */
	json_t *drawn;  /* a finite space's points as text: true */
};

/* SplitMix64 (Steele, Lea, Flood 2014): small, and any seed is a good one. */
static uint64_t random_bits(struct sampler *s)
{
	uint64_t z = s->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* In [0, 1). */
static double random_unit(struct sampler *s)
{
	return (double)(random_bits(s) >> 11) * 0x1p-53;
}

static int parse_number(const json_t *range, const char *member, double *ret, struct err *err)
{
	const char *text = json_str(range, member);

	if (!sagemaker_parse_bound(text, ret))
		return err_set(err, ERR_CONFIG, "ParameterRanges: %s.%s: '%s' is no number", json_str(range, "Name"),
			       member, text ? text : "");
	return 0;
}

static int parse_integer(const json_t *range, const char *member, int64_t *ret, struct err *err)
{
	const char *text = json_str(range, member);

	if (!sagemaker_parse_whole_bound(text, ret))
		return err_set(err, ERR_CONFIG, "ParameterRanges: %s.%s: '%s' is no integer", json_str(range, "Name"),
			       member, text ? text : "");
	return 0;
}

static enum scale choose_scale(const struct range *r, const char *given)
{
	if (str_eq(given, "Logarithmic"))
		return r->min > 0 ? LOGARITHMIC : LINEAR;
	if (str_eq(given, "ReverseLogarithmic"))
		return r->kind == RANGE_CONTINUOUS && r->min >= 0 && r->max < 1 ? REVERSE_LOGARITHMIC : LINEAR;
	if (str_eq(given, "Linear"))
		return LINEAR;
	return r->min > 0 && r->max / r->min >= AUTO_FACTOR ? LOGARITHMIC : LINEAR;
}

static int parse_range(const json_t *range, enum sagemaker_range_kind kind, struct range *ret, struct err *err)
{
	*ret = (struct range){ .name = json_str(range, "Name"), .kind = kind };
	if (!ret->name)
		return err_set(err, ERR_CONFIG, "ParameterRanges: a range has no Name");
	if (kind == RANGE_CATEGORICAL) {
		ret->values = json_object_get(range, "Values");
		if (json_array_size(ret->values) == 0)
			return err_set(err, ERR_CONFIG, "ParameterRanges: %s has no Values", ret->name);
		return 0;
	}
	if (parse_number(range, "MinValue", &ret->min, err) < 0 || parse_number(range, "MaxValue", &ret->max, err) < 0)
		return -1;
	if (kind == RANGE_INTEGER && (parse_integer(range, "MinValue", &ret->first, err) < 0 ||
				      parse_integer(range, "MaxValue", &ret->last, err) < 0))
		return -1;
	if (ret->min > ret->max)
		return err_set(err, ERR_CONFIG, "ParameterRanges: %s: MinValue is above MaxValue", ret->name);
	ret->scale = choose_scale(ret, json_str(range, "ScalingType"));
	return 0;
}

/* How many values a range has; 0: no number can say, as of all integers. */
static uint64_t count_values(const struct range *r)
{
	if (r->kind == RANGE_CONTINUOUS)
		return 0;
	return r->kind == RANGE_INTEGER ? (uint64_t)r->last - (uint64_t)r->first + 1 : json_array_size(r->values);
}

static uint64_t count_points(const struct sampler *s)
{
	uint64_t points = 1;

	for (size_t i = 0; i < s->n; i++) {
		uint64_t n = count_values(&s->v[i]);

		if (n == 0 || n > POINTS_MAX / points)
			return 0;
		points *= n;
	}
	return points;
}

static int parse_list(struct sampler *s, enum sagemaker_range_kind kind, struct err *err)
{
	const json_t *list = sagemaker_range_list(s->ranges, kind);
	size_t i;
	json_t *range;

	s->v = xreallocarray(s->v, s->n + json_array_size(list) + 1, sizeof(*s->v));
	json_array_foreach(list, i, range) {
		if (parse_range(range, kind, &s->v[s->n], err) < 0)
			return -1;
		s->n++;
	}
	return 0;
}

int sampler_new(const json_t *ranges, uint64_t seed, struct sampler **ret, struct err *err)
{
	struct sampler *s = xcalloc(1, sizeof(*s));

	s->ranges = ranges ? json_deep_copy(ranges) : json_object();
	s->drawn = json_object();
	s->state = seed;
	if (parse_list(s, RANGE_CATEGORICAL, err) < 0 || parse_list(s, RANGE_INTEGER, err) < 0 ||
	    parse_list(s, RANGE_CONTINUOUS, err) < 0) {
		sampler_free(s);
		return -1;
	}
	s->points = count_points(s);
	*ret = s;
	return 0;
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	json_decref(s->ranges);
	json_decref(s->drawn);
	free(s->v);
	free(s);
}

uint64_t sampler_points(const struct sampler *s)
{
	return s->points;
}

static double draw_between(struct sampler *s, double min, double max, enum scale scale)
{
	double u = random_unit(s), x;

	if (scale == LOGARITHMIC)
		x = exp(log(min) + u * (log(max) - log(min)));
	else if (scale == REVERSE_LOGARITHMIC)
		x = 1 - exp(log(1 - min) + u * (log(1 - max) - log(1 - min)));
	else
		x = 2 * (min / 2 + u * (max / 2 - min / 2)); /* the whole difference may be more than a double holds */
	return fmin(fmax(x, min), max);
}

/* The shortest text that is read back as the same number. */
static json_t *number_text(double x)
{
	char text[40];
	int digits = 1;

	do
		snprintf(text, sizeof(text), "%.*g", digits, x);
	while (strtod(text, NULL) != x && digits++ < 17);
	return json_string(text);
}

static json_t *integer_text(int64_t x)
{
	return json_sprintf("%" JSON_INTEGER_FORMAT, (json_int_t)x);
}

static json_t *draw_value(struct sampler *s, const struct range *r)
{
	double x;

	if (r->kind == RANGE_CATEGORICAL)
		return json_incref(json_array_get(r->values, random_bits(s) % json_array_size(r->values)));
	if (r->kind == RANGE_CONTINUOUS)
		return number_text(draw_between(s, r->min, r->max, r->scale));
	/* Each integer owns the half unit around it on its scale. */
	x = round(draw_between(s, r->min - 0.5, r->max + 0.5, r->scale));
	/* The greatest integers are less than the doubles next to them. */
	return integer_text(x <= r->min ? r->first : x >= r->max ? r->last : (int64_t)x);
}

static json_t *draw(struct sampler *s)
{
	json_t *point = json_object();

	for (size_t i = 0; i < s->n; i++)
		json_object_set_new(point, s->v[i].name, draw_value(s, &s->v[i]));
	return point;
}

static json_t *value_at(const struct range *r, uint64_t index)
{
	return r->kind == RANGE_CATEGORICAL ? json_incref(json_array_get(r->values, index))
					    : integer_text(r->first + (int64_t)index);
}

static json_t *point_at(const struct sampler *s, uint64_t index)
{
	json_t *point = json_object();

	for (size_t i = s->n; i-- > 0;) {
		uint64_t n = count_values(&s->v[i]);

		json_object_set_new(point, s->v[i].name, value_at(&s->v[i], index % n));
		index /= n;
	}
	return point;
}

static bool was_drawn(const struct sampler *s, const json_t *point)
{
	auto_free char *text = json_canonical(point);

	return json_object_get(s->drawn, text) != NULL;
}

/* Any point that is left, each with the same chance to be the first one met. */
static json_t *draw_unused(struct sampler *s)
{
	uint64_t start = random_bits(s) % s->points;

	for (uint64_t i = 0;; i++) {
		json_t *point = point_at(s, (start + i) % s->points);

		if (!was_drawn(s, point))
			return point;
		json_decref(point);
	}
}

json_t *sampler_random(struct sampler *s)
{
	json_t *point = draw(s);
	auto_free char *text = NULL;

	if (s->points == 0 || json_object_size(s->drawn) >= s->points)
		return point;
	for (int i = 0; i < REDRAWS && was_drawn(s, point); i++) {
		json_decref(point);
		point = draw(s);
	}
	if (was_drawn(s, point)) {
		json_decref(point);
		point = draw_unused(s);
	}
	text = json_canonical(point);
	json_object_set_new(s->drawn, text, json_true());
	return point;
}

json_t *sampler_next(struct sampler *s)
{
	return s->next < s->points ? point_at(s, s->next++) : NULL;
}
