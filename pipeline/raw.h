#ifndef SMPIPE_PIPELINE_RAW_H
#define SMPIPE_PIPELINE_RAW_H

/* `raw:` and `tuner.raw:` of smpipe.yaml: members of the request in the API's own names, for what is newer than the
 * table of limits. */

#include "pipeline/config.h"
#include "pipeline/job_kind.h"

/* Lay raw over the request: structures and maps member by member, all else replaced. ERR_CONFIG: a member that smpipe
 * fills itself. */
int raw_merge(const struct config *c, enum job_kind kind, json_t *request, struct err *err);

/*
 * A copy of the merged request that can be checked: without members that the table of limits does not know, and with a
 * known choice for one that it does not know. Their paths are added to ret_newer. New reference.
 */
json_t *raw_without_newer(const struct config *c, enum job_kind kind, const json_t *request, struct strlist *ret_newer);

/* Whether raw says this member ("VpcConfig.Subnets[0]") or one above it that is no structure of the request's own. */
bool raw_says(const struct config *c, enum job_kind kind, const char *member);

#endif
