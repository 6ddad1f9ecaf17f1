#ifndef SMPIPE_CMD_LEADERBOARD_VIEW_H
#define SMPIPE_CMD_LEADERBOARD_VIEW_H

/* What a leaderboard looks like. */

#include "pipeline/leaderboard.h"

struct leaderboard_view {
	size_t max_children; /* rows of the table */
	int64_t now_ms;
};

/*
 * How far the job is, its training jobs as a table by rank, and for each tuned hyperparameter a line that shows where
 * the tried values lie: "o" one value, a digit that many, "*" the best; of a category how often each value was tried
 * and the best objective with it. Printable lines, each with its end. New string.
 */
char *leaderboard_view(const struct leaderboard *b, const struct leaderboard_view *view);

#endif
