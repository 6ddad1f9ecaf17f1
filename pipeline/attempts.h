#ifndef SMPIPE_PIPELINE_ATTEMPTS_H
#define SMPIPE_PIPELINE_ATTEMPTS_H

/* The numbered attempts of one request, as the service has them: jobs <base>, <base>-2, <base>-3 … without a gap. */

#include "aws/call.h"
#include "pipeline/plan.h"

/*
 * The last attempt ("1", "2", …) and its description; both stay NULL when there is none. New. ERR_CONFLICT: there are
 * 999 already, and no name is left for another.
 */
int attempts_find_last(struct aws *aws, const struct plan *plan, char **ret_attempt, json_t **ret_job, struct err *err);

#endif
