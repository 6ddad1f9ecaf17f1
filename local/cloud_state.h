#ifndef SMPIPE_LOCAL_CLOUD_STATE_H
#define SMPIPE_LOCAL_CLOUD_STATE_H

/* cloud.json: what outlives the process (port and key) and how to reach the process that runs. Mode 0600. */

#include "local/cloud.h"

struct cloud_state {
	int port;    /* the one used last; 0: none yet */
	int64_t pid; /* 0: not running, as far as is known */
	char *account, *access_key_id;
	struct secret secret_access_key;
};
#define auto_cloud_state __attribute__((cleanup(cloud_state_release))) struct cloud_state
void cloud_state_release(struct cloud_state *state);

/* ERR_NOT_FOUND, ERR_INVALID. */
int cloud_state_read(const char *dir, struct cloud_state *ret, struct err *err);
int cloud_state_write(const char *dir, const struct cloud_state *state, struct err *err);
/* A new account key. */
void cloud_state_init(struct cloud_state *state, const struct sys *sys);

/* The lock file of a folder; new string. */
char *cloud_lock_path(const char *dir);

#endif
