#include "pipeline/watch_metrics.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

int watch_metrics_init(struct watch_metrics *m, const json_t *job, struct err *err)
{
	const json_t *definitions = json_at(job, "AlgorithmSpecification", "MetricDefinitions", NULL);

	return json_array_size(definitions) ? metrics_new(definitions, &m->metrics, err) : 0;
}

void watch_metrics_release(struct watch_metrics *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].name);
	free(m->v);
	metrics_free(m->metrics);
	*m = (struct watch_metrics){ 0 };
}

static struct watch_metric *find(struct watch_metrics *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++) {
		if (str_eq(m->v[i].name, name))
			return &m->v[i];
	}
	array_grow(m->v, m->n, m->cap);
	m->v[m->n] = (struct watch_metric){ .name = xstrdup(name) };
	m->is_changed = true;
	return &m->v[m->n++];
}

static void on_value(void *ctx, const char *name, double value)
{
	struct watch_metrics *m = ctx;
	struct watch_metric *metric = find(m, name);

	m->is_changed |= metric->value != value && !(isnan(metric->value) && isnan(value));
	metric->value = value;
}

void watch_metrics_feed(struct watch_metrics *m, const char *line)
{
	if (m->metrics)
		metrics_feed(m->metrics, line, on_value, m);
}

char *watch_metrics_news(struct watch_metrics *m)
{
	auto_str text = { 0 };

	if (!m->is_changed)
		return NULL;
	m->is_changed = false;
	for (size_t i = 0; i < m->n; i++)
		str_addf(&text, "%s%s=%.6g", i ? "  " : "", m->v[i].name, m->v[i].value);
	return str_detach(&text);
}
