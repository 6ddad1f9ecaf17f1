#ifndef SMPIPE_CMD_TUNING_REPORT_H
#define SMPIPE_CMD_TUNING_REPORT_H

/* What tune and status tell of a tuning job. */

#include "cmd/cmd.h"
#include "pipeline/watch_tuning.h"

/* How a tuning job is followed: the leaderboard in place in a terminal, elsewhere a line for each event. */
struct watch_tuning_options tuning_report_live(struct cmd *cmd);

/* The leaderboard, once, on stdout. */
void tuning_report_board(const struct cmd *cmd, const struct watched_tuning *w);

/*
 * The best training job, its objective, and what all of them took (as far as the record knows: statement may be NULL);
 * behind it the best hyperparameters as a part of smpipe.yaml.
 */
void tuning_report_best(const struct cmd *cmd, const struct watched_tuning *w, const json_t *statement);

/* All of it for --json. New reference. */
json_t *tuning_report_json(const struct watched_tuning *w, const json_t *statement);

#endif
