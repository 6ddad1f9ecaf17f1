#ifndef SMPIPE_LOCAL_RUNNABLE_H
#define SMPIPE_LOCAL_RUNNABLE_H

/*
 * Whether the local cloud can run a valid CreateTrainingJob request: what the service would refuse when it looks at the
 * account (no bucket, no image), and what does not exist here yet. ERR_CONFIG.
 */

#include "local/cloud.h"

int runnable_check(struct cloud *cloud, const json_t *request, struct err *err);

/* The same for a valid CreateHyperParameterTuningJob request and each training job that it would start. */
int runnable_check_tuning(struct cloud *cloud, const json_t *request, struct err *err);

/* What of such a request is taken but not done; new, NULL when all is. */
char *runnable_note(const json_t *request);

/* The repository and tag or digest, new, when the image lies in the cloud's own registry; else false. */
bool runnable_own_image(const struct cloud *cloud, const char *image, char **ret_repository, char **ret_reference);

/* The input mode of a channel: its own, else the algorithm's. Borrowed. */
const char *runnable_input_mode(const json_t *request, const json_t *channel);

#endif
