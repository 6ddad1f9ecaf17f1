#ifndef SMPIPE_LOCAL_RUNNER_TREE_H
#define SMPIPE_LOCAL_RUNNER_TREE_H

/* The files below /opt/ml of one host, which lie in jobs/<job>/<host>. Hosts are counted from 0. */

#include "local/cloud.h"

/* "algo-1" for host 0; new. */
char *tree_host_name(size_t host);

/* The folders; those that the algorithm writes to are open to every user, as the image may not run as root. */
int tree_make(const char *ml, struct err *err);
/* One folder of that kind. */
int tree_make_open(const char *path, struct err *err);
/* Let every user read and write what lies below dir. */
int tree_open_all(const char *dir, struct err *err);

/* hyperparameters.json, inputdataconfig.json and resourceconfig.json, each exactly as the service writes it. */
int tree_write_config(const char *ml, const json_t *request, size_t host, const char *network_interface,
		      struct err *err);

/* What the host gets of every channel. Service code "ClientError": a channel has no bucket or no objects. */
int tree_fetch_inputs(struct cloud *cloud, const char *ml, const json_t *request, size_t host, struct err *err);

/* The first 1024 characters of output/failure, "" if there is none; valid UTF-8. New string. */
char *tree_read_failure(const char *ml);

/* Text from the container as valid UTF-8 without NUL: other bytes become '?'. New string. */
char *tree_clean_text(const char *p, size_t n);

#endif
