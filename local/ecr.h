#ifndef SMPIPE_LOCAL_ECR_H
#define SMPIPE_LOCAL_ECR_H

/* ECR's operations on images (ecr_images.c), called by those on repositories (ecr.c). */

#include "local/json_api.h"
#include "local/registry_store.h"

/*
 * The repository that the request names and its document; NULL when the answer is a refusal already. The name is the
 * request's, the document the caller's.
 */
const char *ecr_need_repository(struct cloud *cloud, const json_t *in, json_t **ret_doc, struct local_response *resp);

void ecr_describe_images(struct cloud *cloud, const struct local_request *req, const json_t *in,
			 struct local_response *resp);
void ecr_list_images(struct cloud *cloud, const struct local_request *req, const json_t *in,
		     struct local_response *resp);
void ecr_batch_get_image(struct cloud *cloud, const struct local_request *req, const json_t *in,
			 struct local_response *resp);
void ecr_batch_check_layers(struct cloud *cloud, const struct local_request *req, const json_t *in,
			    struct local_response *resp);

#endif
