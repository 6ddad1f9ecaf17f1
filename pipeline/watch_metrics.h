#ifndef SMPIPE_PIPELINE_WATCH_METRICS_H
#define SMPIPE_PIPELINE_WATCH_METRICS_H

/* A training job's metrics as its log lines bring them, long before the service lists them. */

#include <stdbool.h>

#include "aws/metrics.h"

struct watch_metric {
	char *name;
	double value; /* the last one of any host */
};

struct watch_metrics {
	struct metrics *metrics; /* NULL: the job defines none */
	struct watch_metric *v;
	size_t n, cap;
	bool is_changed;
};

/* The definitions of a DescribeTrainingJob answer. ERR_CONFIG: one of them is no regex that smpipe can read. */
int watch_metrics_init(struct watch_metrics *m, const json_t *job, struct err *err);
void watch_metrics_release(struct watch_metrics *m);
void watch_metrics_feed(struct watch_metrics *m, const char *line);

/* "Train Loss=0.25  F1=0.9" when a value has changed since the last call, else NULL; new string. */
char *watch_metrics_news(struct watch_metrics *m);

#endif
