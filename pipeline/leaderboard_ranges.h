#ifndef SMPIPE_PIPELINE_LEADERBOARD_RANGES_H
#define SMPIPE_PIPELINE_LEADERBOARD_RANGES_H

/* The objectives and ranges of a leaderboard's definitions: what pipeline/leaderboard itself calls. */

#include "pipeline/leaderboard.h"

/* Read them, the children being there: a hyperparameter without a range (autotune) gets that of its tried values. */
void leaderboard_read_definitions(struct leaderboard *b, const json_t *description);
void leaderboard_release_definitions(struct leaderboard *b);

#endif
