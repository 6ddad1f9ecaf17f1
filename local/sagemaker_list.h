#ifndef SMPIPE_LOCAL_SAGEMAKER_LIST_H
#define SMPIPE_LOCAL_SAGEMAKER_LIST_H

/* What SageMaker's List operations have in common: filters, order and pages. */

#include <stdbool.h>

#include "aws/sagemaker.h"
#include "local/json_api.h"

/*
 * Answer with the page that a request asks for: NameContains, StatusEquals, CreationTimeAfter and …Before,
 * LastModifiedTimeAfter and …Before, SortBy (else sort_by), SortOrder, MaxResults, NextToken. all: an array of
 * summaries of jobs of that kind; taken over. Sorted by FinalObjectiveMetricValue, summaries without one are left out.
 */
void listing_respond(const json_t *in, json_t *all, const struct sagemaker_job_kind *kind, const char *sort_by,
		     struct local_response *resp);

#endif
