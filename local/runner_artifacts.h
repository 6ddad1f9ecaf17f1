#ifndef SMPIPE_LOCAL_RUNNER_ARTIFACTS_H
#define SMPIPE_LOCAL_RUNNER_ARTIFACTS_H

/* What a training job leaves goes to S3: below <S3OutputPath>/<job>/output/. */

#include "base/filelist.h"
#include "local/cloud.h"

/* model.tar.gz, or plain files below model/ with CompressionType NONE. *ret_uri is new. */
int artifacts_upload_model(struct cloud *cloud, const char *ml, const json_t *request, char **ret_uri, struct err *err);
/* output.tar.gz of output/data; nothing when that is empty. */
int artifacts_upload_output(struct cloud *cloud, const char *ml, const json_t *request, struct err *err);
/* The files of the checkpoints below CheckpointConfig.S3Uri; nothing without one. */
int artifacts_upload_checkpoints(struct cloud *cloud, const char *ml, const json_t *request, struct err *err);

/*
 * The regular files and links below root as entries relative to it, sorted. Links stay links and are never followed;
 * sockets, FIFOs and devices are left out. Nothing when root is no folder.
 */
int artifacts_list(const char *root, struct filelist *ret, struct err *err);

#endif
