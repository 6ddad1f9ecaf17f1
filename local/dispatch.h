#ifndef SMPIPE_LOCAL_DISPATCH_H
#define SMPIPE_LOCAL_DISPATCH_H

/* Who answers a request: the registry, the health page, or the service that the signature was made for. */

#include "local/cloud.h"

#define DISPATCH_HEALTH_PATH "/_smpipe/health"

/*
 * Judge a request by its headers, before the body is taken in. false: refused, resp says why. Else *ret_max_bytes is
 * the largest body it may have.
 */
bool dispatch_admit(struct cloud *cloud, struct local_request *req, struct local_response *resp,
		    uint64_t *ret_max_bytes);

/* The decoder of an admitted request's body, NULL when it comes as it is. false: refused, resp says why. */
struct chunked;
bool dispatch_decoder(struct cloud *cloud, const struct local_request *req, struct local_response *resp,
		      struct chunked **ret);

/* The operation that a request asks for, by its head: see local/faults.h. NULL: none that has a name. Borrowed. */
const char *dispatch_operation(struct local_request *req);

/* Answer an admitted request whose body is there. */
void dispatch_answer(struct cloud *cloud, struct local_request *req, struct local_response *resp);

/* Answer in the shape of the service that was asked, as far as it can be told. */
void dispatch_refuse(const struct local_request *req, struct local_response *resp, int status, const char *code,
		     const char *words);

#endif
