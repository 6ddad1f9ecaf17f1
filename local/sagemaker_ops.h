#ifndef SMPIPE_LOCAL_SAGEMAKER_OPS_H
#define SMPIPE_LOCAL_SAGEMAKER_OPS_H

/* SageMaker's operations that have files of their own. Each is a json_api_fn. */

#include "local/json_api.h"

/* sagemaker_tuning.c */
void sagemaker_op_create_tuning_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
				    struct local_response *resp);
void sagemaker_op_describe_tuning_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
				      struct local_response *resp);
void sagemaker_op_list_tuning_jobs(struct cloud *cloud, const struct local_request *req, const json_t *in,
				   struct local_response *resp);
void sagemaker_op_list_tuning_children(struct cloud *cloud, const struct local_request *req, const json_t *in,
				       struct local_response *resp);
void sagemaker_op_stop_tuning_job(struct cloud *cloud, const struct local_request *req, const json_t *in,
				  struct local_response *resp);

/* sagemaker_tags.c */
void sagemaker_op_add_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
			   struct local_response *resp);
void sagemaker_op_list_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
			    struct local_response *resp);
void sagemaker_op_delete_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
			      struct local_response *resp);

#endif
