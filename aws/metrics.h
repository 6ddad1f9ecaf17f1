#ifndef SMPIPE_AWS_METRICS_H
#define SMPIPE_AWS_METRICS_H

/* Metric definitions applied to log lines, as the training service does: the first group of each match is the value. */

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

struct metrics;

/* definitions: [{"Name","Regex"}] or NULL. Regexes are translated to POSIX extended ones (aws/metrics_regex.h).
 * ERR_CONFIG. */
int metrics_new(const json_t *definitions, struct metrics **ret, struct err *err);
/* Feed one log line; fn is called for every value found: nan and inf count, text that is no number does not. */
typedef void (*metrics_fn)(void *ctx, const char *name, double value);
void metrics_feed(struct metrics *m, const char *line, metrics_fn fn, void *ctx);
void metrics_free(struct metrics *m);

#endif
