#ifndef SMPIPE_LOCAL_SAGEMAKER_LIST_H
#define SMPIPE_LOCAL_SAGEMAKER_LIST_H

/* What SageMaker's List operations have in common: filters, order and pages. */

#include <stdbool.h>

#include "local/json_api.h"

/* The members of a summary that the filters and SortBy are about. */
struct listing_members {
	const char *name, *status;
	const char *answer; /* of the array in the answer */
	/* When the request has no SortBy. */
	const char *sort_by;
};

/*
 * Answer with the page that a request asks for: NameContains, StatusEquals, CreationTimeAfter and …Before,
 * LastModifiedTimeAfter and …Before, SortBy, SortOrder, MaxResults, NextToken. all: an array of summaries; taken over.
 * Sorted by FinalObjectiveMetricValue, summaries without one are left out.
 */
void listing_respond(const json_t *in, json_t *all, const struct listing_members *members, struct local_response *resp);

#endif
