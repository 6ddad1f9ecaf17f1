#ifndef SMPIPE_PIPELINE_REQUEST_H
#define SMPIPE_PIPELINE_REQUEST_H

/* Checking a request that was made from smpipe.yaml: what the service would refuse becomes a complaint about the file.
 */

#include "pipeline/config.h"
#include "pipeline/job_kind.h"

/* ERR_CONFIG with a position. What raw says and the table of limits does not know passes; warnings gets a line for
 * each.
 */
int request_check(const struct config *c, enum job_kind kind, const json_t *request, struct strlist *warnings,
		  struct err *err);

/* The same of a request to which something has been added since; worded as in aws/sagemaker_limits.h, no warnings. */
int request_check_again(const struct config *c, enum job_kind kind, const json_t *request, struct err *err);

#endif
