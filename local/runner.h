#ifndef SMPIPE_LOCAL_RUNNER_H
#define SMPIPE_LOCAL_RUNNER_H

/*
 * Runs training jobs as the service does: input data and configuration below /opt/ml, the image as one container of
 * the Docker Engine for each host, its output to the logs, what it leaves to S3.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
 */

#include "local/sagemaker_store.h"

/* Run a job in a thread of its own. Whatever happens, the job ends in a final status. */
void runner_start(struct store_sagemaker *s, struct job *j);

/* Remove what an earlier process left of a job in the Engine, in a thread of its own; if there is no Engine it stays.
 */
void runner_remove_orphan(struct store_sagemaker *s, struct job *j);

#endif
