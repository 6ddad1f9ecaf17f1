#ifndef SMPIPE_PIPELINE_IMAGE_URI_H
#define SMPIPE_PIPELINE_IMAGE_URI_H

/* image.uri of smpipe.yaml. */

#include "pipeline/config.h"

/* The image that image.uri names, pinned by its digest and without a tag. ERR_CONFIG: it is no reference of an image,
 * or not pinned. New string. */
int image_uri_pinned(const struct config *c, char **ret, struct err *err);

#endif
