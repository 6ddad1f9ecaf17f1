#ifndef SMPIPE_LOCAL_CHECKPOINTS_H
#define SMPIPE_LOCAL_CHECKPOINTS_H

/*
 * The folder that all hosts of a job share, and CheckpointConfig.S3Uri: restored before the job starts, then what
 * appears, changes and vanishes in the folder does so in S3, every few seconds and at the end.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
 */

#include "local/cloud.h"

#define CHECKPOINTS_PERIOD_S 3

struct checkpoints;

/* The folder is made; without a CheckpointConfig nothing is ever copied. */
int checkpoints_new(struct cloud *cloud, const json_t *request, const char *dir, struct checkpoints **ret,
		    struct err *err);
void checkpoints_free(struct checkpoints *c);

/* All objects below the URI. ClientError when there is no such bucket. */
int checkpoints_restore(struct checkpoints *c, struct err *err);

/* Copy once. A file that cannot be copied (it may just be written) does not keep the others back. */
int checkpoints_sync(struct checkpoints *c, struct err *err);

/* Copy every CHECKPOINTS_PERIOD_S in a thread of its own; without one nothing is lost but time. */
void checkpoints_begin(struct checkpoints *c);
/* Once the hosts have ended: end the thread. */
void checkpoints_end(struct checkpoints *c);

#endif
