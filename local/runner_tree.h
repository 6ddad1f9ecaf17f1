#ifndef SMPIPE_LOCAL_RUNNER_TREE_H
#define SMPIPE_LOCAL_RUNNER_TREE_H

/* The files below /opt/ml of one job, which lie in jobs/<job>/ml. */

#include "local/cloud.h"

/* The folders; those that the algorithm writes to are open to every user, as the image may not run as root. */
int tree_make(const char *ml, struct err *err);

/* hyperparameters.json, inputdataconfig.json and resourceconfig.json, each exactly as the service writes it. */
int tree_write_config(const char *ml, const json_t *request, const char *network_interface, struct err *err);

/*
 * The objects of every channel and of the checkpoints. Service code "ClientError": a channel has no bucket or no
 * objects.
 */
int tree_fetch_inputs(struct cloud *cloud, const char *ml, const json_t *request, struct err *err);

/* The first 1024 characters of output/failure, "" if there is none; valid UTF-8. New string. */
char *tree_read_failure(const char *ml);

/* Text from the container as valid UTF-8 without NUL: other bytes become '?'. New string. */
char *tree_clean_text(const char *p, size_t n);

#endif
