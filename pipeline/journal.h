#ifndef SMPIPE_PIPELINE_JOURNAL_H
#define SMPIPE_PIPELINE_JOURNAL_H

/*
 * .smpipe/journal: what releases of this work tree set out to do and finished, one JSON object a line, each line synced
 * before the next act. It makes a second run sure of what the first one meant; the remote state stays the truth. A torn
 * last line (a crash while it was written) is dropped.
 */

#include <jansson.h>

#include "base/err.h"
#include "base/sys.h"

struct journal;

/* Open (creating) the journal of a state folder and take the release lock beside it. ERR_CONFLICT: another release
 * runs. */
int journal_open(const char *state_dir, const struct sys *sys, struct journal **ret, struct err *err);
void journal_close(struct journal *j);
void journal_close_p(struct journal **j);
#define auto_journal __attribute__((cleanup(journal_close_p))) struct journal

/* Append {"time":…,"event":event, …members} and sync. members is borrowed. */
int journal_add(struct journal *j, const char *event, const json_t *members, struct err *err);

/*
 * The attempt that a release of this request key set out to launch and that no later entry finished ("recorded");
 * borrowed, NULL when there is none.
 */
const char *journal_open_attempt(const struct journal *j, const char *request_key);

#endif
