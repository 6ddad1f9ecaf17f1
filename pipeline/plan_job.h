#ifndef SMPIPE_PIPELINE_PLAN_JOB_H
#define SMPIPE_PIPELINE_PLAN_JOB_H

/* The job of a plan: its request, and the name that follows from it. What plan_make() itself calls. */

#include "pipeline/plan.h"

/* Set request, request_key and job_base; plan->kind, and all that the job reads and writes, is there already. */
int plan_job(const struct project *p, const struct target *t, struct plan *plan, struct err *err);

#endif
