#ifndef SMPIPE_PIPELINE_POLICY_H
#define SMPIPE_PIPELINE_POLICY_H

/*
 * The smallest IAM policies with which the present smpipe.yaml can be released: for whoever runs smpipe, for the role
 * that the job assumes, and that role's trust; and apart from them what `gc --yes` needs besides: nobody has to be
 * allowed to delete data in order to release. Pure: nothing is asked.
 *
 * https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (what a training job's role needs)
 * https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html (what its caller needs)
 */

#include <jansson.h>

#include "aws/partition.h"
#include "pipeline/config.h"

struct policy_target {
	const char *account, *region;
	const struct partition *partition;
};

/*
 * *ret: new {"caller": {…}, "role": {…}, "trust": {…}, "gc": {…}}, each a policy document, the last only with local
 * data. *ret_note: new, or NULL: what the reader must know because smpipe.yaml leaves the role open. ERR_CONFIG with a
 * position.
 */
int policy_make(const struct config *c, const struct policy_target *t, json_t **ret, char **ret_note, struct err *err);

#endif
