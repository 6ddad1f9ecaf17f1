#ifndef SMPIPE_CMD_CMD_DATA_H
#define SMPIPE_CMD_CMD_DATA_H

/* What the verbs of `smpipe data`, and gc, share. */

#include "cmd/cmd.h"
#include "s3/snapshots.h"
#include "s3/uri.h"

struct data {
	struct cmd *cmd;
	struct target target;
	struct plan plan; /* of plan_make_data, after data_plan() */
	struct clients c;
	struct s3 s3;
};

/* Meet the needs of what looks after data. */
int data_open(struct cmd *cmd, struct data *ret, struct err *err);
void data_release(struct data *d);
#define auto_data __attribute__((cleanup(data_release))) struct data
/* Where the data lies, and a client for it: after the local channels that are needed were read. */
int data_plan(struct data *d, struct err *err);
/* The operand after the verb (from 1), or NULL. */
const char *data_operand(const struct data *d, size_t i);
/* The local channel of this name, or NULL. */
struct channel *data_local_channel(const struct data *d, const char *name);
/* The same for a name that the user gave: ERR_USAGE. */
struct channel *data_named_channel(const struct data *d, const char *name, struct err *err);
/* Key prefix of a channel's snapshots, without '/'; new string. */
char *data_prefix(const struct data *d, const char *channel);
/* The channels that have snapshots, or only one. */
int data_channels(struct data *d, const char *only, struct strlist *ret, struct err *err);
/* snapshots_list() of a channel; none where there is no bucket yet. */
int data_snapshots(struct data *d, const char *channel, struct snapshots *ret, struct err *err);

/* Say that there are no snapshots. */
void data_note_none(const struct data *d);

int data_diff(struct data *d, struct err *err);
int data_verify(struct data *d, struct err *err);

#endif
