#ifndef SMPIPE_LOCAL_RUNNER_ARTIFACTS_H
#define SMPIPE_LOCAL_RUNNER_ARTIFACTS_H

/* What a training job leaves goes to S3: below <S3OutputPath>/<job>/output/. */

#include "base/filelist.h"
#include "local/cloud.h"

/* model.tar.gz, or plain files below model/ with CompressionType NONE. *ret_uri is new. */
int artifacts_upload_model(struct cloud *cloud, const struct filelist *files, const json_t *request, char **ret_uri,
			   struct err *err);
/* output.tar.gz; nothing when there are no files. */
int artifacts_upload_output(struct cloud *cloud, const struct filelist *files, const json_t *request, struct err *err);

/*
 * Add to ret, which is sorted, what lies below root: the hosts' files make one archive. What cannot lie beside a file
 * that is there already is left out, and named to on_clash.
 */
typedef int (*artifacts_clash_fn)(void *ctx, const char *path, struct err *err);
int artifacts_merge(const char *root, artifacts_clash_fn on_clash, void *ctx, struct filelist *ret, struct err *err);

/*
 * The regular files and links below root as entries relative to it, sorted. Links stay links and are never followed;
 * sockets, FIFOs and devices are left out. Nothing when root is no folder.
 */
int artifacts_list(const char *root, struct filelist *ret, struct err *err);

#endif
